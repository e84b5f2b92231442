//! One key: what its tokens begin with, and how it signs and verifies.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use ring::signature::Ed25519KeyPair;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::{
    access::{
        keys::{InvalidKeys, KeyEntry, KeyState},
        kms::{Kms, KmsError},
    },
    error::Error,
};

/// The length of a key's id.
const KID_LENGTH: usize = 8;

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
    /// This process. The pair is made once: to make it costs as much as to sign.
    Here(Ed25519KeyPair),
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

impl From<NotSigned> for Error {
    /// What KMS rejects is a mistake of ours, or of the deployment; else signing is unavailable.
    fn from(fault: NotSigned) -> Self {
        let cause = fault.0.as_ref().and_then(|it| it.downcast_ref());
        if matches!(cause, Some(KmsError::Rejected(_))) {
            Self::internal(fault)
        } else {
            Self::unavailable(fault)
        }
    }
}

impl Key {
    /// The key that an entry of the configuration describes.
    pub(super) fn of(entry: KeyEntry, kms: Option<&Kms>) -> Result<Self, InvalidKeys> {
        let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).ok().filter(|it| it.len() == 32);
        let x =
            bytes(&entry.x).ok_or_else(|| InvalidKeys::of("`x` must be 32 bytes in base64url"))?;
        let public = PublicJwk::of(entry.x);
        let signer = match (entry.d.as_deref(), entry.arn, kms) {
            (None, None, _) => Signer::Nobody,
            (Some(d), None, _) => {
                let d =
                    bytes(d).ok_or_else(|| InvalidKeys::of("`d` must be 32 bytes in base64url"))?;
                let pair = Ed25519KeyPair::from_seed_and_public_key(&d, &x);
                Signer::Here(pair.map_err(|_| {
                    InvalidKeys::of(&format!(
                        "`d` is not the private key of `x` (kid {})",
                        public.kid
                    ))
                })?)
            }
            (None, Some(arn), Some(kms)) => Signer::Kms(kms.clone(), arn),
            (None, Some(_), None) => return Err(InvalidKeys::of("there is no KMS here for `arn`")),
            (Some(_), Some(_), _) => {
                return Err(InvalidKeys::of("`d` and `arn` exclude each other"));
            }
        };
        let decoding = DecodingKey::from_ed_components(&public.x)
            .map_err(|_| InvalidKeys::of("`x` is no key"))?;
        let header = format!(r#"{{"typ":"arm-pat+jwt","alg":"EdDSA","kid":"{}"}}"#, public.kid);
        let header = URL_SAFE_NO_PAD.encode(header);
        Ok(Self { public, state: entry.state, header, decoding, signer })
    }

    /// Whether `signature` is this key's, over `message`.
    pub(super) fn verifies(&self, signature: &str, message: &str) -> bool {
        crypto::verify(signature, message.as_bytes(), &self.decoding, Algorithm::EdDSA)
            .unwrap_or(false)
    }

    /// Signs `message`; the signature is in base64url.
    ///
    /// What KMS signs is verified here, so that no token is given away that would not
    /// hold.
    pub(super) async fn sign(&self, message: &str) -> Result<String, NotSigned> {
        match &self.signer {
            Signer::Nobody => {
                Err(NotSigned(Some("the active key has no private half here".into())))
            }
            Signer::Here(pair) => Ok(URL_SAFE_NO_PAD.encode(pair.sign(message.as_bytes()))),
            Signer::Kms(kms, arn) => {
                let signature =
                    kms.sign(arn, message).await.map_err(|fault| NotSigned(Some(fault.into())))?;
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
