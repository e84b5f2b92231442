//! The authorization response: the query string of the callback.

use http::Uri;
use url::form_urlencoded;

use crate::{
    domain::{issuer::is_issuer, login::LoginFault, secret::Secret},
    error::{Error, RequestFault, Result},
    identity::oauth::Endpoints,
};

/// An authorization response (RFC 6749, section 4.1.2; RFC 9207).
pub(super) struct Callback {
    /// Identifies the login attempt.
    pub(super) state: Secret,
    code: Option<Secret>,
    is_error: bool,
    issuer: Option<String>,
}

impl Callback {
    /// Parses the query string. Treats an empty parameter as missing.
    ///
    /// # Errors
    ///
    /// `Malformed` when a parameter occurs twice; `UnknownAttempt` when `state` is missing.
    pub(super) fn parse(uri: &Uri) -> Result<Self> {
        let query = uri.query().unwrap_or_default();
        let state = parameter(query, "state")?;
        let code = parameter(query, "code")?.map(Secret::from);
        let issuer = parameter(query, "iss")?;
        let is_error = parameter(query, "error")?.is_some();
        let state = state.map(Secret::from).ok_or(LoginFault::UnknownAttempt)?;
        Ok(Self { state, code, is_error, issuer })
    }

    /// Returns the authorization code, if the response comes from the provider that the attempt was
    /// made for. A code from another provider must not be sent to this one (RFC 9207, section 1).
    ///
    /// # Errors
    ///
    /// `InvalidIdToken` when the response has another issuer, or none although the provider always
    /// sends it; `NotCompleted` when the response has an error or no code.
    pub(super) fn code(self, endpoints: &Endpoints) -> Result<Secret> {
        match (&self.issuer, &endpoints.issuer) {
            (Some(sent), Some(expected)) if !is_issuer(expected, sent) => {
                return Err(Error::invalid_id_token(format!(
                    "the callback has the issuer {sent} instead of {expected}"
                )));
            }
            (None, Some(expected)) if endpoints.sends_issuer => {
                return Err(Error::invalid_id_token(format!(
                    "the callback lacks the issuer {expected}"
                )));
            }
            _ => {}
        }
        let code = self.code.filter(|_| !self.is_error);
        Ok(code.ok_or(LoginFault::NotCompleted)?)
    }
}

fn parameter(query: &str, name: &str) -> Result<Option<String>, RequestFault> {
    let pairs = form_urlencoded::parse(query.as_bytes());
    let mut values = pairs.filter(|(key, value)| key == name && !value.is_empty());
    match (values.next(), values.next()) {
        (value, None) => Ok(value.map(|(_, value)| value.into_owned())),
        _ => Err(RequestFault::Malformed(format!("`{name}` occurs more than once"))),
    }
}
