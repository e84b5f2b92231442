//! Proving who you are: a login by an identity provider.
//!
//! The way is OAuth 2.0's authorization code with PKCE, for every provider; who has come
//! is then told by an OpenID Connect ID token (`openid`), or by Bitbucket's own API
//! (`bitbucket`). What the way rests on: `state` names one attempt, which is taken out of
//! the table once; the PKCE verifier is in a cookie of the browser that began it, so that
//! nobody can be logged in by the link of another; the provider's keys are asked for over
//! TLS; an address counts only where the provider vouches for it.
//!
//! An answer must come from the provider that the attempt was made for, or a dishonest provider
//! could get a code of an honest one (RFC 9700, section 4.4). Providers that send `iss`
//! (RFC 9207) are checked by it. For the others the operator can set `ownCallback`, so that each
//! leads back to a path of its own. That is a setting, because a provider accepts only the
//! redirect URI that was registered with it, and `/callback` is what operators have registered.
//!
//! Who somebody is depends on the provider's issuer and subject, never on the address alone:
//! the first login pins them (`access/stakeholders.rs`). An address in a domain that the
//! operator says a provider owns is taken from such a provider only, so that nobody can hold
//! the account of somebody who has not come yet.
//!
//! Only a navigation begins a login, and one network begins and ends a bounded number of them: else
//! a page of another site, or one client in a loop, would fill the table with attempts.

mod bitbucket;
mod callback;
mod fetch;
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
        sessions::ClientInfo,
        stakeholders::{Ownership, Person},
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
    http::{
        Caller, RequestContext,
        csrf::{self, Navigation},
    },
};

use self::{callback::Callback, fetch::Fetch, oauth::Secrets, provider::Provider};

pub use self::settings::InvalidProviders;

/// Logins by identity providers.
pub struct Identity {
    access: Arc<Access>,
    providers: Vec<Provider>,
    owners: DomainOwners,
    public_url: PublicUrl,
    fetch: Fetch,
    limit: Option<RateLimit>,
}

impl Identity {
    /// Logins by the providers of `settings`, a JSON list, for the users of `access`; the
    /// providers are reached through `web`. One network begins as many logins as `limit`
    /// check.
    ///
    /// # Errors
    ///
    /// [`InvalidProviders`] names all that is wrong with the settings.
    pub fn new(
        access: Arc<Access>,
        settings: &Secret,
        public_url: &PublicUrl,
        web: SharedHttpConnector,
        limit: Option<RateLimit>,
    ) -> Result<Self, InvalidProviders> {
        let (providers, public_url) = (settings::parse(settings)?, public_url.clone());
        let owners = providers.iter().map(|it| (it.issuer(), it.domains.clone()));
        let owners = DomainOwners::new(owners);
        Ok(Self { access, providers, owners, public_url, fetch: Fetch(web), limit })
    }

    /// The providers, in the order of the settings.
    #[must_use]
    pub fn providers(&self) -> &[Provider] {
        &self.providers
    }

    /// `GET /login/{provider}`: leads the browser to the provider, and back to `next`.
    ///
    /// A person who followed a link of another site is led to our login page instead, where
    /// one more click begins the login.
    ///
    /// # Errors
    ///
    /// `UnknownPath` where there is no such provider; `CrossSite` where nobody navigated;
    /// `RateLimited` for a network with too many logins; `ProviderDown` when the provider
    /// does not answer; `Unavailable` when DynamoDB fails.
    pub async fn begin(
        &self,
        provider: &str,
        next: OwnPath,
        request: &Parts,
        context: RequestContext,
    ) -> Result<Response> {
        let provider = self.provider(provider).ok_or(RequestFault::UnknownPath)?;
        match csrf::navigation(&request.headers) {
            Navigation::Own => self.count(Counter::LoginsFrom, request, context.now).await?,
            Navigation::Foreign => return Ok(login_page(&next)),
            Navigation::Embedded => return Err(Error::CrossSite),
        }
        let client = provider.endpoints(&self.fetch, context.now).await?;
        let secrets = Secrets::draw(&self.access.entropy)?;
        let attempt = LoginAttempt {
            state: secrets.state.digest(),
            provider: provider.id.clone(),
            verifier: secrets.verifier.digest(),
            nonce: secrets.nonce.digest(),
            next,
            begun_at: context.now,
        };
        self.access.store.begin_login(&attempt).await?;
        let kept = self.access.cookies.give_login(secrets.verifier.reveal(), LOGIN_LIFETIME);
        let kept = kept.map_err(Error::internal)?;
        let url = oauth::authorize_url(provider, &client, &self.callback_of(provider), &secrets)?;
        Ok(([(SET_COOKIE, kept)], Redirect::to(url.as_str())).into_response())
    }

    /// `GET /callback` and `/callback/{provider}`: what the provider sent the browser back with
    /// becomes a session.
    ///
    /// # Errors
    ///
    /// `Login` and `InvalidIdToken` say why it does not; `RateLimited` for a network with too many
    /// logins; `ProviderDown` when the provider does not answer; `Refused` for a disabled
    /// stakeholder; `Unavailable` when DynamoDB fails.
    pub async fn finish(&self, request: &Parts, context: RequestContext) -> Result<Response> {
        let callback = Callback::parse(&request.uri)?;
        let (attempt, verifier) = self.attempt(&callback, request, context.now).await?;
        let provider =
            self.provider(attempt.provider.as_str()).ok_or(LoginFault::UnknownAttempt)?;
        if request.uri.path() != provider.callback() {
            return Err(Error::invalid_id_token(
                "the answer came to the callback of another provider",
            ));
        }
        let person = self.person(provider, callback, &attempt.nonce, verifier, context.now).await?;

        let ownership =
            Ownership { owner: self.owner_for(provider, &person), owners: &self.owners };
        let client = ClientInfo::of(request, self.access.cookies);
        let session = self.access.log_in(&person, ownership, &client, context.now).await?;
        let mut response = Redirect::to(attempt.next.as_str()).into_response();
        response.headers_mut().append(SET_COOKIE, session);
        response.headers_mut().append(SET_COOKIE, self.access.cookies.clear_login());
        Ok(response)
    }

    /// Where a provider leads people back to.
    fn callback_of(&self, provider: &Provider) -> String {
        format!("{}{}", self.public_url.as_str(), provider.callback())
    }

    /// Counts the begin or the end of a login for the network that it comes from. Lambda always knows the address;
    /// where it is unknown, nothing is counted.
    async fn count(
        &self,
        counter: fn(Network) -> Counter,
        request: &Parts,
        now: Timestamp,
    ) -> Result<()> {
        let address = request.extensions.get::<Caller>().and_then(|it| it.0);
        let Some((address, limit)) = address.zip(self.limit) else { return Ok(()) };
        self.access.count_within(&counter(Network::of(address)), limit, now).await
    }

    /// Who owns the domain of a person's address, where they log in by `provider`.
    fn owner_for(&self, provider: &Provider, person: &Person) -> DomainOwner {
        let mut others = self.providers.iter().filter(|it| it.id != provider.id);
        if provider.owns(person) {
            DomainOwner::ThisProvider
        } else if others.any(|it| it.lists(&person.email)) {
            DomainOwner::OtherProvider
        } else {
            DomainOwner::Nobody
        }
    }

    fn provider(&self, id: &str) -> Option<&Provider> {
        self.providers.iter().find(|it| it.id.as_str() == id)
    }

    /// The attempt that this browser comes back from; it is taken, whatever comes then. It stays
    /// where the network has ended too many logins: the person can load the page again.
    async fn attempt(
        &self,
        callback: &Callback,
        request: &Parts,
        now: Timestamp,
    ) -> Result<(LoginAttempt, Secret)> {
        let verifier =
            self.access.cookies.login(&request.headers)?.ok_or(LoginFault::UnknownAttempt)?;
        self.count(Counter::CallbacksFrom, request, now).await?;
        let attempt = self.access.store.take_login(&callback.state.digest()).await?;
        let attempt = attempt.ok_or(LoginFault::UnknownAttempt)?;
        attempt.check(&verifier.digest(), now)?;
        Ok((attempt, verifier))
    }

    async fn person(
        &self,
        provider: &Provider,
        callback: Callback,
        nonce: &Digest,
        verifier: Secret,
        now: Timestamp,
    ) -> Result<Person> {
        let client = provider.endpoints(&self.fetch, now).await?;
        let code = callback.code(&client)?;
        let callback_url = self.callback_of(provider);
        let tokens =
            oauth::exchange(provider, &client, &callback_url, code, &verifier, &self.fetch).await?;
        let person = provider.person(&tokens, nonce, &self.fetch, now).await?;
        if provider.check(&person.email) {
            Ok(person)
        } else {
            Err(LoginFault::AddressNotAdmitted.into())
        }
    }
}

/// Leads to the page with the buttons, and from there to `next`.
fn login_page(next: &OwnPath) -> Response {
    let query =
        form_urlencoded::Serializer::new(String::new()).append_pair("next", next.as_str()).finish();
    Redirect::to(&format!("/?{query}")).into_response()
}
