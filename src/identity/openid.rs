//! OpenID Connect: where a provider does what, its keys, and what its ID tokens say.
//!
//! Nothing of an ID token counts before its signature, its issuer, its audience, its times
//! and its nonce do. Microsoft's common address is of many tenants, each an issuer of its
//! own: there the issuer must be one that the provider's own document allows for.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use jiff::{SignedDuration, Timestamp};
use oauth2::{AuthUrl, ClientId, TokenResponse, TokenUrl};
use openidconnect::{
    AdditionalClaims, ClaimsVerificationError, IdToken, IdTokenClaims, IdTokenVerifier, IssuerUrl,
    Nonce,
    core::{
        CoreGenderClaim, CoreJsonWebKeySet, CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm as Alg,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::Mutex;

use crate::{
    access::stakeholders::Person,
    domain::{
        email::Email,
        issuer::{ANY_TENANT, is_issuer},
        login::LoginFault,
        secret::{Digest, Secret},
        subject::Subject,
    },
    error::{Error, Result},
    identity::{
        fetch::Fetch,
        oauth::{Endpoints, Tokens},
    },
};

/// How long what a provider says of itself is believed.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(1);
/// How soon it is asked again for a key that is not known: a forger must not make us ask
/// for each of their tokens.
const SOONEST: SignedDuration = SignedDuration::from_mins(1);
/// How far a provider's clock may be from ours.
const LARGEST_SKEW: SignedDuration = SignedDuration::from_mins(5);
/// The algorithms that an ID token may be signed by: none with a shared secret.
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

/// A provider that speaks OpenID Connect.
#[derive(Debug)]
pub(super) struct OpenId {
    /// The address under which it describes itself.
    pub(super) address: String,
    /// Whether it is one for many tenants, each an issuer of its own.
    pub(super) has_tenants: bool,
    /// Whether the operator vouches for its addresses: it is the tenant of their own
    /// organization, and lets in that organization's domains only.
    pub(super) is_vouched_for: bool,
    /// Whether it is Microsoft's, which alone gives the claim `xms_edov` a meaning.
    pub(super) is_microsoft: bool,
    known: Mutex<Option<Arc<Known>>>,
}

/// What a provider says of itself (OpenID Connect Discovery 1.0, section 3).
#[derive(Debug, Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: AuthUrl,
    token_endpoint: TokenUrl,
    userinfo_endpoint: Option<String>,
    jwks_uri: String,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

#[derive(Debug)]
struct Known {
    document: Document,
    keys: CoreJsonWebKeySet,
    read_at: Timestamp,
}

/// Claims beyond the standard ones.
#[derive(Debug, Deserialize, Serialize)]
struct Extra {
    /// Microsoft: whether the owner of the address's domain verified it.
    xms_edov: Option<Value>,
    /// Google: the organization's domain that it manages the account under.
    hd: Option<Value>,
    /// From when on the token holds (RFC 7519, section 4.1.5).
    nbf: Option<Value>,
}

impl AdditionalClaims for Extra {}

type Token = IdToken<Extra, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, Alg>;
type Claims = IdTokenClaims<Extra, CoreGenderClaim>;

/// What is read of an ID token before it is verified: only to choose what it must fulfil.
#[derive(Deserialize)]
struct Unverified {
    iss: String,
}

/// Who has come, where the ID token does not tell (OpenID Connect Core, section 5.3).
#[derive(Deserialize)]
struct UserInfo {
    sub: String,
    email: Option<String>,
    email_verified: Option<Value>,
    name: Option<String>,
}

impl OpenId {
    /// The provider that describes itself under `address`.
    pub(super) fn at(address: String) -> Self {
        Self {
            address,
            has_tenants: false,
            is_vouched_for: false,
            is_microsoft: false,
            known: Mutex::new(None),
        }
    }

    /// Microsoft, as the tenant or the tenants that `address` names.
    pub(super) fn of_microsoft(address: String, has_tenants: bool, is_vouched_for: bool) -> Self {
        Self { has_tenants, is_vouched_for, is_microsoft: true, ..Self::at(address) }
    }

    /// Its issuer, with [`ANY_TENANT`] in the place of the tenant if it has many.
    pub(super) fn issuer(&self) -> String {
        match self.address.rsplit('/').nth(1) {
            Some(tenants) if self.has_tenants => self.address.replacen(tenants, ANY_TENANT, 1),
            _ => self.address.clone(),
        }
    }

    /// Where it does what.
    pub(super) async fn endpoints(&self, fetch: &Fetch, now: Timestamp) -> Result<Endpoints> {
        let known = self.known(fetch, now, REMEMBERED).await?;
        Ok(Endpoints {
            issuer: Some(known.document.issuer.clone()),
            tells_issuer: known.document.authorization_response_iss_parameter_supported,
            authorize: known.document.authorization_endpoint.clone(),
            token: known.document.token_endpoint.clone(),
        })
    }

    /// What it says of itself, read anew where that is older than `age`.
    async fn known(
        &self,
        fetch: &Fetch,
        now: Timestamp,
        age: SignedDuration,
    ) -> Result<Arc<Known>> {
        let mut known = self.known.lock().await;
        if let Some(known) = known.as_ref().filter(|it| now.duration_since(it.read_at).abs() < age)
        {
            return Ok(Arc::clone(known));
        }
        let address = format!("{}/.well-known/openid-configuration", self.address);
        let document: Document = fetch.json(&address, None).await?;
        if !self.is_described_by(&document) {
            return Err(Error::provider_down(format!(
                "{address} is of the issuer {}",
                document.issuer
            )));
        }
        let keys = fetch.json(&document.jwks_uri, None).await?;
        let read = Arc::new(Known { document, keys, read_at: now });
        *known = Some(Arc::clone(&read));
        Ok(read)
    }

    /// Whether the document is its own (OpenID Connect Discovery 1.0, section 4.3).
    fn is_described_by(&self, document: &Document) -> bool {
        document.issuer.trim_end_matches('/') == self.address
            || (self.has_tenants && document.issuer.contains(ANY_TENANT))
    }

    /// Who has come.
    ///
    /// # Errors
    ///
    /// `InvalidIdToken` unless the ID token holds; `UnverifiedAddress` unless the provider vouches
    /// for the address; `ProviderDown` where it does not answer.
    pub(super) async fn person(
        &self,
        client_id: &str,
        tokens: &Tokens,
        nonce: &Digest,
        fetch: &Fetch,
        now: Timestamp,
    ) -> Result<Person> {
        let text = tokens.extra_fields().id_token.as_deref();
        let text = text.ok_or_else(|| Error::invalid_id_token("the provider sent no ID token"))?;
        let known = self.known(fetch, now, REMEMBERED).await?;
        let claims = match known.verify(text, client_id, nonce, now) {
            Err(ClaimsVerificationError::SignatureVerification(_)) => {
                let newer = self.known(fetch, now, SOONEST).await?;
                newer.verify(text, client_id, nonce, now)
            }
            verified => verified,
        };
        let claims = claims.map_err(Error::invalid_id_token)?;
        self.described(&claims, &known, tokens, fetch).await
    }

    async fn described(
        &self,
        claims: &Claims,
        known: &Known,
        tokens: &Tokens,
        fetch: &Fetch,
    ) -> Result<Person> {
        let name = claims.name().and_then(|it| it.get(None)).map(|it| it.to_string());
        let is_verified = claims.email_verified();
        match (claims.email(), &known.document.userinfo_endpoint) {
            (Some(email), _) => {
                self.vouched(email.as_str(), is_verified, claims, name.unwrap_or_default())
            }
            (None, Some(address)) => {
                let token = Some(tokens.access_token().secret().as_str());
                let info: UserInfo = fetch.json(address, token).await?;
                if info.sub != claims.subject().as_str() {
                    return Err(Error::invalid_id_token(
                        "the provider's user info is of somebody else",
                    ));
                }
                let is_verified =
                    is_verified.filter(|it| !it).or(info.email_verified.as_ref().map(is_true));
                let email = info.email.ok_or(LoginFault::UnverifiedAddress)?;
                self.vouched(&email, is_verified, claims, name.or(info.name).unwrap_or_default())
            }
            (None, None) => Err(LoginFault::UnverifiedAddress.into()),
        }
    }

    /// Whom the provider vouches for. What `email_verified` says is final; only where it is
    /// not there, the operator or Microsoft's own claim may vouch instead.
    fn vouched(
        &self,
        email: &str,
        is_verified: Option<bool>,
        claims: &Claims,
        name: String,
    ) -> Result<Person> {
        let edov = claims.additional_claims().xms_edov.as_ref().filter(|_| self.is_microsoft);
        if !is_verified.unwrap_or_else(|| self.is_vouched_for || edov.is_some_and(is_true)) {
            return Err(LoginFault::UnverifiedAddress.into());
        }
        let email = Email::try_from(email.to_owned()).map_err(Error::invalid_id_token)?;
        let subject = Subject::new(claims.issuer().to_string(), claims.subject().to_string());
        let hosted_domain =
            claims.additional_claims().hd.as_ref().and_then(|it| it.as_str()).map(str::to_owned);
        Ok(Person {
            subject: subject.map_err(Error::invalid_id_token)?,
            email,
            name,
            hosted_domain,
        })
    }
}

impl Known {
    fn verify(
        &self,
        text: &str,
        client_id: &str,
        nonce: &Digest,
        now: Timestamp,
    ) -> Result<Claims, ClaimsVerificationError> {
        let other = |text: &str| ClaimsVerificationError::Other(text.to_owned());
        let token: Token = text.parse().map_err(|_| other("the ID token is none"))?;
        let issuer =
            self.issuer_of(text).ok_or_else(|| other("the ID token is of another issuer"))?;
        let present = DateTime::<Utc>::from_timestamp(now.as_second(), 0).unwrap_or_default();
        let verifier = IdTokenVerifier::new_public_client(
            ClientId::new(client_id.to_owned()),
            issuer,
            self.keys.clone(),
        )
        .set_allowed_algs(ALGORITHMS)
        .set_time_fn(move || present)
        .set_issue_time_verifier_fn(|issued| is_recent(issued.timestamp(), now));
        let claims =
            token.into_claims(&verifier, |sent: Option<&Nonce>| is_of_attempt(sent, nonce))?;
        if !is_begun(claims.additional_claims().nbf.as_ref(), now) {
            return Err(other("the ID token does not hold yet"));
        }
        match claims.authorized_party() {
            Some(party) if party.as_str() != client_id => {
                Err(ClaimsVerificationError::InvalidAudience(
                    "it was made for another party".to_owned(),
                ))
            }
            _ => Ok(claims),
        }
    }

    /// The issuer that the token names, if it is the provider's, or one of its tenants'.
    fn issuer_of(&self, text: &str) -> Option<IssuerUrl> {
        let claims = URL_SAFE_NO_PAD.decode(text.split('.').nth(1)?).ok()?;
        let Unverified { iss } = serde_json::from_slice(&claims).ok()?;
        is_issuer(&self.document.issuer, &iss).then_some(())?;
        IssuerUrl::new(iss).ok()
    }
}

fn is_recent(issued: i64, now: Timestamp) -> Result<(), String> {
    let age = SignedDuration::from_secs(now.as_second().saturating_sub(issued));
    let oldest = crate::domain::login::LOGIN_LIFETIME + LARGEST_SKEW;
    if (-LARGEST_SKEW..=oldest).contains(&age) {
        Ok(())
    } else {
        Err("it was not made just now".to_owned())
    }
}

/// Whether a token holds already, as far as clocks can tell.
fn is_begun(not_before: Option<&Value>, now: Timestamp) -> bool {
    let latest = (now + LARGEST_SKEW).duration_since(Timestamp::UNIX_EPOCH);
    let start = |it: &Value| SignedDuration::try_from_secs_f64(it.as_f64()?).ok();
    not_before.is_none_or(|it| start(it).is_some_and(|it| it <= latest))
}

fn is_of_attempt(sent: Option<&Nonce>, nonce: &Digest) -> Result<(), String> {
    let sent = sent.map(|it| Secret::from(it.secret().clone()).digest());
    let is_it = sent.is_some_and(|it| nonce.matches(&it));
    if is_it { Ok(()) } else { Err("it is of another attempt".to_owned()) }
}

/// Providers write `true`, `"true"`, `1` and `"1"`.
fn is_true(value: &Value) -> bool {
    match value {
        Value::Bool(value) => *value,
        Value::String(text) => text == "true" || text == "1",
        other => *other == 1,
    }
}
