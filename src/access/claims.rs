//! The credentials of requests, before any record is read.

use http::HeaderMap;

use crate::{
    access::jwt::TokenClaims,
    domain::{
        id::UserId,
        secret::{Digest, Secret},
    },
    error::Result,
    http::{
        authorization,
        cookies::{CookieName, Cookies},
    },
};

/// The length of a session's secret, in characters.
const SECRET_LENGTH: usize = 43;

/// The credential of a request, before any check.
#[derive(Debug)]
pub enum RawCredential {
    None,
    /// An API token, from the `Authorization` header.
    Bearer(Secret),
    /// A session, from its cookie. Browsers send it with every request.
    Cookie(Secret),
}

/// The claims of a credential that passed all checks that need no I/O. These checks reject a forged
/// token, but not a well-formed cookie with a forged secret.
#[derive(Debug)]
pub enum VerifiedClaims {
    None,
    /// The signature is valid, and the token has not expired.
    AccessToken(TokenClaims),
    Session(SessionClaims),
}

/// The claims of a session cookie. They are not verified until the session's record is read.
#[derive(Clone, Debug)]
pub struct SessionClaims {
    pub user: UserId,
    /// The digest of the session's secret.
    pub digest: Digest,
}

impl RawCredential {
    /// Returns the credential of a request. A token takes precedence over a session, even if the
    /// token is invalid.
    ///
    /// # Errors
    ///
    /// The errors of [`authorization::bearer`] and [`Cookies::get`].
    pub fn from_headers(headers: &HeaderMap, cookies: Cookies) -> Result<Self> {
        if let Some(token) = authorization::bearer(headers)? {
            return Ok(Self::Bearer(token));
        }
        Ok(cookies.get(CookieName::Session, headers)?.map_or(Self::None, Self::Cookie))
    }
}

impl SessionClaims {
    /// Parses the value of a session cookie, `<user id>.<secret>`. Returns `None` if it does not
    /// have this form.
    #[must_use]
    pub fn parse(value: &Secret) -> Option<Self> {
        let (user, secret) = value.inspect(|it| {
            let (user, secret) = it.split_once('.')?;
            Some((user.to_owned(), Secret::from(secret.to_owned())))
        })?;
        let user = UserId::try_from(user).ok()?;
        (secret.len() == SECRET_LENGTH).then(|| Self { user, digest: secret.digest() })
    }

    /// Returns the claims of the session cookie. Returns `None` if there is no cookie, if there are
    /// several, or if it is malformed.
    #[must_use]
    pub fn from_headers(headers: &HeaderMap, cookies: Cookies) -> Option<Self> {
        Self::parse(cookies.get(CookieName::Session, headers).ok().flatten().as_ref()?)
    }
}
