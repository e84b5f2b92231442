//! The keys that sign and verify API tokens.
//!
//! A key is active (signs and verifies; there is exactly one), verify-only (its
//! tokens still hold), or dead (they do not). The set is read once, at start, from
//! JSON Web Keys (RFC 8037): a public key has `x`, one that can sign also `d`.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, crypto};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{access::crypto::install, config::SigningKeys};

/// The length of a key's id.
const KID_LENGTH: usize = 8;
/// What stands before the 32 bytes of an Ed25519 private key in PKCS#8 (RFC 8410).
const PKCS8_PREFIX: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// All the keys that may stand under a token.
pub struct Keys {
    keys: Vec<Key>,
    /// How many signatures fail next, for stories about that.
    #[cfg(feature = "local")]
    pub faults: std::sync::atomic::AtomicU32,
}

/// One key, and the header that its tokens begin with.
pub(super) struct Key {
    public: PublicJwk,
    state: KeyState,
    header: String,
    decoding: DecodingKey,
    encoding: Option<EncodingKey>,
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
pub struct KeyEntry {
    /// The public key, 32 bytes in base64url.
    pub x: String,
    /// The private key, 32 bytes in base64url, where this process signs by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub d: Option<String>,
    /// What the key is good for.
    pub state: KeyState,
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

/// The set of keys cannot be used; says why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("SIGNING_KEYS: {0}")]
pub struct InvalidKeys(String);

/// A token could not be signed.
#[derive(Debug, Default, thiserror::Error)]
#[error("the token could not be signed")]
pub struct NotSigned(#[source] Option<jsonwebtoken::errors::Error>);

impl Keys {
    /// Reads the set of keys.
    ///
    /// # Errors
    ///
    /// [`InvalidKeys`] unless each is an Ed25519 key and exactly one is active.
    pub fn parse(text: &SigningKeys) -> Result<Self, InvalidKeys> {
        let entries: Vec<KeyEntry> = serde_json::from_str(&text.0).map_err(|fault| {
            InvalidKeys(format!("not a JSON list of keys (line {}, column {})", fault.line(), fault.column()))
        })?;
        Self::of(entries)
    }

    /// Makes the set of keys.
    ///
    /// # Errors
    ///
    /// [`InvalidKeys`] unless each is an Ed25519 key and exactly one is active.
    pub fn of(entries: Vec<KeyEntry>) -> Result<Self, InvalidKeys> {
        install();
        let keys = entries.into_iter().map(Key::try_from).collect::<Result<Vec<_>, _>>()?;
        match keys.iter().filter(|it| it.state == KeyState::Active).count() {
            1 => Ok(Self {
                keys,
                #[cfg(feature = "local")]
                faults: std::sync::atomic::AtomicU32::default(),
            }),
            count => Err(InvalidKeys(format!("{count} keys are active; exactly one must be"))),
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

impl Key {
    /// The header that each of its tokens begins with, in base64url.
    pub(super) fn header(&self) -> &str {
        &self.header
    }

    /// Whether `signature` is this key's, over `message`.
    pub(super) fn verifies(&self, signature: &str, message: &str) -> bool {
        crypto::verify(signature, message.as_bytes(), &self.decoding, Algorithm::EdDSA).unwrap_or(false)
    }

    /// Signs `message`; the signature is in base64url.
    pub(super) fn sign(&self, message: &str) -> Result<String, NotSigned> {
        let key = self.encoding.as_ref().ok_or(NotSigned(None))?;
        crypto::sign(message.as_bytes(), key, Algorithm::EdDSA).map_err(|fault| NotSigned(Some(fault)))
    }
}

impl TryFrom<KeyEntry> for Key {
    type Error = InvalidKeys;

    fn try_from(entry: KeyEntry) -> Result<Self, InvalidKeys> {
        let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).ok().filter(|it| it.len() == 32);
        bytes(&entry.x).ok_or_else(|| InvalidKeys("`x` must be 32 bytes in base64url".to_owned()))?;
        let private = entry
            .d
            .as_deref()
            .map(|d| bytes(d).ok_or_else(|| InvalidKeys("`d` must be 32 bytes in base64url".to_owned())));
        let encoding =
            private.transpose()?.map(|d| EncodingKey::from_ed_der(&[&PKCS8_PREFIX[..], &d].concat()));
        let decoding =
            DecodingKey::from_ed_components(&entry.x).map_err(|_| InvalidKeys("`x` is no key".to_owned()))?;
        let public = PublicJwk::of(entry.x);
        let header = format!(r#"{{"typ":"arm-pat+jwt","alg":"EdDSA","kid":"{}"}}"#, public.kid);
        let key =
            Self { state: entry.state, header: URL_SAFE_NO_PAD.encode(header), public, decoding, encoding };
        key.checked()
    }
}

impl Key {
    /// A key that signs what it then does not verify is two keys by mistake.
    fn checked(self) -> Result<Self, InvalidKeys> {
        let probe = self.encoding.is_some().then(|| self.sign("probe"));
        match probe {
            Some(Ok(signature)) if !self.verifies(&signature, "probe") => {
                Err(InvalidKeys(format!("`d` is not the private key of `x` (kid {})", self.public.kid)))
            }
            Some(Err(_)) => Err(InvalidKeys(format!("`d` is no private key (kid {})", self.public.kid))),
            Some(Ok(_)) | None => Ok(self),
        }
    }
}

impl PublicJwk {
    fn of(x: String) -> Self {
        let thumbprint = Sha256::digest(format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#));
        let kid = URL_SAFE_NO_PAD.encode(thumbprint).chars().take(KID_LENGTH).collect();
        Self { kty: "OKP", crv: "Ed25519", alg: "EdDSA", usage: "sig", kid, x }
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
        let pair =
            Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|fault| InvalidKeys(fault.to_string()))?;
        let x = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
        Ok(Self { x, d: Some(URL_SAFE_NO_PAD.encode(seed)), state: KeyState::Active })
    }
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
    fn the_kid_is_of_the_thumbprint_of_rfc_8037() {
        let jwk = PublicJwk::of("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo".to_owned());

        assert_eq!(jwk.kid, "kPrK_qmx");
    }

    #[test]
    fn exactly_one_key_is_active() {
        assert!(Keys::of(vec![]).is_err());
        assert!(Keys::of(vec![entry(1, KeyState::Active), entry(2, KeyState::Active)]).is_err());
        assert!(Keys::of(vec![entry(1, KeyState::Active), entry(2, KeyState::VerifyOnly)]).is_ok());
    }

    #[test]
    fn i14_only_public_members_of_keys_that_hold_are_shown() {
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
