//! Logins with identity providers: stored records, tenants, Bitbucket, caches, and allowed email
//! addresses. The suite `login` tests attacks, with a certified provider.

use arm_api::local::faults::Fault;
use axum::body::Body;
use jiff::SignedDuration;
use rstest::rstest;
use serde_json::{Value, json};

use crate::given::{
    ME, ProviderKey, START, World,
    login::{ACME, StartedLogin, acme, claims, log_in, set_id_token, world},
};

const BITBUCKET: &str = "https://api.bitbucket.org/2.0/user";
const COMMON: &str = "https://login.microsoftonline.com/common/v2.0";
const TENANT: &str = "https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0";

#[tokio::test]
async fn the_second_login_uses_the_stakeholder_of_the_first() {
    let world = acme().await;
    let login = StartedLogin::start(&world, "/login/acme?next=/api").await;
    assert_eq!(world.take_operations(), ["PutItem"]);
    set_id_token(
        &world,
        &ProviderKey::from_seed(1).id_token(&claims(&world, ACME, login.parameter("nonce"))),
    );

    let response = login.finish(&world).await;

    assert_eq!(response.status, 303);
    assert_eq!(response.header("location"), Some("/api"));
    let attempt = ["GetItem", "TransactWriteItems"];
    let subject_and_address = ["GetItem", "GetItem"];
    let stakeholder_and_session = ["TransactWriteItems", "TransactWriteItems"];
    let expected = [attempt, subject_and_address, stakeholder_and_session].concat();
    assert_eq!(world.take_operations(), expected);
    let again = log_in(&world, 1, |_| ()).await;
    let me = "{ me { userEmail userName } }";
    for response in [response, again] {
        let cookie = response.session_cookie().unwrap();
        world.register_secret(cookie.split_once('=').unwrap().1);
        let ana = crate::given::Browser { world: &world, cookie };
        assert_eq!(
            ana.query(me).await.json()["data"]["me"],
            json!({ "userEmail": "ana@acme.test", "userName": "Ana Torres" })
        );
    }
    world.register_secret("ana@acme.test");
}

#[tokio::test]
async fn an_authorization_request_has_a_state_a_nonce_and_a_challenge() {
    let world = acme().await;

    let login = StartedLogin::start(&world, "/login/acme").await;

    assert_eq!(login.parameter("response_type"), "code");
    assert_eq!(login.parameter("client_id"), "arm");
    assert_eq!(login.parameter("scope"), "openid email profile");
    assert_eq!(login.parameter("code_challenge_method"), "S256");
    assert_eq!(login.parameter("redirect_uri"), "https://arm.test/callback");
    for random in ["state", "nonce", "code_challenge"] {
        assert_eq!(login.parameter(random).len(), 43, "{random}");
    }
    assert!(login.cookie.starts_with("__Host-arm_login="));
}

#[tokio::test]
async fn the_table_contains_no_secret_of_a_login_attempt() {
    let world = acme().await;

    let login = StartedLogin::start(&world, "/login/acme").await;

    let stored = world.stored_items();
    let attempt = stored.iter().find(|it| it["SK"]["S"] == "L").unwrap();
    assert_eq!(attempt["ttl"]["N"], (START + 600).to_string());
    let text = attempt.to_string();
    for secret in [
        login.parameter("state"),
        login.parameter("nonce"),
        login.cookie.split_once('=').unwrap().1,
    ] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[tokio::test]
async fn a_login_attempt_lasts_ten_minutes_and_is_completed_once() {
    let world = acme().await;
    let in_time = StartedLogin::start(&world, "/login/acme").await;
    let late = StartedLogin::start(&world, "/login/acme").await;
    world.advance(SignedDuration::from_secs(599));
    set_id_token(
        &world,
        &ProviderKey::from_seed(1).id_token(&claims(&world, ACME, in_time.parameter("nonce"))),
    );

    assert_eq!(in_time.finish(&world).await.status, 303);
    assert_eq!(in_time.finish(&world).await.status, 400, "it was already completed");
    world.advance(SignedDuration::from_secs(1));
    let response = late.finish(&world).await;

    assert_eq!(response.status, 400);
    assert_eq!(response.header("set-cookie"), None);
    assert!(response.text().contains("ten minutes"), "{}", response.text());
}

#[rstest]
#[case::a_disabled_stakeholder("", 401)]
#[case::an_address_outside_of_the_domains(r#","domains":["other.test"]"#, 403)]
#[case::an_address_of_the_domains(r#","domains":["Acme.test"]"#, 303)]
#[tokio::test]
async fn enabled_users_with_allowed_addresses_log_in(#[case] members: &str, #[case] status: u16) {
    let world = world(&format!(r#""issuer":"{ACME}"{members}"#), ACME, ACME).await;
    if members.is_empty() {
        assert_eq!(log_in(&world, 1, |_| ()).await.status, 303);
        let disabled = arm_api::domain::stakeholder::Status::Disabled { at: world.app.clock.now() };
        world.change_stakeholder("ana@acme.test", |it| it.status = disabled.clone()).await;
    }

    let response = log_in(&world, 1, |_| ()).await;

    assert_eq!(response.status, status, "{}", response.text());
    assert_eq!(response.header("set-cookie").is_some(), status == 303);
}

#[tokio::test]
async fn metadata_and_keys_of_a_provider_are_cached_for_an_hour() {
    let world = acme().await;
    let request_count = |world: &World| world.web.take_requests().len();

    log_in(&world, 1, |_| ()).await;
    assert_eq!(request_count(&world), 3, "the metadata, the keys, the tokens");
    world.advance(SignedDuration::from_secs(3599));
    log_in(&world, 1, |_| ()).await;
    assert_eq!(request_count(&world), 1);
    world.advance(SignedDuration::from_secs(1));
    log_in(&world, 1, |_| ()).await;

    assert_eq!(request_count(&world), 3);
}

#[tokio::test]
async fn an_unknown_key_is_fetched_at_most_once_a_minute() {
    let world = acme().await;
    log_in(&world, 1, |_| ()).await;
    world.advance(SignedDuration::from_mins(2));
    world.web.set_response(&format!("{ACME}/keys"), 200, &ProviderKey::from_seed(2).key_set());
    world.web.take_requests();

    assert_eq!(log_in(&world, 2, |_| ()).await.status, 303);
    assert_eq!(
        world.web.take_requests().len(),
        3,
        "the tokens, then the metadata and the keys again"
    );
    assert_eq!(log_in(&world, 3, |_| ()).await.status, 400, "the provider has no such key");
    assert_eq!(world.web.take_requests().len(), 1, "only the tokens");
}

#[rstest]
#[case::unreachable(None)]
#[case::internal_error(Some(500))]
#[case::rate_limited(Some(429))]
#[tokio::test]
async fn an_unavailable_provider_is_named_as_the_cause(#[case] status: Option<u16>) {
    let world = acme().await;
    let login = StartedLogin::start(&world, "/login/acme").await;
    world.web.make_unreachable(ACME);
    if let Some(status) = status {
        world.web.set_response(&format!("{ACME}/token"), status, &json!("<html>"));
    }

    let response = login.finish(&world).await;

    assert_eq!(response.status, 503, "{}", response.text());
    assert_eq!(response.header("retry-after"), Some("2"));
    assert!(response.text().contains("The identity provider does not answer"));
    assert!(response.text().contains(response.header("x-request-id").unwrap()));
}

#[rstest]
#[case::a_rejected_code(400, json!({ "error": "invalid_grant" }))]
#[case::no_id_token(200, json!({ "access_token": "an-access-token", "token_type": "Bearer" }))]
#[case::no_tokens(200, json!([]))]
#[tokio::test]
async fn a_response_without_an_id_token_is_rejected(#[case] status: u16, #[case] tokens: Value) {
    let world = acme().await;
    let login = StartedLogin::start(&world, "/login/acme").await;
    world.web.set_response(&format!("{ACME}/token"), status, &tokens);

    let response = login.finish(&world).await;

    assert_eq!(response.status, 400);
    assert_eq!(response.header("set-cookie"), None);
    assert!(response.text().contains("The login could not be verified"), "{}", response.text());
}

#[rstest]
#[case::the_same_subject("1", 303)]
#[case::another_subject("2", 400)]
#[tokio::test]
async fn an_email_address_that_is_not_in_the_id_token_is_read_from_the_user_info(
    #[case] subject: &str,
    #[case] status: u16,
) {
    let world = acme().await;
    let info = json!({
        "sub": subject, "email": "ana@acme.test", "email_verified": "true", "name": "Ana",
    });
    world.web.set_response(&format!("{ACME}/me"), 200, &info);

    let response = log_in(&world, 1, |it| it["email"] = Value::Null).await;

    assert_eq!(response.status, status, "{}", response.text());
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

    let response = log_in(&world, 1, |it| {
        it["iss"] = json!(issuer);
        it["email_verified"] = Value::Null;
        it["xms_edov"] = edov.unwrap_or_default();
    });

    let response = response.await;
    assert_eq!(response.status, status, "{}", response.text());
}

#[rstest]
#[case::only_the_claim_of_microsoft(json!(null), json!(true))]
#[case::contradicting_the_claim_of_microsoft(json!(false), json!(true))]
#[case::not_verified(json!(false), json!(null))]
#[case::no_claim(json!(null), json!(null))]
#[tokio::test]
async fn an_email_address_is_accepted_only_if_email_verified_is_true(
    #[case] is_verified: Value,
    #[case] edov: Value,
) {
    let world = acme().await;

    let response = log_in(&world, 1, |it| {
        it["email_verified"] = is_verified;
        it["xms_edov"] = edov;
    });

    let response = response.await;
    assert_eq!(response.status, 403, "{}", response.text());
    assert!(response.text().contains("Your email address is not verified"), "{}", response.text());
}

#[tokio::test]
async fn email_verified_takes_precedence_over_the_claim_of_microsoft() {
    let template = "https://login.microsoftonline.com/{tenantid}/v2.0";
    let world = world(r#""preset":"microsoft""#, COMMON, template).await;

    let response = log_in(&world, 1, |it| {
        it["iss"] = json!(TENANT);
        it["email_verified"] = json!(false);
        it["xms_edov"] = json!(true);
    });

    assert_eq!(response.await.status, 403);
}

#[tokio::test]
async fn an_address_of_the_operators_own_tenant_is_accepted_unless_email_verified_is_false() {
    let tenant = "72f988bf-86f1-41af-91ab-2d7cd011db47";
    let members = format!(r#""preset":"microsoft","tenant":"{tenant}","domains":["acme.test"]"#);
    let world = world(&members, TENANT, TENANT).await;
    let status = async |email_verified: Value| {
        let response = log_in(&world, 1, |it| {
            it["iss"] = json!(TENANT);
            it["email_verified"] = email_verified;
        });
        response.await.status
    };

    assert_eq!(status(json!(false)).await, 403);
    assert_eq!(status(json!(null)).await, 303);
}

#[tokio::test]
async fn the_user_info_cannot_verify_an_address_that_the_id_token_does_not() {
    let world = acme().await;
    let info = json!({ "sub": "1", "email": "ana@acme.test", "email_verified": true });
    world.web.set_response(&format!("{ACME}/me"), 200, &info);

    let response = log_in(&world, 1, |it| {
        it["email"] = Value::Null;
        it["email_verified"] = json!(false);
    });

    assert_eq!(response.await.status, 403);
}

#[rstest]
#[case::a_kelvin_sign("hac\u{212a}er@demo.test")]
#[case::a_zero_width_space("hacker\u{200b}@demo.test")]
#[case::right_to_left("\u{202e}hacker@demo.test")]
#[tokio::test]
async fn an_address_that_looks_like_another_one_is_rejected(#[case] address: &str) {
    let world = acme().await;

    let response = log_in(&world, 1, |it| it["email"] = json!(address)).await;

    assert_eq!(response.status, 400, "{}", response.text());
    assert_eq!(response.header("set-cookie"), None);
}

#[rstest]
#[case::past(-60, 303)]
#[case::within_the_skew_of_clocks(300, 303)]
#[case::future(301, 400)]
#[tokio::test]
async fn an_id_token_is_not_valid_before_its_nbf(#[case] seconds: i64, #[case] status: u16) {
    let world = acme().await;
    let at = world.now() + seconds;

    let response = log_in(&world, 1, |it| it["nbf"] = json!(at)).await;

    assert_eq!(response.status, status, "{}", response.text());
}

#[tokio::test]
async fn an_nbf_that_is_not_a_number_is_rejected() {
    let world = acme().await;

    assert_eq!(log_in(&world, 1, |it| it["nbf"] = json!("soon")).await.status, 400);
}

#[tokio::test]
async fn a_callback_with_an_error_and_a_code_is_an_error() {
    let world = acme().await;
    let login = StartedLogin::start(&world, "/login/acme").await;
    set_id_token(
        &world,
        &ProviderKey::from_seed(1).id_token(&claims(&world, ACME, login.parameter("nonce"))),
    );
    world.web.take_requests();

    let path =
        format!("/callback?error=access_denied&code=a-code&state={}", login.parameter("state"));
    let response = world.request(("GET", &path), &[("cookie", &login.cookie)], Body::empty()).await;

    assert_eq!(response.status, 400);
    assert!(response.text().contains("The login was not completed"), "{}", response.text());
    assert_eq!(world.web.take_requests(), [], "the code is not used");
}

#[tokio::test]
async fn a_provider_can_have_its_own_callback() {
    let world = world(&format!(r#""issuer":"{ACME}","ownCallback":true"#), ACME, ACME).await;
    let login = StartedLogin::start(&world, "/login/acme").await;
    assert_eq!(login.parameter("redirect_uri"), "https://arm.test/callback/acme");
    set_id_token(
        &world,
        &ProviderKey::from_seed(1).id_token(&claims(&world, ACME, login.parameter("nonce"))),
    );

    let response = login.finish_at(&world, "/callback/acme").await;

    assert_eq!(response.status, 303, "{}", response.text());
    let requests = world.web.take_requests();
    let (_, body) = requests.iter().find(|(url, _)| url.ends_with("/token")).unwrap();
    assert!(body.contains("redirect_uri=https%3A%2F%2Farm.test%2Fcallback%2Facme"), "{body}");
}

#[rstest]
#[case::of_another_provider(true, "/callback/other")]
#[case::shared(true, "/callback")]
#[case::its_own_without_the_setting(false, "/callback/acme")]
#[tokio::test]
async fn a_login_cannot_end_at_another_callback(#[case] has_own: bool, #[case] path: &str) {
    let world = world(&format!(r#""issuer":"{ACME}","ownCallback":{has_own}"#), ACME, ACME).await;
    let login = StartedLogin::start(&world, "/login/acme").await;
    set_id_token(
        &world,
        &ProviderKey::from_seed(1).id_token(&claims(&world, ACME, login.parameter("nonce"))),
    );
    world.web.take_requests();

    let response = login.finish_at(&world, path).await;

    assert_eq!(response.status, 400, "{}", response.text());
    assert_eq!(world.web.take_requests(), [], "the code is not used");
}

#[tokio::test]
async fn two_login_cookies_are_rejected() {
    let world = acme().await;
    let login = StartedLogin::start(&world, "/login/acme").await;
    let cookies = format!("{}; __Host-arm_login=planted", login.cookie);

    let path = format!("/callback?code=a-code&state={}", login.parameter("state"));
    let response = world.request(("GET", &path), &[("cookie", &cookies)], Body::empty()).await;

    assert_eq!(response.status, 400);
    assert!(
        response.text().contains("The cookie __Host-arm_login was sent twice"),
        "{}",
        response.text()
    );
    assert!(response.text().contains("Delete the cookies of this site"), "{}", response.text());
}

#[rstest]
#[case::primary_and_confirmed(true, true, 303)]
#[case::not_confirmed(true, false, 403)]
#[case::not_the_primary_one(false, true, 403)]
#[tokio::test]
async fn bitbucket_users_are_identified_with_its_api(
    #[case] is_primary: bool,
    #[case] is_confirmed: bool,
    #[case] status: u16,
) {
    let world = world(r#""preset":"bitbucket""#, ACME, ACME).await;
    let tokens = json!({
        "access_token": "an-access-token", "token_type": "bearer", "scopes": "account email",
    });
    world.web.set_response("https://bitbucket.org/site/oauth2/access_token", 200, &tokens);
    let user = json!({ "account_id": "557058:a", "display_name": "Ana Torres", "type": "user" });
    world.web.set_response(BITBUCKET, 200, &user);
    let address =
        json!({ "email": "ana@acme.test", "is_primary": is_primary, "is_confirmed": is_confirmed });
    world.web.set_response(&format!("{BITBUCKET}/emails"), 200, &json!({ "values": [address] }));

    let login = StartedLogin::start(&world, "/login/acme").await;
    let response = login.finish(&world).await;

    assert_eq!(login.parameter("scope"), "account email");
    assert_eq!(response.status, status, "{}", response.text());
}

#[rstest]
#[case::two_states("state=a&state=b&code=c")]
#[case::no_state("code=c")]
#[case::nothing("")]
#[tokio::test]
async fn a_callback_without_exactly_one_state_makes_no_call(#[case] query: &str) {
    let world = acme().await;

    let response = world.request(("GET", &format!("/callback?{query}")), &[], Body::empty()).await;

    assert_eq!(response.status, 400);
    assert_eq!(world.take_operations(), Vec::<String>::new());
}

#[tokio::test]
async fn an_unknown_provider_is_a_404_page() {
    let world = acme().await;

    assert_eq!(world.request(("GET", "/login/nobody"), &[], Body::empty()).await.status, 404);
}

#[tokio::test]
async fn a_provider_has_a_button() {
    let world = acme().await;

    let page = world.request(("GET", "/"), &[("accept", "text/html")], Body::empty()).await;

    assert!(page.text().contains("Continue with acme"), "{}", page.text());
}

#[tokio::test]
async fn no_login_starts_when_dynamodb_fails() {
    let world = acme().await;
    world.fail_dynamodb(Fault::Throttle, 9);

    let response = world.request(("GET", "/login/acme"), &[], Body::empty()).await;

    assert_eq!(response.status, 503);
    assert_eq!(response.header("set-cookie"), None);
    assert_eq!(world.query_anonymously(ME).await.status, 200);
}

#[tokio::test]
async fn a_login_succeeds_when_a_response_of_dynamodb_is_lost() {
    let world = acme().await;
    world.skip_waits();
    let login = StartedLogin::start(&world, "/login/acme").await;
    set_id_token(
        &world,
        &ProviderKey::from_seed(1).id_token(&claims(&world, ACME, login.parameter("nonce"))),
    );

    world.faults.plan(Some(Fault::LostAnswer), 1);
    let response = login.finish(&world).await;

    assert_eq!(response.status, 303, "{}", response.text());
    world.register_secret(response.session_cookie().unwrap().split_once('=').unwrap().1);
}
