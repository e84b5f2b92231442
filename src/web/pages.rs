//! The pages as HTML: one template each, escaped by askama.

use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use http::StatusCode;

use crate::{
    access::actor::Actor,
    error::{Error, Result},
    telemetry,
    web::assets,
};

/// A way to log in, as a button of the login page.
#[derive(Clone, Debug)]
pub struct SignIn {
    /// What the button says.
    pub label: String,
    /// Where it leads.
    pub path: String,
    /// Whose look it has: `google`, `microsoft`, `bitbucket`, `oidc` or `development`.
    pub brand: &'static str,
}

/// The login page.
#[derive(Template)]
#[template(path = "login.html")]
pub(super) struct Login<'a> {
    pub(super) sign_ins: &'a [SignIn],
    pub(super) next: &'a str,
}

/// The application.
#[derive(Template)]
#[template(path = "home.html")]
pub(super) struct Home<'a> {
    pub(super) actor: &'a Actor,
    pub(super) api: &'a str,
}

/// A page that says what went wrong, and what to do.
#[derive(Template)]
#[template(path = "problem.html")]
struct Problem<'a> {
    title: &'a str,
    hint: &'a str,
    request_id: &'a str,
}

/// Renders a page.
///
/// # Errors
///
/// `Internal` when the template fails.
pub(super) fn html(page: &impl Template) -> Result<Response> {
    Ok(Html(page.render().map_err(Error::internal)?).into_response())
}

/// The page that tells of an error, with its status.
pub(super) fn problem(error: &Error) -> Response {
    error.log();
    crate::http::answer::note(error);
    let (title, hint) = (error.to_string(), error.hint().unwrap_or_default());
    let page = Problem { title: &title, hint: &hint, request_id: &telemetry::request_id() };
    let mut response = html(&page).unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response());
    *response.status_mut() = error.status();
    crate::http::answer::decorate(&mut response, error);
    response
}
