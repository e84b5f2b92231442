//! Logins with an identity provider.

use arm_api::{
    access::stakeholders::VerifiedIdentity,
    config::Providers,
    domain::{email::Email, subject::Subject},
};
use axum::body::Body;
use http::{Request, header};
use serde_json::{Value, json};

use super::{Browser, ProviderKey, TestResponse, World};

pub(crate) const ACME: &str = "https://id.acme.test";
pub(crate) const OTHER: &str = "https://id.other.test";
/// Configures a provider as the owner of a domain. Added to the provider's entry.
pub(crate) const OWNS_ACME: &str = r#","domains":["acme.test"]"#;

/// Starts a world with one provider, which publishes a discovery document and a key. `members` are
/// added to the provider's entry.
pub(crate) async fn world(members: &str, address: &str, issuer: &str) -> World {
    let entry =
        format!(r#"[{{"id":"acme","clientId":"arm","clientSecret":"c-secret",{members}}}]"#);
    let world = World::with(|config| config.providers = Some(Providers::Json(entry))).await;
    publish_discovery(&world, address, issuer, ACME);
    world.register_secret("c-secret");
    world
}

/// Publishes the discovery document of a provider under `address`, and its key on `host`.
pub(crate) fn publish_discovery(world: &World, address: &str, issuer: &str, host: &str) {
    world.web.set_response(
        &format!("{address}/.well-known/openid-configuration"),
        200,
        &json!({
            "issuer": issuer, "jwks_uri": format!("{host}/keys"),
            "authorization_endpoint": format!("{host}/authorize"),
            "token_endpoint": format!("{host}/token"),
            "userinfo_endpoint": format!("{host}/me"),
        }),
    );
    world.web.set_response(&format!("{host}/keys"), 200, &ProviderKey::from_seed(1).key_set());
}

pub(crate) async fn acme() -> World {
    world(&format!(r#""issuer":"{ACME}""#), ACME, ACME).await
}

/// A login that was started: the cookie, and the parameters of the authorization request.
pub(crate) struct StartedLogin {
    pub(crate) cookie: String,
    pub(crate) query: Vec<(String, String)>,
}

impl StartedLogin {
    pub(crate) async fn start(world: &World, path: &str) -> Self {
        let response = world.request(("GET", path), &[], Body::empty()).await;
        assert_eq!(response.status, 303, "{}", response.text());
        let url = url::Url::parse(response.header("location").unwrap()).unwrap();
        let login = Self {
            cookie: response.session_cookie().unwrap(),
            query: url.query_pairs().into_owned().collect(),
        };
        for secret in [
            login.parameter("state"),
            login.parameter("nonce"),
            login.cookie.split_once('=').unwrap().1,
        ] {
            world.register_secret(if secret.is_empty() { "c-secret" } else { secret });
        }
        login
    }

    pub(crate) fn parameter(&self, name: &str) -> &str {
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
            .unwrap_or_default()
    }

    /// Sends the callback with a code.
    pub(crate) async fn finish(&self, world: &World) -> TestResponse {
        self.finish_at(world, "/callback").await
    }

    /// Sends the callback with a code to another path.
    pub(crate) async fn finish_at(&self, world: &World, path: &str) -> TestResponse {
        let path = format!("{path}?code=a-code&state={}", self.parameter("state"));
        let request =
            Request::get(path).header(header::COOKIE, &self.cookie).body(Body::empty()).unwrap();
        world.send(request).await
    }
}

/// Returns the claims of a valid ID token for Ana.
pub(crate) fn claims(world: &World, issuer: &str, nonce: &str) -> Value {
    json!({
        "iss": issuer, "aud": "arm", "sub": "1", "nonce": nonce,
        "iat": world.now(), "exp": world.now() + 300,
        "email": "Ana@Acme.test", "email_verified": true, "name": "Ana Torres",
    })
}

/// Logs Ana in. The claims of the ID token are changed by `change` and signed with this key.
pub(crate) async fn log_in(
    world: &World,
    key: u8,
    change: impl FnOnce(&mut Value),
) -> TestResponse {
    start_login(world, ("acme", ACME), key, change).await.finish(world).await
}

/// Starts Ana's login with a provider, given by its id and its host, and sets its ID token as
/// [`log_in`] does.
pub(crate) async fn start_login(
    world: &World,
    (id, host): (&str, &str),
    key: u8,
    change: impl FnOnce(&mut Value),
) -> StartedLogin {
    let login = StartedLogin::start(world, &format!("/login/{id}")).await;
    let mut claims = claims(world, host, login.parameter("nonce"));
    change(&mut claims);
    set_id_token_at(world, host, &ProviderKey::from_seed(key).id_token(&claims));
    login
}

/// Sets the ID token that the provider returns for a code.
pub(crate) fn set_id_token(world: &World, id_token: &str) {
    set_id_token_at(world, ACME, id_token);
}

/// Sets the ID token that the provider on `host` returns for a code.
fn set_id_token_at(world: &World, host: &str, id_token: &str) {
    let tokens =
        json!({ "access_token": "an-access-token", "token_type": "Bearer", "id_token": id_token });
    world.web.set_response(&format!("{host}/token"), 200, &tokens);
    world.register_secret("an-access-token");
    world.register_secret(id_token);
}

/// Starts a world with two providers. The members are added to their entries.
pub(crate) async fn two_providers(acme: &str, other: &str) -> World {
    let entry = |id: &str, issuer: &str, members: &str| {
        format!(
            r#"{{"id":"{id}","clientId":"arm","clientSecret":"c-secret","issuer":"{issuer}"{members}}}"#
        )
    };
    let providers = format!("[{},{}]", entry("acme", ACME, acme), entry("other", OTHER, other));
    let world = World::with(|config| config.providers = Some(Providers::Json(providers))).await;
    publish_discovery(&world, ACME, ACME, ACME);
    publish_discovery(&world, OTHER, OTHER, OTHER);
    world
}

/// Logs in with the second provider.
pub(crate) async fn log_in_with_other(
    world: &World,
    change: impl FnOnce(&mut Value),
) -> TestResponse {
    start_login(world, ("other", OTHER), 1, change).await.finish(world).await
}

/// Returns the user ID in the session cookie of a successful login.
pub(crate) fn user_id_of(world: &World, response: &TestResponse) -> String {
    assert_eq!(response.status, 303, "{}", response.text());
    let cookie = response.session_cookie().unwrap();
    let value = cookie.split_once('=').unwrap().1;
    world.register_secret(value);
    value.split_once('.').unwrap().0.to_owned()
}

/// Returns the email address of the user who logged in.
pub(crate) async fn email_of(world: &World, response: &TestResponse) -> String {
    let ana = Browser { world, cookie: response.session_cookie().unwrap() };
    ana.query("{ me { userEmail } }").await.json()["data"]["me"]["userEmail"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// Returns an identity that a provider has verified.
pub(crate) fn verified_identity(issuer: &str, subject: &str, email: &str) -> VerifiedIdentity {
    VerifiedIdentity {
        subject: Subject::new(issuer.to_owned(), subject.to_owned()).unwrap(),
        email: Email::try_from(email.to_owned()).unwrap(),
        name: "Ana Torres".to_owned(),
        hosted_domain: None,
    }
}
