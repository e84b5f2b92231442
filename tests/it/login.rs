//! Logins by identity providers. What a provider may do to us is told by the suite `login`,
//! with a certified one; here is what this needs a story for: the table, several tenants,
//! Bitbucket, caches and their ends, and who is let in.

use arm_api::local::faults::Fault;
use axum::body::Body;
use http::StatusCode;
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
async fn somebody_logs_in_and_is_the_same_stakeholder_each_time() {
    let world = acme().await;
    let begun = Begun::at(&world, "/login/acme?next=/api").await;
    assert_eq!(world.calls(), ["PutItem"]);
    tells(&world, &ProviderKey::of(1).id_token(&claims(&world, ACME, begun.parameter("nonce"))));

    let answer = begun.ends(&world).await;

    assert_eq!((answer.status, answer.header("location")), (303, Some("/api")));
    assert_eq!(
        world.calls(),
        [
            "GetItem",
            "TransactWriteItems",
            "GetItem",
            "GetItem",
            "TransactWriteItems",
            "TransactWriteItems"
        ],
        "the attempt is read and deleted; the subject, the address, who is enrolled, the session"
    );
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
async fn a_provider_is_asked_for_a_code_with_all_that_protects_it() {
    let world = acme().await;

    let begun = Begun::at(&world, "/login/acme").await;

    let parameter = |name| begun.parameter(name);
    assert_eq!((parameter("response_type"), parameter("client_id")), ("code", "arm"));
    assert_eq!(
        (parameter("scope"), parameter("code_challenge_method")),
        ("openid email profile", "S256")
    );
    assert_eq!(parameter("redirect_uri"), "https://arm.test/callback");
    for random in ["state", "nonce", "code_challenge"] {
        assert_eq!(parameter(random).len(), 43, "{random}");
    }
    assert!(begun.cookie.starts_with("__Host-arm_login="));
}

#[tokio::test]
async fn the_table_holds_no_secret_of_a_login() {
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
async fn a_login_takes_ten_minutes_at_most_and_happens_once() {
    let world = acme().await;
    let (in_time, late) =
        (Begun::at(&world, "/login/acme").await, Begun::at(&world, "/login/acme").await);
    world.later(SignedDuration::from_secs(599));
    tells(&world, &ProviderKey::of(1).id_token(&claims(&world, ACME, in_time.parameter("nonce"))));

    assert_eq!(in_time.ends(&world).await.status, 303);
    assert_eq!(in_time.ends(&world).await.status, 400, "it is completed already");
    world.later(SignedDuration::from_secs(1));
    let answer = late.ends(&world).await;

    assert_eq!((answer.status, answer.header("set-cookie")), (400, None));
    assert!(answer.text().contains("ten minutes"), "{}", answer.text());
}

#[rstest]
#[case::a_disabled_stakeholder("", 401)]
#[case::an_address_outside_of_the_domains(r#","domains":["other.test"]"#, 403)]
#[case::an_address_of_the_domains(r#","domains":["Acme.test"]"#, 303)]
#[tokio::test]
async fn only_those_are_let_in_who_may(#[case] members: &str, #[case] status: u16) {
    let world = world(&format!(r#""issuer":"{ACME}"{members}"#), ACME, ACME).await;
    if members.is_empty() {
        assert_eq!(logs_in(&world, 1, |_| ()).await.status, 303);
        let disabled = arm_api::domain::stakeholder::Status::Disabled { at: world.app.clock.now() };
        world.change("ana@acme.test", |it| it.status = disabled).await;
    }

    let answer = logs_in(&world, 1, |_| ()).await;

    assert_eq!(answer.status, status, "{}", answer.text());
    assert_eq!(answer.header("set-cookie").is_some(), status == 303);
}

#[tokio::test]
async fn what_a_provider_says_of_itself_is_believed_for_an_hour() {
    let world = acme().await;
    let asked = |world: &World| world.web.asked().len();

    logs_in(&world, 1, |_| ()).await;
    assert_eq!(asked(&world), 3, "the document, the keys, the tokens");
    world.later(SignedDuration::from_secs(3599));
    logs_in(&world, 1, |_| ()).await;
    assert_eq!(asked(&world), 1);
    world.later(SignedDuration::from_secs(1));
    logs_in(&world, 1, |_| ()).await;

    assert_eq!(asked(&world), 3);
}

#[tokio::test]
async fn a_new_key_of_a_provider_is_asked_for_and_at_most_once_a_minute() {
    let world = acme().await;
    logs_in(&world, 1, |_| ()).await;
    world.later(SignedDuration::from_mins(2));
    world.web.answers(&format!("{ACME}/keys"), 200, &ProviderKey::of(2).published());
    world.web.asked();

    assert_eq!(logs_in(&world, 2, |_| ()).await.status, 303);
    assert_eq!(world.web.asked().len(), 3, "the tokens, then the document and the keys again");
    assert_eq!(
        logs_in(&world, 3, |_| ()).await.status,
        400,
        "of a key that is none of the provider's"
    );

    assert_eq!(world.web.asked().len(), 1, "a forger does not make us ask");
}

#[rstest]
#[case::out_of_reach(None)]
#[case::out_of_order(Some(500))]
#[case::asked_too_often(Some(429))]
#[tokio::test]
async fn a_provider_that_is_down_is_told_as_that(#[case] status: Option<u16>) {
    let world = acme().await;
    let begun = Begun::at(&world, "/login/acme").await;
    world.web.is_down(ACME);
    if let Some(status) = status {
        world.web.answers(&format!("{ACME}/token"), status, &json!("<html>"));
    }

    let answer = begun.ends(&world).await;

    assert_eq!(
        (answer.status, answer.header("retry-after")),
        (503, Some("2")),
        "{}",
        answer.text()
    );
    assert!(answer.text().contains("The identity provider does not answer"));
    assert!(answer.text().contains(answer.header("x-request-id").unwrap()));
}

#[rstest]
#[case::a_code_that_it_refuses(400, json!({ "error": "invalid_grant" }))]
#[case::no_id_token(200, json!({ "access_token": "an-access-token", "token_type": "Bearer" }))]
#[case::no_tokens(200, json!([]))]
#[tokio::test]
async fn what_a_provider_does_not_prove_is_no_login(#[case] status: u16, #[case] tokens: Value) {
    let world = acme().await;
    let begun = Begun::at(&world, "/login/acme").await;
    world.web.answers(&format!("{ACME}/token"), status, &tokens);

    let answer = begun.ends(&world).await;

    assert_eq!((answer.status, answer.header("set-cookie")), (400, None));
    assert!(answer.text().contains("The login could not be verified"), "{}", answer.text());
}

#[rstest]
#[case::of_this_person("1", 303)]
#[case::of_somebody_else("2", 400)]
#[tokio::test]
async fn an_address_that_the_id_token_lacks_is_asked_for(
    #[case] subject: &str,
    #[case] status: u16,
) {
    let world = acme().await;
    let info = json!({ "sub": subject, "email": "ana@acme.test", "email_verified": "true", "name": "Ana" });
    world.web.answers(&format!("{ACME}/me"), 200, &info);

    let answer = logs_in(&world, 1, |it| it["email"] = Value::Null).await;

    assert_eq!(answer.status, status, "{}", answer.text());
}

#[rstest]
#[case::a_verified_domain(TENANT, Some(json!(true)), 303)]
#[case::as_microsoft_writes_it(TENANT, Some(json!("1")), 303)]
#[case::an_address_that_anybody_wrote(TENANT, None, 403)]
#[case::an_issuer_that_is_no_tenant("https://login.microsoftonline.com/common/v2.0", Some(json!(true)), 400)]
#[case::an_issuer_elsewhere(ACME, Some(json!(true)), 400)]
#[tokio::test]
async fn a_provider_of_many_tenants_is_believed_tenant_by_tenant(
    #[case] issuer: &str,
    #[case] is_owned: Option<Value>,
    #[case] status: u16,
) {
    let template = "https://login.microsoftonline.com/{tenantid}/v2.0";
    let world = world(r#""preset":"microsoft""#, COMMON, template).await;

    let answer = logs_in(&world, 1, |it| {
        it["iss"] = json!(issuer);
        it["email_verified"] = Value::Null;
        it["xms_edov"] = is_owned.unwrap_or_default();
    });

    let answer = answer.await;
    assert_eq!(answer.status, status, "{}", answer.text());
}

#[rstest]
#[case::of_any_issuer(json!(null), json!(true))]
#[case::of_any_issuer_that_says_it_is_not_verified(json!(false), json!(true))]
#[case::not_verified(json!(false), json!(null))]
#[case::not_said(json!(null), json!(null))]
#[tokio::test]
async fn an_address_counts_only_where_email_verified_says_so(
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
async fn an_address_that_microsoft_calls_not_verified_is_refused_whatever_else_it_claims() {
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
async fn an_address_that_the_operators_own_tenant_calls_not_verified_is_refused() {
    let members = r#""preset":"microsoft","tenant":"72f988bf-86f1-41af-91ab-2d7cd011db47","domains":["acme.test"]"#;
    let world = world(members, TENANT, TENANT).await;
    let said = async |value: Value| {
        let answer = logs_in(&world, 1, |it| {
            it["iss"] = json!(TENANT);
            it["email_verified"] = value;
        });
        answer.await.status
    };

    assert_eq!(said(json!(false)).await, 403);
    assert_eq!(said(json!(null)).await, 303);
}

#[tokio::test]
async fn an_address_that_the_id_token_calls_not_verified_is_not_asked_for() {
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
async fn an_address_that_only_looks_like_somebodys_is_no_login(#[case] address: &str) {
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
async fn an_id_token_holds_from_its_nbf_on(#[case] seconds: i64, #[case] status: u16) {
    let world = acme().await;
    let at = world.now() + seconds;

    let answer = logs_in(&world, 1, |it| it["nbf"] = json!(at)).await;

    assert_eq!(answer.status, status, "{}", answer.text());
}

#[tokio::test]
async fn an_nbf_that_is_no_time_is_refused() {
    let world = acme().await;

    assert_eq!(logs_in(&world, 1, |it| it["nbf"] = json!("soon")).await.status, 400);
}

#[tokio::test]
async fn an_error_of_the_provider_wins_over_a_code() {
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
async fn a_provider_with_a_callback_of_its_own_leads_back_to_it() {
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
#[case::of_its_own_where_it_has_none(false, "/callback/acme")]
#[tokio::test]
async fn an_answer_at_another_callback_is_no_login(#[case] has_own: bool, #[case] path: &str) {
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
async fn bitbucket_tells_by_its_own_api_who_has_come(
    #[case] is_primary: bool,
    #[case] is_confirmed: bool,
    #[case] status: u16,
) {
    let world = world(r#""preset":"bitbucket""#, ACME, ACME).await;
    let tokens = json!({ "access_token": "an-access-token", "token_type": "bearer", "scopes": "account email" });
    world.web.answers("https://bitbucket.org/site/oauth2/access_token", 200, &tokens);
    world.web.answers(
        BITBUCKET,
        200,
        &json!({ "account_id": "557058:a", "display_name": "Ana Torres", "type": "user" }),
    );
    let address =
        json!({ "email": "ana@acme.test", "is_primary": is_primary, "is_confirmed": is_confirmed });
    world.web.answers(&format!("{BITBUCKET}/emails"), 200, &json!({ "values": [address] }));

    let begun = Begun::at(&world, "/login/acme").await;
    let answer = begun.ends(&world).await;

    assert_eq!(begun.parameter("scope"), "account email");
    assert_eq!(answer.status, status, "{}", answer.text());
}

#[rstest]
#[case::two_states("state=a&state=b&code=c", StatusCode::BAD_REQUEST)]
#[case::no_state("code=c", StatusCode::BAD_REQUEST)]
#[case::nothing("", StatusCode::BAD_REQUEST)]
#[tokio::test]
async fn a_callback_that_is_none_costs_nothing(#[case] query: &str, #[case] status: StatusCode) {
    let world = acme().await;

    let answer = world.sends(("GET", &format!("/callback?{query}")), &[], Body::empty()).await;

    assert_eq!(answer.status, status.as_u16());
    assert_eq!(world.calls(), Vec::<String>::new());
}

#[tokio::test]
async fn a_provider_that_there_is_not_is_a_404_page() {
    let world = acme().await;

    assert_eq!(world.sends(("GET", "/login/nobody"), &[], Body::empty()).await.status, 404);
    let page = world.sends(("GET", "/"), &[("accept", "text/html")], Body::empty()).await;
    assert!(page.text().contains("Continue with acme"), "{}", page.text());
}

#[tokio::test]
async fn when_dynamodb_fails_a_login_is_tried_again_later() {
    let world = acme().await;
    world.dynamodb_fails(Fault::Throttle, 9);

    let answer = world.sends(("GET", "/login/acme"), &[], Body::empty()).await;

    assert_eq!((answer.status, answer.header("set-cookie")), (503, None));
    assert_eq!(world.nobody_asks(ME).await.status, 200);
}

#[tokio::test]
async fn a_lost_answer_does_not_burn_the_attempt_to_log_in() {
    let world = acme().await;
    world.no_wait_is_real();
    let begun = Begun::at(&world, "/login/acme").await;
    tells(&world, &ProviderKey::of(1).id_token(&claims(&world, ACME, begun.parameter("nonce"))));

    world.faults.plan(Some(Fault::LostAnswer), 1);
    let answer = begun.ends(&world).await;

    assert_eq!(answer.status, 303, "{}", answer.text());
    world.keep_secret(answer.session_cookie().unwrap().split_once('=').unwrap().1);
}
