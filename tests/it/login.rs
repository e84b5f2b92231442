//! Logins by identity providers: the table, tenants, Bitbucket, caches, and allowed addresses.
//!
//! The suite `login` attacks logins at a certified provider.

use arm_api::local::faults::Fault;
use axum::body::Body;
use jiff::SignedDuration;
use rstest::rstest;
use serde_json::{Value, json};

use crate::given::{
    ME, ProviderKey, START, World,
    login::{ACME, Begun, acme, claims, logs_in, tells, world},
};

const BITBUCKET: &str = "https://api.bitbucket.org/2.0/user";
const COMMON: &str = "https://login.microsoftonline.com/common/v2.0";
const TENANT: &str = "https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0";

#[tokio::test]
async fn the_second_login_finds_the_stakeholder_of_the_first() {
    let world = acme().await;
    let begun = Begun::at(&world, "/login/acme?next=/api").await;
    assert_eq!(world.calls(), ["PutItem"]);
    tells(&world, &ProviderKey::of(1).id_token(&claims(&world, ACME, begun.parameter("nonce"))));

    let answer = begun.ends(&world).await;

    assert_eq!(answer.status, 303);
    assert_eq!(answer.header("location"), Some("/api"));
    let attempt = ["GetItem", "TransactWriteItems"];
    let subject_and_address = ["GetItem", "GetItem"];
    let stakeholder_and_session = ["TransactWriteItems", "TransactWriteItems"];
    let expected = [attempt, subject_and_address, stakeholder_and_session].concat();
    assert_eq!(world.calls(), expected);
    let again = logs_in(&world, 1, |_| ()).await;
    let me = "{ me { userEmail userName } }";
    for answer in [answer, again] {
        let cookie = answer.session_cookie().unwrap();
        world.keep_secret(cookie.split_once('=').unwrap().1);
        let ana = crate::given::Browser { world: &world, cookie };
        assert_eq!(
            ana.asks(me).await.json()["data"]["me"],
            json!({ "userEmail": "ana@acme.test", "userName": "Ana Torres" })
        );
    }
    world.keep_secret("ana@acme.test");
}

#[tokio::test]
async fn an_authorization_request_has_a_state_a_nonce_and_a_challenge() {
    let world = acme().await;

    let begun = Begun::at(&world, "/login/acme").await;

    assert_eq!(begun.parameter("response_type"), "code");
    assert_eq!(begun.parameter("client_id"), "arm");
    assert_eq!(begun.parameter("scope"), "openid email profile");
    assert_eq!(begun.parameter("code_challenge_method"), "S256");
    assert_eq!(begun.parameter("redirect_uri"), "https://arm.test/callback");
    for random in ["state", "nonce", "code_challenge"] {
        assert_eq!(begun.parameter(random).len(), 43, "{random}");
    }
    assert!(begun.cookie.starts_with("__Host-arm_login="));
}

#[tokio::test]
async fn the_table_has_no_secret_of_a_login_attempt() {
    let world = acme().await;

    let begun = Begun::at(&world, "/login/acme").await;

    let stored = world.stored();
    let attempt = stored.iter().find(|it| it["SK"]["S"] == "L").unwrap();
    assert_eq!(attempt["ttl"]["N"], (START + 600).to_string());
    let text = attempt.to_string();
    for secret in [
        begun.parameter("state"),
        begun.parameter("nonce"),
        begun.cookie.split_once('=').unwrap().1,
    ] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[tokio::test]
async fn a_login_attempt_lasts_ten_minutes_and_is_completed_once() {
    let world = acme().await;
    let in_time = Begun::at(&world, "/login/acme").await;
    let late = Begun::at(&world, "/login/acme").await;
    world.later(SignedDuration::from_secs(599));
    tells(&world, &ProviderKey::of(1).id_token(&claims(&world, ACME, in_time.parameter("nonce"))));

    assert_eq!(in_time.ends(&world).await.status, 303);
    assert_eq!(in_time.ends(&world).await.status, 400, "it was completed before");
    world.later(SignedDuration::from_secs(1));
    let answer = late.ends(&world).await;

    assert_eq!(answer.status, 400);
    assert_eq!(answer.header("set-cookie"), None);
    assert!(answer.text().contains("ten minutes"), "{}", answer.text());
}

#[rstest]
#[case::a_disabled_stakeholder("", 401)]
#[case::an_address_outside_of_the_domains(r#","domains":["other.test"]"#, 403)]
#[case::an_address_of_the_domains(r#","domains":["Acme.test"]"#, 303)]
#[tokio::test]
async fn enabled_users_with_allowed_addresses_log_in(#[case] members: &str, #[case] status: u16) {
    let world = world(&format!(r#""issuer":"{ACME}"{members}"#), ACME, ACME).await;
    if members.is_empty() {
        assert_eq!(logs_in(&world, 1, |_| ()).await.status, 303);
        let disabled = arm_api::domain::stakeholder::Status::Disabled { at: world.app.clock.now() };
        world.change("ana@acme.test", |it| it.status = disabled.clone()).await;
    }

    let answer = logs_in(&world, 1, |_| ()).await;

    assert_eq!(answer.status, status, "{}", answer.text());
    assert_eq!(answer.header("set-cookie").is_some(), status == 303);
}

#[tokio::test]
async fn metadata_and_keys_of_a_provider_are_used_for_an_hour() {
    let world = acme().await;
    let asked = |world: &World| world.web.asked().len();

    logs_in(&world, 1, |_| ()).await;
    assert_eq!(asked(&world), 3, "the metadata, the keys, the tokens");
    world.later(SignedDuration::from_secs(3599));
    logs_in(&world, 1, |_| ()).await;
    assert_eq!(asked(&world), 1);
    world.later(SignedDuration::from_secs(1));
    logs_in(&world, 1, |_| ()).await;

    assert_eq!(asked(&world), 3);
}

#[tokio::test]
async fn an_unknown_key_is_fetched_at_most_once_a_minute() {
    let world = acme().await;
    logs_in(&world, 1, |_| ()).await;
    world.later(SignedDuration::from_mins(2));
    world.web.answers(&format!("{ACME}/keys"), 200, &ProviderKey::of(2).published());
    world.web.asked();

    assert_eq!(logs_in(&world, 2, |_| ()).await.status, 303);
    assert_eq!(world.web.asked().len(), 3, "the tokens, then the metadata and the keys again");
    assert_eq!(logs_in(&world, 3, |_| ()).await.status, 400, "the provider has no such key");
    assert_eq!(world.web.asked().len(), 1, "only the tokens");
}

#[rstest]
#[case::out_of_reach(None)]
#[case::out_of_order(Some(500))]
#[case::asked_too_often(Some(429))]
#[tokio::test]
async fn a_provider_that_is_down_is_named_as_the_cause(#[case] status: Option<u16>) {
    let world = acme().await;
    let begun = Begun::at(&world, "/login/acme").await;
    world.web.is_down(ACME);
    if let Some(status) = status {
        world.web.answers(&format!("{ACME}/token"), status, &json!("<html>"));
    }

    let answer = begun.ends(&world).await;

    assert_eq!(answer.status, 503, "{}", answer.text());
    assert_eq!(answer.header("retry-after"), Some("2"));
    assert!(answer.text().contains("The identity provider does not answer"));
    assert!(answer.text().contains(answer.header("x-request-id").unwrap()));
}

#[rstest]
#[case::a_refused_code(400, json!({ "error": "invalid_grant" }))]
#[case::no_id_token(200, json!({ "access_token": "an-access-token", "token_type": "Bearer" }))]
#[case::no_tokens(200, json!([]))]
#[tokio::test]
async fn a_response_without_an_id_token_is_refused(#[case] status: u16, #[case] tokens: Value) {
    let world = acme().await;
    let begun = Begun::at(&world, "/login/acme").await;
    world.web.answers(&format!("{ACME}/token"), status, &tokens);

    let answer = begun.ends(&world).await;

    assert_eq!(answer.status, 400);
    assert_eq!(answer.header("set-cookie"), None);
    assert!(answer.text().contains("The login could not be verified"), "{}", answer.text());
}

#[rstest]
#[case::of_the_same_subject("1", 303)]
#[case::of_another_subject("2", 400)]
#[tokio::test]
async fn an_address_that_the_id_token_lacks_is_in_the_user_info(
    #[case] subject: &str,
    #[case] status: u16,
) {
    let world = acme().await;
    let info = json!({
        "sub": subject, "email": "ana@acme.test", "email_verified": "true", "name": "Ana",
    });
    world.web.answers(&format!("{ACME}/me"), 200, &info);

    let answer = logs_in(&world, 1, |it| it["email"] = Value::Null).await;

    assert_eq!(answer.status, status, "{}", answer.text());
}

#[rstest]
#[case::verified(TENANT, Some(json!(true)), 303)]
#[case::verified_as_text(TENANT, Some(json!("1")), 303)]
#[case::not_verified(TENANT, None, 403)]
#[case::the_issuer_is_not_a_tenant(COMMON, Some(json!(true)), 400)]
#[case::the_issuer_is_elsewhere(ACME, Some(json!(true)), 400)]
#[tokio::test]
async fn each_tenant_is_an_issuer_that_verifies_addresses(
    #[case] issuer: &str,
    #[case] edov: Option<Value>,
    #[case] status: u16,
) {
    let template = "https://login.microsoftonline.com/{tenantid}/v2.0";
    let world = world(r#""preset":"microsoft""#, COMMON, template).await;

    let answer = logs_in(&world, 1, |it| {
        it["iss"] = json!(issuer);
        it["email_verified"] = Value::Null;
        it["xms_edov"] = edov.unwrap_or_default();
    });

    let answer = answer.await;
    assert_eq!(answer.status, status, "{}", answer.text());
}

#[rstest]
#[case::only_the_claim_of_microsoft(json!(null), json!(true))]
#[case::against_the_claim_of_microsoft(json!(false), json!(true))]
#[case::not_verified(json!(false), json!(null))]
#[case::no_claim(json!(null), json!(null))]
#[tokio::test]
async fn an_address_counts_only_if_email_verified_is_true(
    #[case] is_verified: Value,
    #[case] edov: Value,
) {
    let world = acme().await;

    let answer = logs_in(&world, 1, |it| {
        it["email_verified"] = is_verified;
        it["xms_edov"] = edov;
    });

    let answer = answer.await;
    assert_eq!(answer.status, 403, "{}", answer.text());
    assert!(answer.text().contains("Your e-mail address is not verified"), "{}", answer.text());
}

#[tokio::test]
async fn email_verified_of_microsoft_beats_its_own_claim() {
    let template = "https://login.microsoftonline.com/{tenantid}/v2.0";
    let world = world(r#""preset":"microsoft""#, COMMON, template).await;

    let answer = logs_in(&world, 1, |it| {
        it["iss"] = json!(TENANT);
        it["email_verified"] = json!(false);
        it["xms_edov"] = json!(true);
    });

    assert_eq!(answer.await.status, 403);
}

#[tokio::test]
async fn an_address_of_the_operators_own_tenant_counts_unless_it_is_not_verified() {
    let tenant = "72f988bf-86f1-41af-91ab-2d7cd011db47";
    let members = format!(r#""preset":"microsoft","tenant":"{tenant}","domains":["acme.test"]"#);
    let world = world(&members, TENANT, TENANT).await;
    let status = async |email_verified: Value| {
        let answer = logs_in(&world, 1, |it| {
            it["iss"] = json!(TENANT);
            it["email_verified"] = email_verified;
        });
        answer.await.status
    };

    assert_eq!(status(json!(false)).await, 403);
    assert_eq!(status(json!(null)).await, 303);
}

#[tokio::test]
async fn the_user_info_cannot_verify_an_address_that_the_id_token_does_not() {
    let world = acme().await;
    let info = json!({ "sub": "1", "email": "ana@acme.test", "email_verified": true });
    world.web.answers(&format!("{ACME}/me"), 200, &info);

    let answer = logs_in(&world, 1, |it| {
        it["email"] = Value::Null;
        it["email_verified"] = json!(false);
    });

    assert_eq!(answer.await.status, 403);
}

#[rstest]
#[case::a_kelvin_sign("hac\u{212a}er@demo.test")]
#[case::a_zero_width_space("hacker\u{200b}@demo.test")]
#[case::right_to_left("\u{202e}hacker@demo.test")]
#[tokio::test]
async fn an_address_that_looks_like_another_one_is_refused(#[case] address: &str) {
    let world = acme().await;

    let answer = logs_in(&world, 1, |it| it["email"] = json!(address)).await;

    assert_eq!(answer.status, 400, "{}", answer.text());
    assert_eq!(answer.header("set-cookie"), None);
}

#[rstest]
#[case::past(-60, 303)]
#[case::within_the_skew_of_clocks(300, 303)]
#[case::future(301, 400)]
#[tokio::test]
async fn an_id_token_is_valid_from_its_nbf_on(#[case] seconds: i64, #[case] status: u16) {
    let world = acme().await;
    let at = world.now() + seconds;

    let answer = logs_in(&world, 1, |it| it["nbf"] = json!(at)).await;

    assert_eq!(answer.status, status, "{}", answer.text());
}

#[tokio::test]
async fn an_nbf_that_is_not_a_number_is_refused() {
    let world = acme().await;

    assert_eq!(logs_in(&world, 1, |it| it["nbf"] = json!("soon")).await.status, 400);
}

#[tokio::test]
async fn a_callback_with_an_error_and_a_code_is_an_error() {
    let world = acme().await;
    let begun = Begun::at(&world, "/login/acme").await;
    tells(&world, &ProviderKey::of(1).id_token(&claims(&world, ACME, begun.parameter("nonce"))));
    world.web.asked();

    let path =
        format!("/callback?error=access_denied&code=a-code&state={}", begun.parameter("state"));
    let answer = world.sends(("GET", &path), &[("cookie", &begun.cookie)], Body::empty()).await;

    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("The login was not completed"), "{}", answer.text());
    assert_eq!(world.web.asked(), [], "the code is not used");
}

#[tokio::test]
async fn a_provider_can_have_its_own_callback() {
    let world = world(&format!(r#""issuer":"{ACME}","ownCallback":true"#), ACME, ACME).await;
    let begun = Begun::at(&world, "/login/acme").await;
    assert_eq!(begun.parameter("redirect_uri"), "https://arm.test/callback/acme");
    tells(&world, &ProviderKey::of(1).id_token(&claims(&world, ACME, begun.parameter("nonce"))));

    let answer = begun.ends_at(&world, "/callback/acme").await;

    assert_eq!(answer.status, 303, "{}", answer.text());
    let asked = world.web.asked();
    let (_, body) = asked.iter().find(|(url, _)| url.ends_with("/token")).unwrap();
    assert!(body.contains("redirect_uri=https%3A%2F%2Farm.test%2Fcallback%2Facme"), "{body}");
}

#[rstest]
#[case::of_another_provider(true, "/callback/other")]
#[case::of_all_providers(true, "/callback")]
#[case::of_its_own_without_the_setting(false, "/callback/acme")]
#[tokio::test]
async fn a_login_cannot_end_at_another_callback(#[case] has_own: bool, #[case] path: &str) {
    let world = world(&format!(r#""issuer":"{ACME}","ownCallback":{has_own}"#), ACME, ACME).await;
    let begun = Begun::at(&world, "/login/acme").await;
    tells(&world, &ProviderKey::of(1).id_token(&claims(&world, ACME, begun.parameter("nonce"))));
    world.web.asked();

    let answer = begun.ends_at(&world, path).await;

    assert_eq!(answer.status, 400, "{}", answer.text());
    assert_eq!(world.web.asked(), [], "the code is not used");
}

#[tokio::test]
async fn two_login_cookies_are_refused() {
    let world = acme().await;
    let begun = Begun::at(&world, "/login/acme").await;
    let cookies = format!("{}; __Host-arm_login=planted", begun.cookie);

    let path = format!("/callback?code=a-code&state={}", begun.parameter("state"));
    let answer = world.sends(("GET", &path), &[("cookie", &cookies)], Body::empty()).await;

    assert_eq!(answer.status, 400);
    assert!(
        answer.text().contains("The cookie __Host-arm_login was sent twice"),
        "{}",
        answer.text()
    );
    assert!(answer.text().contains("Delete the cookies of this site"), "{}", answer.text());
}

#[rstest]
#[case::primary_and_confirmed(true, true, 303)]
#[case::not_confirmed(true, false, 403)]
#[case::not_the_primary_one(false, true, 403)]
#[tokio::test]
async fn bitbucket_identifies_users_by_its_own_api(
    #[case] is_primary: bool,
    #[case] is_confirmed: bool,
    #[case] status: u16,
) {
    let world = world(r#""preset":"bitbucket""#, ACME, ACME).await;
    let tokens = json!({
        "access_token": "an-access-token", "token_type": "bearer", "scopes": "account email",
    });
    world.web.answers("https://bitbucket.org/site/oauth2/access_token", 200, &tokens);
    let user = json!({ "account_id": "557058:a", "display_name": "Ana Torres", "type": "user" });
    world.web.answers(BITBUCKET, 200, &user);
    let address =
        json!({ "email": "ana@acme.test", "is_primary": is_primary, "is_confirmed": is_confirmed });
    world.web.answers(&format!("{BITBUCKET}/emails"), 200, &json!({ "values": [address] }));

    let begun = Begun::at(&world, "/login/acme").await;
    let answer = begun.ends(&world).await;

    assert_eq!(begun.parameter("scope"), "account email");
    assert_eq!(answer.status, status, "{}", answer.text());
}

#[rstest]
#[case::two_states("state=a&state=b&code=c")]
#[case::no_state("code=c")]
#[case::nothing("")]
#[tokio::test]
async fn a_callback_without_one_state_makes_no_call(#[case] query: &str) {
    let world = acme().await;

    let answer = world.sends(("GET", &format!("/callback?{query}")), &[], Body::empty()).await;

    assert_eq!(answer.status, 400);
    assert_eq!(world.calls(), Vec::<String>::new());
}

#[tokio::test]
async fn an_unknown_provider_is_a_404_page() {
    let world = acme().await;

    assert_eq!(world.sends(("GET", "/login/nobody"), &[], Body::empty()).await.status, 404);
}

#[tokio::test]
async fn a_provider_has_a_button() {
    let world = acme().await;

    let page = world.sends(("GET", "/"), &[("accept", "text/html")], Body::empty()).await;

    assert!(page.text().contains("Continue with acme"), "{}", page.text());
}

#[tokio::test]
async fn when_dynamodb_fails_no_login_begins() {
    let world = acme().await;
    world.dynamodb_fails(Fault::Throttle, 9);

    let answer = world.sends(("GET", "/login/acme"), &[], Body::empty()).await;

    assert_eq!(answer.status, 503);
    assert_eq!(answer.header("set-cookie"), None);
    assert_eq!(world.nobody_asks(ME).await.status, 200);
}

#[tokio::test]
async fn a_lost_response_of_dynamodb_does_not_lose_the_attempt() {
    let world = acme().await;
    world.no_wait_is_real();
    let begun = Begun::at(&world, "/login/acme").await;
    tells(&world, &ProviderKey::of(1).id_token(&claims(&world, ACME, begun.parameter("nonce"))));

    world.faults.plan(Some(Fault::LostAnswer), 1);
    let answer = begun.ends(&world).await;

    assert_eq!(answer.status, 303, "{}", answer.text());
    world.keep_secret(answer.session_cookie().unwrap().split_once('=').unwrap().1);
}
