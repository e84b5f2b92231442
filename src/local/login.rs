//! The development login, which replaces identity providers and needs only an email address.
//! After the login, the same rules apply as elsewhere.

use askama::Template;
use axum::{
    Extension, Router,
    body::Body,
    extract::State,
    response::{Html, IntoResponse, Redirect, Response},
    routing::get,
};
use http::{Request, header::SET_COOKIE, request::Parts};

use crate::{
    access::claims::SessionClaims,
    app::App,
    domain::{email::Email, own_path::OwnPath},
    error::{Error, RequestFault, Result},
    http::{RequestContext, form::Form, negotiation},
    web::{assets, error_page, login},
};

/// The path of the development login.
pub(super) const PATH: &str = "/login/development";

#[derive(Template)]
#[template(path = "development.html")]
struct Page<'a> {
    next: &'a str,
}

/// Returns the routes of the development login.
pub(super) fn routes(app: App) -> Router {
    Router::new().route(PATH, get(form).post(log_in)).with_state(app)
}

async fn form(request: Request<Body>) -> Result<Response> {
    let next = login::next(request.uri());
    let page = Page { next: next.as_str() }.render().map_err(Error::internal)?;
    Ok(Html(page).into_response())
}

/// Logs in. Errors are pages for browsers, and JSON for scripts.
async fn log_in(
    State(app): State<App>,
    Extension(context): Extension<RequestContext>,
    request: Request<Body>,
) -> Response {
    let (parts, body) = request.into_parts();
    match submit(&app, &context, &parts, body).await {
        Ok(response) => response,
        Err(error) if negotiation::wants_page(&parts.headers) => error_page::respond(&error),
        Err(error) => error.into_response(),
    }
}

async fn submit(
    app: &App,
    context: &RequestContext,
    parts: &Parts,
    body: Body,
) -> Result<Response> {
    app.own_origins.check(&parts.method, &parts.headers)?;
    let form = Form::read(body).await?;
    let is_missing = || RequestFault::Malformed("The form field `email` is expected".to_owned());
    let email = form.get("email").ok_or_else(is_missing)?.to_owned();
    let email =
        Email::try_from(email).map_err(|fault| RequestFault::Malformed(fault.to_string()))?;

    let previous = SessionClaims::from_headers(&parts.headers, app.access.cookies);
    let cookie = app.access.log_in_with_email(&email, previous.as_ref(), context).await?;
    let next =
        OwnPath::try_from(form.get("next").unwrap_or_default().to_owned()).unwrap_or_default();
    Ok(([(SET_COOKIE, cookie)], Redirect::to(next.as_str())).into_response())
}
