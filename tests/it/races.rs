//! Conflicting transactions of one user, lost responses, and requests that DynamoDB rejects.

use arm_api::{
    access::access_tokens::ExpectedToken,
    http::RequestContext,
    local::faults::{Calls, Fault, Plan},
};
use rstest::rstest;
use serde_json::json;

use crate::given::{INVALIDATE, ME, World, update_access_token};

const DAY: i64 = 86_400;
const ALWAYS: u32 = 1000;

/// Makes the next calls of an operation conflict with other transactions.
fn inject_conflicts(world: &World, operation: &'static str, times: u32) {
    world.faults.plan_at(operation, Fault::Conflict, times);
}

#[rstest]
#[case::enrolling(0, 0)]
#[case::opening_the_session_after_enrolling(0, 1)]
#[case::opening_the_session(1, 0)]
#[tokio::test]
async fn a_login_that_conflicts_with_another_transaction_succeeds(
    #[case] logins_before: u32,
    #[case] after: u32,
) {
    let world = World::new().await;
    world.skip_waits();
    for _ in 0..logins_before {
        world.log_in("ana@acme.test").await;
    }

    let calls = Calls::Writes;
    world.faults.set(Some(Plan { fault: Fault::Conflict, calls, after, times: 3 }));

    assert_eq!(world.log_in("ana@acme.test").await.query(ME).await.status, 200);
}

#[tokio::test]
async fn a_token_is_created_despite_conflicts() {
    let world = World::new().await;
    world.skip_waits();
    let ana = world.log_in("ana@acme.test").await;
    world.take_operations();

    inject_conflicts(&world, "TransactWriteItems", 3);
    let program = ana.create_token(world.now() + DAY).await;

    let calls = world.take_operations();
    assert_eq!(calls.iter().filter(|it| *it == "TransactWriteItems").count(), 4, "{calls:?}");
    assert_eq!(
        calls.iter().filter(|it| *it != "TransactWriteItems").count(),
        1,
        "only one other call: {calls:?}"
    );
    assert_eq!(program.query(ME).await.status, 200);
}

#[tokio::test]
async fn a_token_is_revoked_and_a_session_ended_despite_conflicts() {
    let world = World::new().await;
    world.skip_waits();
    let ana = world.log_in("ana@acme.test").await;
    let program = ana.create_token(world.now() + DAY).await;

    inject_conflicts(&world, "TransactWriteItems", 2);
    assert_eq!(ana.query(INVALIDATE).await.verdict(), "200");
    inject_conflicts(&world, "TransactWriteItems", 2);
    assert_eq!(ana.log_out().await.status, 303);

    assert_eq!(program.query(ME).await.verdict(), "401 UNAUTHENTICATED TOKEN_REVOKED");
    assert_eq!(ana.query(ME).await.verdict(), "401 UNAUTHENTICATED SESSION_ENDED");
}

#[tokio::test]
async fn a_transaction_that_always_conflicts_fails_after_six_attempts() {
    let world = World::new().await;
    world.skip_waits();
    let ana = world.log_in("ana@acme.test").await;
    world.take_operations();
    let start = tokio::time::Instant::now();

    inject_conflicts(&world, "TransactWriteItems", ALWAYS);
    let response = ana.query(&update_access_token(world.now() + DAY)).await;

    assert_eq!(response.verdict(), "503 SERVICE_UNAVAILABLE");
    assert_eq!(response.header("retry-after"), Some("2"));
    if world.embedded.is_some() {
        assert!(start.elapsed() < std::time::Duration::from_secs(1), "{:?}", start.elapsed());
    }
    assert_eq!(world.take_operations().iter().filter(|it| *it == "TransactWriteItems").count(), 6);
}

#[tokio::test]
async fn the_first_use_of_a_token_is_recorded_despite_a_conflict() {
    let world = World::new().await;
    world.skip_waits();
    let ana = world.log_in("ana@acme.test").await;
    let program = ana.create_token(world.now() + DAY).await;

    inject_conflicts(&world, "UpdateItem", 1);
    program.query(ME).await;

    let actor = program.authenticate().await;
    let token = actor.credential.access_token().unwrap().clone();
    assert_eq!(token.first_used_at.map(jiff::Timestamp::as_second), Some(world.now()));
}

#[tokio::test]
async fn a_persistent_conflict_is_reported_immediately_after_the_eighth_attempt() {
    let world = World::new().await;
    world.skip_waits();
    let ana = world.log_in("ana@acme.test").await;
    ana.create_token(world.now() + DAY).await;
    world.take_calls();

    world.faults.plan_at("TransactWriteItems", Fault::Changed, ALWAYS);
    let response = ana.query(&update_access_token(world.now() + DAY)).await;

    assert_eq!(response.verdict(), "200 CONFLICT");
    let calls = world.take_calls();
    assert_eq!(calls.iter().filter(|it| it.operation == "TransactWriteItems").count(), 8);
    if world.embedded.is_some() {
        assert_eq!(
            calls.last().unwrap().at,
            tokio::time::Instant::now(),
            "there is no delay after the last attempt"
        );
    }
}

#[tokio::test]
async fn a_token_that_is_revoked_while_it_renews_itself_is_rejected_as_revoked() {
    let world = World::new().await;
    world.skip_waits();
    let ana = world.log_in("ana@acme.test").await;
    let holder = ana.create_token(world.now() + DAY).await.authenticate().await;

    world.change_stakeholder("ana@acme.test", |it| it.epoch += 1).await;
    let renewed = world
        .app
        .access
        .update_access_token(&holder, ExpectedToken::Any, world.now() + DAY, &world.context())
        .await;

    assert_eq!(renewed.unwrap_err().describe().reason, Some("TOKEN_REVOKED"));
}

#[tokio::test]
async fn a_login_while_all_credentials_are_revoked_opens_a_session_of_the_new_epoch() {
    let world = World::new().await;
    world.skip_waits();
    world.log_in("ana@acme.test").await;
    let before = world.stakeholder("ana@acme.test").await;
    world.change_stakeholder("ana@acme.test", |it| it.epoch += 1).await;

    let opened = world.app.access.open_session(&before, None, &world.context()).await;
    let cookie = opened.unwrap();

    let cookie = cookie.to_str().unwrap().split(';').next().unwrap();
    let headers = [
        ("cookie", cookie),
        ("content-type", "application/json"),
        ("sec-fetch-site", "same-origin"),
    ];
    let response =
        world.request(("POST", "/api"), &headers, json!({ "query": ME }).to_string()).await;
    assert_eq!(response.verdict(), "200");
}

#[tokio::test]
async fn a_login_whose_response_is_lost_succeeds() {
    let world = World::new().await;
    world.skip_waits();
    world.log_in("ana@acme.test").await;

    world.faults.plan_at("TransactWriteItems", Fault::LostAnswer, 1);

    assert_eq!(world.log_in("ana@acme.test").await.query(ME).await.status, 200);
}

#[tokio::test]
async fn a_new_token_whose_response_is_lost_is_created_once() {
    let world = World::new().await;
    world.skip_waits();
    let ana = world.log_in("ana@acme.test").await;
    ana.create_token(world.now() + DAY).await;
    world.take_calls();

    world.faults.plan_at("TransactWriteItems", Fault::LostAnswer, 2);
    let program = ana.create_token(world.now() + DAY).await;

    let calls = world.take_calls();
    let sent = calls.iter().filter(|it| it.operation == "TransactWriteItems");
    let ids: Vec<_> = sent.map(|it| it.body["ClientRequestToken"].clone()).collect();
    assert_eq!(ids.len(), 3);
    assert!(ids[0].is_string(), "{ids:?}");
    assert!(ids.iter().all(|it| *it == ids[0]), "{ids:?}");
    assert_eq!(program.query(ME).await.status, 200);
}

#[rstest]
#[case::not_permitted(Fault::Denied)]
#[case::invalid(Fault::Invalid)]
#[case::no_table(Fault::Missing)]
#[tokio::test]
async fn a_request_that_dynamodb_rejects_is_an_internal_error_with_its_cause_in_the_log(
    #[case] fault: Fault,
) {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    world.take_operations();

    world.fail_dynamodb(fault, ALWAYS);
    let response = ana.query(ME).await;

    assert_eq!(response.verdict(), "500 INTERNAL_SERVER_ERROR");
    assert_eq!(response.header("retry-after"), None);
    assert_eq!(world.take_operations(), ["BatchGetItem"], "the call is not retried");
    let log = world.log();
    let cause = log.iter().find_map(|line| line["cause"].as_str()).unwrap();
    assert!(cause.starts_with("DynamoDB rejected the request: "), "{cause}");
    assert!(cause.contains("injected"), "{cause}");
}

#[tokio::test]
async fn a_record_that_is_too_large_is_an_internal_error() {
    let world = World::new().await;
    let email = "ana@acme.test";
    world.log_in(email).await;
    let user_agent = Some("a".repeat(500_000).into());
    let stakeholder = world.stakeholder(email).await;
    let context = RequestContext { user_agent, ..world.context() };

    let opened = world.app.access.open_session(&stakeholder, None, &context).await;

    assert_eq!(opened.unwrap_err().describe().code, "INTERNAL_SERVER_ERROR");
}
