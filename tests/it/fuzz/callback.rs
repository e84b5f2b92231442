//! The callback of a login: a code is sent to the provider only with the state of this attempt.

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

/// The query string of a callback, in the browser that began the login.
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
        let described = json!({
            "issuer": ACME, "jwks_uri": format!("{ACME}/keys"),
            "token_endpoint": format!("{ACME}/token"),
            "authorization_endpoint": format!("{ACME}/authorize"),
        });
        world.web.answers(&format!("{ACME}/.well-known/openid-configuration"), 200, &described);
        world.web.answers(&format!("{ACME}/keys"), 200, &json!({ "keys": [] }));
        world.web.answers(&format!("{ACME}/token"), 400, &json!({ "error": "invalid_grant" }));
        let mut target = Self { runtime, world, cookie: String::new(), state: String::new() };
        (target.cookie, target.state) = target.begin();
        target
    }

    fn fill_in(&self, seed: &str) -> String {
        seed.replace("${STATE}", &self.state)
    }

    fn check(&self, input: &[u8]) -> TestCaseResult {
        let Ok(uri) = format!("/callback?{}", String::from_utf8_lossy(input)).parse::<Uri>() else {
            return Ok(());
        };
        let (cookie, state) = self.begin();
        let query = uri.query().unwrap_or_default().replace(&self.state, &state);
        self.world.web.asked();
        let path = format!("/callback?{query}");
        let request =
            Request::get(&path).header(header::COOKIE, cookie).body(Body::empty()).unwrap();
        let answer = self.runtime.block_on(self.world.send(request));
        prop_assert_eq!(answer.status, 400, "{}", answer.text());
        prop_assert!(answer.header("set-cookie").is_none_or(|it| !it.contains("arm_session")));
        let is_sent = self.world.web.asked().iter().any(|(url, _)| url.ends_with("/token"));
        prop_assert!(!is_sent || is_of_attempt(&path, &state), "a code was taken to the provider");
        Ok(())
    }
}

impl Callback {
    /// Begins a login. Returns the browser's cookie and the state.
    fn begin(&self) -> (String, String) {
        let answer =
            self.runtime.block_on(self.world.sends(("GET", "/login/acme"), &[], Body::empty()));
        let url = Url::parse(answer.header("location").unwrap()).unwrap();
        let state = url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
        (answer.session_cookie().unwrap(), state)
    }
}

/// Whether a callback has this state and no other, one code, and no other issuer.
fn is_of_attempt(path: &str, state: &str) -> bool {
    let url = Url::parse("https://arm.test").unwrap().join(path).unwrap();
    let values = |wanted: &str| -> Vec<String> {
        let pairs = url.query_pairs().filter(|(name, value)| name == wanted && !value.is_empty());
        pairs.map(|(_, value)| value.into_owned()).collect()
    };
    let is_of_issuer = values("iss").iter().all(|it| it.trim_end_matches('/') == ACME);
    values("state") == [state] && values("code").len() == 1 && is_of_issuer
}

#[test]
fn a_callback_that_does_not_match_the_attempt_is_rejected() {
    fuzz::<Callback>();
}
