//! Renders the result of an execution as an HTTP response, and adds codes to its errors.

use async_graphql::{ServerError, Value};
use axum::{body::Body, response::Response};
use http::{StatusCode, header::CONTENT_TYPE};
use serde::Serialize;

use crate::{
    error::{Error, RequestFault},
    graph::{execution::Execution, warning::Warning},
    http::{error_response, negotiation::ResponseMediaType},
};

/// The maximum number of errors in a response.
const MAX_ERRORS: usize = 50;

/// The body of a response. If the document was not executed, `data` is absent rather than null.
#[derive(Serialize)]
struct ResponseBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Value>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [ServerError],
    #[serde(skip_serializing_if = "Extensions::is_empty")]
    extensions: Extensions,
}

#[derive(Serialize)]
struct Extensions {
    warnings: Vec<Warning>,
}

impl Extensions {
    fn is_empty(&self) -> bool {
        self.warnings.is_empty()
    }
}

/// Renders the result of an execution, or of a failed validation.
pub(super) fn render(execution: Execution, media_type: ResponseMediaType) -> Response {
    let Execution { response: async_graphql::Response { data, mut errors, .. }, .. } = execution;
    let is_executed = execution.is_executed;
    errors.truncate(MAX_ERRORS);
    for error in &mut errors {
        add_code(error, is_executed);
        error.message = error_response::shorten(&error.message);
    }
    let body = ResponseBody {
        data: is_executed.then_some(&data),
        errors: &errors,
        extensions: Extensions { warnings: execution.warnings },
    };
    let mut response = Response::new(serde_json::to_vec(&body).unwrap_or_default().into());
    *response.status_mut() = status(&errors, is_executed, media_type);
    response.headers_mut().insert(CONTENT_TYPE, media_type.header());
    for error in errors.iter().filter_map(|error| error.source::<Error>()) {
        error_response::set_headers(&mut response, error);
    }
    response
}

/// Renders the error of a request that failed before it reached the schema.
pub(super) fn reject(error: &Error, media_type: ResponseMediaType) -> Response {
    let mut response: Response<Body> = error_response::render(error, media_type);
    let is_graphql_error = matches!(
        error,
        Error::Request(RequestFault::Syntax { .. } | RequestFault::Validation(_)) | Error::Rule(_)
    );
    if is_graphql_error && media_type == ResponseMediaType::Json {
        *response.status_mut() = StatusCode::OK;
    }
    response
}

/// Returns the status of a response. Service failures and rate limits in resolvers change it.
fn status(errors: &[ServerError], is_executed: bool, media_type: ResponseMediaType) -> StatusCode {
    match (is_executed, media_type) {
        (false, ResponseMediaType::GraphqlResponse) => StatusCode::BAD_REQUEST,
        (false, ResponseMediaType::Json) => StatusCode::OK,
        (true, _) => {
            let statuses = errors.iter().filter_map(|it| it.source::<Error>()).map(Error::status);
            let affects_status =
                |it: &StatusCode| it.is_server_error() || *it == StatusCode::TOO_MANY_REQUESTS;
            statuses.filter(affects_status).max().unwrap_or_default()
        }
    }
}

/// Adds the code to an error and logs its cause, so that resolvers can just use `?`.
///
/// async-graphql keeps the error of a resolver as the `source` of its own error, but drops the
/// code. An error without a source that occurs during execution concerns an argument.
fn add_code(error: &mut ServerError, is_executed: bool) {
    let source = match error.source::<Error>() {
        Some(source) => source,
        None if is_executed => &Error::Request(RequestFault::Argument(String::new())),
        None => &Error::Request(RequestFault::Validation(String::new())),
    };
    source.log();
    error_response::add_to_log_line(source);
    let members = error_response::extensions(source);
    let extensions = error.extensions.get_or_insert_default();
    for (key, value) in members {
        extensions.set(key, Value::from_json(value).unwrap_or_default());
    }
}
