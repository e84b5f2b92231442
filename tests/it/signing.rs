//! The keys that sign API tokens, and the information that a token reveals.

use arm_api::access::keys::{KeyEntry, KeyState};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::SignedDuration;
use ring::signature::{ED25519, Ed25519KeyPair, UnparsedPublicKey};
use rstest::rstest;
use serde_json::{Value, json};

use crate::given::{
    Browser, ME, START, TestResponse, World, public_url, signing_keys, update_access_token,
};

const INVALID: &str = "401 UNAUTHENTICATED TOKEN_INVALID";
const OLD: u8 = 1;
const NEW: u8 = 2;

fn key(seed: u8, state: KeyState) -> KeyEntry {
    KeyEntry { state, ..KeyEntry::from_entropy([seed; 32]).unwrap() }
}

async fn world_of(keys: &[KeyEntry]) -> World {
    World::with(|config| config.signing_keys = signing_keys(keys)).await
}

fn segment(token: &str, number: usize) -> String {
    String::from_utf8(URL_SAFE_NO_PAD.decode(token.split('.').nth(number).unwrap()).unwrap())
        .unwrap()
}

fn claims(token: &str) -> Value {
    serde_json::from_str(&segment(token, 1)).unwrap()
}

/// Replaces text in the claims of a token and signs the result with the key `OLD`.
fn resigned(token: &str, from: &str, to: &str) -> String {
    let claims = URL_SAFE_NO_PAD.encode(segment(token, 1).replace(from, to));
    let message = format!("{}.{claims}", token.split('.').next().unwrap());
    let pair = Ed25519KeyPair::from_seed_unchecked(&[OLD; 32]).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(pair.sign(message.as_bytes())))
}

/// Returns the status, body and headers of a response without the request id.
fn without_request_id(response: &TestResponse) -> (u16, Value, Vec<(String, String)>) {
    let mut body = response.json();
    body["errors"][0]["extensions"]["requestId"] = Value::Null;
    let headers = response.headers.iter().filter(|(name, _)| *name != "x-request-id");
    let text = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        (name.to_string(), value.to_str().unwrap().to_owned())
    };
    (response.status, body, headers.map(text).collect())
}

#[tokio::test]
async fn a_token_forged_with_the_signing_key_reveals_no_difference_between_users_and_tokens() {
    let world = world_of(&[key(OLD, KeyState::Active)]).await;
    let token = world.program_for("ana@acme.test").await.token;
    let bob = world.program_for("bob@acme.test").await.token;
    let claim = |token: &str, name: &str| claims(token)[name].as_str().unwrap().to_owned();
    let forged_signature = format!("{}{}", &token[..token.len() - 4], "AAAA");
    world.take_operations();

    let mut responses = vec![without_request_id(&world.program(&forged_signature).query(ME).await)];
    assert!(world.take_operations().is_empty());
    for (name, other) in [
        ("tid", "A".repeat(22)),
        ("jti", "A".repeat(43)),
        ("jti", claim(&bob, "jti")),
        ("tid", claim(&bob, "tid")),
        ("sub", claim(&bob, "sub")),
        ("sub", "A".repeat(22)),
    ] {
        let forged = resigned(&token, &claim(&token, name), &other);
        responses.push(without_request_id(&world.program(&forged).query(ME).await));
        assert_eq!(world.take_operations(), ["BatchGetItem"], "{name}");
    }

    assert_eq!(responses[0].1["errors"][0]["extensions"]["reason"], "TOKEN_INVALID");
    assert!(responses.iter().all(|it| *it == responses[0]), "{responses:#?}");
}

#[tokio::test]
async fn a_revocation_is_reported_only_to_a_client_that_has_the_secret_of_the_token() {
    let world = world_of(&[key(OLD, KeyState::Active)]).await;
    let ana = world.program_for("ana@acme.test").await;
    let jti = claims(&ana.token)["jti"].as_str().unwrap().to_owned();

    ana.query(crate::given::INVALIDATE).await;

    let forged = resigned(&ana.token, &jti, &"A".repeat(43));
    assert_eq!(world.program(&forged).query(ME).await.verdict(), INVALID);
    assert_eq!(ana.query(ME).await.verdict(), "401 UNAUTHENTICATED TOKEN_REVOKED");
}

#[rstest]
#[case::verify_only(KeyState::VerifyOnly, "200", 1)]
#[case::retired(KeyState::Retired, INVALID, 0)]
#[tokio::test]
async fn a_token_is_accepted_until_its_key_is_retired(
    #[case] state: KeyState,
    #[case] verdict: &str,
    #[case] reads: usize,
) {
    let mut world = world_of(&[key(OLD, KeyState::Active)]).await;
    let token = world.program_for("ana@acme.test").await.token;

    let keys = [key(OLD, state), key(NEW, KeyState::Active)];
    world.redeploy(|config| config.signing_keys = signing_keys(&keys)).await;
    world.take_operations();
    let response = world.program(&token).query("{ me { userEmail } }").await;

    assert_eq!(response.verdict(), verdict);
    assert_eq!(world.take_operations().iter().filter(|it| *it == "BatchGetItem").count(), reads);
}

#[tokio::test]
async fn after_a_rotation_the_new_key_signs_and_tokens_of_the_old_key_are_accepted() {
    let mut world = world_of(&[key(OLD, KeyState::Active)]).await;
    let old = world.program_for("ana@acme.test").await.token;

    let keys = [key(OLD, KeyState::VerifyOnly), key(NEW, KeyState::Active)];
    world.redeploy(|config| config.signing_keys = signing_keys(&keys)).await;
    let new = world.program_for("bob@acme.test").await.token;

    assert_eq!(world.program(&old).query(ME).await.verdict(), "200");
    assert_eq!(world.program(&new).query(ME).await.verdict(), "200");
    let kid =
        |token: &str| serde_json::from_str::<Value>(&segment(token, 0)).unwrap()["kid"].clone();
    assert_eq!(kid(&old), key(OLD, KeyState::Active).kid());
    assert_eq!(kid(&new), key(NEW, KeyState::Active).kid());
}

#[tokio::test]
async fn a_token_signed_with_another_key_than_its_key_id_names_is_rejected() {
    let keys = [key(OLD, KeyState::VerifyOnly), key(NEW, KeyState::Active)];
    let world = world_of(&keys).await;
    let token = world.program_for("ana@acme.test").await.token;
    world.take_operations();

    let signed_with_the_old_key = resigned(&token, "", "");

    assert_eq!(world.program(&signed_with_the_old_key).query(ME).await.verdict(), INVALID);
    assert!(world.take_operations().is_empty());
}

#[tokio::test]
async fn a_token_has_its_expiry_and_no_personal_data() {
    let world = world_of(&[key(OLD, KeyState::Active)]).await;
    let ana = world.log_in("ana@acme.test").await;
    let end = world.now() + 8 * 7 * 86_400;

    let response = ana.query(&update_access_token(end)).await;

    assert_eq!(response.json()["data"]["updateAccessToken"]["success"], true);
    let token = world.program(&response.new_token()).token;
    let kid = key(OLD, KeyState::Active).kid();
    assert_eq!(
        segment(&token, 0),
        format!(r#"{{"typ":"arm-pat+jwt","alg":"EdDSA","kid":"{kid}"}}"#)
    );
    let claims = claims(&token);
    let user = &claims["sub"];
    let tid = &claims["tid"];
    let jti = &claims["jti"];
    let audience = r#""iss":"https://arm.test","aud":"https://arm.test/api""#;
    let ids = format!(r#""sub":{user},"tid":{tid},"jti":{jti}"#);
    let expected = format!(r#"{{{audience},{ids},"iat":{START},"exp":{end}}}"#);
    assert_eq!(segment(&token, 1), expected);
    assert_eq!(user.as_str().unwrap().len(), 22);
    assert_eq!(tid.as_str().unwrap().len(), 22);
    assert_eq!(jti.as_str().unwrap().len(), 43);
}

#[tokio::test]
async fn a_token_can_be_verified_with_the_published_key() {
    let world = world_of(&[key(OLD, KeyState::Active)]).await;
    let token = world.program_for("ana@acme.test").await.token;

    let jwks = world.request(("GET", "/.well-known/jwks.json"), &[], "").await.json();

    let published = &jwks["keys"][0];
    assert_eq!(jwks["keys"].as_array().unwrap().len(), 1);
    assert_eq!(
        published["kid"],
        serde_json::from_str::<Value>(&segment(&token, 0)).unwrap()["kid"]
    );
    let public = URL_SAFE_NO_PAD.decode(published["x"].as_str().unwrap()).unwrap();
    let (message, signature) = token.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    UnparsedPublicKey::new(&ED25519, public).verify(message.as_bytes(), &signature).unwrap();
}

#[tokio::test]
async fn all_tokens_of_a_key_have_the_same_prefix() {
    let world = world_of(&[key(OLD, KeyState::Active)]).await;
    let ana = world.program_for("ana@acme.test").await.token;
    world.advance(SignedDuration::from_hours(1000));
    let bob = world.program_for("bob@acme.test").await.token;

    let common = ana.bytes().zip(bob.bytes()).take_while(|(one, other)| one == other).count();

    assert!(common >= 56, "{common}");
}

#[tokio::test]
async fn a_token_of_a_service_with_a_long_url_has_at_most_600_bytes() {
    let url = "https://a-host-with-a-name-of-fifty-two-characters.arm.test";
    let url = format!("{url}{}", "s".repeat(60 - url.len()));
    let world = World::with(|config| config.public_url = public_url(&url)).await;

    assert_eq!(url.len(), 60);
    let login = world
        .request(("POST", "/login/development"), &[("origin", &url)], "email=ana@acme.test")
        .await;
    let ana = Browser { world: &world, cookie: login.session_cookie().unwrap() };
    let program = ana.create_token(world.now() + 86_400).await;

    assert_eq!(claims(&program.token)["iss"], json!(url));
    assert!(program.token.len() <= 600, "{} bytes", program.token.len());
    assert_eq!(program.query(ME).await.verdict(), "200");
}

#[tokio::test]
async fn a_token_of_another_deployment_is_rejected() {
    let keys = [key(OLD, KeyState::Active)];
    let here = world_of(&keys).await;
    let token = here.program_for("ana@acme.test").await.token;

    let there = World::with(|config| {
        config.public_url = public_url("https://staging.arm.test");
        config.signing_keys = signing_keys(&keys);
    })
    .await;

    assert_eq!(there.program(&token).query(ME).await.verdict(), INVALID);
    assert!(there.take_operations().is_empty());
}

#[tokio::test]
async fn a_token_from_an_instance_whose_clock_is_a_minute_ahead_is_accepted() {
    let world = World::new().await;
    let program = world.program_for("ana@acme.test").await;
    world.take_operations();

    world.advance(SignedDuration::from_secs(-60));
    assert_eq!(program.query(ME).await.verdict(), "200");
    world.take_operations();

    world.advance(SignedDuration::from_secs(-1));
    assert_eq!(program.query(ME).await.verdict(), INVALID);
    assert!(world.take_operations().is_empty());
}
