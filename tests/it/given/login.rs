//! Logins with an identity provider, from the click on its button to the callback.

use arm_api::{
    access::stakeholders::VerifiedIdentity,
    config::Providers,
    domain::{email::Email, subject::Subject},
};
use axum::body::Body;
use http::{Request, header};
use serde_json::{Value, json};

use super::{Answer, Browser, ProviderKey, World};

pub(crate) const ACME: &str = "https://id.acme.test";
pub(crate) const OTHER: &str = "https://id.other.test";
/// A member of a provider's entry.
pub(crate) const OWNS_ACME: &str = r#","domains":["acme.test"]"#;

/// Returns a world with one provider, which has a discovery document and publishes a key.
pub(crate) async fn world(members: &str, address: &str, issuer: &str) -> World {
    let entry =
        format!(r#"[{{"id":"acme","clientId":"arm","clientSecret":"c-secret",{members}}}]"#);
    let world = World::with(|config| config.providers = Some(Providers::Json(entry))).await;
    describes(&world, address, issuer, ACME);
    world.keep_secret("c-secret");
    world
}

/// Publishes the discovery document of a provider under `address`, and its key on `host`.
pub(crate) fn describes(world: &World, address: &str, issuer: &str, host: &str) {
    world.web.answers(
        &format!("{address}/.well-known/openid-configuration"),
        200,
        &json!({
            "issuer": issuer, "jwks_uri": format!("{host}/keys"),
            "authorization_endpoint": format!("{host}/authorize"),
            "token_endpoint": format!("{host}/token"),
            "userinfo_endpoint": format!("{host}/me"),
        }),
    );
    world.web.answers(&format!("{host}/keys"), 200, &ProviderKey::of(1).published());
}

pub(crate) async fn acme() -> World {
    world(&format!(r#""issuer":"{ACME}""#), ACME, ACME).await
}

/// A login that has begun: the cookie and the parameters for the provider.
pub(crate) struct Begun {
    pub(crate) cookie: String,
    pub(crate) query: Vec<(String, String)>,
}

impl Begun {
    pub(crate) async fn at(world: &World, path: &str) -> Self {
        let answer = world.sends(("GET", path), &[], Body::empty()).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        let url = url::Url::parse(answer.header("location").unwrap()).unwrap();
        let begun = Self {
            cookie: answer.session_cookie().unwrap(),
            query: url.query_pairs().into_owned().collect(),
        };
        for secret in [
            begun.parameter("state"),
            begun.parameter("nonce"),
            begun.cookie.split_once('=').unwrap().1,
        ] {
            world.keep_secret(if secret.is_empty() { "c-secret" } else { secret });
        }
        begun
    }

    pub(crate) fn parameter(&self, name: &str) -> &str {
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
            .unwrap_or_default()
    }

    /// Comes back from the provider with a code.
    pub(crate) async fn ends(&self, world: &World) -> Answer {
        self.ends_at(world, "/callback").await
    }

    /// The same, at a path that the provider chooses.
    pub(crate) async fn ends_at(&self, world: &World, path: &str) -> Answer {
        let path = format!("{path}?code=a-code&state={}", self.parameter("state"));
        let request =
            Request::get(path).header(header::COOKIE, &self.cookie).body(Body::empty()).unwrap();
        world.send(request).await
    }
}

/// Returns the claims of a valid ID token of Ana.
pub(crate) fn claims(world: &World, issuer: &str, nonce: &str) -> Value {
    json!({
        "iss": issuer, "aud": "arm", "sub": "1", "nonce": nonce,
        "iat": world.now(), "exp": world.now() + 300,
        "email": "Ana@Acme.test", "email_verified": true, "name": "Ana Torres",
    })
}

/// Logs Ana in with an ID token whose claims are changed by `change` and signed with this key.
pub(crate) async fn logs_in(world: &World, key: u8, change: impl FnOnce(&mut Value)) -> Answer {
    let begun = Begun::at(world, "/login/acme").await;
    let mut claims = claims(world, ACME, begun.parameter("nonce"));
    change(&mut claims);
    tells(world, &ProviderKey::of(key).id_token(&claims));
    begun.ends(world).await
}

/// Makes the provider return this ID token for a code.
pub(crate) fn tells(world: &World, id_token: &str) {
    tells_at(world, ACME, id_token);
}

/// Makes the provider on `host` return this ID token for a code.
pub(crate) fn tells_at(world: &World, host: &str, id_token: &str) {
    let tokens =
        json!({ "access_token": "an-access-token", "token_type": "Bearer", "id_token": id_token });
    world.web.answers(&format!("{host}/token"), 200, &tokens);
    world.keep_secret("an-access-token");
    world.keep_secret(id_token);
}

/// Returns a world with two providers, whose entries also have these members.
pub(crate) async fn two_providers(acme: &str, other: &str) -> World {
    let entry = |id: &str, issuer: &str, members: &str| {
        format!(
            r#"{{"id":"{id}","clientId":"arm","clientSecret":"c-secret","issuer":"{issuer}"{members}}}"#
        )
    };
    let providers = format!("[{},{}]", entry("acme", ACME, acme), entry("other", OTHER, other));
    let world = World::with(|config| config.providers = Some(Providers::Json(providers))).await;
    describes(&world, ACME, ACME, ACME);
    describes(&world, OTHER, OTHER, OTHER);
    world
}

/// Logs in with the second provider.
pub(crate) async fn logs_in_by_other(world: &World, change: impl FnOnce(&mut Value)) -> Answer {
    let begun = Begun::at(world, "/login/other").await;
    let mut claims = claims(world, OTHER, begun.parameter("nonce"));
    change(&mut claims);
    tells_at(world, OTHER, &ProviderKey::of(1).id_token(&claims));
    begun.ends(world).await
}

/// Returns the user id in the session of a successful login.
pub(crate) fn user_of(world: &World, answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.text());
    let cookie = answer.session_cookie().unwrap();
    let value = cookie.split_once('=').unwrap().1;
    world.keep_secret(value);
    value.split_once('.').unwrap().0.to_owned()
}

/// Returns the user's e-mail address after a login.
pub(crate) async fn address_of(world: &World, answer: &Answer) -> String {
    let ana = Browser { world, cookie: answer.session_cookie().unwrap() };
    ana.asks("{ me { userEmail } }").await.json()["data"]["me"]["userEmail"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// Returns an identity as the provider has verified it.
pub(crate) fn person(issuer: &str, subject: &str, email: &str) -> VerifiedIdentity {
    VerifiedIdentity {
        subject: Subject::new(issuer.to_owned(), subject.to_owned()).unwrap(),
        email: Email::try_from(email.to_owned()).unwrap(),
        name: "Ana Torres".to_owned(),
        hosted_domain: None,
    }
}
