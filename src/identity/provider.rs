//! An identity provider, as the operator configured it.

use jiff::Timestamp;

use crate::{
    access::stakeholders::VerifiedIdentity,
    domain::{email::Email, id::ProviderId, secret::Digest},
    error::Result,
    identity::{
        bitbucket,
        http_client::HttpClient,
        oauth::{ClientCredentials, Endpoints, Tokens},
        openid::OpenId,
    },
};

/// Google's issuer.
pub(super) const GOOGLE: &str = "https://accounts.google.com";
/// The domain of Google's public email service.
const GMAIL: &str = "gmail.com";
/// The path of the callback that providers share.
const CALLBACK: &str = "/callback";

/// An identity provider.
#[derive(Debug)]
pub struct Provider {
    /// The provider's name in paths.
    pub id: ProviderId,
    /// The provider's name on its button.
    pub label: String,
    /// The brand, which determines the look of the button.
    pub brand: Brand,
    pub(super) credentials: ClientCredentials,
    /// The email domains that the provider owns, according to the operator. If the list is not
    /// empty, only addresses in these domains can log in.
    pub(super) domains: Vec<String>,
    pub(super) has_own_callback: bool,
    pub(super) kind: Kind,
}

/// The brand of a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Brand {
    Google,
    Microsoft,
    Bitbucket,
    /// Any other provider with OpenID Connect.
    Other,
}

/// How a provider identifies users.
#[derive(Debug)]
pub(super) enum Kind {
    /// OpenID Connect.
    OpenId(OpenId),
    /// Bitbucket's own API.
    Bitbucket,
}

impl Brand {
    /// Returns the name of the brand, as templates use it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Google => "google",
            Self::Microsoft => "microsoft",
            Self::Bitbucket => "bitbucket",
            Self::Other => "oidc",
        }
    }
}

impl Provider {
    /// Returns the path that begins a login.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/login/{}", self.id)
    }

    /// Returns the path of the callback.
    pub(super) fn callback(&self) -> String {
        if self.has_own_callback { format!("{CALLBACK}/{}", self.id) } else { CALLBACK.to_owned() }
    }

    /// Returns the endpoints.
    pub(super) async fn endpoints(&self, http: &HttpClient, now: Timestamp) -> Result<Endpoints> {
        match &self.kind {
            Kind::OpenId(openid) => openid.endpoints(http, now).await,
            Kind::Bitbucket => bitbucket::endpoints(),
        }
    }

    /// Returns the OAuth 2.0 scopes to request.
    pub(super) fn scopes(&self) -> &'static [&'static str] {
        match &self.kind {
            Kind::OpenId(_) => &["openid", "email", "profile"],
            Kind::Bitbucket => &["account", "email"],
        }
    }

    /// Identifies the user to whom the tokens were issued.
    pub(super) async fn identify(
        &self,
        tokens: &Tokens,
        nonce: &Digest,
        http: &HttpClient,
        now: Timestamp,
    ) -> Result<VerifiedIdentity> {
        match &self.kind {
            Kind::OpenId(openid) => {
                openid.identify(&self.credentials.id, tokens, nonce, http, now).await
            }
            Kind::Bitbucket => bitbucket::identify(tokens, http).await,
        }
    }

    /// Returns the issuer, which is a pattern if the provider has many tenants.
    pub(super) fn issuer(&self) -> String {
        match &self.kind {
            Kind::OpenId(openid) => openid.issuer(),
            Kind::Bitbucket => bitbucket::ISSUER.to_owned(),
        }
    }

    /// Whether the domain of an address is in the operator's list of domains that the provider
    /// owns.
    pub(super) fn lists_domain_of(&self, email: &Email) -> bool {
        self.domains.iter().any(|it| it == email.domain())
    }

    /// Whether the provider owns the address of a user.
    ///
    /// Google also has accounts with addresses that it does not host. It is authoritative only
    /// for `gmail.com` and for the organizations that the claim `hd` names.
    pub(super) fn owns_address(&self, user: &VerifiedIdentity) -> bool {
        let is_listed = |domain: &String| self.domains.contains(&domain.to_lowercase());
        let is_authoritative = user.subject.issuer() != GOOGLE
            || user.email.domain() == GMAIL
            || user.hosted_domain.as_ref().is_some_and(is_listed);
        is_authoritative && self.lists_domain_of(&user.email)
    }

    /// Whether a user with this address may log in.
    pub(super) fn allows(&self, email: &Email) -> bool {
        self.domains.is_empty() || self.lists_domain_of(email)
    }
}
