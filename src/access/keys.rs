//! The keys that sign and verify API tokens.
//!
//! A key is active (signs and verifies; there is exactly one), verify-only (its
//! tokens still hold), or dead (they do not). The set is read once, at start, from
//! JSON Web Keys (RFC 8037): a public key has `x`, one that can sign also `d`. A key in
//! KMS has `arn` instead, and KMS signs. Its public half comes from `SIGNING_PUBLIC_KEYS`;
//! KMS is asked for it only if it is not listed there, so an instance whose public keys
//! are all listed starts, and verifies, while KMS does not answer.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use crate::{
    access::{
        crypto::install,
        key::Key,
        kms::{self, Kms},
    },
    config::SigningKeys,
};

pub use crate::access::key::{NotSigned, PublicJwk};

/// All the keys that may stand under a token.
pub struct Keys {
    keys: Vec<Key>,
    /// How many signatures fail next, for stories about that.
    #[cfg(feature = "local")]
    pub faults: std::sync::atomic::AtomicU32,
}

/// What a key is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyState {
    /// It signs new tokens and verifies its own.
    Active,
    /// It verifies its own, and signs no more.
    VerifyOnly,
    /// It does neither.
    Dead,
}

/// A key as the configuration has it: a JSON Web Key and its state.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyEntry {
    /// The public key, 32 bytes in base64url; may be left out for a key in KMS.
    #[serde(default)]
    pub x: String,
    /// The private key, 32 bytes in base64url, where this process signs by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub d: Option<String>,
    /// The key's name in KMS, where that signs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    /// What the key is good for.
    pub state: KeyState,
}

/// The set of keys cannot be used; says why.
#[derive(Debug, thiserror::Error)]
#[error("{variable}: {fault}")]
pub struct InvalidKeys {
    variable: &'static str,
    fault: String,
    #[source]
    cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl InvalidKeys {
    /// What is wrong with the keys, without the name of the variable.
    #[must_use]
    pub fn fault(&self) -> &str {
        &self.fault
    }

    /// This is wrong with them.
    pub(super) fn of(fault: &str) -> Self {
        Self { variable: "SIGNING_KEYS", fault: fault.to_owned(), cause: None }
    }

    fn of_public_keys(fault: String) -> Self {
        Self { variable: "SIGNING_PUBLIC_KEYS", fault, cause: None }
    }
}

impl Keys {
    /// Reads the set of keys. A key in KMS whose public half is not in `public_keys` is
    /// asked for, all of them at once.
    ///
    /// # Errors
    ///
    /// [`InvalidKeys`] unless each is an Ed25519 key and exactly one is active, or when KMS
    /// does not give a public key.
    pub async fn read(
        text: &SigningKeys,
        public_keys: &str,
        kms: &Kms,
    ) -> Result<Self, InvalidKeys> {
        let public_keys = parse_public_keys(public_keys)?;
        let entries: Vec<KeyEntry> = serde_json::from_str(&text.0).map_err(|fault| {
            let place = format!("line {}, column {}", fault.line(), fault.column());
            InvalidKeys::of(&format!("not a JSON list of keys ({place})"))
        })?;
        let completed = entries.into_iter().map(|entry| completed(entry, &public_keys, kms));
        Self::with(futures_util::future::try_join_all(completed).await?, Some(kms))
    }

    /// Makes the set of keys that are all here.
    ///
    /// # Errors
    ///
    /// [`InvalidKeys`] unless each is an Ed25519 key and exactly one is active.
    pub fn of(entries: Vec<KeyEntry>) -> Result<Self, InvalidKeys> {
        Self::with(entries, None)
    }

    fn with(entries: Vec<KeyEntry>, kms: Option<&Kms>) -> Result<Self, InvalidKeys> {
        install();
        let keys =
            entries.into_iter().map(|entry| Key::of(entry, kms)).collect::<Result<Vec<_>, _>>()?;
        match keys.iter().filter(|it| it.state == KeyState::Active).count() {
            1 => Ok(Self {
                keys,
                #[cfg(feature = "local")]
                faults: std::sync::atomic::AtomicU32::default(),
            }),
            count => Err(InvalidKeys::of(&format!("{count} keys are active; exactly one must be"))),
        }
    }

    /// The key whose tokens begin with exactly this header, unless it is dead.
    ///
    /// One comparison refuses `none`, other algorithms, `crit`, `jku`, `jwk`, `x5u`,
    /// reordered headers and unknown members.
    pub(super) fn of_header(&self, header: &str) -> Option<&Key> {
        self.keys.iter().find(|it| it.header == header && it.state != KeyState::Dead)
    }

    /// The key that signs.
    pub(super) fn active(&self) -> Result<&Key, NotSigned> {
        #[cfg(feature = "local")]
        if is_failing(&self.faults) {
            return Err(NotSigned::default());
        }
        self.keys.iter().find(|it| it.state == KeyState::Active).ok_or_else(NotSigned::default)
    }

    /// The public keys whose tokens hold.
    pub fn public(&self) -> impl Iterator<Item = &PublicJwk> {
        self.keys.iter().filter(|it| it.state != KeyState::Dead).map(|it| &it.public)
    }
}

impl KeyEntry {
    /// The key's id, of its thumbprint.
    #[must_use]
    pub fn kid(&self) -> String {
        PublicJwk::of(self.x.clone()).kid
    }

    /// Makes a new active key of 32 random bytes.
    ///
    /// # Errors
    ///
    /// [`InvalidKeys`] when the bytes make no key; any 32 bytes do.
    pub fn from_entropy(seed: [u8; 32]) -> Result<Self, InvalidKeys> {
        use ring::signature::{Ed25519KeyPair, KeyPair};
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed)
            .map_err(|fault| InvalidKeys::of(&fault.to_string()))?;
        let x = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
        Ok(Self { x, d: Some(URL_SAFE_NO_PAD.encode(seed)), arn: None, state: KeyState::Active })
    }
}

/// Reads pairs `ARN=PUBLIC_KEY`, separated by commas. A public key has the form in which
/// `aws kms get-public-key` prints it: DER (RFC 8410) in base64.
fn parse_public_keys(text: &str) -> Result<BTreeMap<&str, String>, InvalidKeys> {
    let pairs = text.split(',').map(str::trim).filter(|it| !it.is_empty());
    let parsed = pairs.map(|pair| {
        let invalid =
            || InvalidKeys::of_public_keys(format!("`{pair}` is not of the form ARN=PUBLIC_KEY"));
        let (arn, public_key) = pair.split_once('=').ok_or_else(invalid)?;
        let x = kms::parse_public_key(public_key)
            .map_err(|fault| InvalidKeys::of_public_keys(format!("{arn}: {fault}")))?;
        Ok((arn, x))
    });
    parsed.collect()
}

/// Adds the public half to the entry of a key in KMS.
async fn completed(
    entry: KeyEntry,
    public_keys: &BTreeMap<&str, String>,
    kms: &Kms,
) -> Result<KeyEntry, InvalidKeys> {
    let Some(arn) = entry.arn.as_deref().filter(|_| entry.x.is_empty()) else { return Ok(entry) };
    let x = match public_keys.get(arn) {
        Some(x) => x.clone(),
        None => kms.public_key(arn).await.map_err(|cause| InvalidKeys {
            variable: "SIGNING_KEYS",
            fault: format!(
                "KMS did not give the public key of {arn}, which SIGNING_PUBLIC_KEYS does not list"
            ),
            cause: Some(cause.into()),
        })?,
    };
    Ok(KeyEntry { x, ..entry })
}

/// Takes one of the faults that were asked for.
#[cfg(feature = "local")]
fn is_failing(faults: &std::sync::atomic::AtomicU32) -> bool {
    use std::sync::atomic::Ordering::SeqCst;
    faults.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(seed: u8, state: KeyState) -> KeyEntry {
        KeyEntry { state, ..KeyEntry::from_entropy([seed; 32]).unwrap() }
    }

    #[test]
    fn exactly_one_key_is_active() {
        assert!(Keys::of(vec![]).is_err());
        assert!(Keys::of(vec![entry(1, KeyState::Active), entry(2, KeyState::Active)]).is_err());
        assert!(Keys::of(vec![entry(1, KeyState::Active), entry(2, KeyState::VerifyOnly)]).is_ok());
    }

    #[test]
    fn only_public_members_of_keys_that_hold_are_shown() {
        let keys = Keys::of(vec![entry(1, KeyState::Active), entry(2, KeyState::Dead)]).unwrap();
        let shown = serde_json::to_value(keys.public().collect::<Vec<_>>()).unwrap();

        assert_eq!(shown.as_array().unwrap().len(), 1);
        assert!(shown[0].get("d").is_none(), "{shown}");
    }

    #[test]
    fn a_private_key_of_another_public_one_is_refused() {
        let mixed = KeyEntry { x: entry(2, KeyState::Active).x, ..entry(1, KeyState::Active) };

        assert!(Keys::of(vec![mixed]).is_err());
    }
}
