//! The IDE at `/api`: GraphQL Playground.
//!
//! The page has no inline script or style, because its content security policy forbids them. Its
//! configuration is in a `data-` attribute, which `static/ide.js` reads.

use askama::Template;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_SECURITY_POLICY;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    error::Result,
    http::RequestContext,
    web::{assets, error_page::PageError},
};

/// The page's `Content-Security-Policy`.
///
/// The hash is that of the empty string: Playground's style library inserts an empty `<style>`
/// element and fills it by script, which the policy does not restrict.
const POLICY: &str = "default-src 'none'; script-src 'self'; \
    style-src 'self' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='; \
    img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'";

/// The lifetime of a token that the prepared mutation creates, in seconds: 30 days.
const TOKEN_LIFETIME: i64 = 30 * 24 * 60 * 60;

const WHO_AM_I: &str = "\
{
  me {
    userEmail
    userName
    role
    sessionExpiration
  }
}
";

const MY_ORGANIZATIONS: &str = "\
{
  me {
    organizations {
      name
    }
    permissions
  }
}
";

const WITH_A_TOKEN: &str = "\
# Replace <api-token> in HTTP HEADERS below
# with your API token.
{
  me {
    accessToken
  }
}
";

#[derive(Template)]
#[template(path = "ide.html")]
struct Page {
    config: String,
}

impl Page {
    fn at(now: Timestamp) -> Self {
        Self { config: config(now.as_second()).to_string() }
    }
}

/// `GET /api` in a browser: shows the IDE, also to visitors who are not logged in.
///
/// # Errors
///
/// `Internal` if the template fails.
pub fn show(context: &RequestContext) -> Result<Response, PageError> {
    let page = super::render(&Page::at(context.now))?;
    Ok(([(CONTENT_SECURITY_POLICY, POLICY)], page).into_response())
}

/// Returns the configuration that `static/ide.js` reads. The script uses `settings` and `tabs` on
/// the first visit only; Playground then stores them in the browser. The script derives the
/// endpoint from the origin of the page, which the server does not know behind a forwarded port.
fn config(now: i64) -> Value {
    let expiration_time = now.saturating_add(TOKEN_LIFETIME);
    json!({
        "now": now,
        "expirationTime": expiration_time,
        "settings": {
            // New tabs use the session instead of the headers of another tab.
            "editor.reuseHeaders": false,
            "request.credentials": "include",
            "schema.polling.enable": false,
        },
        "tabs": tabs(expiration_time),
    })
}

/// Returns the tabs for the first visit, in Playground's format.
fn tabs(expiration_time: i64) -> Value {
    json!([
        { "name": "Who am I", "query": WHO_AM_I },
        { "name": "New API token", "query": new_token(expiration_time) },
        { "name": "My organizations", "query": MY_ORGANIZATIONS },
        {
            "name": "With a token",
            "query": WITH_A_TOKEN,
            "headers": { "Authorization": "Bearer <api-token>" },
            "variableEditorOpen": true,
        },
    ])
}

fn new_token(expiration_time: i64) -> String {
    let field = format!("updateAccessToken(expirationTime: {expiration_time})");
    format!("mutation {{\n  {field} {{\n    success\n    sessionJwt\n  }}\n}}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-23T21:00:00Z.
    const NOW: i64 = 1_795_467_600;

    #[test]
    fn the_page_contains_nothing_that_its_policy_forbids() {
        let now = Timestamp::from_second(NOW).unwrap();

        let html = Page::at(now).render().unwrap();

        assert!(!html.contains("<style"));
        assert!(!html.contains("style="));
        assert_eq!(html.matches("<script").count(), html.matches("src=\"/static/").count());
        let drawing = html.matches("xmlns='http://www.w3.org/2000/svg'").count();
        assert_eq!(html.matches("://").count(), drawing, "it names another origin");
    }

    #[test]
    fn the_prepared_mutation_creates_a_token_for_thirty_days() {
        let config = config(NOW);

        let mutation = config["tabs"][1]["query"].as_str().unwrap();
        assert!(mutation.contains("updateAccessToken(expirationTime: 1798059600)"), "{mutation}");
        assert_eq!(config["expirationTime"], 1_798_059_600);
    }

    #[test]
    fn queries_use_the_session() {
        assert_eq!(config(NOW)["settings"]["request.credentials"], "include");
    }
}
