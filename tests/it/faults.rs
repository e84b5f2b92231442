//! Failures of DynamoDB and of identity providers. The response has status 503 and says when to try
//! again. It neither accepts a credential nor asks for a new login.

use std::time::Duration;

use arm_api::{config::Providers, local::faults::Fault};
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector},
    orchestrator::HttpRequest,
};
use axum::body::Body;
use rstest::rstest;

use crate::given::{INVALIDATE, ME, URL, World, at};

/// More faults than any test makes calls.
const ALWAYS: u32 = 1000;
/// The maximum number of attempts of a read while DynamoDB fails.
const MAX_CALLS: usize = 3;
/// Less than the timeout of the functions.
const MAX_RESPONSE_TIME: Duration = Duration::from_secs(10);

#[rstest]
#[case::throttled(Fault::Throttle)]
#[case::timed_out(Fault::Timeout)]
#[case::internal_error(Fault::Error)]
#[case::unprocessed_keys(Fault::Unprocessed)]
#[tokio::test]
async fn a_credential_that_cannot_be_looked_up_is_neither_accepted_nor_rejected(
    #[case] fault: Fault,
) {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    let program = ana.create_token(at(86_400)).await;

    world.fail_dynamodb(fault, ALWAYS);

    for response in [ana.query(ME).await, program.query(ME).await] {
        assert_eq!(response.verdict(), "503 SERVICE_UNAVAILABLE");
        assert_eq!(response.header("retry-after"), Some("2"));
        assert_eq!(response.header("set-cookie"), None);
        assert!(!response.text().to_lowercase().contains("dynamodb"), "{}", response.text());
    }
    world.faults.plan(None, 0);
    assert_eq!(ana.query(ME).await.status, 200);
    assert_eq!(program.query(ME).await.status, 200);
}

#[rstest]
#[case::throttled(Fault::Throttle)]
#[case::internal_error(Fault::Error)]
#[case::unprocessed_keys(Fault::Unprocessed)]
#[tokio::test]
async fn a_single_fault_is_retried(#[case] fault: Fault) {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;

    world.fail_dynamodb(fault, 1);

    assert_eq!(ana.query(ME).await.status, 200);
}

#[tokio::test]
async fn a_fault_in_a_resolver_is_a_graphql_error() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;

    world.faults.plan_at("GetItem", Fault::Throttle, ALWAYS);
    let response = ana.query("{ me { userEmail accessToken } }").await;

    assert_eq!(response.verdict(), "503 SERVICE_UNAVAILABLE");
    assert_eq!(response.header("retry-after"), Some("2"));
    assert_eq!(response.json()["data"], serde_json::json!({ "me": null }));
    assert_eq!(response.message(), "Service unavailable");
}

#[tokio::test]
async fn a_request_succeeds_when_its_use_cannot_be_recorded() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    let program = ana.create_token(at(86_400)).await;

    world.faults.plan_at("UpdateItem", Fault::Error, ALWAYS);

    assert_eq!(program.query("{ me { userEmail } }").await.status, 200);
    assert!(world.log().iter().any(|line| line["message"] == "a use was not recorded"));
}

#[tokio::test]
async fn a_revocation_that_fails_is_reported_and_revokes_nothing() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    let program = ana.create_token(at(86_400)).await;

    world.faults.plan_at("TransactWriteItems", Fault::Error, ALWAYS);
    let response = ana.query(INVALIDATE).await;
    world.faults.plan(None, 0);

    assert_eq!(response.verdict(), "503 SERVICE_UNAVAILABLE");
    assert_eq!(response.json()["data"], serde_json::Value::Null);
    assert_eq!(program.query(ME).await.status, 200);
}

#[tokio::test]
async fn a_logout_that_fails_deletes_the_cookie_and_explains_the_failure() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;

    world.faults.plan_at("TransactWriteItems", Fault::Error, ALWAYS);
    let response = ana.log_out().await;
    world.faults.plan(None, 0);

    assert_eq!(response.status, 503);
    assert_eq!(response.session_cookie().as_deref(), Some("__Host-arm_session="));
    assert_eq!(response.header("clear-site-data"), Some("\"storage\""));
    assert!(
        response.text().contains("You are logged out of this browser only"),
        "{}",
        response.text()
    );
    assert!(response.text().contains("the session could not be ended"), "{}", response.text());
    assert_eq!(ana.query(ME).await.status, 200, "the session was not ended");
}

#[tokio::test]
async fn a_logout_deletes_the_cookie_when_the_session_cannot_be_looked_up() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;

    world.fail_dynamodb(Fault::Error, ALWAYS);
    let response = ana.log_out().await;

    assert_eq!(response.status, 503);
    assert_eq!(response.session_cookie().as_deref(), Some("__Host-arm_session="));
}

#[tokio::test]
async fn a_revoked_token_stays_revoked_when_a_clock_jumps_back() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    let program = ana.create_token(at(60)).await;
    world.advance(jiff::SignedDuration::from_mins(2));
    ana.query(INVALIDATE).await;
    let renewed = ana.create_token(at(3600)).await;

    world.advance(jiff::SignedDuration::from_mins(-5));

    assert_eq!(program.query(ME).await.status, 401);
    assert_eq!(
        renewed.query(ME).await.verdict(),
        "401 UNAUTHENTICATED TOKEN_INVALID",
        "it was created more than a minute in the future"
    );
}

#[rstest]
#[case::throttled(Fault::Throttle)]
#[case::timed_out(Fault::Timeout)]
#[case::internal_error(Fault::Error)]
#[case::unprocessed_keys(Fault::Unprocessed)]
#[tokio::test]
async fn a_failing_call_is_retried_a_few_times(#[case] fault: Fault) {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    world.take_operations();

    world.fail_dynamodb(fault, ALWAYS);
    let response = ana.query(ME).await;

    let calls = world.take_operations();
    assert_eq!(response.status, 503);
    assert!((1..=MAX_CALLS).contains(&calls.len()), "{calls:?}");
    assert!(calls.iter().all(|it| it == "BatchGetItem"), "{calls:?}");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_waits_for_dynamodb_fails_before_the_gateway_gives_up() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    world.take_operations();
    let start = tokio::time::Instant::now();

    world.synchronize_reads(usize::MAX >> 4); // reads wait for others that never happen
    let response = ana.query(ME).await;

    assert_eq!(response.verdict(), "503 SERVICE_UNAVAILABLE");
    assert_eq!(response.header("retry-after"), Some("2"));
    assert!(start.elapsed() <= MAX_RESPONSE_TIME, "{:?}", start.elapsed());
    let attempts = world.take_operations().iter().filter(|it| *it == "GetItem").count();
    assert!((1..=MAX_CALLS).contains(&attempts), "{attempts} attempts");
    world.synchronize_reads(1);
    assert_eq!(ana.query(ME).await.status, 200);
}

/// An identity provider that never responds.
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
    world.dependencies.provider_connector = SharedHttpConnector::new(Silent);
    let acme =
        r#"[{"id":"acme","clientId":"arm","clientSecret":"c","issuer":"https://id.acme.test"}]"#;
    world.redeploy(|config| config.providers = Some(Providers::Json(acme.to_owned()))).await;
    let start = tokio::time::Instant::now();

    let response = world.request(("GET", "/login/acme"), &[], "").await;

    assert_eq!(response.status, 503);
    assert_eq!(response.header("retry-after"), Some("2"));
    assert!(start.elapsed() <= MAX_RESPONSE_TIME, "{:?}", start.elapsed());
    assert_eq!(world.request(("GET", "/"), &[], "").await.status, 200);
}

#[rstest]
#[case::first_login(0)]
#[case::later_login(1)]
#[tokio::test]
async fn a_login_that_fails_opens_no_session_and_can_be_repeated(#[case] earlier_logins: u32) {
    let world = World::new().await;
    if earlier_logins > 0 {
        world.log_in("ana@acme.test").await;
    }
    let form = || Body::from("email=ana@acme.test");

    world.faults.plan_at("TransactWriteItems", Fault::Error, ALWAYS);
    let response = world.request(("POST", "/login/development"), &[("origin", URL)], form()).await;
    world.faults.plan(None, 0);

    assert_eq!(response.status, 503);
    assert_eq!(response.header("retry-after"), Some("2"));
    assert_eq!(response.header("set-cookie"), None);
    let again = world.request(("POST", "/login/development"), &[("origin", URL)], form()).await;
    assert_eq!(again.status, 303);
}
