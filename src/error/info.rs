//! The details of errors, for clients and the log.

use std::borrow::Cow;

use http::StatusCode;
use serde_json::{Map, Value, json};

/// An error code and its usual HTTP status. Clients match on codes: never rename one.
pub(super) type Code = (&'static str, StatusCode);

pub(super) const UNAUTHENTICATED: Code = ("UNAUTHENTICATED", StatusCode::UNAUTHORIZED);
pub(super) const FORBIDDEN: Code = ("FORBIDDEN", StatusCode::FORBIDDEN);
pub(super) const BAD_REQUEST: Code = ("BAD_REQUEST", StatusCode::BAD_REQUEST);
pub(super) const BAD_USER_INPUT: Code = ("BAD_USER_INPUT", StatusCode::BAD_REQUEST);
pub(super) const NOT_FOUND: Code = ("NOT_FOUND", StatusCode::NOT_FOUND);
pub(super) const CONFLICT: Code = ("CONFLICT", StatusCode::CONFLICT);
pub(super) const RATE_LIMITED: Code = ("RATE_LIMITED", StatusCode::TOO_MANY_REQUESTS);
pub(super) const UNAVAILABLE: Code = ("SERVICE_UNAVAILABLE", StatusCode::SERVICE_UNAVAILABLE);
pub(super) const INTERNAL: Code = ("INTERNAL_SERVER_ERROR", StatusCode::INTERNAL_SERVER_ERROR);

/// The details of an error, except its message.
#[derive(Clone, Debug)]
pub struct ErrorInfo {
    /// Clients match on it: never rename one.
    pub code: &'static str,
    /// A more specific name than the code. Clients match on it: never rename one.
    pub reason: Option<&'static str>,
    /// The HTTP status, if the error is the whole response. An error of a GraphQL field changes the
    /// status only if it is a failure of the service (5xx).
    pub status: StatusCode,
    /// What is wrong, what is allowed, or what to do.
    pub hint: Option<Cow<'static, str>>,
    /// The number of seconds after which the client should retry.
    pub retry_after: Option<u32>,
    /// The other members of `extensions`.
    pub members: Map<String, Value>,
}

impl ErrorInfo {
    pub(super) fn new((code, status): Code) -> Self {
        let members = Map::new();
        Self { code, reason: None, status, hint: None, retry_after: None, members }
    }

    pub(super) fn reason(self, reason: &'static str) -> Self {
        Self { reason: Some(reason), ..self }
    }

    pub(super) fn status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    pub(super) fn hint(self, hint: impl Into<Cow<'static, str>>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    pub(super) fn retry_after(self, seconds: u32) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    pub(super) fn member(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// Returns the `extensions` of the error, except the request id.
    #[must_use]
    pub fn extensions(self) -> Map<String, Value> {
        let mut members = self.members;
        members.insert("code".to_owned(), json!(self.code));
        members.extend(self.reason.map(|it| ("reason".to_owned(), json!(it))));
        members.extend(self.hint.map(|it| ("hint".to_owned(), json!(it))));
        members
    }
}
