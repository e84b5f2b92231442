//! One key: the header of its tokens, and how it signs and verifies.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use ring::signature::Ed25519KeyPair;

use crate::{
    access::{
        jwk::PublicJwk,
        key_entry::{InvalidKeys, KeyEntry, KeyState},
        kms::{Kms, KmsError},
    },
    error::Error,
};

/// One key, and the header of its tokens.
pub(super) struct Key {
    pub(super) public: PublicJwk,
    pub(super) state: KeyState,
    pub(super) header: String,
    decoding: DecodingKey,
    signer: Signer,
}

/// What signs with the private key.
enum Signer {
    /// The key only verifies.
    None,
    /// This process signs. The pair is created once, since that costs as much as a signature.
    Local(Ed25519KeyPair),
    /// KMS signs with the key of this ARN.
    Kms(Kms, String),
}

/// A token could not be signed.
#[derive(Debug, Default, thiserror::Error)]
#[error("the token could not be signed")]
pub struct NotSigned(#[source] Option<Box<dyn std::error::Error + Send + Sync>>);

impl From<NotSigned> for Error {
    /// A request that KMS rejects is a bug or a mistake in the deployment: `Internal`. Otherwise
    /// signing is unavailable.
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
    /// Creates the key that an entry of the configuration describes.
    pub(super) fn of(entry: KeyEntry, kms: Option<&Kms>) -> Result<Self, InvalidKeys> {
        let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).ok().filter(|it| it.len() == 32);
        let x =
            bytes(&entry.x).ok_or_else(|| InvalidKeys::of("`x` must be 32 bytes in base64url"))?;
        let public = PublicJwk::of(entry.x);
        let signer = match (entry.d.as_deref(), entry.arn, kms) {
            (None, None, _) => Signer::None,
            (Some(d), None, _) => {
                let d =
                    bytes(d).ok_or_else(|| InvalidKeys::of("`d` must be 32 bytes in base64url"))?;
                let pair = Ed25519KeyPair::from_seed_and_public_key(&d, &x);
                Signer::Local(pair.map_err(|_| {
                    InvalidKeys::of(&format!(
                        "`d` is not the private key of `x` (kid {})",
                        public.kid
                    ))
                })?)
            }
            (None, Some(arn), Some(kms)) => Signer::Kms(kms.clone(), arn),
            (None, Some(_), None) => {
                return Err(InvalidKeys::of("`arn` needs KMS, which is not configured"));
            }
            (Some(_), Some(_), _) => {
                return Err(InvalidKeys::of("`d` and `arn` exclude each other"));
            }
        };
        let decoding = DecodingKey::from_ed_components(&public.x)
            .map_err(|_| InvalidKeys::of("`x` is not a public key"))?;
        let header = format!(r#"{{"typ":"arm-pat+jwt","alg":"EdDSA","kid":"{}"}}"#, public.kid);
        let header = URL_SAFE_NO_PAD.encode(header);
        Ok(Self { public, state: entry.state, header, decoding, signer })
    }

    /// Whether `signature` is this key's signature of `message`.
    pub(super) fn verifies(&self, signature: &str, message: &str) -> bool {
        crypto::verify(signature, message.as_bytes(), &self.decoding, Algorithm::EdDSA)
            .unwrap_or(false)
    }

    /// Signs `message`. Returns the signature in base64url.
    ///
    /// A signature of KMS is verified, so that no invalid token is handed out.
    pub(super) async fn sign(&self, message: &str) -> Result<String, NotSigned> {
        match &self.signer {
            Signer::None => Err(NotSigned(Some("the active key has no private key here".into()))),
            Signer::Local(pair) => Ok(URL_SAFE_NO_PAD.encode(pair.sign(message.as_bytes()))),
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
