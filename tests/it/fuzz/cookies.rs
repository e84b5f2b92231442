//! Cookies: whatever stands beside the session's, only its own value opens anything.

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
    ];

    fn new() -> Self {
        let runtime = runtime();
        let world = runtime.block_on(World::new());
        let cookie = runtime.block_on(world.signed_in("ana@acme.test")).cookie;
        let session = cookie.split_once('=').unwrap().1.to_owned();
        Self { runtime, world, session }
    }

    fn filled(&self, seed: &str) -> String {
        seed.replace("${SESSION}", &self.session)
    }

    fn bears(&self, input: &[u8]) -> TestCaseResult {
        let lines = input.split(|it| *it == b'\n').filter_map(|it| HeaderValue::from_bytes(it).ok());
        let lines: Vec<_> = lines.collect();
        let mut request = Request::post("/api")
            .header(header::CONTENT_TYPE, "application/json")
            .header("sec-fetch-site", "same-origin")
            .body(Body::from(json!({ "query": ME }).to_string()))
            .unwrap();
        for line in &lines {
            request.headers_mut().append(header::COOKIE, line.clone());
        }
        let answer = self.runtime.block_on(self.world.send(request));
        prop_assert!(matches!(answer.status, 200 | 401), "{}", answer.text());
        let is_let_in = !answer.json()["data"]["me"].is_null();
        prop_assert!(!is_let_in || lines.iter().any(|it| self.is_in(it.as_bytes())), "it was let in");
        Ok(())
    }
}

impl Cookies {
    /// Whether a header holds the session's cookie, unchanged but for blanks and quotes
    /// around it.
    fn is_in(&self, header: &[u8]) -> bool {
        let text = String::from_utf8_lossy(header);
        let mut pairs = text.split(';').filter_map(|it| it.split_once('='));
        pairs.any(|(name, value)| name.trim() == NAME && value.trim().trim_matches('"') == self.session)
    }
}

#[test]
fn any_cookies_open_nothing_but_by_the_session_itself() {
    fuzz::<Cookies>();
}
