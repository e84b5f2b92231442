//! Renders the result of an execution as an HTTP response, and adds codes to its errors.

use async_graphql::{ServerError, Value};
use axum::{body::Body, response::Response};
use http::{StatusCode, header::CONTENT_TYPE};
use serde::Serialize;

use crate::{
    error::{Error, RequestFault},
    graph::{execution::Execution, warning::Warning},
    http::{answer, negotiation::AnswerType},
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
pub(super) fn render(execution: Execution, answer_type: AnswerType) -> Response {
    let Execution { response: async_graphql::Response { data, mut errors, .. }, .. } = execution;
    let is_executed = execution.is_executed;
    errors.truncate(MAX_ERRORS);
    for error in &mut errors {
        add_code(error, is_executed);
        error.message = answer::shorten(&error.message);
    }
    let body = ResponseBody {
        data: is_executed.then_some(&data),
        errors: &errors,
        extensions: Extensions { warnings: execution.warnings },
    };
    let mut response = Response::new(serde_json::to_vec(&body).unwrap_or_default().into());
    *response.status_mut() = status(&errors, is_executed, answer_type);
    response.headers_mut().insert(CONTENT_TYPE, answer_type.header());
    for error in errors.iter().filter_map(|error| error.source::<Error>()) {
        answer::set_headers(&mut response, error);
    }
    response
}

/// Renders the error of a request that failed before it reached the schema.
pub(super) fn reject(error: &Error, answer_type: AnswerType) -> Response {
    let mut response: Response<Body> = answer::render(error, answer_type);
    let is_of_graphql = matches!(
        error,
        Error::Request(RequestFault::Syntax { .. } | RequestFault::Validation(_)) | Error::Rule(_)
    );
    if is_of_graphql && answer_type == AnswerType::Json {
        *response.status_mut() = StatusCode::OK;
    }
    response
}

/// Returns the status of a response. Service failures and rate limits in resolvers change it.
fn status(errors: &[ServerError], is_executed: bool, answer_type: AnswerType) -> StatusCode {
    match (is_executed, answer_type) {
        (false, AnswerType::GraphqlResponse) => StatusCode::BAD_REQUEST,
        (false, AnswerType::Json) => StatusCode::OK,
        (true, _) => {
            let statuses = errors.iter().filter_map(|it| it.source::<Error>()).map(Error::status);
            let is_of_service =
                |it: &StatusCode| it.is_server_error() || *it == StatusCode::TOO_MANY_REQUESTS;
            statuses.filter(is_of_service).max().unwrap_or_default()
        }
    }
}

/// Adds the code to an error and logs its cause, so that resolvers can just use `?`.
///
/// async-graphql keeps the error of a resolver as the `source` of its own error, but drops the
/// code. An error without a source that occurs during execution concerns an argument.
fn add_code(error: &mut ServerError, is_executed: bool) {
    let ours = match error.source::<Error>() {
        Some(ours) => ours,
        None if is_executed => &Error::Request(RequestFault::Argument(String::new())),
        None => &Error::Request(RequestFault::Validation(String::new())),
    };
    ours.log();
    answer::note(ours);
    let members = answer::extensions(ours);
    let extensions = error.extensions.get_or_insert_default();
    for (key, value) in members {
        extensions.set(key, Value::from_json(value).unwrap_or_default());
    }
}
