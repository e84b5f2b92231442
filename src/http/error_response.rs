//! Converts an [`Error`] into a response. No other module does.

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
    http::negotiation::ResponseMediaType,
    telemetry,
};

/// The challenge of a response to a request without a credential.
const CHALLENGE: &str = "Bearer realm=\"api\"";

/// The maximum length of a message, in characters. The rest is cut off.
const MAX_MESSAGE: usize = 300;

/// A GraphQL response with an error and no data.
#[derive(Serialize)]
struct ErrorBody {
    errors: [GraphqlError; 1],
}

#[derive(Serialize)]
struct GraphqlError {
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

/// Renders the response to a request that failed before a query was executed. Logs the error.
#[must_use]
pub fn render(error: &Error, media_type: ResponseMediaType) -> Response {
    error.log();
    add_to_log_line(error);
    let mut response = Response::default();
    *response.status_mut() = error.status();
    set_headers(&mut response, error);
    set_body(&mut response, error, media_type);
    response
}

/// Replaces the body of a response, such as a page, with JSON that contains an error.
pub fn set_body(response: &mut Response, error: &Error, media_type: ResponseMediaType) {
    let body = ErrorBody {
        errors: [GraphqlError {
            message: shorten(&error.to_string()),
            locations: error.location().map(|(line, column)| [Location { line, column }]),
            extensions: extensions(error),
        }],
    };
    *response.body_mut() = Body::from(serde_json::to_vec(&body).unwrap_or_default());
    response.headers_mut().remove(CONTENT_LENGTH);
    response.headers_mut().insert(CONTENT_TYPE, media_type.header());
}

/// Cuts a message to 300 characters, since it can quote the request.
#[must_use]
pub fn shorten(message: &str) -> String {
    message.chars().take(MAX_MESSAGE).collect()
}

/// Sets the response headers for an error of a request or of a field.
pub fn set_headers(response: &mut Response, error: &Error) {
    let headers = response.headers_mut();
    if let Some(value) = challenge(error).and_then(|it| HeaderValue::try_from(it).ok()) {
        headers.insert(WWW_AUTHENTICATE, value);
    }
    if let Some(seconds) = error.describe().retry_after {
        headers.insert(RETRY_AFTER, seconds.into());
    }
    if let Error::Request(RequestFault::ContentEncoding(_)) = error {
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    }
    if let Some(methods) = error.allow() {
        headers.insert(ALLOW, HeaderValue::from_static(methods));
    }
}

/// Returns the `extensions` of an error, including the request id.
#[must_use]
pub fn extensions(error: &Error) -> Map<String, Value> {
    let mut members = error.describe().extensions();
    members.insert("requestId".to_owned(), json!(telemetry::request_id()));
    members
}

/// Adds an error to the request's log line, if it is the first one.
pub fn add_to_log_line(error: &Error) {
    telemetry::update_log_line(|line| {
        if line.code.is_none() {
            let info = error.describe();
            line.code = Some(info.code);
            line.reason = info.reason;
        }
    });
}

/// Returns the value of `WWW-Authenticate` (RFC 6750, section 3).
fn challenge(error: &Error) -> Option<String> {
    match error {
        Error::NoCredential => Some(CHALLENGE.to_owned()),
        Error::Refused(_) => {
            let hint = error.describe().hint.unwrap_or_default().replace(['"', '\\'], "'");
            Some(format!("{CHALLENGE}, error=\"invalid_token\", error_description=\"{hint}\""))
        }
        _ => None,
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        render(&self, ResponseMediaType::default())
    }
}
