//! Renders an execution as an HTTP response. Errors get their codes here.

use async_graphql::{ServerError, Value};
use axum::{body::Body, response::Response};
use http::{StatusCode, header::CONTENT_TYPE};
use serde::Serialize;

use crate::{
    error::{Error, RequestFault},
    graph::{execution::Execution, warning::Warning},
    http::{answer, negotiation::AnswerType},
};

/// The most errors in a response.
const MAX_ERRORS: usize = 50;

/// The body of a response. Without an execution there is no `data`, not even null.
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

/// Renders the result of an execution, or of a validation that failed.
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

/// Responds to a request that failed before the schema was used.
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

/// Returns the status. An error that concerns the service sets it, also inside a resolver.
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

/// Gives an error its code, and its cause to the log. Resolvers just use `?`.
///
/// async-graphql keeps our error as the source of its own, without its code. Its own errors while
/// executing are about arguments that were sent.
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
