//! From async-graphql's response to ours: the one place where errors get their codes.

use async_graphql::{ServerError, Value};
use axum::{body::Body, response::Response};
use http::{StatusCode, header::CONTENT_TYPE};
use jiff::Timestamp;
use serde::Serialize;

use crate::{
    error::{Error, RequestFault},
    http::{answer, negotiation::AnswerType},
};

/// The most errors that an answer tells: who reads the hundredth?
const MOST_ERRORS: usize = 50;

/// The body of an answer. A request that was not executed has no `data`, not even null.
#[derive(Serialize)]
struct Whole<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Value>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [ServerError],
    #[serde(skip_serializing_if = "Option::is_none")]
    extensions: Option<Extensions>,
}

/// What an answer says beside its data.
#[derive(Serialize)]
struct Extensions {
    warnings: [Warning; 1],
}

/// Something that works, and soon will not.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Warning {
    code: &'static str,
    message: String,
    expires_at: String,
}

impl Warning {
    /// API tokens can renew themselves no longer than until `ends_at`.
    pub(super) fn renewal_ends(ends_at: Timestamp) -> Self {
        let message = format!(
            "This API token can renew itself until {ends_at}. Log in with a browser and make a new one before."
        );
        Self { code: "TOKEN_EXPIRES_SOON", message, expires_at: ends_at.to_string() }
    }
}

/// Answers an executed or refused query.
pub(super) fn answer(
    response: async_graphql::Response,
    is_executed: bool,
    answer_type: AnswerType,
    warning: Option<Warning>,
) -> Response {
    let mut errors = response.errors;
    errors.truncate(MOST_ERRORS);
    for error in &mut errors {
        name(error, is_executed);
        error.message = answer::shorten(&error.message);
    }

    let data = is_executed.then_some(&response.data);
    let body = serde_json::to_vec(&Whole {
        data,
        errors: &errors,
        extensions: warning.map(|it| Extensions { warnings: [it] }),
    })
    .unwrap_or_default();
    let mut answer = Response::new(Body::from(body));
    *answer.status_mut() = status(&errors, is_executed, answer_type);
    answer.headers_mut().insert(CONTENT_TYPE, answer_type.header());
    for error in errors.iter().filter_map(|error| error.source::<Error>()) {
        answer::set_headers(&mut answer, error);
    }
    answer
}

/// Answers a query that was refused before the schema was asked.
pub(super) fn refusal(error: &Error, answer_type: AnswerType) -> Response {
    let mut response = answer::render(error, answer_type);
    let is_of_graphql = matches!(
        error,
        Error::Request(RequestFault::Syntax { .. } | RequestFault::Validation(_)) | Error::Rule(_)
    );
    if is_of_graphql && answer_type == AnswerType::Json {
        *response.status_mut() = StatusCode::OK;
    }
    response
}

/// The status: what concerns the service beats what concerns a field.
fn status(errors: &[ServerError], is_executed: bool, answer_type: AnswerType) -> StatusCode {
    match (is_executed, answer_type) {
        (false, AnswerType::GraphqlResponse) => StatusCode::BAD_REQUEST,
        (false, AnswerType::Json) => StatusCode::OK,
        (true, _) => {
            let ours = errors.iter().filter_map(|it| it.source::<Error>()).map(Error::status);
            let is_of_service =
                |it: &StatusCode| it.is_server_error() || *it == StatusCode::TOO_MANY_REQUESTS;
            ours.filter(is_of_service).max().unwrap_or_default()
        }
    }
}

/// Gives an error its code, and its cause to the log. Resolvers just use `?`.
///
/// `?` on an error of ours inside of a resolver drops the code (async-graphql takes
/// whatever can be displayed) but keeps our value as the source, so it is named here.
/// What it says of its own while executing is about an argument that was sent.
fn name(error: &mut ServerError, is_executed: bool) {
    let ours = match error.source::<Error>() {
        Some(ours) => ours,
        None if is_executed => &Error::Request(RequestFault::Argument(String::new())),
        None => &Error::Request(RequestFault::Validation(String::new())),
    };
    ours.log();
    answer::note(ours);
    let told = answer::extensions(ours);
    let extensions = error.extensions.get_or_insert_default();
    for (key, value) in told {
        extensions.set(key, Value::from_json(value).unwrap_or_default());
    }
}
