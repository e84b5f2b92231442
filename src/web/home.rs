//! The home page.

use askama::Template;
use axum::{body::Body, response::Response};
use serde::Deserialize;

use crate::{
    domain::access_token::AccessToken,
    error::Result,
    web::{
        assets,
        error_page::PageError,
        layout::{self, Layout},
        logged_in::LoggedIn,
        organizations::Organization,
        token_form::{SubmittedForm, TokenForm},
    },
};

/// The data of `home.graphql`.
#[derive(Deserialize)]
struct Data {
    me: User,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct User {
    user_name: String,
    organizations: Vec<Organization>,
}

#[derive(Template)]
#[template(path = "home.html")]
struct Page<'a> {
    layout: Layout,
    user: User,
    /// The active API token, if there is one.
    token: Option<&'a AccessToken>,
    form: &'a TokenForm,
}

/// `GET /home`: shows the home page.
///
/// # Errors
///
/// `Unavailable` if DynamoDB fails.
pub async fn show(logged_in: LoggedIn) -> Result<Response, PageError> {
    let LoggedIn { site, actor, context, .. } = &logged_in;
    let token = site.access.access_token(actor, context.now).await?;
    Ok(render(&logged_in, token.as_ref(), &TokenForm::new(context.now)).await?)
}

/// `POST /home/token`: creates an API token and shows it, or shows the form with a message.
///
/// # Errors
///
/// `AccessDenied` for users who may not create tokens; `Request` for a malformed form;
/// `Unavailable` if DynamoDB or signing fails.
pub async fn create_token(logged_in: LoggedIn, body: Body) -> Result<Response, PageError> {
    let LoggedIn { site, actor, context, .. } = &logged_in;
    let form = SubmittedForm::read(body).await?;
    let token = site.access.access_token(actor, context.now).await?;
    match form.create_token(&logged_in, token.as_ref()).await? {
        Ok(page) => Ok(page),
        Err(fault) => {
            let form = TokenForm::with_fault(form, &fault, context.now);
            Ok(fault.respond(render(&logged_in, token.as_ref(), &form).await?))
        }
    }
}

/// Renders the page, including the form that creates a token in browsers without JavaScript.
async fn render(
    logged_in: &LoggedIn,
    token: Option<&AccessToken>,
    form: &TokenForm,
) -> Result<Response> {
    let Data { me: user } = logged_in.query(include_str!("queries/home.graphql"), ()).await?;
    logged_in.render(&Page { layout: logged_in.layout(), user, token, form })
}
