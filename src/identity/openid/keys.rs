//! A provider's public keys (RFC 7517).

use jsonwebtoken::{
    DecodingKey, Header,
    jwk::{Jwk, KeyAlgorithm, PublicKeyUse},
};
use serde::Deserialize;
use serde_json::Value;

/// A provider's public keys.
#[derive(Debug, Deserialize)]
#[serde(from = "Document")]
pub(super) struct KeySet(Vec<Jwk>);

/// A JWK Set. Keys of unknown types must be ignored (RFC 7517, section 5).
#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

impl From<Document> for KeySet {
    fn from(document: Document) -> Self {
        Self(document.keys.into_iter().filter_map(|it| serde_json::from_value(it).ok()).collect())
    }
}

impl KeySet {
    /// Returns the keys that may have signed a token with this header: those with its `kid`, or all
    /// keys for its algorithm if it has no `kid`.
    pub(super) fn candidates(&self, header: &Header) -> impl Iterator<Item = DecodingKey> {
        let matching = self.0.iter().filter(|key| fits(key, header));
        let decoded = matching.filter_map(|key| DecodingKey::from_jwk(key).ok());
        decoded.filter(|key| key.family() == header.alg.family())
    }
}

/// Whether a key is for signatures, and has the id and the algorithm of a header.
fn fits(key: &Jwk, header: &Header) -> bool {
    let key = &key.common;
    let verifies = |it: &PublicKeyUse| *it == PublicKeyUse::Signature;
    let has_id = header.kid.is_none() || key.key_id == header.kid;
    let has_algorithm = key.key_algorithm.is_none_or(|it| it == KeyAlgorithm::from(header.alg));
    has_id && has_algorithm && key.public_key_use.as_ref().is_none_or(verifies)
}
