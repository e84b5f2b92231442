//! The web application: the pages for browsers.
//!
//! The handler of a page that requires a login takes a [`logged_in::LoggedIn`], and its template
//! extends `app.html`. The templates of all other pages extend `simple.html`.

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
