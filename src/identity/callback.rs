//! What a provider sends a browser back with.

use http::Uri;
use url::form_urlencoded;

use crate::{
    domain::{issuer::is_issuer, login::LoginFault, secret::Secret},
    error::{Error, RequestFault, Result},
    identity::oauth::Endpoints,
};

/// What a provider sends a browser back with (RFC 6749, section 4.1.2; RFC 9207).
pub(super) struct Callback {
    /// Which attempt it is about.
    pub(super) state: Secret,
    code: Option<Secret>,
    is_error: bool,
    issuer: Option<String>,
}

impl Callback {
    /// Reads the query string.
    ///
    /// # Errors
    ///
    /// `Malformed` for a parameter that is there twice: which of them counts must not be
    /// guessed; `UnknownAttempt` without `state`.
    pub(super) fn parse(uri: &Uri) -> Result<Self> {
        let query = uri.query().unwrap_or_default().as_bytes();
        let mut parameters: Vec<_> = form_urlencoded::parse(query).into_owned().collect();
        let mut one = |wanted: &str| {
            let (found, rest): (Vec<_>, Vec<_>) =
                parameters.drain(..).partition(|(name, _)| name == wanted);
            parameters = rest;
            let mut values = found.into_iter().map(|(_, value)| value).filter(|it| !it.is_empty());
            match (values.next(), values.next()) {
                (value, None) => Ok(value),
                _ => Err(RequestFault::Malformed(format!("`{wanted}` is there more than once"))),
            }
        };
        let (state, code, issuer) = (one("state")?, one("code")?, one("iss")?);
        let is_error = one("error")?.is_some();
        let state = state.map(Secret::from).ok_or(LoginFault::UnknownAttempt)?;
        Ok(Self { state, code: code.map(Secret::from), is_error, issuer })
    }

    /// The code, if it comes from the provider that the attempt was made for: another
    /// one's would be tried at this one (RFC 9207, section 1).
    ///
    /// # Errors
    ///
    /// `InvalidIdToken` where the issuer is another, or is missing where the provider promises to
    /// tell it; `NotCompleted` where there is an error, whatever stands beside it, or no code.
    pub(super) fn code(self, place: &Endpoints) -> Result<Secret> {
        match (&self.issuer, &place.issuer) {
            (Some(told), Some(own)) if !is_issuer(own, told) => {
                return Err(Error::invalid_id_token(format!(
                    "the answer is of the issuer {told}, not of {own}"
                )));
            }
            (None, Some(own)) if place.tells_issuer => {
                return Err(Error::invalid_id_token(format!(
                    "the answer does not tell the issuer {own}"
                )));
            }
            _ => {}
        }
        let code = self.code.filter(|_| !self.is_error);
        Ok(code.ok_or(LoginFault::NotCompleted)?)
    }
}
