//! The IDE at `/api`: GraphQL Playground, served by ourselves alone.
//!
//! This file makes the page and what Playground starts with. The page has no
//! inline script or style; its configuration travels in a `data-` attribute,
//! which no content security policy has an opinion about. What is not here:
//! the files that the page loads (`assets`), and what the boot script does with
//! the configuration (`static/ide.js`).

use askama::Template;
use serde_json::{Value, json};

use super::assets;

/// The page's `Content-Security-Policy`.
///
/// The hash is that of the empty string: Playground's style library inserts one
/// empty `<style>` and fills it by script, which a policy does not restrict.
pub const CSP: &str = "default-src 'none'; script-src 'self'; \
    style-src 'self' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='; \
    img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// How long the API token lives that the prepared mutation asks for: 30 days,
/// in seconds. Long enough to try things, far below the limit of six months.
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
# Put your API token in HTTP HEADERS below,
# in the place of <api-token>.
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
    app_js: &'static str,
    ide_css: &'static str,
    ide_js: &'static str,
    ide_keyboard_js: &'static str,
    playground_css: &'static str,
    playground_js: &'static str,
}

/// The IDE's page, in HTML.
///
/// `now_unix` is the present in Unix seconds, from which the expiration time of the
/// prepared mutation is counted. The endpoint is not here: the boot script takes the
/// origin of the page itself, which is also right behind a forwarded or mapped port.
/// Serve it with [`CSP`].
///
/// # Errors
///
/// When the template cannot be written into memory, which does not happen.
pub fn page(now_unix: i64) -> askama::Result<String> {
    Page {
        config: config(now_unix).to_string(),
        app_js: assets::APP_JS,
        ide_css: assets::IDE_CSS,
        ide_js: assets::IDE_JS,
        ide_keyboard_js: assets::IDE_KEYBOARD_JS,
        playground_css: assets::PLAYGROUND_CSS,
        playground_js: assets::PLAYGROUND_JS,
    }
    .render()
}

/// What the boot script reads. It gives `settings` and `tabs` to Playground on
/// the first visit only; later visits find what was kept in the browser. A new tab
/// starts without the headers of another, so that it always works with the session.
fn config(now_unix: i64) -> Value {
    let expiration_time = now_unix.saturating_add(TOKEN_LIFETIME);
    json!({
        "now": now_unix,
        "expirationTime": expiration_time,
        "settings": {
            "editor.reuseHeaders": false,
            "request.credentials": "include",
            "schema.polling.enable": false,
        },
        "tabs": tabs(expiration_time),
    })
}

/// The tabs of a first visit, in Playground's words.
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
    format!(
        "mutation {{\n  updateAccessToken(expirationTime: {expiration_time}) {{\n    success\n    sessionJwt\n  }}\n}}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-23T21:00:00Z.
    const NOW: i64 = 1_795_467_600;

    #[test]
    fn the_page_holds_nothing_that_its_policy_forbids() {
        let html = page(NOW).unwrap();

        assert!(!html.contains("<style") && !html.contains("style="));
        assert_eq!(html.matches("<script").count(), html.matches("src=\"/static/").count());
        let drawing = html.matches("xmlns='http://www.w3.org/2000/svg'").count();
        assert_eq!(html.matches("://").count(), drawing, "it names another origin");
    }

    #[test]
    fn the_prepared_token_lives_for_thirty_days() {
        let config = config(NOW);

        let mutation = config["tabs"][1]["query"].as_str().unwrap();
        assert!(mutation.contains("updateAccessToken(expirationTime: 1798059600)"), "{mutation}");
        assert_eq!(config["expirationTime"], 1_798_059_600);
    }

    #[test]
    fn queries_are_sent_with_the_session() {
        assert_eq!(config(NOW)["settings"]["request.credentials"], "include");
    }
}
