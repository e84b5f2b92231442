//! The web application: the pages that a person sees in a browser.
//!
//! A page for which one must be logged in takes a [`logged_in::LoggedIn`] and has a template that
//! extends `app.html`. All other pages extend `simple.html`.

pub mod assets;
pub mod error_page;
pub mod home;
pub mod ide;
mod layout;
pub mod logged_in;
pub mod login;
pub mod logout;
pub mod organizations;
pub mod site;
mod token_form;

use askama::Template;
use axum::response::{Html, IntoResponse, Response};

use crate::error::{Error, Result};

/// Renders a template.
///
/// # Errors
///
/// `Internal` if the template fails.
fn render(page: &impl Template) -> Result<Response> {
    Ok(Html(page.render().map_err(Error::internal)?).into_response())
}
