//! An identity provider, as the operator set it up.

use jiff::Timestamp;

use crate::{
    access::stakeholders::Person,
    domain::{
        email::Email,
        id::ProviderId,
        secret::{Digest, Secret},
    },
    error::Result,
    identity::{
        bitbucket,
        fetch::Fetch,
        oauth::{Endpoints, Tokens},
        openid::OpenId,
    },
};

/// Google's issuer.
pub(super) const GOOGLE: &str = "https://accounts.google.com";
/// The domain of the addresses that Google gives to everybody.
const GMAIL: &str = "gmail.com";
/// The path that providers lead people back to, unless they have one of their own.
const CALLBACK: &str = "/callback";

/// An identity provider.
#[derive(Debug)]
pub struct Provider {
    /// Its name in paths.
    pub id: ProviderId,
    /// Its name for people.
    pub label: String,
    /// Whose it is, for the look of its button.
    pub brand: Brand,
    pub(super) client_id: String,
    pub(super) client_secret: Secret,
    /// The domains that the provider owns, by the operator's word: only their addresses are
    /// let in. All addresses are let in where there is none.
    pub(super) domains: Vec<String>,
    /// Whether it leads people back to a path of its own.
    pub(super) has_own_callback: bool,
    pub(super) kind: Kind,
}

/// Whose a provider is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Brand {
    /// Google's.
    Google,
    /// Microsoft's.
    Microsoft,
    /// Bitbucket's.
    Bitbucket,
    /// Anybody's.
    Other,
}

/// How a provider tells who has come.
#[derive(Debug)]
pub(super) enum Kind {
    /// By OpenID Connect.
    OpenId(OpenId),
    /// By Bitbucket's own API.
    Bitbucket,
}

impl Brand {
    /// The brand's name in templates.
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
    /// Where its button leads.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/login/{}", self.id)
    }

    /// The path that it leads people back to.
    pub(super) fn callback(&self) -> String {
        if self.has_own_callback { format!("{CALLBACK}/{}", self.id) } else { CALLBACK.to_owned() }
    }

    /// Where it does what.
    pub(super) async fn endpoints(&self, fetch: &Fetch, now: Timestamp) -> Result<Endpoints> {
        match &self.kind {
            Kind::OpenId(openid) => openid.endpoints(fetch, now).await,
            Kind::Bitbucket => bitbucket::endpoints(),
        }
    }

    /// What is asked of it.
    pub(super) fn scopes(&self) -> &'static [&'static str] {
        match &self.kind {
            Kind::OpenId(_) => &["openid", "email", "profile"],
            Kind::Bitbucket => &["account", "email"],
        }
    }

    /// Who has come.
    pub(super) async fn person(
        &self,
        tokens: &Tokens,
        nonce: &Digest,
        fetch: &Fetch,
        now: Timestamp,
    ) -> Result<Person> {
        match &self.kind {
            Kind::OpenId(openid) => openid.person(&self.client_id, tokens, nonce, fetch, now).await,
            Kind::Bitbucket => bitbucket::person(tokens, fetch).await,
        }
    }

    /// Its issuer, which may stand for many tenants.
    pub(super) fn issuer(&self) -> String {
        match &self.kind {
            Kind::OpenId(openid) => openid.issuer(),
            Kind::Bitbucket => bitbucket::ISSUER.to_owned(),
        }
    }

    /// Whether the operator says that the provider owns the domain of an address.
    pub(super) fn lists(&self, email: &Email) -> bool {
        self.domains.iter().any(|it| it == email.domain())
    }

    /// Whether the provider owns the address of a person.
    ///
    /// Google also has accounts under addresses that it does not host. It is authoritative only
    /// for `gmail.com`, and for organizations that it names in the claim `hd`.
    pub(super) fn owns(&self, person: &Person) -> bool {
        let is_listed = |domain: &String| self.domains.contains(&domain.to_lowercase());
        let is_authoritative = person.subject.issuer() != GOOGLE
            || person.email.domain() == GMAIL
            || person.hosted_domain.as_ref().is_some_and(is_listed);
        is_authoritative && self.lists(&person.email)
    }

    /// Whether the operator lets such an address in.
    pub(super) fn check(&self, email: &Email) -> bool {
        self.domains.is_empty() || self.lists(email)
    }
}
