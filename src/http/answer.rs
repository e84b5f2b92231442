//! Errors as answers: the one place where an [`Error`] becomes a response.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{
    HeaderValue,
    header::{ACCEPT_ENCODING, ALLOW, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    error::{Error, RequestFault},
    http::negotiation::AnswerType,
    telemetry,
};

/// What a field that needs a login asks for, where nothing was presented.
const CHALLENGE: &str = "Bearer realm=\"api\"";

/// The longest message that is told, in characters.
const LONGEST_MESSAGE: usize = 300;

/// A body with an error and no data.
#[derive(Serialize)]
struct Whole {
    errors: [Told; 1],
}

#[derive(Serialize)]
struct Told {
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    locations: Option<[Location; 1]>,
    extensions: Map<String, Value>,
}

#[derive(Serialize)]
struct Location {
    line: usize,
    column: usize,
}

/// The whole answer to a request that failed before a query was executed.
#[must_use]
pub fn failure(error: &Error, answer_type: AnswerType) -> Response {
    error.log();
    note(error);
    let mut response = Response::default();
    *response.status_mut() = error.status();
    decorate(&mut response, error);
    set_body(&mut response, error, answer_type);
    response
}

/// Makes JSON that tells of an error the body of a response, for example instead of a page.
pub fn set_body(response: &mut Response, error: &Error, answer_type: AnswerType) {
    let locations = error.location().map(|(line, column)| [Location { line, column }]);
    let told =
        Told { message: shortened(&error.to_string()), locations, extensions: extensions(error) };
    *response.body_mut() =
        Body::from(serde_json::to_vec(&Whole { errors: [told] }).unwrap_or_default());
    response.headers_mut().remove(CONTENT_LENGTH);
    response.headers_mut().insert(CONTENT_TYPE, answer_type.header());
}

/// The message, cut where it would echo whatever was sent.
#[must_use]
pub fn shortened(message: &str) -> String {
    message.chars().take(LONGEST_MESSAGE).collect()
}

/// Adds the headers that belong to an error, also where it is one of a field.
pub fn decorate(response: &mut Response, error: &Error) {
    let headers = response.headers_mut();
    if let Some(value) = challenge(error).and_then(|it| HeaderValue::try_from(it).ok()) {
        headers.insert(WWW_AUTHENTICATE, value);
    }
    if let Some(seconds) = error.retry_after() {
        headers.insert(RETRY_AFTER, seconds.into());
    }
    if let Error::Request(RequestFault::ContentEncoding(_)) = error {
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    }
    if let Some(methods) = error.allow() {
        headers.insert(ALLOW, HeaderValue::from_static(methods));
    }
}

/// The `extensions` of an error, with the id by which the log knows the request.
#[must_use]
pub fn extensions(error: &Error) -> Map<String, Value> {
    let mut members = error.extensions();
    members.insert("requestId".to_owned(), json!(telemetry::request_id()));
    members
}

/// Notes the first error of a request for its log line.
pub fn note(error: &Error) {
    telemetry::note(|line| {
        if line.code.is_none() {
            (line.code, line.reason) = (Some(error.code()), error.reason());
        }
    });
}

/// What `WWW-Authenticate` says (RFC 6750, section 3).
fn challenge(error: &Error) -> Option<String> {
    match error {
        Error::NoCredential => Some(CHALLENGE.to_owned()),
        Error::Refused(_) => {
            let hint = error.hint().unwrap_or_default().replace(['"', '\\'], "'");
            Some(format!("{CHALLENGE}, error=\"invalid_token\", error_description=\"{hint}\""))
        }
        _ => None,
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        failure(&self, AnswerType::default())
    }
}
