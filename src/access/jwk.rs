//! Public keys as JSON Web Keys.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// The length of a key id, in characters.
const KID_LENGTH: usize = 8;

/// A public key, as published at `/.well-known/jwks.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PublicJwk {
    kty: &'static str,
    crv: &'static str,
    alg: &'static str,
    #[serde(rename = "use")]
    usage: &'static str,
    /// The key id: the first 8 characters of the key's thumbprint (RFC 7638).
    pub kid: String,
    /// The public key, 32 bytes in base64url.
    pub x: String,
}

impl PublicJwk {
    /// Creates the public key from 32 bytes in base64url.
    pub(super) fn new(x: String) -> Self {
        let thumbprint = Sha256::digest(format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#));
        let kid = URL_SAFE_NO_PAD.encode(thumbprint).chars().take(KID_LENGTH).collect();
        Self { kty: "OKP", crv: "Ed25519", alg: "EdDSA", usage: "sig", kid, x }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_id_is_the_start_of_the_thumbprint_in_rfc_8037() {
        let jwk = PublicJwk::new("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo".to_owned());

        assert_eq!(jwk.kid, "kPrK_qmx");
    }
}
