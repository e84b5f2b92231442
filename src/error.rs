//! The errors of requests, and what clients learn about them.
//!
//! `Display` is the message for clients and contains nothing internal. The cause of an error is its
//! `source`, and is only logged. The rules of the domain are constants in its modules: see
//! [`crate::domain::rule`]. Clients match on codes, reasons and messages: never change them.

mod credential;
mod fault;
mod info;
mod login;

use std::sync::Arc;

use http::StatusCode;

use crate::{
    domain::{
        login::LoginFault,
        permitted::AccessDenied,
        refusal::Refusal,
        rule::{BrokenRule, RuleCode},
    },
    entropy::NoEntropy,
    store::StoreError,
    telemetry::{self, Chain},
};

use self::info::{
    BAD_REQUEST, BAD_USER_INPUT, CONFLICT, FORBIDDEN, INTERNAL, NOT_FOUND, RATE_LIMITED,
    UNAUTHENTICATED, UNAVAILABLE,
};

pub use self::{fault::RequestFault, info::ErrorInfo};

/// A `Result` whose error is [`Error`] by default.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The number of seconds after which a client should retry a request that failed temporarily.
const RETRY_AFTER: u32 = 2;

/// The cause of an error, for the log. It is shared, because GraphQL errors are cloned.
pub type Cause = Arc<dyn std::error::Error + Send + Sync>;

/// The failure of a request.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The request needs a credential and has none.
    #[error("Login required")]
    NoCredential,
    /// The credential of the request is invalid.
    #[error("Login required")]
    Refused(Refusal),
    /// The user may not perform the action, or the object does not exist.
    #[error(transparent)]
    AccessDenied(#[from] AccessDenied),
    /// The request breaks a rule of the domain.
    #[error(transparent)]
    Rule(#[from] BrokenRule),
    /// A browser sent the request on behalf of another site.
    #[error("Access denied")]
    CrossSite,
    /// The request is invalid, whatever its credential.
    #[error(transparent)]
    Request(#[from] RequestFault),
    /// A login with an identity provider failed.
    #[error(transparent)]
    Login(#[from] LoginFault),
    /// The response of an identity provider does not prove who the user is.
    #[error("The login could not be verified")]
    InvalidIdToken(#[source] Cause),
    /// An identity provider does not respond, or responds with a failure.
    #[error("The identity provider does not answer")]
    ProviderDown(#[source] Cause),
    /// Every attempt conflicted with another request that changed the same record.
    #[error("Another request changed this at the same time")]
    Conflict,
    /// A rate limit is reached.
    #[error("Too many requests")]
    RateLimited {
        /// In seconds.
        retry_after: u32,
    },
    /// The browser's cookie is deleted, but the session could not be ended.
    #[error("You are logged out of this browser only")]
    LogoutIncomplete(#[source] Cause),
    /// A service that the response depends on does not respond.
    #[error("Service unavailable")]
    Unavailable(#[source] Cause),
    /// A bug, or a mistake in the deployment.
    #[error("Internal server error")]
    Internal(#[source] Cause),
}

impl Error {
    /// Creates an [`Internal`](Self::Internal) error.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(Arc::from(cause.into()))
    }

    /// Creates a [`LogoutIncomplete`](Self::LogoutIncomplete) error.
    #[must_use]
    pub fn logout_incomplete(cause: Self) -> Self {
        Self::LogoutIncomplete(Arc::new(cause))
    }

    /// Creates an [`Unavailable`](Self::Unavailable) error.
    pub fn unavailable(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Unavailable(Arc::from(cause.into()))
    }

    /// Creates an [`InvalidIdToken`](Self::InvalidIdToken) error.
    pub fn invalid_id_token(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::InvalidIdToken(Arc::from(cause.into()))
    }

    /// Creates a [`ProviderDown`](Self::ProviderDown) error.
    pub fn provider_down(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::ProviderDown(Arc::from(cause.into()))
    }

    /// Returns what clients learn about the error, except its message.
    #[must_use]
    pub fn describe(&self) -> ErrorInfo {
        let info = ErrorInfo::new;
        match self {
            Self::NoCredential => info(UNAUTHENTICATED)
                .reason("NO_CREDENTIAL")
                .hint("Log in, or send an API token as `Authorization: Bearer <api-token>`."),
            Self::Refused(refusal) => credential::describe(refusal),
            Self::AccessDenied(_) => info(FORBIDDEN),
            Self::Rule(broken) => describe_rule(broken),
            Self::CrossSite => info(FORBIDDEN).reason("CSRF_REJECTED").hint(
                "A session works only from this site's own pages; programs send an API token \
                 instead.",
            ),
            Self::Request(fault) => fault.describe(),
            Self::Login(fault) => login::describe(*fault),
            Self::InvalidIdToken(_) => {
                info(BAD_REQUEST).hint("Log in again. If that does not help, tell the operator.")
            }
            Self::ProviderDown(_) => info(UNAVAILABLE).retry_after(RETRY_AFTER).hint(
                "Nothing is wrong with your account: log in again in a minute, or with another \
                 identity provider.",
            ),
            Self::Conflict => {
                info(CONFLICT).hint("Nothing was changed by this request: send it again.")
            }
            Self::RateLimited { retry_after } => info(RATE_LIMITED)
                .retry_after(*retry_after)
                .hint(format!("Wait {retry_after} seconds, then try again.")),
            Self::LogoutIncomplete(_) => info(UNAVAILABLE).hint(
                "This browser has deleted its session cookie, but the session could not be ended, \
                 because the database does not respond. It expires forty minutes after you logged \
                 in.",
            ),
            Self::Unavailable(_) => info(UNAVAILABLE).retry_after(RETRY_AFTER).hint(format!(
                "Nothing is wrong with the request or its credential: send it again in \
                 {RETRY_AFTER} seconds."
            )),
            Self::Internal(_) => info(INTERNAL),
        }
    }

    /// Returns the HTTP status, as in [`describe`](Self::describe).
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.describe().status
    }

    /// Returns the value of the `Allow` header, if the method is not allowed.
    #[must_use]
    pub fn allow(&self) -> Option<&'static str> {
        match self {
            Self::Request(RequestFault::Method { allow }) => Some(allow),
            _ => None,
        }
    }

    /// Returns the line and the column of a syntax error in the query, starting at 1.
    #[must_use]
    pub fn location(&self) -> Option<(usize, usize)> {
        match self {
            Self::Request(RequestFault::Syntax { at, .. }) => *at,
            _ => None,
        }
    }

    /// Logs the cause, if the error has one. The level is `warn` for errors of identity providers,
    /// and `error` for all others.
    pub fn log(&self) {
        let id = telemetry::request_id();
        let code = self.describe().code;
        match self {
            Self::Unavailable(cause) | Self::LogoutIncomplete(cause) | Self::Internal(cause) => {
                tracing::error!(requestId = id, code, cause = %Chain(cause.as_ref()), "{self}");
            }
            Self::InvalidIdToken(cause) | Self::ProviderDown(cause) => {
                tracing::warn!(requestId = id, code, cause = %Chain(cause.as_ref()), "{self}");
            }
            _ => {}
        }
    }
}

fn describe_rule(broken: &BrokenRule) -> ErrorInfo {
    let code = match broken.rule.code {
        RuleCode::Forbidden => FORBIDDEN,
        RuleCode::BadUserInput => BAD_USER_INPUT,
        RuleCode::NotFound => NOT_FOUND,
    };
    let info = ErrorInfo::new(code).reason(broken.rule.reason).hint(broken.hint.clone());
    ErrorInfo { members: broken.members.clone(), ..info }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Exists | StoreError::Stale | StoreError::Guard => Self::Conflict,
            StoreError::LimitReached { retry_after } => Self::RateLimited { retry_after },
            StoreError::Rule(broken) => Self::Rule(broken),
            StoreError::Raced | StoreError::Unavailable(_) => Self::unavailable(error),
            StoreError::TooManyWrites { .. } | StoreError::Rejected(_) | StoreError::Corrupt(_) => {
                Self::internal(error)
            }
        }
    }
}

impl From<NoEntropy> for Error {
    fn from(error: NoEntropy) -> Self {
        Self::unavailable(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::rule::Rule;
    use serde_json::{Value, json};

    #[test]
    fn the_cause_is_for_the_log_and_not_for_the_client() {
        let error = Error::from(StoreError::Unavailable("table arm-1234 throttled".into()));

        let shown = format!("{error} {}", Value::Object(error.describe().extensions()));

        assert!(!shown.contains("arm-1234"), "{shown}");
        assert!(std::error::Error::source(&error).is_some());
    }

    #[test]
    fn when_dynamodb_fails_the_client_is_not_told_to_log_in_again() {
        let info = Error::from(StoreError::Unavailable("throttled".into())).describe();

        assert_eq!(info.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(info.code, "SERVICE_UNAVAILABLE");
        assert_eq!(info.retry_after, Some(RETRY_AFTER));
    }

    #[test]
    fn a_broken_rule_has_the_members_of_the_request_beside_those_of_the_rule() {
        const TOO_LONG: Rule = Rule {
            reason: "TEXT_TOO_LONG",
            code: RuleCode::BadUserInput,
            message: "Exception - Invalid field length in form",
            hint: "Send a shorter text.",
        };

        let error = Error::from(TOO_LONG.broken().with("limit", 60));

        assert_eq!(error.to_string(), "Exception - Invalid field length in form");
        assert_eq!(
            Value::Object(error.describe().extensions()),
            json!({
                "code": "BAD_USER_INPUT", "reason": "TEXT_TOO_LONG", "limit": 60,
                "hint": "Send a shorter text.",
            })
        );
    }
}
