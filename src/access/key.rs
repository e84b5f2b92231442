//! A signing key: how it signs and verifies.

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

/// A signing key.
pub(super) struct Key {
    pub(super) public: PublicJwk,
    pub(super) state: KeyState,
    /// The JWT header of the tokens that the key signs, in base64url.
    pub(super) header: String,
    decoding: DecodingKey,
    signer: Signer,
}

/// Where the private key is.
enum Signer {
    /// The private key is not available, so the key can only verify.
    None,
    /// In this process. The key pair is parsed only once, because parsing takes as long as signing.
    Local(Ed25519KeyPair),
    /// In KMS, under this ARN.
    Kms(Kms, String),
}

/// A token could not be signed.
#[derive(Debug, Default, thiserror::Error)]
#[error("the token could not be signed")]
pub struct SigningError(#[source] Option<Box<dyn std::error::Error + Send + Sync>>);

impl From<SigningError> for Error {
    /// Returns `Internal` if KMS rejected the request, since that is a bug or a mistake in the
    /// deployment. Otherwise returns `Unavailable`.
    fn from(fault: SigningError) -> Self {
        let cause = fault.0.as_ref().and_then(|it| it.downcast_ref());
        if matches!(cause, Some(KmsError::Rejected(_))) {
            Self::internal(fault)
        } else {
            Self::unavailable(fault)
        }
    }
}

impl Key {
    /// Creates a key from its configuration.
    pub(super) fn new(entry: KeyEntry, kms: Option<&Kms>) -> Result<Self, InvalidKeys> {
        let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).ok().filter(|it| it.len() == 32);
        let x = bytes(&entry.x)
            .ok_or_else(|| InvalidKeys::in_signing_keys("`x` must be 32 bytes in base64url"))?;
        let public = PublicJwk::new(entry.x);
        let signer = match (entry.d.as_deref(), entry.arn, kms) {
            (None, None, _) => Signer::None,
            (Some(d), None, _) => {
                let d = bytes(d).ok_or_else(|| {
                    InvalidKeys::in_signing_keys("`d` must be 32 bytes in base64url")
                })?;
                let pair = Ed25519KeyPair::from_seed_and_public_key(&d, &x);
                Signer::Local(pair.map_err(|_| {
                    InvalidKeys::in_signing_keys(&format!(
                        "`d` is not the private key of `x` (kid {})",
                        public.kid
                    ))
                })?)
            }
            (None, Some(arn), Some(kms)) => Signer::Kms(kms.clone(), arn),
            (None, Some(_), None) => {
                return Err(InvalidKeys::in_signing_keys(
                    "`arn` needs KMS, which is not configured",
                ));
            }
            (Some(_), Some(_), _) => {
                return Err(InvalidKeys::in_signing_keys("`d` and `arn` are mutually exclusive"));
            }
        };
        let decoding = DecodingKey::from_ed_components(&public.x)
            .map_err(|_| InvalidKeys::in_signing_keys("`x` is not a public key"))?;
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
    /// Signatures from KMS are verified, so that an invalid token is never issued.
    pub(super) async fn sign(&self, message: &str) -> Result<String, SigningError> {
        match &self.signer {
            Signer::None => Err(SigningError(Some("the active key has no private key".into()))),
            Signer::Local(pair) => Ok(URL_SAFE_NO_PAD.encode(pair.sign(message.as_bytes()))),
            Signer::Kms(kms, arn) => {
                let signature = kms
                    .sign(arn, message)
                    .await
                    .map_err(|fault| SigningError(Some(fault.into())))?;
                if self.verifies(&signature, message) {
                    Ok(signature)
                } else {
                    Err(SigningError(Some("KMS signed with a different key".into())))
                }
            }
        }
    }
}
