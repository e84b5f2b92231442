//! Queries: no query is slow or causes an internal error.

use std::time::Duration;

use arm_api::clock::Clock;
use axum::body::Body;
use http::{Request, header};
use proptest::{prelude::*, test_runner::TestCaseResult};
use serde_json::json;
use tokio::runtime::Runtime;

use super::{Target, fuzz, runtime};
use crate::given::World;

/// A query takes milliseconds, or longer in a debug build while other suites run. A query that
/// bypasses the limits takes minutes.
const MAX_RESPONSE_TIME: Duration = Duration::from_secs(10);

/// Queries without a credential, which make no call to DynamoDB.
struct Queries {
    runtime: Runtime,
    world: World,
}

impl Target for Queries {
    const NAME: &'static str = "query";
    const WORDS: &'static [&'static str] = &[
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        "...",
        "... on Query {",
        "fragment f on Query {",
        "...f ",
        "query ",
        "mutation ",
        "subscription ",
        "on ",
        "@skip(if: true) ",
        "@include(if: $a) ",
        "$a: ",
        "Int = 1",
        "a: ",
        "__typename ",
        "__schema { types { name } } ",
        "me { role } ",
        "\"",
        "\"\"\"",
        "\\",
        "\\u{1f600}",
        "#",
        "\n",
        "\r",
        ",",
        "!",
        "|",
        "&",
        "-1e999",
        "null",
        "\u{feff}",
        "\u{0}",
    ];

    fn new() -> Self {
        let runtime = runtime();
        let world = runtime.block_on(World::new());
        Self { runtime, world }
    }

    fn check(&self, input: &[u8]) -> TestCaseResult {
        let body = json!({ "query": String::from_utf8_lossy(input) }).to_string();
        let request = Request::post("/api")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/graphql-response+json")
            .body(Body::from(body))
            .unwrap();
        let stopwatch = Clock::stopwatch();
        let response = self.runtime.block_on(self.world.send(request));
        prop_assert!(stopwatch.elapsed() < MAX_RESPONSE_TIME, "it took {:?}", stopwatch.elapsed());
        prop_assert!(matches!(response.status, 200 | 400 | 413), "{}", response.text());
        let json = response.json();
        prop_assert!(
            json.get("data").is_some() || json["errors"][0]["extensions"]["code"].is_string(),
            "{json}"
        );
        prop_assert_eq!(self.world.take_operations(), Vec::<String>::new());
        Ok(())
    }
}

#[test]
fn no_query_is_slow_or_causes_an_internal_error() {
    fuzz::<Queries>();
}
