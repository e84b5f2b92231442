//! The home page.

use std::collections::BTreeMap;

use askama::Template;
use axum::response::Response;

use crate::{
    domain::{access_token::AccessToken, id::OrganizationName, role::OrganizationRole},
    error::Result,
    web::{
        assets,
        error_page::PageError,
        layout::{self, Layout},
        signed_in::SignedIn,
        token_form::TokenForm,
    },
};

#[derive(Template)]
#[template(path = "home.html")]
struct Page<'a> {
    layout: Layout,
    name: &'a str,
    organizations: &'a BTreeMap<OrganizationName, OrganizationRole>,
    /// The active API token, if there is one.
    token: Option<&'a AccessToken>,
    form: &'a TokenForm,
}

/// `GET /home`: shows the home page.
///
/// # Errors
///
/// `Unavailable` if DynamoDB fails.
pub async fn show(signed_in: SignedIn) -> Result<Response, PageError> {
    let SignedIn { site, actor, context, .. } = &signed_in;
    let token = site.access.access_token(actor, context.now).await?;
    Ok(render(&signed_in, token.as_ref(), &TokenForm::new(context.now))?)
}

/// Renders the page, with the form that creates a token in browsers without scripts.
pub(super) fn render(
    signed_in: &SignedIn,
    token: Option<&AccessToken>,
    form: &TokenForm,
) -> Result<Response> {
    let user = &signed_in.actor.stakeholder;
    let (name, organizations) = (user.name.as_str(), &user.organizations);
    signed_in.render(&Page { layout: signed_in.layout(), name, organizations, token, form })
}
