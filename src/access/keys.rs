//! The keys that sign and verify API tokens.
//!
//! Exactly one key is active and signs new tokens. A verify-only key signed tokens in the past and
//! still verifies them. Tokens that were signed with a retired key are invalid.
//!
//! The keys are parsed once, at startup, from JSON Web Keys (RFC 8037): `x` is the public key, and
//! `d` the private key. A key in KMS has `arn` instead of `d`. Its public key is listed in
//! `SIGNING_PUBLIC_KEYS`; otherwise it is requested from KMS. If all public keys are listed, an
//! instance can start and verify tokens while KMS is unavailable.

use std::collections::BTreeMap;

use crate::{
    access::{
        crypto::install,
        key::Key,
        kms::{self, Kms},
    },
    config::SigningKeys,
};

pub use crate::access::{
    jwk::PublicJwk,
    key::SigningError,
    key_entry::{InvalidKeys, KeyEntry, KeyState},
};

/// The keys that sign and verify tokens.
pub struct Keys {
    keys: Vec<Key>,
    /// The number of upcoming signatures that fail, for tests.
    #[cfg(feature = "local")]
    pub faults: std::sync::atomic::AtomicU32,
}

impl Keys {
    /// Parses the keys. Requests the public keys that are missing in `public_keys` from KMS,
    /// concurrently.
    ///
    /// # Errors
    ///
    /// [`InvalidKeys`] unless each key is an Ed25519 key, exactly one is active, and KMS returns
    /// the public keys.
    pub async fn read(
        text: &SigningKeys,
        public_keys: &str,
        kms: &Kms,
    ) -> Result<Self, InvalidKeys> {
        let public_keys = parse_public_keys(public_keys)?;
        let entries: Vec<KeyEntry> = serde_json::from_str(&text.0).map_err(|fault| {
            let place = format!("line {}, column {}", fault.line(), fault.column());
            InvalidKeys::in_signing_keys(&format!("not a JSON list of keys ({place})"))
        })?;
        let entries = entries.into_iter().map(|entry| add_public_key(entry, &public_keys, kms));
        Self::from_entries(futures_util::future::try_join_all(entries).await?, Some(kms))
    }

    /// Creates the set from keys that are not in KMS.
    ///
    /// # Errors
    ///
    /// [`InvalidKeys`] unless each key is an Ed25519 key and exactly one is active.
    pub fn new(entries: Vec<KeyEntry>) -> Result<Self, InvalidKeys> {
        Self::from_entries(entries, None)
    }

    fn from_entries(entries: Vec<KeyEntry>, kms: Option<&Kms>) -> Result<Self, InvalidKeys> {
        install();
        let keys =
            entries.into_iter().map(|entry| Key::new(entry, kms)).collect::<Result<Vec<_>, _>>()?;
        match keys.iter().filter(|it| it.state == KeyState::Active).count() {
            1 => Ok(Self {
                keys,
                #[cfg(feature = "local")]
                faults: std::sync::atomic::AtomicU32::default(),
            }),
            count => Err(InvalidKeys::in_signing_keys(&format!(
                "{count} keys are active; exactly one must be"
            ))),
        }
    }

    /// Returns the key whose tokens have exactly this header, unless the key is retired.
    ///
    /// This comparison alone rejects `none`, other algorithms, `crit`, `jku`, `jwk`, `x5u`,
    /// reordered headers and unknown members.
    pub(super) fn find_by_header(&self, header: &str) -> Option<&Key> {
        self.keys.iter().find(|it| it.header == header && it.state != KeyState::Retired)
    }

    /// Returns the active key, which signs new tokens.
    pub(super) fn active(&self) -> Result<&Key, SigningError> {
        #[cfg(feature = "local")]
        if take_fault(&self.faults) {
            return Err(SigningError::default());
        }
        self.keys.iter().find(|it| it.state == KeyState::Active).ok_or_else(SigningError::default)
    }

    /// Returns the public keys that can verify tokens.
    pub fn public(&self) -> impl Iterator<Item = &PublicJwk> {
        self.keys.iter().filter(|it| it.state != KeyState::Retired).map(|it| &it.public)
    }
}

/// Parses pairs `ARN=PUBLIC_KEY`, separated by commas. Each public key is in DER (RFC 8410) and
/// base64, as in the output of `aws kms get-public-key`.
fn parse_public_keys(text: &str) -> Result<BTreeMap<&str, String>, InvalidKeys> {
    let pairs = text.split(',').map(str::trim).filter(|it| !it.is_empty());
    let parsed = pairs.map(|pair| {
        let invalid =
            || InvalidKeys::in_public_keys(format!("`{pair}` is not of the form ARN=PUBLIC_KEY"));
        let (arn, public_key) = pair.split_once('=').ok_or_else(invalid)?;
        let x = kms::parse_public_key(public_key)
            .map_err(|fault| InvalidKeys::in_public_keys(format!("{arn}: {fault}")))?;
        Ok((arn, x))
    });
    parsed.collect()
}

/// Adds the missing public key to the entry of a key in KMS.
async fn add_public_key(
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

/// Consumes one of the failures that a test scheduled, if any is left.
#[cfg(feature = "local")]
fn take_fault(faults: &std::sync::atomic::AtomicU32) -> bool {
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
    fn exactly_one_key_must_be_active() {
        assert!(Keys::new(vec![]).is_err());
        assert!(Keys::new(vec![entry(1, KeyState::Active), entry(2, KeyState::Active)]).is_err());
        assert!(
            Keys::new(vec![entry(1, KeyState::Active), entry(2, KeyState::VerifyOnly)]).is_ok()
        );
    }

    #[test]
    fn only_public_members_of_keys_that_are_not_retired_are_published() {
        let keys =
            Keys::new(vec![entry(1, KeyState::Active), entry(2, KeyState::Retired)]).unwrap();
        let published = serde_json::to_value(keys.public().collect::<Vec<_>>()).unwrap();

        assert_eq!(published.as_array().unwrap().len(), 1);
        assert!(published[0].get("d").is_none(), "{published}");
    }

    #[test]
    fn a_private_key_that_does_not_match_its_public_key_is_rejected() {
        let mixed = KeyEntry { x: entry(2, KeyState::Active).x, ..entry(1, KeyState::Active) };

        assert!(Keys::new(vec![mixed]).is_err());
    }
}
