//! Cookies: only the session cookie authenticates, no matter which other cookies are sent.

use axum::body::Body;
use http::{HeaderValue, Request, header};
use proptest::{prelude::*, test_runner::TestCaseResult};
use serde_json::json;
use tokio::runtime::Runtime;

use super::{Target, fuzz, runtime};
use crate::given::{ME, World};

const NAME: &str = "__Host-arm_session";

/// A request with a `Cookie` header for each line of the input.
struct Cookies {
    runtime: Runtime,
    world: World,
    session: String,
}

impl Target for Cookies {
    const NAME: &'static str = "cookies";
    const WORDS: &'static [&'static str] = &[
        NAME,
        "__Host-arm_login",
        "=",
        "; ",
        ";",
        ",",
        "\"",
        ".",
        " ",
        "\t",
        "%3D",
        "\\",
        "\n",
        "$Version",
        "\u{e9}",
        "\u{2000}",
        "\u{a0}",
    ];

    fn new() -> Self {
        let runtime = runtime();
        let world = runtime.block_on(World::new());
        let cookie = runtime.block_on(world.log_in("ana@acme.test")).cookie;
        let session = cookie.split_once('=').unwrap().1.to_owned();
        Self { runtime, world, session }
    }

    fn fill_in(&self, seed: &str) -> String {
        seed.replace("${SESSION}", &self.session)
    }

    fn check(&self, input: &[u8]) -> TestCaseResult {
        let lines =
            input.split(|it| *it == b'\n').filter_map(|it| HeaderValue::from_bytes(it).ok());
        let lines: Vec<_> = lines.collect();
        let mut request = Request::post("/api")
            .header(header::CONTENT_TYPE, "application/json")
            .header("sec-fetch-site", "same-origin")
            .body(Body::from(json!({ "query": ME }).to_string()))
            .unwrap();
        for line in &lines {
            request.headers_mut().append(header::COOKIE, line.clone());
        }
        let response = self.runtime.block_on(self.world.send(request));
        let count = lines.iter().map(|it| count(it.as_bytes())).sum::<usize>();
        prop_assert!(
            matches!((response.status, count), (200 | 401, 0 | 1) | (400, 2..)),
            "{}",
            response.text()
        );
        let is_authenticated = !response.json()["data"]["me"].is_null();
        prop_assert!(
            !is_authenticated || lines.iter().any(|it| self.has_session(it.as_bytes())),
            "it was authenticated without the session cookie"
        );
        Ok(())
    }
}

impl Cookies {
    /// Returns whether a header contains the session cookie. Spaces and tabs around it are ignored.
    fn has_session(&self, header: &[u8]) -> bool {
        let cookie = format!("{NAME}={}", self.session);
        header.split(|it| *it == b';').any(|pair| trimmed(pair) == cookie.as_bytes())
    }
}

/// Counts the cookies with the name of the session cookie.
fn count(header: &[u8]) -> usize {
    let name = format!("{NAME}=");
    header.split(|it| *it == b';').filter(|pair| trimmed(pair).starts_with(name.as_bytes())).count()
}

fn trimmed(pair: &[u8]) -> &[u8] {
    let is_kept = |it: &u8| !b" \t".contains(it);
    let start = pair.iter().position(is_kept).unwrap_or(pair.len());
    let end = pair.iter().rposition(is_kept).map_or(start, |it| it + 1);
    &pair[start..end]
}

#[test]
fn only_the_cookie_of_the_session_authenticates() {
    fuzz::<Cookies>();
}
