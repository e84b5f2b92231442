//! Verification of ID tokens (OpenID Connect Core, section 3.1.3.7).
//!
//! `jsonwebtoken` parses tokens and keys, and ring verifies signatures (`access/crypto.rs`). The
//! claims are checked here, because `jsonwebtoken` reads the system's clock and supports neither
//! the nonce nor the authorized party. The crate `openidconnect` would do all of this, but it adds
//! 59 crates, among them `rsa`, which is affected by RUSTSEC-2023-0071.

use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{
    Algorithm, Validation, decode, decode_header,
    errors::{Error as JwtError, ErrorKind},
};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    access::crypto,
    domain::{
        issuer::is_issuer,
        login::LOGIN_LIFETIME,
        secret::{Digest, Secret},
    },
    identity::openid::keys::KeySet,
};

/// The maximum difference between a provider's clock and ours.
const MAX_SKEW: SignedDuration = SignedDuration::from_mins(5);
/// The allowed signature algorithms. All of them are asymmetric.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// An ID token is invalid.
#[derive(Debug, thiserror::Error)]
pub(super) enum InvalidIdToken {
    /// It is not a token, or its claims have wrong types.
    #[error("the ID token cannot be parsed")]
    Malformed(#[source] JwtError),
    /// None of the provider's known keys signed it. The provider may have newer keys.
    #[error("the ID token is not signed by a known key of the provider")]
    UnknownKey,
    /// The header or a claim breaks a rule.
    #[error("the ID token {0}")]
    Rejected(&'static str),
}

/// The values that the claims of an ID token must match.
#[derive(Clone, Copy)]
pub(super) struct Expected<'a> {
    /// The provider's issuer; contains `ANY_TENANT` if the provider has many tenants.
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    /// The digest of the nonce.
    pub(super) nonce: &'a Digest,
    pub(super) now: Timestamp,
}

/// The claims of an ID token. Times are in seconds since 1970.
#[derive(Debug, Deserialize)]
pub(super) struct Claims {
    #[serde(rename = "iss")]
    pub(super) issuer: String,
    #[serde(rename = "sub")]
    pub(super) subject: String,
    pub(super) email: Option<String>,
    pub(super) email_verified: Option<Flag>,
    pub(super) name: Option<String>,
    /// Google: the domain of the organization that manages the account.
    #[serde(rename = "hd")]
    pub(super) hosted_domain: Option<Value>,
    /// Microsoft: whether the owner of the email domain verified the address.
    #[serde(rename = "xms_edov")]
    pub(super) domain_owner_verified: Option<Flag>,
    #[serde(rename = "aud")]
    audience: Audience,
    #[serde(rename = "azp")]
    authorized_party: Option<String>,
    #[serde(rename = "exp")]
    expires_at: f64,
    #[serde(rename = "iat")]
    issued_at: f64,
    #[serde(rename = "nbf")]
    not_before: Option<f64>,
    nonce: Option<String>,
}

/// A boolean claim. Depending on the provider, true is `true`, `"true"`, `1` or `"1"`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(from = "Value")]
pub(super) struct Flag(pub(super) bool);

impl From<Value> for Flag {
    fn from(value: Value) -> Self {
        Self(match value {
            Value::Bool(value) => value,
            Value::String(text) => text == "true" || text == "1",
            other => other == 1,
        })
    }
}

/// The client or clients that a token is for.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// Verifies an ID token.
///
/// # Errors
///
/// [`InvalidIdToken`] unless one of the keys signed it and the claims match.
pub(super) fn verify(
    token: &str,
    keys: &KeySet,
    expected: Expected<'_>,
) -> Result<Claims, InvalidIdToken> {
    let claims = verify_signature(token, keys)?;
    claims.check(expected)?;
    Ok(claims)
}

fn verify_signature(token: &str, keys: &KeySet) -> Result<Claims, InvalidIdToken> {
    crypto::install();
    let header = decode_header(token).map_err(InvalidIdToken::Malformed)?;
    if !ALGORITHMS.contains(&header.alg) {
        return Err(InvalidIdToken::Rejected("is signed with a shared secret"));
    }
    if header.crit.is_some() {
        return Err(InvalidIdToken::Rejected("has a critical extension"));
    }
    let validation = signature_only(header.alg);
    for key in keys.candidates(&header) {
        match decode(token, &key, &validation) {
            Ok(token) => return Ok(token.claims),
            Err(fault) if matches!(fault.kind(), ErrorKind::InvalidSignature) => {}
            Err(fault) => return Err(InvalidIdToken::Malformed(fault)),
        }
    }
    Err(InvalidIdToken::UnknownKey)
}

/// Returns a validation that checks only the signature. [`Claims::check`] checks the claims.
fn signature_only(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation
}

impl Claims {
    fn check(&self, expected: Expected<'_>) -> Result<(), InvalidIdToken> {
        let Expected { issuer, client_id, nonce, now } = expected;
        let now = now.duration_since(Timestamp::UNIX_EPOCH);
        let party = self.authorized_party.as_ref();
        let valid_from = self.not_before.map_or(Some(SignedDuration::ZERO), duration);
        let age =
            duration(self.issued_at).map(|it| now.checked_sub(it).unwrap_or(SignedDuration::MAX));
        let allowed_age = -MAX_SKEW..=LOGIN_LIFETIME + MAX_SKEW;
        let rules = [
            (is_issuer(issuer, &self.issuer), "has another issuer"),
            (self.audience.is_only(client_id), "is for another client"),
            (party.is_none_or(|it| it == client_id), "is for another authorized party"),
            (duration(self.expires_at).is_some_and(|it| now < it), "has expired"),
            (age.is_some_and(|it| allowed_age.contains(&it)), "was not issued during this login"),
            (valid_from.is_some_and(|it| it <= now + MAX_SKEW), "is not valid yet"),
            (self.has_nonce(nonce), "belongs to another login attempt"),
        ];
        let violated = rules.into_iter().find(|(holds, _)| !holds);
        violated.map_or(Ok(()), |(_, fault)| Err(InvalidIdToken::Rejected(fault)))
    }

    fn has_nonce(&self, expected: &Digest) -> bool {
        let nonce = self.nonce.clone().map(|it| Secret::from(it).digest());
        nonce.is_some_and(|it| expected.matches(&it))
    }
}

impl Audience {
    /// Whether a token is for one client and for no other.
    fn is_only(&self, client_id: &str) -> bool {
        match self {
            Self::One(client) => client == client_id,
            Self::Many(clients) => {
                !clients.is_empty() && clients.iter().all(|client| client == client_id)
            }
        }
    }
}

/// Converts a number of seconds. Returns `None` if it is too large.
fn duration(seconds: f64) -> Option<SignedDuration> {
    SignedDuration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    const NOW: i64 = 1_795_435_200;
    const ISSUER: &str = "https://id.acme.test";
    /// One ID token for each algorithm, and the keys that verify them.
    const TOKENS: &str = include_str!("test_tokens.json");

    fn token(algorithm: &str) -> String {
        let tokens: Value = serde_json::from_str(TOKENS).unwrap();
        tokens["tokens"][algorithm].as_str().unwrap().to_owned()
    }

    fn keys(change: impl FnOnce(&mut Value)) -> KeySet {
        let mut keys: Value = serde_json::from_str(TOKENS).unwrap();
        change(&mut keys);
        serde_json::from_value(keys).unwrap()
    }

    fn verify_with(keys: &KeySet, token: &str) -> Result<Claims, InvalidIdToken> {
        let nonce = Secret::from("a-nonce".to_owned()).digest();
        let now = Timestamp::from_second(NOW).unwrap();
        verify(token, keys, Expected { issuer: ISSUER, client_id: "arm", nonce: &nonce, now })
    }

    #[rstest]
    fn a_token_is_accepted_in_each_asymmetric_algorithm(
        #[values("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA")]
        algorithm: &str,
    ) {
        let claims = verify_with(&keys(|_| ()), &token(algorithm)).unwrap();

        assert_eq!(claims.subject, "1");
        assert_eq!(claims.email.as_deref(), Some("ana@acme.test"));
    }

    #[rstest]
    fn a_token_with_another_signature_is_refused(
        #[values("RS256", "PS256", "ES256", "ES384", "EdDSA")] algorithm: &str,
    ) {
        let token = token(algorithm);
        let (message, signature) = token.rsplit_once('.').unwrap();
        let changed = if signature.starts_with('A') { "B" } else { "A" };
        let forged = format!("{message}.{changed}{}", signature.split_at(1).1);

        let refused = verify_with(&keys(|_| ()), &forged).unwrap_err();
        assert!(matches!(refused, InvalidIdToken::UnknownKey), "{refused}");
    }

    #[rstest]
    #[case::another_id(|it: &mut Value| it["keys"][0]["kid"] = json!("other"))]
    #[case::no_id(|it: &mut Value| it["keys"][0]["kid"] = Value::Null)]
    #[case::another_algorithm(|it: &mut Value| it["keys"][0]["alg"] = json!("PS256"))]
    #[case::for_encryption(|it: &mut Value| it["keys"][0]["use"] = json!("enc"))]
    #[case::another_exponent(|it: &mut Value| it["keys"][0]["e"] = json!("Aw"))]
    #[case::another_type(|it: &mut Value| it["keys"][0] = json!({ "kty": "oct", "k": "AQAB" }))]
    #[case::no_keys(|it: &mut Value| it["keys"] = json!([]))]
    fn a_key_must_fit_the_token(#[case] change: fn(&mut Value)) {
        let refused = verify_with(&keys(change), &token("RS256")).unwrap_err();

        assert!(matches!(refused, InvalidIdToken::UnknownKey), "{refused}");
    }

    #[test]
    fn keys_of_unknown_types_are_ignored() {
        let keys = keys(|it| {
            let unknown = [json!(7), json!({}), json!({ "kty": "AKP", "kid": "rsa", "x5c": 7 })];
            it["keys"].as_array_mut().unwrap().splice(0..0, unknown);
        });

        assert!(verify_with(&keys, &token("RS256")).is_ok());
    }

    fn check(change: impl FnOnce(&mut Value)) -> Result<(), InvalidIdToken> {
        let mut claims = json!({
            "iss": ISSUER, "aud": "arm", "sub": "1", "nonce": "a-nonce", "iat": NOW, "exp": NOW + 1,
        });
        change(&mut claims);
        let claims: Claims = serde_json::from_value(claims).unwrap();
        let nonce = Secret::from("a-nonce".to_owned()).digest();
        let now = Timestamp::from_second(NOW).unwrap();
        claims.check(Expected { issuer: ISSUER, client_id: "arm", nonce: &nonce, now })
    }

    #[rstest]
    #[case::as_it_is(|_: &mut Value| ())]
    #[case::a_list_of_one_client(|it: &mut Value| it["aud"] = json!(["arm"]))]
    #[case::the_authorized_party(|it: &mut Value| it["azp"] = json!("arm"))]
    #[case::just_before_it_expires(|it: &mut Value| it["exp"] = json!(1_795_435_200.5))]
    #[case::a_clock_ahead(|it: &mut Value| it["iat"] = json!(NOW + 300))]
    #[case::at_the_beginning_of_the_login(|it: &mut Value| it["iat"] = json!(NOW - 900))]
    #[case::from_now_on(|it: &mut Value| it["nbf"] = json!(NOW + 300))]
    fn matching_claims_are_accepted(#[case] change: fn(&mut Value)) {
        assert!(check(change).is_ok());
    }

    #[rstest]
    #[case::issuer(|it: &mut Value| it["iss"] = json!("https://evil.test"), "has another issuer")]
    #[case::client(|it: &mut Value| it["aud"] = json!("other"), "is for another client")]
    #[case::clients(|it: &mut Value| it["aud"] = json!(["arm", "b"]), "is for another client")]
    #[case::no_client(|it: &mut Value| it["aud"] = json!([]), "is for another client")]
    #[case::party(|it: &mut Value| it["azp"] = json!("b"), "is for another authorized party")]
    #[case::expired(|it: &mut Value| it["exp"] = json!(NOW), "has expired")]
    #[case::never_expires(|it: &mut Value| it["exp"] = json!(1e300), "has expired")]
    #[case::old(|it: &mut Value| it["iat"] = json!(NOW - 901), "was not issued during this login")]
    #[case::future(|it: &mut Value| it["iat"] = json!(NOW + 301), "was not issued during this login")]
    #[case::no_time(|it: &mut Value| it["iat"] = json!(-1e300), "was not issued during this login")]
    #[case::later(|it: &mut Value| it["nbf"] = json!(NOW + 301), "is not valid yet")]
    #[case::nonce(|it: &mut Value| it["nonce"] = json!("b"), "belongs to another login attempt")]
    #[case::no_nonce(
        |it: &mut Value| it["nonce"] = Value::Null,
        "belongs to another login attempt"
    )]
    fn other_claims_are_refused(#[case] change: fn(&mut Value), #[case] fault: &str) {
        let refused = check(change).unwrap_err();

        assert_eq!(refused.to_string(), format!("the ID token {fault}"));
    }
}
