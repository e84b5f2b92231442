//! DynamoDB fails: the response is 503 and says when to try again. It never accepts a credential,
//! and never asks to log in again.

use std::time::Duration;

use arm_api::{config::Providers, local::faults::Fault};
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector},
    orchestrator::HttpRequest,
};
use axum::body::Body;
use rstest::rstest;

use crate::given::{INVALIDATE, ME, URL, World, at};

const FOR_GOOD: u32 = 1000;
/// How often one read is sent while everything fails.
const MOST_CALLS: usize = 3;
/// How long a response may take: less than the time limit of the functions.
const LONGEST_ANSWER: Duration = Duration::from_secs(10);

#[rstest]
#[case::throttled(Fault::Throttle)]
#[case::too_slow(Fault::Timeout)]
#[case::out_of_order(Fault::Error)]
#[case::leaving_out_keys(Fault::Unprocessed)]
#[tokio::test]
async fn a_credential_that_cannot_be_looked_up_is_neither_accepted_nor_rejected(
    #[case] fault: Fault,
) {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;
    let program = ana.makes_token(at(86_400)).await;

    world.dynamodb_fails(fault, FOR_GOOD);

    for answer in [ana.asks(ME).await, program.asks(ME).await] {
        assert_eq!(answer.verdict(), "503 SERVICE_UNAVAILABLE");
        assert_eq!(answer.header("retry-after"), Some("2"));
        assert_eq!(answer.header("set-cookie"), None);
        assert!(!answer.text().to_lowercase().contains("dynamodb"), "{}", answer.text());
    }
    world.faults.plan(None, 0);
    assert_eq!(ana.asks(ME).await.status, 200);
    assert_eq!(program.asks(ME).await.status, 200);
}

#[rstest]
#[case::throttled(Fault::Throttle)]
#[case::out_of_order(Fault::Error)]
#[case::leaving_out_keys(Fault::Unprocessed)]
#[tokio::test]
async fn a_fault_of_one_call_is_not_noticed(#[case] fault: Fault) {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;

    world.dynamodb_fails(fault, 1);

    assert_eq!(ana.asks(ME).await.status, 200);
}

#[tokio::test]
async fn a_fault_in_a_resolver_is_a_graphql_error() {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;

    world.faults.plan_at("GetItem", Fault::Throttle, FOR_GOOD);
    let answer = ana.asks("{ me { userEmail accessToken } }").await;

    assert_eq!(answer.verdict(), "503 SERVICE_UNAVAILABLE");
    assert_eq!(answer.header("retry-after"), Some("2"));
    assert_eq!(answer.json()["data"], serde_json::json!({ "me": null }));
    assert_eq!(answer.message(), "Service unavailable");
}

#[tokio::test]
async fn a_request_succeeds_when_its_use_cannot_be_recorded() {
    let world = World::new().await;
    let program_of_ana = world.signed_in("ana@acme.test").await;
    let program = program_of_ana.makes_token(at(86_400)).await;

    world.faults.plan_at("UpdateItem", Fault::Error, FOR_GOOD);

    assert_eq!(program.asks("{ me { userEmail } }").await.status, 200);
    assert!(world.log().iter().any(|line| line["message"] == "a use was not recorded"));
}

#[tokio::test]
async fn a_revocation_that_fails_says_so_and_revokes_nothing() {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;
    let program = ana.makes_token(at(86_400)).await;

    world.faults.plan_at("TransactWriteItems", Fault::Error, FOR_GOOD);
    let answer = ana.asks(INVALIDATE).await;
    world.faults.plan(None, 0);

    assert_eq!(answer.verdict(), "503 SERVICE_UNAVAILABLE");
    assert_eq!(answer.json()["data"], serde_json::Value::Null);
    assert_eq!(program.asks(ME).await.status, 200);
}

#[tokio::test]
async fn a_logout_that_fails_deletes_the_cookie_and_says_so() {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;

    world.faults.plan_at("TransactWriteItems", Fault::Error, FOR_GOOD);
    let answer = ana.logs_out().await;
    world.faults.plan(None, 0);

    assert_eq!(answer.status, 503);
    assert_eq!(answer.session_cookie().as_deref(), Some("__Host-arm_session="));
    assert_eq!(answer.header("clear-site-data"), Some("\"storage\""));
    assert!(answer.text().contains("You are logged out of this browser only"), "{}", answer.text());
    assert!(answer.text().contains("the session could not be ended"), "{}", answer.text());
    assert_eq!(ana.asks(ME).await.status, 200, "it was not ended");
}

#[tokio::test]
async fn a_logout_deletes_the_cookie_when_the_session_cannot_be_looked_up() {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;

    world.dynamodb_fails(Fault::Error, FOR_GOOD);
    let answer = ana.logs_out().await;

    assert_eq!(answer.status, 503);
    assert_eq!(answer.session_cookie().as_deref(), Some("__Host-arm_session="));
}

#[tokio::test]
async fn a_revoked_token_stays_revoked_when_a_clock_jumps_back() {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;
    let program = ana.makes_token(at(60)).await;
    world.later(jiff::SignedDuration::from_mins(2));
    ana.asks(INVALIDATE).await;
    let renewed = ana.makes_token(at(3600)).await;

    world.later(jiff::SignedDuration::from_mins(-5));

    assert_eq!(program.asks(ME).await.status, 401);
    assert_eq!(
        renewed.asks(ME).await.verdict(),
        "401 UNAUTHENTICATED TOKEN_INVALID",
        "made more than a minute ahead"
    );
}

#[rstest]
#[case::throttled(Fault::Throttle)]
#[case::too_slow(Fault::Timeout)]
#[case::out_of_order(Fault::Error)]
#[case::leaving_out_keys(Fault::Unprocessed)]
#[tokio::test]
async fn a_call_that_fails_is_sent_again_a_few_times(#[case] fault: Fault) {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;
    world.calls();

    world.dynamodb_fails(fault, FOR_GOOD);
    let answer = ana.asks(ME).await;

    let calls = world.calls();
    assert_eq!(answer.status, 503);
    assert!((1..=MOST_CALLS).contains(&calls.len()), "{calls:?}");
    assert!(calls.iter().all(|it| it == "BatchGetItem"), "{calls:?}");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_waits_for_dynamodb_fails_before_the_gateway_gives_up() {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;
    world.calls();
    let begin = tokio::time::Instant::now();

    world.rivals_meet(usize::MAX >> 4); // reads wait for others that never come
    let answer = ana.asks(ME).await;

    assert_eq!(answer.verdict(), "503 SERVICE_UNAVAILABLE");
    assert_eq!(answer.header("retry-after"), Some("2"));
    assert!(begin.elapsed() <= LONGEST_ANSWER, "{:?}", begin.elapsed());
    let tries = world.calls().iter().filter(|it| *it == "GetItem").count();
    assert!((1..=MOST_CALLS).contains(&tries), "{tries} tries");
    world.rivals_meet(1);
    assert_eq!(ana.asks(ME).await.status, 200);
}

/// An identity provider that never answers.
#[derive(Debug)]
struct Silent;

impl HttpConnector for Silent {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(std::future::pending())
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_waits_for_a_provider_fails_before_the_gateway_gives_up() {
    let mut world = World::new().await;
    world.dependencies.web = SharedHttpConnector::new(Silent);
    let acme =
        r#"[{"id":"acme","clientId":"arm","clientSecret":"c","issuer":"https://id.acme.test"}]"#;
    world.redeploy(|config| config.providers = Some(Providers::Json(acme.to_owned()))).await;
    let begin = tokio::time::Instant::now();

    let answer = world.sends(("GET", "/login/acme"), &[], "").await;

    assert_eq!(answer.status, 503);
    assert_eq!(answer.header("retry-after"), Some("2"));
    assert!(begin.elapsed() <= LONGEST_ANSWER, "{:?}", begin.elapsed());
    assert_eq!(world.sends(("GET", "/"), &[], "").await.status, 200);
}

#[rstest]
#[case::the_login(0)]
#[case::the_session(1)]
#[tokio::test]
async fn a_login_that_fails_opens_no_session_and_can_be_repeated(#[case] done: u32) {
    let world = World::new().await;
    if done > 0 {
        world.signed_in("ana@acme.test").await;
    }
    let form = || Body::from("email=ana@acme.test");

    world.faults.plan_at("TransactWriteItems", Fault::Error, FOR_GOOD);
    let answer = world.sends(("POST", "/login/development"), &[("origin", URL)], form()).await;
    world.faults.plan(None, 0);

    assert_eq!(answer.status, 503);
    assert_eq!(answer.header("retry-after"), Some("2"));
    assert_eq!(answer.header("set-cookie"), None);
    let again = world.sends(("POST", "/login/development"), &[("origin", URL)], form()).await;
    assert_eq!(again.status, 303);
}
