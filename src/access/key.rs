//! One key: what its tokens begin with, and how it signs and verifies.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, crypto};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::access::{
    keys::{InvalidKeys, KeyEntry, KeyState},
    kms::Kms,
};

/// The length of a key's id.
const KID_LENGTH: usize = 8;
/// What stands before the 32 bytes of an Ed25519 private key in PKCS#8 (RFC 8410).
const PKCS8_PREFIX: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// One key, and the header that its tokens begin with.
pub(super) struct Key {
    pub(super) public: PublicJwk,
    pub(super) state: KeyState,
    pub(super) header: String,
    decoding: DecodingKey,
    signer: Signer,
}

/// Who has the private half.
enum Signer {
    /// Nobody here: the key verifies alone.
    Nobody,
    /// This process.
    Here(EncodingKey),
    /// KMS, under this name.
    Kms(Kms, String),
}

/// A public key, as `/.well-known/jwks.json` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PublicJwk {
    kty: &'static str,
    crv: &'static str,
    alg: &'static str,
    #[serde(rename = "use")]
    usage: &'static str,
    /// The key's id: the first 8 characters of its thumbprint (RFC 7638).
    pub kid: String,
    /// The public key, 32 bytes in base64url.
    pub x: String,
}

/// A token could not be signed.
#[derive(Debug, Default, thiserror::Error)]
#[error("the token could not be signed")]
pub struct NotSigned(#[source] Option<Box<dyn std::error::Error + Send + Sync>>);

impl Key {
    /// The key that an entry of the configuration describes.
    pub(super) fn of(entry: KeyEntry, kms: Option<&Kms>) -> Result<Self, InvalidKeys> {
        let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).ok().filter(|it| it.len() == 32);
        bytes(&entry.x).ok_or_else(|| InvalidKeys::of("`x` must be 32 bytes in base64url"))?;
        let signer = match (entry.d.as_deref(), entry.arn, kms) {
            (None, None, _) => Signer::Nobody,
            (Some(d), None, _) => {
                let d = bytes(d).ok_or_else(|| InvalidKeys::of("`d` must be 32 bytes in base64url"))?;
                Signer::Here(EncodingKey::from_ed_der(&[&PKCS8_PREFIX[..], &d].concat()))
            }
            (None, Some(arn), Some(kms)) => Signer::Kms(kms.clone(), arn),
            (None, Some(_), None) => return Err(InvalidKeys::of("there is no KMS here for `arn`")),
            (Some(_), Some(_), _) => return Err(InvalidKeys::of("`d` and `arn` exclude each other")),
        };
        let decoding =
            DecodingKey::from_ed_components(&entry.x).map_err(|_| InvalidKeys::of("`x` is no key"))?;
        let public = PublicJwk::of(entry.x);
        let header = format!(r#"{{"typ":"arm-pat+jwt","alg":"EdDSA","kid":"{}"}}"#, public.kid);
        let header = URL_SAFE_NO_PAD.encode(header);
        Self { public, state: entry.state, header, decoding, signer }.checked()
    }

    /// A key that signs what it then does not verify is two keys by mistake.
    fn checked(self) -> Result<Self, InvalidKeys> {
        let Signer::Here(key) = &self.signer else { return Ok(self) };
        match signed_here(key, "probe") {
            Ok(signature) if self.verifies(&signature, "probe") => Ok(self),
            _ => {
                Err(InvalidKeys::of(&format!("`d` is not the private key of `x` (kid {})", self.public.kid)))
            }
        }
    }

    /// Whether `signature` is this key's, over `message`.
    pub(super) fn verifies(&self, signature: &str, message: &str) -> bool {
        crypto::verify(signature, message.as_bytes(), &self.decoding, Algorithm::EdDSA).unwrap_or(false)
    }

    /// Signs `message`; the signature is in base64url.
    ///
    /// What KMS signs is verified here, so that no token is given away that would not
    /// hold.
    pub(super) async fn sign(&self, message: &str) -> Result<String, NotSigned> {
        match &self.signer {
            Signer::Nobody => Err(NotSigned(Some("the active key has no private half here".into()))),
            Signer::Here(key) => signed_here(key, message),
            Signer::Kms(kms, arn) => {
                let signature = kms.sign(arn, message).await.map_err(|fault| NotSigned(Some(fault)))?;
                let is_own = self.verifies(&signature, message);
                if is_own {
                    Ok(signature)
                } else {
                    Err(NotSigned(Some("KMS signed with another key".into())))
                }
            }
        }
    }
}

fn signed_here(key: &EncodingKey, message: &str) -> Result<String, NotSigned> {
    let signed = crypto::sign(message.as_bytes(), key, Algorithm::EdDSA);
    signed.map_err(|fault| NotSigned(Some(Box::new(fault))))
}

impl PublicJwk {
    /// The public key of these 32 bytes in base64url.
    pub(super) fn of(x: String) -> Self {
        let thumbprint = Sha256::digest(format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#));
        let kid = URL_SAFE_NO_PAD.encode(thumbprint).chars().take(KID_LENGTH).collect();
        Self { kty: "OKP", crv: "Ed25519", alg: "EdDSA", usage: "sig", kid, x }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kid_is_of_the_thumbprint_of_rfc_8037() {
        let jwk = PublicJwk::of("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo".to_owned());

        assert_eq!(jwk.kid, "kPrK_qmx");
    }
}
