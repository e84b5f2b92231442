//! Providers with OpenID Connect: an ID token identifies the user.
//!
//! No claim of an ID token is used before its signature, issuer, audience, times and nonce are
//! verified. Microsoft's `common` endpoint is shared by many tenants, each of which is an issuer:
//! there the issuer must match the pattern in the provider's metadata.

mod discovery;
mod id_token;
mod keys;

use jiff::Timestamp;
use oauth2::TokenResponse;
use serde::Deserialize;

use crate::{
    access::stakeholders::VerifiedIdentity,
    domain::{email::Email, login::LoginFault, secret::Digest, subject::Subject},
    error::{Error, Result},
    identity::{
        http_client::HttpClient,
        oauth::{Endpoints, Tokens},
    },
};

use self::{
    discovery::{Discovery, MAX_AGE, MIN_AGE, Metadata},
    id_token::{Claims, Expected, Flag, InvalidIdToken, verify},
};

/// A provider with OpenID Connect.
#[derive(Debug)]
pub(super) struct OpenId {
    pub(super) discovery: Discovery,
    /// Whether an address counts as verified if the ID token has no `email_verified`. This is the
    /// case for the operator's own Microsoft tenant, and only for the operator's own domains.
    pub(super) assumes_verified_email: bool,
    /// Whether the provider is Microsoft, the only one that defines the claim `xms_edov`.
    is_microsoft: bool,
}

/// A response of the user info endpoint (OpenID Connect Core, section 5.3).
#[derive(Deserialize)]
struct UserInfo {
    sub: String,
    email: Option<String>,
    email_verified: Option<Flag>,
    name: Option<String>,
}

impl OpenId {
    /// Creates a provider that publishes its metadata under `base_url`.
    pub(super) fn new(base_url: String) -> Self {
        let discovery = Discovery::new(base_url, false);
        Self { discovery, assumes_verified_email: false, is_microsoft: false }
    }

    /// Creates the provider Microsoft, for the tenant or the group of tenants in `base_url`.
    pub(super) fn microsoft(
        base_url: String,
        is_multi_tenant: bool,
        assumes_verified_email: bool,
    ) -> Self {
        let discovery = Discovery::new(base_url, is_multi_tenant);
        Self { discovery, assumes_verified_email, is_microsoft: true }
    }

    /// Returns the issuer, which is a pattern if the provider has many tenants.
    pub(super) fn issuer(&self) -> String {
        self.discovery.issuer()
    }

    /// Returns the endpoints.
    ///
    /// # Errors
    ///
    /// `ProviderDown` when the provider does not respond.
    pub(super) async fn endpoints(&self, http: &HttpClient, now: Timestamp) -> Result<Endpoints> {
        Ok(self.discovery.metadata(http, now, MAX_AGE).await?.endpoints())
    }

    /// Identifies the user by the ID token.
    ///
    /// # Errors
    ///
    /// `InvalidIdToken` unless the ID token is valid; `UnverifiedAddress` unless the provider
    /// verified the address; `ProviderDown` when it does not respond.
    pub(super) async fn identify(
        &self,
        client_id: &str,
        tokens: &Tokens,
        nonce: &Digest,
        http: &HttpClient,
        now: Timestamp,
    ) -> Result<VerifiedIdentity> {
        let token = tokens.extra_fields().id_token.as_deref();
        let token = token.ok_or_else(|| Error::invalid_id_token("there is no ID token"))?;
        let metadata = self.discovery.metadata(http, now, MAX_AGE).await?;
        let verify = |metadata: &Metadata| {
            let issuer = &metadata.document.issuer;
            verify(token, &metadata.keys, Expected { issuer, client_id, nonce, now })
        };
        let claims = match verify(&metadata) {
            Err(InvalidIdToken::UnknownKey) => {
                verify(&*self.discovery.metadata(http, now, MIN_AGE).await?)
            }
            result => result,
        };
        let claims = claims.map_err(Error::invalid_id_token)?;
        let claims = add_user_info(claims, &metadata, tokens, http).await?;
        self.verify_address(claims)
    }

    /// Checks that the address is verified. If the claim `email_verified` is missing, the
    /// operator's setting or Microsoft's claim `xms_edov` decides.
    fn verify_address(&self, claims: Claims) -> Result<VerifiedIdentity> {
        let by_domain_owner =
            self.is_microsoft && claims.domain_owner_verified.is_some_and(|it| it.0);
        let by_default = self.assumes_verified_email || by_domain_owner;
        let is_verified = claims.email_verified.map_or(by_default, |it| it.0);
        let email = claims.email.filter(|_| is_verified);
        let email = Email::try_from(email.ok_or(LoginFault::UnverifiedAddress)?);
        let subject = Subject::new(claims.issuer, claims.subject);
        Ok(VerifiedIdentity {
            subject: subject.map_err(Error::invalid_id_token)?,
            email: email.map_err(Error::invalid_id_token)?,
            name: claims.name.unwrap_or_default(),
            hosted_domain: claims.hosted_domain.and_then(|it| Some(it.as_str()?.to_owned())),
        })
    }
}

/// Requests the address from the user info endpoint if the ID token has none. If `email_verified`
/// is `false` in the ID token, it stays `false`.
async fn add_user_info(
    mut claims: Claims,
    metadata: &Metadata,
    tokens: &Tokens,
    http: &HttpClient,
) -> Result<Claims> {
    let Some(url) = metadata.document.userinfo_endpoint.as_ref().filter(|_| claims.email.is_none())
    else {
        return Ok(claims);
    };
    let token = Some(tokens.access_token().secret().as_str());
    let info: UserInfo = http.get_json(url, token).await?;
    if info.sub != claims.subject {
        return Err(Error::invalid_id_token("the user info is about another subject"));
    }
    claims.email = info.email;
    claims.email_verified = claims.email_verified.filter(|it| !it.0).or(info.email_verified);
    claims.name = claims.name.or(info.name);
    Ok(claims)
}
