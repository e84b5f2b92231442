//! Verification of ID tokens (OpenID Connect Core, section 3.1.3.7).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use jiff::{SignedDuration, Timestamp};
use oauth2::ClientId;
use openidconnect::{
    AdditionalClaims, ClaimsVerificationError, IdTokenClaims, IdTokenVerifier, IssuerUrl, Nonce,
    core::{
        CoreGenderClaim, CoreJsonWebKeySet, CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm as Alg,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::{
    issuer::is_issuer,
    login::LOGIN_LIFETIME,
    secret::{Digest, Secret},
};

/// The largest difference between a provider's clock and ours.
const MAX_SKEW: SignedDuration = SignedDuration::from_mins(5);
/// The allowed algorithms of signatures. None uses a shared secret.
const ALGORITHMS: [Alg; 9] = [
    Alg::RsaSsaPkcs1V15Sha256,
    Alg::RsaSsaPkcs1V15Sha384,
    Alg::RsaSsaPkcs1V15Sha512,
    Alg::RsaSsaPssSha256,
    Alg::RsaSsaPssSha384,
    Alg::RsaSsaPssSha512,
    Alg::EcdsaP256Sha256,
    Alg::EcdsaP384Sha384,
    Alg::EdDsa,
];

/// What the claims of an ID token must match.
#[derive(Clone, Copy)]
pub(super) struct Expected<'a> {
    /// The provider's issuer; contains `ANY_TENANT` if the provider has many tenants.
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    /// The digest of the nonce.
    pub(super) nonce: &'a Digest,
    pub(super) now: Timestamp,
}

/// The claims of a verified ID token.
pub(super) struct Claims {
    pub(super) issuer: String,
    pub(super) subject: String,
    pub(super) email: Option<String>,
    pub(super) email_verified: Option<bool>,
    pub(super) name: Option<String>,
    /// Google's `hd`: the domain of the organization that manages the account.
    pub(super) hosted_domain: Option<String>,
    /// Microsoft's `xms_edov`: whether the owner of the e-mail domain verified the address.
    pub(super) domain_owner_verified: bool,
}

/// Claims beyond the standard ones.
#[derive(Debug, Deserialize, Serialize)]
struct Extra {
    xms_edov: Option<Value>,
    hd: Option<Value>,
    nbf: Option<Value>,
}

impl AdditionalClaims for Extra {}

type Token = openidconnect::IdToken<Extra, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, Alg>;

/// The issuer of a token that is not verified yet.
#[derive(Deserialize)]
struct Unverified {
    iss: String,
}

/// Verifies an ID token.
///
/// # Errors
///
/// `SignatureVerification` unless one of the keys signed it; another variant when a claim does
/// not match.
pub(super) fn verify(
    token: &str,
    keys: &CoreJsonWebKeySet,
    expected: Expected<'_>,
) -> Result<Claims, ClaimsVerificationError> {
    let Expected { client_id, nonce, now, .. } = expected;
    let parsed: Token = token.parse().map_err(|_| invalid("it is not an ID token"))?;
    let issuer = tenant_issuer(token, expected.issuer)
        .ok_or_else(|| invalid("it was issued by another issuer"))?;
    let present = DateTime::<Utc>::from_timestamp(now.as_second(), 0).unwrap_or_default();
    let client = ClientId::new(client_id.to_owned());
    let verifier = IdTokenVerifier::new_public_client(client, issuer, keys.clone())
        .set_allowed_algs(ALGORITHMS)
        .set_time_fn(move || present)
        .set_issue_time_verifier_fn(|issued| check_issue_time(issued.timestamp(), now));
    let claims = parsed.into_claims(&verifier, |sent: Option<&Nonce>| check_nonce(sent, nonce))?;
    if !is_begun(claims.additional_claims().nbf.as_ref(), now) {
        return Err(invalid("it is not valid yet"));
    }
    if claims.authorized_party().is_some_and(|party| party.as_str() != client_id) {
        return Err(invalid("it was issued to another client"));
    }
    Ok(Claims::from(claims))
}

/// Returns the issuer that a token names, if it is the expected one or one of its tenants.
fn tenant_issuer(token: &str, expected: &str) -> Option<IssuerUrl> {
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let Unverified { iss } = serde_json::from_slice(&claims).ok()?;
    is_issuer(expected, &iss).then_some(())?;
    IssuerUrl::new(iss).ok()
}

fn check_issue_time(issued: i64, now: Timestamp) -> Result<(), String> {
    let age = SignedDuration::from_secs(now.as_second().saturating_sub(issued));
    let is_recent = (-MAX_SKEW..=LOGIN_LIFETIME + MAX_SKEW).contains(&age);
    is_recent.then_some(()).ok_or_else(|| "it was not issued during this login".to_owned())
}

/// Whether `nbf` has passed, as far as clocks can tell.
fn is_begun(not_before: Option<&Value>, now: Timestamp) -> bool {
    let latest = (now + MAX_SKEW).duration_since(Timestamp::UNIX_EPOCH);
    let start = |it: &Value| SignedDuration::try_from_secs_f64(it.as_f64()?).ok();
    not_before.is_none_or(|it| start(it).is_some_and(|it| it <= latest))
}

fn check_nonce(sent: Option<&Nonce>, expected: &Digest) -> Result<(), String> {
    let sent = sent.map(|it| Secret::from(it.secret().clone()).digest());
    let is_same = sent.is_some_and(|it| expected.matches(&it));
    is_same.then_some(()).ok_or_else(|| "it belongs to another login attempt".to_owned())
}

fn invalid(fault: &str) -> ClaimsVerificationError {
    ClaimsVerificationError::Other(fault.to_owned())
}

impl From<IdTokenClaims<Extra, CoreGenderClaim>> for Claims {
    fn from(claims: IdTokenClaims<Extra, CoreGenderClaim>) -> Self {
        let Extra { xms_edov, hd, .. } = claims.additional_claims();
        Self {
            issuer: claims.issuer().to_string(),
            subject: claims.subject().to_string(),
            email: claims.email().map(|it| it.to_string()),
            email_verified: claims.email_verified(),
            name: claims.name().and_then(|it| it.get(None)).map(|it| it.to_string()),
            hosted_domain: hd.as_ref().and_then(Value::as_str).map(str::to_owned),
            domain_owner_verified: xms_edov.as_ref().is_some_and(is_true),
        }
    }
}

/// Whether a claim is true. Providers send `true`, `"true"`, `1` and `"1"`.
pub(super) fn is_true(value: &Value) -> bool {
    match value {
        Value::Bool(value) => *value,
        Value::String(text) => text == "true" || text == "1",
        other => *other == 1,
    }
}
