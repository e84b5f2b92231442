//! The callback of a login: the code is sent to the provider only if the state is that of the
//! attempt.

use arm_api::config::Providers;
use axum::body::Body;
use http::{Request, Uri, header};
use proptest::{prelude::*, test_runner::TestCaseResult};
use serde_json::json;
use tokio::runtime::Runtime;
use url::Url;

use super::{Target, fuzz, runtime};
use crate::given::World;

const ACME: &str = "https://id.acme.test";

/// The query string of a callback in the browser that started the login.
struct Callback {
    runtime: Runtime,
    world: World,
    cookie: String,
    state: String,
}

impl Target for Callback {
    const NAME: &'static str = "callback";
    const WORDS: &'static [&'static str] = &[
        "state=",
        "code=",
        "iss=",
        "error=access_denied",
        "&",
        "=",
        ";",
        "%",
        "%00",
        "%26",
        "+",
        "#",
        "?",
        "[]",
        "\u{e9}",
    ];

    fn new() -> Self {
        let runtime = runtime();
        let provider = format!(
            r#"[{{"id":"acme","clientId":"arm","clientSecret":"c-secret","issuer":"{ACME}"}}]"#
        );
        let providers = Some(Providers::Json(provider));
        let world = runtime.block_on(World::with(|config| config.providers = providers));
        let metadata = json!({
            "issuer": ACME, "jwks_uri": format!("{ACME}/keys"),
            "token_endpoint": format!("{ACME}/token"),
            "authorization_endpoint": format!("{ACME}/authorize"),
        });
        world.web.set_response(&format!("{ACME}/.well-known/openid-configuration"), 200, &metadata);
        world.web.set_response(&format!("{ACME}/keys"), 200, &json!({ "keys": [] }));
        world.web.set_response(&format!("{ACME}/token"), 400, &json!({ "error": "invalid_grant" }));
        let mut target = Self { runtime, world, cookie: String::new(), state: String::new() };
        (target.cookie, target.state) = target.start_login();
        target
    }

    fn fill_in(&self, seed: &str) -> String {
        seed.replace("${STATE}", &self.state)
    }

    fn check(&self, input: &[u8]) -> TestCaseResult {
        let Ok(uri) = format!("/callback?{}", String::from_utf8_lossy(input)).parse::<Uri>() else {
            return Ok(());
        };
        let (cookie, state) = self.start_login();
        let query = uri.query().unwrap_or_default().replace(&self.state, &state);
        self.world.web.take_requests();
        let path = format!("/callback?{query}");
        let request =
            Request::get(&path).header(header::COOKIE, cookie).body(Body::empty()).unwrap();
        let response = self.runtime.block_on(self.world.send(request));
        prop_assert_eq!(response.status, 400, "{}", response.text());
        prop_assert!(response.header("set-cookie").is_none_or(|it| !it.contains("arm_session")));
        let code_was_sent =
            self.world.web.take_requests().iter().any(|(url, _)| url.ends_with("/token"));
        prop_assert!(!code_was_sent || matches_attempt(&path, &state), "the code was sent");
        Ok(())
    }
}

impl Callback {
    /// Starts a login. Returns the cookie and the state.
    fn start_login(&self) -> (String, String) {
        let response =
            self.runtime.block_on(self.world.request(("GET", "/login/acme"), &[], Body::empty()));
        let url = Url::parse(response.header("location").unwrap()).unwrap();
        let state = url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
        (response.session_cookie().unwrap(), state)
    }
}

/// Returns whether a callback has exactly this state, one code, and no other issuer.
fn matches_attempt(path: &str, state: &str) -> bool {
    let url = Url::parse("https://arm.test").unwrap().join(path).unwrap();
    let values = |wanted: &str| -> Vec<String> {
        let pairs = url.query_pairs().filter(|(name, value)| name == wanted && !value.is_empty());
        pairs.map(|(_, value)| value.into_owned()).collect()
    };
    let has_right_issuer = values("iss").iter().all(|it| it.trim_end_matches('/') == ACME);
    values("state") == [state] && values("code").len() == 1 && has_right_issuer
}

#[test]
fn a_callback_that_does_not_match_the_attempt_is_rejected() {
    fuzz::<Callback>();
}
