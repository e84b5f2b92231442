//! What a request claims with its credential, before any record is read.

use http::HeaderMap;

use crate::{
    access::jwt::Verified,
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

/// The credential that a request presents, before it is checked.
#[derive(Debug)]
pub enum RawCredential {
    None,
    /// An API token, from the `Authorization` header.
    Bearer(Secret),
    /// A session, from its cookie. Browsers send it with every request.
    Cookie(Secret),
}

/// The claims of a credential that passed all checks that need no I/O. A forged token does not
/// get this far. A forged cookie of the right form does.
#[derive(Debug)]
pub enum VerifiedClaims {
    None,
    /// The signature is valid, and the token has not expired.
    AccessToken(Verified),
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
    /// Returns the credential that a request presents. If there are a token and a session, the
    /// token counts, even if it is invalid.
    ///
    /// # Errors
    ///
    /// As [`authorization::bearer`] and [`Cookies::get`].
    pub fn in_headers(headers: &HeaderMap, cookies: Cookies) -> Result<Self> {
        if let Some(token) = authorization::bearer(headers)? {
            return Ok(Self::Bearer(token));
        }
        Ok(cookies.get(CookieName::Session, headers)?.map_or(Self::None, Self::Cookie))
    }
}

impl SessionClaims {
    /// Parses a cookie's value, `<user id>.<secret>`. Returns `None` for any other form.
    #[must_use]
    pub fn parse(value: &Secret) -> Option<Self> {
        let (user, secret) = value.inspect(|it| {
            let (user, secret) = it.split_once('.')?;
            Some((user.to_owned(), Secret::from(secret.to_owned())))
        })?;
        let user = UserId::try_from(user).ok()?;
        (secret.len() == SECRET_LENGTH).then(|| Self { user, digest: secret.digest() })
    }

    /// Returns the claims of the session cookie that a browser sends. Returns `None` if there is
    /// no cookie, more than one, or one of another form.
    #[must_use]
    pub fn in_headers(headers: &HeaderMap, cookies: Cookies) -> Option<Self> {
        Self::parse(cookies.get(CookieName::Session, headers).ok().flatten().as_ref()?)
    }
}
