//! The library of Lambda events, `events/`: its files, what fills their placeholders,
//! and what each is answered. Replayed in-process by `it`, and through the Lambda
//! binaries by `bootstrap`.

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

/// Where the product is, for the pages that the events come from.
pub(crate) const URL: &str = "https://arm.test";

const HOUR: i64 = 3600;
const INVALIDATE: &str = "mutation { invalidateAccessToken { success } }";

/// An event, and what it is answered.
pub(crate) struct Story {
    pub(crate) name: String,
    pub(crate) expected: Verdict,
    text: String,
}

/// The status of an answer, and the reason of its first error.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub(crate) struct Verdict {
    pub(crate) status: u64,
    #[serde(default)]
    pub(crate) reason: Option<String>,
}

/// All stories, by name. Each file has its expectation, and each expectation its file.
pub(crate) fn stories() -> Vec<Story> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("events");
    let text = fs::read_to_string(folder.join("expected.json")).unwrap();
    let expected: BTreeMap<String, Verdict> = serde_json::from_str(&text).unwrap();
    let names: Vec<_> = expected.keys().cloned().collect();
    assert_eq!(files(&folder), names, "the files of events/, and the names in expected.json");

    let told = |(name, expected)| Story { text: text_of(&folder.join(&name)), name, expected };
    expected.into_iter().map(told).collect()
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

fn text_of(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

impl Story {
    /// The function that answers it: `api` or `web`.
    pub(crate) fn handler(&self) -> &str {
        self.name.split_once('-').unwrap().0
    }

    /// The event as it lies in the library.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The event, with its placeholders filled.
    pub(crate) fn event(&self, credentials: &Credentials) -> Value {
        let fill = |text: String, (name, value): &(&str, String)| {
            text.replace(&format!("${{{name}}}"), value)
        };
        let filled = credentials.0.iter().fold(self.text.clone(), fill);
        assert!(!filled.contains("${"), "{} has a placeholder that nothing fills", self.name);
        serde_json::from_str(&filled).unwrap()
    }
}

impl Verdict {
    /// What a Lambda function's answer says.
    pub(crate) fn of(answer: &Value) -> Self {
        let body: Value = serde_json::from_slice(&body(answer)).unwrap_or_default();
        let reason = body["errors"][0]["extensions"]["reason"].as_str().map(str::to_owned);
        Self { status: answer["statusCode"].as_u64().unwrap_or_default(), reason }
    }
}

/// The body of a Lambda function's answer.
pub(crate) fn body(answer: &Value) -> Vec<u8> {
    let text = answer["body"].as_str().unwrap_or_default();
    let is_base64 = answer["isBase64Encoded"] == json!(true);
    if is_base64 { STANDARD.decode(text).unwrap() } else { text.as_bytes().to_vec() }
}

/// What fills the placeholders, by name. Each is of a person of their own.
pub(crate) struct Credentials(Vec<(&'static str, String)>);

/// The placeholders that are over two hours after they were made.
const OVER: [&str; 2] = ["EXPIRED_SESSION", "EXPIRED_TOKEN"];
/// The placeholders that are fresh, or were ended by somebody.
const FRESH: [&str; 5] = ["SESSION", "ENDED_SESSION", "TOKEN", "REVOKED_TOKEN", "REPLACED_TOKEN"];

impl Credentials {
    /// Makes those that occur in `text`, as people would, in two hours of `clock`.
    pub(crate) async fn made(app: &WebApp, clock: &ManualClock, text: &str) -> Self {
        let is_wanted = |name: &&str| text.contains(&format!("${{{name}}}"));
        let mut made = Vec::new();
        for name in OVER.into_iter().filter(is_wanted) {
            made.push((name, credential(app, name).await));
        }
        clock.advance(2 * HOUR);
        for name in FRESH.into_iter().filter(is_wanted) {
            made.push((name, credential(app, name).await));
        }
        Self(made)
    }

    /// What must never be logged.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(_, value)| value.as_str())
    }
}

async fn credential(app: &WebApp, name: &str) -> String {
    let person = Person::signed_in(app, &format!("{name}@acme.test")).await;
    let now = app.app.clock.now().as_second();
    let (soon, tomorrow) = (now + HOUR, now + 24 * HOUR);
    match name {
        "SESSION" | "EXPIRED_SESSION" => person.session,
        "ENDED_SESSION" => {
            person.logs_out().await;
            person.session
        }
        "TOKEN" => person.makes_token(tomorrow).await,
        "EXPIRED_TOKEN" => person.makes_token(soon).await,
        "REVOKED_TOKEN" => {
            let token = person.makes_token(tomorrow).await;
            person.asks(INVALIDATE).await;
            token
        }
        "REPLACED_TOKEN" => {
            let token = person.makes_token(tomorrow).await;
            person.makes_token(tomorrow).await;
            token
        }
        other => panic!("nobody has a {other}"),
    }
}

/// Somebody with a browser, at the product as it runs on localhost.
struct Person {
    router: Router,
    session: String,
}

impl Person {
    async fn signed_in(app: &WebApp, email: &str) -> Self {
        let mut person = Self {
            router: local::routes(app.clone(), local::TestControls::default()),
            session: String::new(),
        };
        let answer =
            person.posts("/login/development", "text/plain", format!("email={email}")).await;
        let cookie = answer.headers()[header::SET_COOKIE].to_str().unwrap().to_owned();
        let value = cookie.split_once('=').and_then(|(_, rest)| rest.split_once(';'));
        value.unwrap().0.clone_into(&mut person.session);
        person
    }

    async fn posts(&self, path: &str, content_type: &str, body: String) -> http::Response<Body> {
        let request = Request::post(path)
            .header(header::ORIGIN, URL)
            .header(header::CONTENT_TYPE, content_type)
            .header(header::COOKIE, format!("__Host-arm_session={}", self.session));
        self.router.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap()
    }

    async fn asks(&self, query: &str) -> Value {
        let answer =
            self.posts("/api", "application/json", json!({ "query": query }).to_string()).await;
        let bytes = answer.into_body().collect().await.unwrap().to_bytes();
        let answer: Value = serde_json::from_slice(&bytes).unwrap();
        assert!(answer.get("errors").is_none(), "{answer}");
        answer
    }

    async fn makes_token(&self, expiration_time: i64) -> String {
        let query = format!(
            "mutation {{ updateAccessToken(expirationTime: {expiration_time}) {{ sessionJwt }} }}"
        );
        self.asks(&query).await["data"]["updateAccessToken"]["sessionJwt"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    async fn logs_out(&self) {
        let answer = self.posts("/logout", "text/plain", String::new()).await;
        assert!(answer.headers().contains_key("clear-site-data"), "{answer:?}");
    }
}
