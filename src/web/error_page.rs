//! The page that explains an error.

use std::borrow::Cow;

use askama::Template;
use axum::response::{IntoResponse, Response};
use http::StatusCode;

use crate::{
    error::{Error, RequestFault},
    http::error_response,
    telemetry,
    web::assets,
};

/// An error in the handler of a page. Its response is the error page.
#[derive(Debug)]
pub struct PageError(Error);

impl<E: Into<Error>> From<E> for PageError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        respond(&self.0)
    }
}

#[derive(Template)]
#[template(path = "error.html")]
struct Page<'a> {
    status: u16,
    title: Cow<'static, str>,
    text: String,
    next_link: NextLink,
    request_id: &'a str,
}

/// The link that the error page offers.
struct NextLink {
    label: &'static str,
    path: &'static str,
}

impl NextLink {
    const HOME: Self = Self { label: "Go to Home", path: "/home" };
    const LOGIN: Self = Self { label: "Log in", path: "/" };
    const LOGIN_AGAIN: Self = Self { label: "Log in again", path: "/" };
    const RETRY: Self = Self { label: "Try again", path: "/" };
    const START: Self = Self { label: "Start again", path: "/" };
}

/// Returns the error page, with the status and the headers of the error. The error is also in the
/// extensions of the response, for clients that want JSON.
#[must_use]
pub fn respond(error: &Error) -> Response {
    let request_id = telemetry::request_id();
    let page = super::render(&page(error, &request_id));
    with_error(page.unwrap_or_default(), error)
}

/// Returns the error page for a path that does not exist.
#[must_use]
pub fn not_found() -> Response {
    respond(&RequestFault::UnknownPath.into())
}

/// Sets the status and the headers of a page to those of an error, and logs the error.
pub(super) fn with_error(mut page: Response, error: &Error) -> Response {
    error.log();
    error_response::add_to_log_line(error);
    *page.status_mut() = error.status();
    error_response::set_headers(&mut page, error);
    page.extensions_mut().insert(error.clone());
    page
}

fn page<'a>(error: &Error, request_id: &'a str) -> Page<'a> {
    let (title, text, next_link) = explain(error);
    Page { status: error.status().as_u16(), title, text, next_link, request_id }
}

/// Explains an error to a visitor. Most texts depend on the status, because most hints are for
/// developers. The hints of login errors are for visitors.
fn explain(error: &Error) -> (Cow<'static, str>, String, NextLink) {
    let hint = error.describe().hint.map(Cow::into_owned);
    if is_login_error(error) {
        return (error.to_string().into(), hint.unwrap_or_default(), NextLink::LOGIN_AGAIN);
    }
    let hint_or = |text: &str| hint.clone().unwrap_or_else(|| text.to_owned());
    match error.status() {
        StatusCode::NOT_FOUND => (
            "Page not found".into(),
            "There is no page at this address. It may be misspelled, or the page may have moved."
                .into(),
            NextLink::HOME,
        ),
        StatusCode::UNAUTHORIZED => {
            ("Login required".into(), hint_or("Log in to see this page."), NextLink::LOGIN)
        }
        StatusCode::FORBIDDEN => (
            "Access denied".into(),
            hint_or("You do not have permission to do this. Ask a manager of your organization."),
            NextLink::HOME,
        ),
        StatusCode::TOO_MANY_REQUESTS => {
            ("Too many requests".into(), hint_or("Wait a minute, then try again."), NextLink::RETRY)
        }
        StatusCode::SERVICE_UNAVAILABLE => (
            "The service is temporarily unavailable".into(),
            "Nothing was lost. Wait a few seconds, then try again.".into(),
            NextLink::RETRY,
        ),
        StatusCode::INTERNAL_SERVER_ERROR => (
            "Something went wrong".into(),
            "The error has been logged. Try again. If it happens again, send us the request ID."
                .into(),
            NextLink::RETRY,
        ),
        _ => {
            let sentences = [Some(format!("{error}.")), hint];
            let text = sentences.into_iter().flatten().collect::<Vec<_>>().join(" ");
            ("The request failed".into(), text, NextLink::START)
        }
    }
}

fn is_login_error(error: &Error) -> bool {
    matches!(
        error,
        Error::Login(_)
            | Error::InvalidIdToken(_)
            | Error::ProviderDown(_)
            | Error::LogoutIncomplete(_)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::a_path(RequestFault::UnknownPath.into(), "Page not found", "Go to Home")]
    #[case::a_form(
        RequestFault::Malformed("No email".to_owned()).into(),
        "The request failed",
        "Start again"
    )]
    #[case::another_site(Error::CrossSite, "Access denied", "Go to Home")]
    #[case::a_service(
        Error::unavailable("x"),
        "The service is temporarily unavailable",
        "Try again"
    )]
    #[case::a_bug(Error::internal("x"), "Something went wrong", "Try again")]
    fn every_error_is_explained_and_has_a_link(
        #[case] error: Error,
        #[case] title: &str,
        #[case] label: &str,
    ) {
        let page = page(&error, "");

        assert_eq!(page.title, title);
        assert_eq!(page.next_link.label, label);
        assert!(!page.text.is_empty());
    }
}
