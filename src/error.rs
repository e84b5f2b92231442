//! The one place that decides what a client is told.
//!
//! `Display` is for clients and names nothing internal; a cause, if there is one, is
//! the `source`, and is for the log. Messages are the original's; codes and reasons
//! are what clients match on: never rename one.

mod fault;
mod hint;
mod reason;

use std::sync::Arc;

use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::{
    domain::{
        access_token::{ExpirationPolicy, InvalidExpiration},
        login::LoginFault,
        permitted::AccessDenied,
        refusal::Refusal,
    },
    entropy::NoEntropy,
    store::StoreError,
    telemetry::{self, Chain},
};

pub use self::fault::RequestFault;

/// The result of what may fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// How many seconds a client should wait before it tries again.
const RETRY_AFTER: u32 = 2;

/// What is behind a failure: for the log. It is shared, since GraphQL copies errors.
pub type Cause = Arc<dyn std::error::Error + Send + Sync>;

/// A request's failure.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// Nobody asked for what only somebody may have.
    #[error("Login required")]
    NoCredential,
    /// A credential was presented, and does not hold.
    #[error("Login required")]
    Refused(Refusal),
    /// The user may not perform the action, or the object does not exist.
    #[error(transparent)]
    AccessDenied(#[from] AccessDenied),
    /// A token tried what needs a session.
    #[error("Access denied")]
    SessionRequired,
    /// A token can renew itself no longer: a session must make the next one.
    #[error("Access denied")]
    RenewalEnded {
        /// Since when.
        at: Timestamp,
    },
    /// The operator has no tokens made at present, and says why.
    #[error("Access denied")]
    CreationDisabled(String),
    /// The browser sent it on behalf of another site.
    #[error("Access denied")]
    CrossSite,
    /// An expiration time is not within the policy.
    #[error(transparent)]
    InvalidExpiration(#[from] InvalidExpiration),
    /// An expiration time is no integer.
    #[error("Exception - Invalid Expiration Time")]
    ExpirationNotInteger {
        /// What would have been accepted.
        policy: ExpirationPolicy,
        /// What was sent.
        received: Value,
    },
    /// The request is not one that this endpoint answers.
    #[error("{0}")]
    Request(RequestFault),
    /// A login by an identity provider was not completed.
    #[error(transparent)]
    Login(#[from] LoginFault),
    /// What an identity provider answered does not prove who somebody is.
    #[error("The login could not be verified")]
    InvalidIdToken(#[source] Cause),
    /// An identity provider does not answer, or answers that it cannot.
    #[error("The identity provider does not answer")]
    ProviderDown(#[source] Cause),
    /// Somebody else changed the same thing first, again and again.
    #[error("Another request changed this at the same time")]
    Conflict,
    /// They did it more often than they may.
    #[error("Too many requests")]
    RateLimited {
        /// After how many seconds they may do it again.
        retry_after: u32,
    },
    /// The browser forgot its session, which could not be ended.
    #[error("You are logged out of this browser only")]
    LogoutIncomplete(#[source] Cause),
    /// Something that the answer depends on does not answer.
    #[error("Service unavailable")]
    Unavailable(#[source] Cause),
    /// We made a mistake.
    #[error("Internal server error")]
    Internal(#[source] Cause),
}

impl Error {
    /// We made a mistake, because of `cause`.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(Arc::from(cause.into()))
    }

    /// The browser forgot its session, which could not be ended because of `cause`.
    #[must_use]
    pub fn logout_incomplete(cause: Self) -> Self {
        Self::LogoutIncomplete(Arc::new(cause))
    }

    /// Something that the answer depends on does not answer, because of `cause`.
    pub fn unavailable(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Unavailable(Arc::from(cause.into()))
    }

    /// What an identity provider answered does not prove who somebody is, because of `cause`.
    pub fn invalid_id_token(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::InvalidIdToken(Arc::from(cause.into()))
    }

    /// An identity provider does not answer, because of `cause`.
    pub fn provider_down(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::ProviderDown(Arc::from(cause.into()))
    }

    /// The stable name of the failure. Clients match on it: never rename one.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoCredential | Self::Refused(_) => "UNAUTHENTICATED",
            Self::Login(LoginFault::UnknownAttempt | LoginFault::NotCompleted)
            | Self::InvalidIdToken(_) => "BAD_REQUEST",
            Self::AccessDenied(_)
            | Self::SessionRequired
            | Self::RenewalEnded { .. }
            | Self::CreationDisabled(_)
            | Self::CrossSite
            | Self::Login(_) => "FORBIDDEN",
            Self::InvalidExpiration(_) | Self::ExpirationNotInteger { .. } => "BAD_USER_INPUT",
            Self::Conflict => "CONFLICT",
            Self::RateLimited { .. } => "RATE_LIMITED",
            Self::Unavailable(_) | Self::ProviderDown(_) | Self::LogoutIncomplete(_) => {
                "SERVICE_UNAVAILABLE"
            }
            Self::Internal(_) => "INTERNAL_SERVER_ERROR",
            Self::Request(fault) => fault.code(),
        }
    }

    /// The finer name, where there is one. Clients match on it: never rename one.
    #[must_use]
    pub fn reason(&self) -> Option<&'static str> {
        match self {
            Self::NoCredential => Some("NO_CREDENTIAL"),
            Self::Refused(refusal) => Some(reason::of(refusal)),
            Self::SessionRequired | Self::RenewalEnded { .. } => Some("SESSION_REQUIRED"),
            Self::CreationDisabled(_) => Some("CREATION_DISABLED"),
            Self::CrossSite => Some("CSRF_REJECTED"),
            Self::InvalidExpiration(_) | Self::ExpirationNotInteger { .. } => {
                Some("INVALID_EXPIRATION_TIME")
            }
            Self::AccessDenied(_)
            | Self::Login(_)
            | Self::InvalidIdToken(_)
            | Self::ProviderDown(_)
            | Self::Conflict
            | Self::RateLimited { .. }
            | Self::LogoutIncomplete(_)
            | Self::Unavailable(_)
            | Self::Internal(_)
            | Self::Request(_) => None,
        }
    }

    /// The HTTP status where the failure is the whole answer. Inside of a resolver only
    /// that counts which concerns the service rather than the field.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NoCredential | Self::Refused(_) => StatusCode::UNAUTHORIZED,
            Self::Login(LoginFault::UnknownAttempt | LoginFault::NotCompleted)
            | Self::InvalidIdToken(_)
            | Self::InvalidExpiration(_)
            | Self::ExpirationNotInteger { .. } => StatusCode::BAD_REQUEST,
            Self::AccessDenied(_)
            | Self::SessionRequired
            | Self::RenewalEnded { .. }
            | Self::CreationDisabled(_)
            | Self::CrossSite
            | Self::Login(_) => StatusCode::FORBIDDEN,
            Self::Conflict => StatusCode::CONFLICT,
            Self::RateLimited { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable(_) | Self::ProviderDown(_) | Self::LogoutIncomplete(_) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Request(fault) => fault.status(),
        }
    }

    /// How many seconds the client should wait before it tries again.
    #[must_use]
    pub fn retry_after(&self) -> Option<u32> {
        match self {
            Self::RateLimited { retry_after } => Some(*retry_after),
            Self::Unavailable(_) | Self::ProviderDown(_) => Some(RETRY_AFTER),
            _ => None,
        }
    }

    /// What the `Allow` header says, where the method was wrong.
    #[must_use]
    pub fn allow(&self) -> Option<&'static str> {
        match self {
            Self::Request(RequestFault::Method { allow }) => Some(allow),
            _ => None,
        }
    }

    /// In which line and column of the query it is, from 1.
    #[must_use]
    pub fn location(&self) -> Option<(usize, usize)> {
        match self {
            Self::Request(RequestFault::Syntax { at, .. }) => *at,
            _ => None,
        }
    }

    /// All that the error's `extensions` hold, but for the request's id.
    #[must_use]
    pub fn extensions(&self) -> Map<String, Value> {
        let mut members = self.details();
        members.insert("code".to_owned(), json!(self.code()));
        members.extend(self.reason().map(|it| ("reason".to_owned(), json!(it))));
        members.extend(self.hint().map(|it| ("hint".to_owned(), json!(it))));
        members
    }

    fn details(&self) -> Map<String, Value> {
        let details = match self {
            Self::InvalidExpiration(InvalidExpiration { policy, received }) => {
                json!({ "min": policy.min.as_second(), "max": policy.max.as_second(), "received": received })
            }
            Self::ExpirationNotInteger { policy, received } => {
                json!({ "min": policy.min.as_second(), "max": policy.max.as_second(), "received": received })
            }
            Self::Refused(Refusal::TokenRevoked { at, by }) => {
                json!({ "revokedAt": at.map(|it| it.to_string()), "revokedBy": reason::revoker(*by) })
            }
            Self::Refused(Refusal::NotYetValid { issued_at }) => {
                json!({ "issuedAt": issued_at.to_string() })
            }
            Self::Refused(Refusal::TokenReplaced { at }) => json!({ "replacedAt": at.to_string() }),
            Self::Refused(Refusal::TokenExpired { at } | Refusal::SessionExpired { at }) => {
                json!({ "expiredAt": at.to_string() })
            }
            Self::Request(RequestFault::TooLarge { limit, .. }) => json!({ "limit": limit }),
            _ => Value::Null,
        };
        details.as_object().cloned().unwrap_or_default()
    }

    /// Gives the cause to the log: as our fault, or as one that an operator may want to know.
    pub fn log(&self) {
        let (id, code) = (telemetry::request_id(), self.code());
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

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<RequestFault> for Error {
    fn from(fault: RequestFault) -> Self {
        Self::Request(fault)
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Exists | StoreError::Stale | StoreError::Guard => Self::Conflict,
            StoreError::LimitReached { retry_after } => Self::RateLimited { retry_after },
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

    #[test]
    fn the_cause_is_for_the_log_and_not_for_the_client() {
        let error = Error::from(StoreError::Unavailable("table arm-1234 throttled".into()));

        let told = format!("{error} {}", Value::Object(error.extensions()));
        assert!(!told.contains("arm-1234"), "{told}");
        assert!(std::error::Error::source(&error).is_some());
    }

    #[test]
    fn when_dynamodb_fails_nobody_is_told_to_log_in_again() {
        let error = Error::from(StoreError::Unavailable("throttled".into()));

        assert_eq!(
            (error.status(), error.code()),
            (StatusCode::SERVICE_UNAVAILABLE, "SERVICE_UNAVAILABLE")
        );
        assert_eq!(error.retry_after(), Some(RETRY_AFTER));
    }
}
