//! The Lambda events in `events/`: their files, placeholders, and expected responses. `it` replays
//! them in-process, `bootstrap` with the Lambda binaries.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use arm_api::{app::WebApp, clock::ManualClock, local};
use axum::{Router, body::Body};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{Request, header};
use http_body_util::BodyExt;
use serde::Deserialize;
use serde_json::{Value, json};
use tower::ServiceExt;

/// The product's public URL, from whose pages the events come.
pub(crate) const URL: &str = "https://arm.test";

const HOUR: i64 = 3600;
const INVALIDATE: &str = "mutation { invalidateAccessToken { success } }";

/// An event, and the expected response.
pub(crate) struct Fixture {
    pub(crate) name: String,
    pub(crate) expected: Verdict,
    text: String,
}

/// The status of a response, and the reason of its first error.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub(crate) struct Verdict {
    pub(crate) status: u64,
    #[serde(default)]
    pub(crate) reason: Option<String>,
}

/// Reads all fixtures, sorted by name. Each file must be in `expected.json`, and the reverse.
pub(crate) fn fixtures() -> Vec<Fixture> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("events");
    let text = fs::read_to_string(folder.join("expected.json")).unwrap();
    let expected: BTreeMap<String, Verdict> = serde_json::from_str(&text).unwrap();
    let names: Vec<_> = expected.keys().cloned().collect();
    assert_eq!(files(&folder), names, "the files in events/ and the names in expected.json");

    let fixture = |(name, expected)| Fixture { text: read(&folder.join(&name)), name, expected };
    expected.into_iter().map(fixture).collect()
}

fn files(folder: &Path) -> Vec<String> {
    let paths = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path());
    let is_event = |it: &PathBuf| it.extension().is_some_and(|it| it == "json");
    let names =
        paths.filter(is_event).map(|it| it.file_name().unwrap().to_string_lossy().into_owned());
    let mut names: Vec<_> = names.filter(|it| it != "expected.json").collect();
    names.sort();
    names
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

impl Fixture {
    /// Returns the name of the function: `api` or `web`.
    pub(crate) fn handler(&self) -> &str {
        self.name.split_once('-').unwrap().0
    }

    /// Returns the text of the file.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Returns the event with credentials instead of placeholders.
    pub(crate) fn event(&self, credentials: &Credentials) -> Value {
        let fill = |text: String, (name, value): &(&str, String)| {
            text.replace(&format!("${{{name}}}"), value)
        };
        let filled = credentials.0.iter().fold(self.text.clone(), fill);
        assert!(!filled.contains("${"), "{} has an unknown placeholder", self.name);
        serde_json::from_str(&filled).unwrap()
    }
}

impl Verdict {
    /// Reads the response of a Lambda function.
    pub(crate) fn of(response: &Value) -> Self {
        let body: Value = serde_json::from_slice(&body(response)).unwrap_or_default();
        let reason = body["errors"][0]["extensions"]["reason"].as_str().map(str::to_owned);
        Self { status: response["statusCode"].as_u64().unwrap_or_default(), reason }
    }
}

/// Returns the body in the response of a Lambda function.
pub(crate) fn body(response: &Value) -> Vec<u8> {
    let text = response["body"].as_str().unwrap_or_default();
    let is_base64 = response["isBase64Encoded"] == json!(true);
    if is_base64 { STANDARD.decode(text).unwrap() } else { text.as_bytes().to_vec() }
}

/// The values of the placeholders, by name. Each belongs to another user.
pub(crate) struct Credentials(Vec<(&'static str, String)>);

/// The placeholders for credentials that have expired.
const EXPIRED: [&str; 2] = ["EXPIRED_SESSION", "EXPIRED_TOKEN"];
/// The placeholders for other credentials.
const RECENT: [&str; 5] = ["SESSION", "ENDED_SESSION", "TOKEN", "REVOKED_TOKEN", "REPLACED_TOKEN"];

impl Credentials {
    /// Creates the credentials that occur in `text`. Moves `clock` by two hours.
    pub(crate) async fn create(app: &WebApp, clock: &ManualClock, text: &str) -> Self {
        let is_wanted = |name: &&str| text.contains(&format!("${{{name}}}"));
        let mut credentials = Vec::new();
        for name in EXPIRED.into_iter().filter(is_wanted) {
            credentials.push((name, credential(app, name).await));
        }
        clock.advance(2 * HOUR);
        for name in RECENT.into_iter().filter(is_wanted) {
            credentials.push((name, credential(app, name).await));
        }
        Self(credentials)
    }

    /// Returns the values, which must never be logged.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(_, value)| value.as_str())
    }
}

async fn credential(app: &WebApp, name: &str) -> String {
    let browser = Browser::log_in(app, &format!("{name}@acme.test")).await;
    let now = app.app.clock.now().as_second();
    let soon = now + HOUR;
    let tomorrow = now + 24 * HOUR;
    match name {
        "SESSION" | "EXPIRED_SESSION" => browser.session,
        "ENDED_SESSION" => {
            browser.log_out().await;
            browser.session
        }
        "TOKEN" => browser.create_token(tomorrow).await,
        "EXPIRED_TOKEN" => browser.create_token(soon).await,
        "REVOKED_TOKEN" => {
            let token = browser.create_token(tomorrow).await;
            browser.query(INVALIDATE).await;
            token
        }
        "REPLACED_TOKEN" => {
            let token = browser.create_token(tomorrow).await;
            browser.create_token(tomorrow).await;
            token
        }
        other => panic!("{other} is not a placeholder"),
    }
}

/// A browser of a user in local mode.
struct Browser {
    router: Router,
    session: String,
}

impl Browser {
    async fn log_in(app: &WebApp, email: &str) -> Self {
        let mut browser = Self { router: local::routes(app.clone()), session: String::new() };
        let response =
            browser.post("/login/development", "text/plain", format!("email={email}")).await;
        let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap().to_owned();
        let value = cookie.split_once('=').and_then(|(_, rest)| rest.split_once(';'));
        value.unwrap().0.clone_into(&mut browser.session);
        browser
    }

    async fn post(&self, path: &str, content_type: &str, body: String) -> http::Response<Body> {
        let request = Request::post(path)
            .header(header::ORIGIN, URL)
            .header(header::CONTENT_TYPE, content_type)
            .header(header::COOKIE, format!("__Host-arm_session={}", self.session));
        self.router.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap()
    }

    async fn query(&self, query: &str) -> Value {
        let response =
            self.post("/api", "application/json", json!({ "query": query }).to_string()).await;
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let response: Value = serde_json::from_slice(&bytes).unwrap();
        assert!(response.get("errors").is_none(), "{response}");
        response
    }

    async fn create_token(&self, expiration_time: i64) -> String {
        let query = format!(
            "mutation {{ updateAccessToken(expirationTime: {expiration_time}) {{ sessionJwt }} }}"
        );
        self.query(&query).await["data"]["updateAccessToken"]["sessionJwt"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    async fn log_out(&self) {
        let response = self.post("/logout", "text/plain", String::new()).await;
        assert!(response.headers().contains_key("clear-site-data"), "{response:?}");
    }
}
