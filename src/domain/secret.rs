//! Secrets in plaintext, and the digests under which they are stored.
//!
//! A secret cannot be printed, copied, compared or serialized. Only [`Secret::reveal`] returns its
//! text, and an architecture test lists the callers.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::hmac;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A secret in plaintext. It is wiped from memory when it is dropped.
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Creates a secret of 256 random bits, in base64url: 43 characters.
    #[must_use]
    pub fn from_entropy(bytes: [u8; 32]) -> Self {
        Self::from(URL_SAFE_NO_PAD.encode(Zeroizing::new(bytes)))
    }

    /// Returns the digest under which the secret is stored: SHA-256, in base64url.
    ///
    /// A fast hash is sufficient, since nobody can guess 256 random bits.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest(URL_SAFE_NO_PAD.encode(Sha256::digest(self.0.as_bytes())))
    }

    /// Derives another secret with HMAC-SHA256. The derived secret does not reveal this one. The
    /// parts are concatenated, so all but the last must have a fixed length.
    #[must_use]
    pub fn derive(&self, parts: &[&[u8]]) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.0.as_bytes());
        let mut context = hmac::Context::with_key(&key);
        for part in parts {
            context.update(part);
        }
        let tag = context.sign();
        Self::from(URL_SAFE_NO_PAD.encode(tag.as_ref()))
    }

    /// Returns the text of the secret, to send it to its owner or to an identity provider.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Calls `look` with the text of the secret, to parse or sign it.
    pub fn inspect<T>(&self, look: impl FnOnce(&str) -> T) -> T {
        look(&self.0)
    }

    /// Returns the length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the secret is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

/// The digest of a [`Secret`], which is stored instead of the secret.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(String);

impl Digest {
    /// Whether both digests are the same. Compares in constant time.
    #[must_use]
    pub fn matches(&self, presented: &Self) -> bool {
        self.0.as_bytes().ct_eq(presented.0.as_bytes()).into()
    }

    /// Returns the digest as text, for the key of a record.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[digest]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_cannot_be_printed() {
        let secret = Secret::from_entropy([7; 32]);

        assert_eq!(format!("{secret:?}"), "[redacted]");
        assert_eq!(format!("{:?}", Some(&secret)), "Some([redacted])");
        assert_eq!(format!("{:?}", secret.digest()), "[digest]");
    }

    #[test]
    fn a_digest_matches_only_its_own_secret() {
        let digest = Secret::from_entropy([7; 32]).digest();

        assert!(digest.matches(&Secret::from_entropy([7; 32]).digest()));
        assert!(!digest.matches(&Secret::from_entropy([8; 32]).digest()));
        assert!(!digest.matches(&Secret::from(String::new()).digest()));
    }

    #[test]
    fn a_derived_secret_depends_on_the_secret_and_on_the_parts() {
        let derived = Secret::from_entropy([7; 32]).derive(&[b"one", b"two"]);

        let again = Secret::from_entropy([7; 32]).derive(&[b"one", b"two"]);
        assert!(derived.digest().matches(&again.digest()));
        let of_another = Secret::from_entropy([8; 32]).derive(&[b"one", b"two"]);
        assert!(!derived.digest().matches(&of_another.digest()));
        let for_another = Secret::from_entropy([7; 32]).derive(&[b"one", b"too"]);
        assert!(!derived.digest().matches(&for_another.digest()));
        assert_eq!(derived.len(), 43);
    }

    #[test]
    fn a_secret_of_256_bits_has_43_characters() {
        assert_eq!(Secret::from_entropy([255; 32]).len(), 43);
    }
}
