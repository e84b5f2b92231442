//! The configuration of a signing key.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde::{Deserialize, Serialize};

use crate::access::jwk::PublicJwk;

/// What a key is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyState {
    /// Signs new tokens, and verifies the tokens that it signed.
    Active,
    /// Only verifies the tokens that it signed.
    VerifyOnly,
    /// Neither signs nor verifies.
    #[serde(rename = "dead")]
    Retired,
}

impl KeyState {
    /// Returns the name that the command line of local mode prints.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::VerifyOnly => "VerifyOnly",
            Self::Retired => "Dead",
        }
    }
}

/// An entry of `SIGNING_KEYS`: a JSON Web Key (RFC 8037) and its state.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyEntry {
    /// The public key, 32 bytes in base64url. Can be omitted for a key in KMS.
    #[serde(default)]
    pub x: String,
    /// The private key, 32 bytes in base64url. `None` for a key in KMS, or one that only verifies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub d: Option<String>,
    /// The ARN of a key in KMS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    pub state: KeyState,
}

/// The signing keys are invalid.
#[derive(Debug, thiserror::Error)]
#[error("{variable}: {fault}")]
pub struct InvalidKeys {
    pub(super) variable: &'static str,
    pub(super) fault: String,
    #[source]
    pub(super) cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl InvalidKeys {
    /// Returns the message without the name of the variable.
    #[must_use]
    pub fn fault(&self) -> &str {
        &self.fault
    }

    /// Creates an error in `SIGNING_KEYS`.
    pub(super) fn in_signing_keys(fault: &str) -> Self {
        Self { variable: "SIGNING_KEYS", fault: fault.to_owned(), cause: None }
    }

    /// Creates an error in `SIGNING_PUBLIC_KEYS`.
    pub(super) fn in_public_keys(fault: String) -> Self {
        Self { variable: "SIGNING_PUBLIC_KEYS", fault, cause: None }
    }
}

impl KeyEntry {
    /// Returns the key id.
    #[must_use]
    pub fn kid(&self) -> String {
        PublicJwk::new(self.x.clone()).kid
    }

    /// Creates an active key from 32 random bytes.
    ///
    /// # Errors
    ///
    /// [`InvalidKeys`] if the bytes are not a private key, which cannot happen: any 32 bytes are.
    pub fn from_entropy(seed: [u8; 32]) -> Result<Self, InvalidKeys> {
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed)
            .map_err(|fault| InvalidKeys::in_signing_keys(&fault.to_string()))?;
        let x = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
        Ok(Self { x, d: Some(URL_SAFE_NO_PAD.encode(seed)), arn: None, state: KeyState::Active })
    }
}
