//! Logins with identity providers.
//!
//! All providers use the authorization code flow of OAuth 2.0 with PKCE. An OpenID Connect ID token
//! identifies the user (`openid`). Bitbucket has no ID tokens, so its own API identifies the user
//! (`bitbucket`).
//!
//! - `state` identifies one login attempt, which is deleted from the table when it is used.
//! - The PKCE verifier stays in a cookie of the browser that began the attempt. This prevents login
//!   CSRF: nobody can be logged in by a link that somebody else prepared.
//! - The provider's keys are fetched over TLS.
//! - An email address counts only if the provider verified it.
//!
//! The callback must come from the provider that the attempt was made for. Otherwise a malicious
//! provider could obtain the code of another one in a mix-up attack (RFC 9700, section 4.4). If a
//! provider sends `iss` (RFC 9207), the callback is checked against it. For the other providers,
//! the operator can set `ownCallback`, which gives a provider its own callback path. This is a
//! setting because a provider accepts only a redirect URI that is registered with it.
//!
//! A user is identified by the provider's issuer and subject, never by the address alone. The first
//! login links them to the user's account (`access/stakeholders.rs`). If the operator declares that
//! a provider owns an email domain, then only that provider can create or link an account with an
//! address in the domain. This prevents account pre-hijacking: an attacker cannot create an account
//! with a victim's address before the victim's first login.
//!
//! A login begins only with a navigation, and the number of logins that a network can begin and
//! complete is limited. Otherwise a page of another site, or a client in a loop, could fill the
//! table.

mod bitbucket;
mod callback;
mod http_client;
mod oauth;
mod openid;
pub mod provider;
mod settings;

use std::sync::Arc;

use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use axum::response::{IntoResponse, Redirect, Response};
use http::{header::SET_COOKIE, request::Parts};
use jiff::Timestamp;
use url::form_urlencoded;

use crate::{
    access::{
        Access,
        claims::SessionClaims,
        stakeholders::{DomainOwnership, VerifiedIdentity},
    },
    config::PublicUrl,
    domain::{
        issuer::{DomainOwner, DomainOwners},
        login::{LOGIN_LIFETIME, LoginAttempt, LoginFault},
        own_path::OwnPath,
        rate_limit::{Counter, Network, RateLimit},
        secret::{Digest, Secret},
    },
    error::{Error, RequestFault, Result},
    http::{RequestContext, cookies::CookieName, csrf::Navigation},
};

use self::{
    callback::Callback,
    http_client::HttpClient,
    oauth::{Endpoints, LoginSecrets, ProviderClient},
    provider::Provider,
};

pub use self::settings::InvalidProviders;

/// Starts and completes logins with identity providers.
pub struct LoginService {
    access: Arc<Access>,
    providers: Vec<Provider>,
    domain_owners: DomainOwners,
    public_url: PublicUrl,
    http: HttpClient,
    limit: Option<RateLimit>,
}

impl LoginService {
    /// Creates the login service for the providers in `settings`, a JSON list. `limit` applies to
    /// each network.
    ///
    /// # Errors
    ///
    /// [`InvalidProviders`] lists all mistakes in the settings.
    pub fn new(
        access: Arc<Access>,
        settings: &Secret,
        public_url: &PublicUrl,
        provider_connector: SharedHttpConnector,
        limit: Option<RateLimit>,
    ) -> Result<Self, InvalidProviders> {
        let providers = settings::parse(settings)?;
        let domain_owners = providers.iter().map(|it| (it.issuer(), it.domains.clone()));
        let domain_owners = DomainOwners::new(domain_owners);
        let public_url = public_url.clone();
        let http = HttpClient(provider_connector);
        Ok(Self { access, providers, domain_owners, public_url, http, limit })
    }

    /// Returns the providers, in the order of the settings.
    #[must_use]
    pub fn providers(&self) -> &[Provider] {
        &self.providers
    }

    /// `GET /login/{provider}`: redirects to the provider. After the login, the browser is
    /// redirected to `next`.
    ///
    /// A user who followed a link on another site is redirected to the login page instead.
    ///
    /// # Errors
    ///
    /// `UnknownPath` when there is no such provider; `CrossSite` when the request is not a
    /// navigation; `RateLimited` for a network with too many logins; `ProviderDown` when the
    /// provider does not respond; `Unavailable` when DynamoDB fails.
    pub async fn begin(
        &self,
        provider: &str,
        next: OwnPath,
        request: &Parts,
        context: &RequestContext,
    ) -> Result<Response> {
        let provider = self.provider(provider).ok_or(RequestFault::UnknownPath)?;
        match Navigation::from_headers(&request.headers) {
            Navigation::Own => self.count(Counter::LoginsFrom, context).await?,
            Navigation::Foreign => return Ok(redirect_to_login_page(&next)),
            Navigation::Embedded => return Err(Error::CrossSite),
        }
        let endpoints = provider.endpoints(&self.http, context.now).await?;
        let secrets = LoginSecrets::generate(&self.access.entropy)?;
        let attempt = LoginAttempt {
            state: secrets.state.digest(),
            provider: provider.id.clone(),
            verifier: secrets.verifier.digest(),
            nonce: secrets.nonce.digest(),
            next,
            begun_at: context.now,
        };
        self.access.store.begin_login(&attempt).await?;
        let verifier = secrets.verifier.reveal();
        let cookie = self.access.cookies.set(CookieName::Login, verifier, LOGIN_LIFETIME);
        let cookie = cookie.map_err(Error::internal)?;
        let client = self.client(provider, &endpoints);
        let url = client.authorization_url(provider.scopes(), &secrets)?;
        Ok(([(SET_COOKIE, cookie)], Redirect::to(url.as_str())).into_response())
    }

    /// `GET /callback` and `/callback/{provider}`: completes the login and opens a session.
    ///
    /// # Errors
    ///
    /// `Login` and `InvalidIdToken` when the login fails; `RateLimited` for a network with too many
    /// logins; `ProviderDown` when the provider does not respond; `Refused` for a disabled
    /// stakeholder; `Unavailable` when DynamoDB fails.
    pub async fn finish(&self, request: &Parts, context: &RequestContext) -> Result<Response> {
        let callback = Callback::parse(&request.uri)?;
        let (attempt, verifier) = self.take_attempt(&callback, request, context).await?;
        let provider = self.provider(attempt.provider.as_str());
        let provider = provider.ok_or(LoginFault::UnknownAttempt)?;
        if request.uri.path() != provider.callback() {
            return Err(Error::invalid_id_token("the callback path belongs to another provider"));
        }
        let user =
            self.identify(provider, callback, &attempt.nonce, &verifier, context.now).await?;

        let ownership = DomainOwnership {
            domain_owner: self.domain_owner(provider, &user),
            domain_owners: &self.domain_owners,
        };
        let previous = SessionClaims::from_headers(&request.headers, self.access.cookies);
        let login = self.access.log_in(&user, ownership, previous.as_ref(), context);
        let session = login.await?;
        let mut response = Redirect::to(attempt.next.as_str()).into_response();
        response.headers_mut().append(SET_COOKIE, session);
        response.headers_mut().append(SET_COOKIE, self.access.cookies.delete(CookieName::Login));
        Ok(response)
    }

    fn provider(&self, id: &str) -> Option<&Provider> {
        self.providers.iter().find(|it| it.id.as_str() == id)
    }

    fn client<'a>(&self, provider: &'a Provider, endpoints: &'a Endpoints) -> ProviderClient<'a> {
        let redirect_uri = format!("{}{}", self.public_url.as_str(), provider.callback());
        ProviderClient { credentials: &provider.credentials, endpoints, redirect_uri }
    }

    /// Counts a started or returning login toward the rate limit of the client's network. Does
    /// nothing if there is no limit or the client's address is unknown.
    async fn count(&self, counter: fn(Network) -> Counter, context: &RequestContext) -> Result<()> {
        let Some((address, limit)) = context.client_address.zip(self.limit) else { return Ok(()) };
        self.access.count_within(&counter(Network::of(address)), limit, context.now).await
    }

    /// Removes the login attempt that `state` identifies, then checks that this browser began it
    /// and that it has not expired. The attempt is removed even if the check fails.
    ///
    /// If the network has reached its limit, the attempt stays in the table, so that the user can
    /// reload the page later.
    async fn take_attempt(
        &self,
        callback: &Callback,
        request: &Parts,
        context: &RequestContext,
    ) -> Result<(LoginAttempt, Secret)> {
        let verifier = self.access.cookies.get(CookieName::Login, &request.headers)?;
        let verifier = verifier.ok_or(LoginFault::UnknownAttempt)?;
        self.count(Counter::CallbacksFrom, context).await?;
        let attempt = self.access.store.take_login(&callback.state.digest()).await?;
        let attempt = attempt.ok_or(LoginFault::UnknownAttempt)?;
        attempt.check(&verifier.digest(), context.now)?;
        Ok((attempt, verifier))
    }

    async fn identify(
        &self,
        provider: &Provider,
        callback: Callback,
        nonce: &Digest,
        verifier: &Secret,
        now: Timestamp,
    ) -> Result<VerifiedIdentity> {
        let endpoints = provider.endpoints(&self.http, now).await?;
        let code = callback.code(&endpoints)?;
        let client = self.client(provider, &endpoints);
        let tokens = client.exchange_code(code, verifier, &self.http).await?;
        let user = provider.identify(&tokens, nonce, &self.http, now).await?;
        if provider.allows(&user.email) {
            Ok(user)
        } else {
            Err(LoginFault::AddressNotAllowed.into())
        }
    }

    /// Returns who owns the domain of the address of a user who logs in with `provider`.
    fn domain_owner(&self, provider: &Provider, user: &VerifiedIdentity) -> DomainOwner {
        let mut others = self.providers.iter().filter(|it| it.id != provider.id);
        if provider.owns_address(user) {
            DomainOwner::ThisProvider
        } else if others.any(|it| it.lists_domain_of(&user.email)) {
            DomainOwner::OtherProvider
        } else {
            DomainOwner::Nobody
        }
    }
}

fn redirect_to_login_page(next: &OwnPath) -> Response {
    let mut query = form_urlencoded::Serializer::new(String::new());
    let query = query.append_pair("next", next.as_str()).finish();
    Redirect::to(&format!("/?{query}")).into_response()
}
