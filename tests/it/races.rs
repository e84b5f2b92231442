//! Transactions of one user meet, responses are lost, and DynamoDB rejects requests.

use arm_api::{
    access::access_tokens::Replacement,
    http::RequestContext,
    local::faults::{Calls, Fault, Plan},
};
use rstest::rstest;
use serde_json::json;

use crate::given::{INVALIDATE, ME, World, update_access_token};

const DAY: i64 = 86_400;
const FOR_GOOD: u32 = 1000;

/// Lets the next writes of an operation meet other transactions.
fn race(world: &World, operation: &'static str, times: u32) {
    world.faults.plan_at(operation, Fault::Conflict, times);
}

#[rstest]
#[case::enrolling(0, 0)]
#[case::opening_the_session_after_enrolling(0, 1)]
#[case::opening_the_session(1, 0)]
#[tokio::test]
async fn a_login_that_meets_another_transaction_of_the_same_user_succeeds(
    #[case] logins_before: u32,
    #[case] after: u32,
) {
    let world = World::new().await;
    world.no_wait_is_real();
    for _ in 0..logins_before {
        world.signed_in("ana@acme.test").await;
    }

    let calls = Calls::Writes;
    world.faults.set(Some(Plan { fault: Fault::Conflict, calls, after, times: 3 }));

    assert_eq!(world.signed_in("ana@acme.test").await.asks(ME).await.status, 200);
}

#[tokio::test]
async fn a_token_is_created_although_it_meets_other_transactions() {
    let world = World::new().await;
    world.no_wait_is_real();
    let ana = world.signed_in("ana@acme.test").await;
    world.calls();

    race(&world, "TransactWriteItems", 3);
    let program = ana.makes_token(world.now() + DAY).await;

    let calls = world.calls();
    assert_eq!(calls.iter().filter(|it| *it == "TransactWriteItems").count(), 4, "{calls:?}");
    assert_eq!(
        calls.iter().filter(|it| *it != "TransactWriteItems").count(),
        1,
        "nothing is read again: {calls:?}"
    );
    assert_eq!(program.asks(ME).await.status, 200);
}

#[tokio::test]
async fn a_token_is_revoked_and_a_session_ended_although_they_meet_other_transactions() {
    let world = World::new().await;
    world.no_wait_is_real();
    let ana = world.signed_in("ana@acme.test").await;
    let program = ana.makes_token(world.now() + DAY).await;

    race(&world, "TransactWriteItems", 2);
    assert_eq!(ana.asks(INVALIDATE).await.verdict(), "200");
    race(&world, "TransactWriteItems", 2);
    assert_eq!(ana.logs_out().await.status, 303);

    assert_eq!(program.asks(ME).await.verdict(), "401 UNAUTHENTICATED TOKEN_REVOKED");
    assert_eq!(ana.asks(ME).await.verdict(), "401 UNAUTHENTICATED SESSION_ENDED");
}

#[tokio::test]
async fn a_transaction_that_always_conflicts_is_given_up_after_six_attempts() {
    let world = World::new().await;
    world.no_wait_is_real();
    let ana = world.signed_in("ana@acme.test").await;
    world.calls();
    let begin = tokio::time::Instant::now();

    race(&world, "TransactWriteItems", FOR_GOOD);
    let answer = ana.asks(&update_access_token(world.now() + DAY)).await;

    assert_eq!(answer.verdict(), "503 SERVICE_UNAVAILABLE");
    assert_eq!(answer.header("retry-after"), Some("2"));
    if world.embedded.is_some() {
        assert!(begin.elapsed() < std::time::Duration::from_secs(1), "{:?}", begin.elapsed());
    }
    assert_eq!(world.calls().iter().filter(|it| *it == "TransactWriteItems").count(), 6);
}

#[tokio::test]
async fn the_first_use_of_a_token_is_recorded_although_it_meets_a_transaction() {
    let world = World::new().await;
    world.no_wait_is_real();
    let ana = world.signed_in("ana@acme.test").await;
    let program = ana.makes_token(world.now() + DAY).await;

    race(&world, "UpdateItem", 1);
    program.asks(ME).await;

    let actor = program.authenticated().await;
    let token = actor.credential.access_token().unwrap().clone();
    assert_eq!(token.first_used_at.map(jiff::Timestamp::as_second), Some(world.now()));
}

#[tokio::test]
async fn a_conflict_that_stays_is_reported_at_once_after_the_eighth_attempt() {
    let world = World::new().await;
    world.no_wait_is_real();
    let ana = world.signed_in("ana@acme.test").await;
    ana.makes_token(world.now() + DAY).await;
    world.sent_calls();

    world.faults.plan_at("TransactWriteItems", Fault::Changed, FOR_GOOD);
    let answer = ana.asks(&update_access_token(world.now() + DAY)).await;

    assert_eq!(answer.verdict(), "200 CONFLICT");
    let calls = world.sent_calls();
    assert_eq!(calls.iter().filter(|it| it.operation == "TransactWriteItems").count(), 8);
    if world.embedded.is_some() {
        assert_eq!(
            calls.last().unwrap().at,
            tokio::time::Instant::now(),
            "there is no pause after the last attempt"
        );
    }
}

#[tokio::test]
async fn a_token_that_is_revoked_while_it_renews_itself_is_rejected_as_revoked() {
    let world = World::new().await;
    world.no_wait_is_real();
    let ana = world.signed_in("ana@acme.test").await;
    let holder = ana.makes_token(world.now() + DAY).await.authenticated().await;

    world.change("ana@acme.test", |it| it.epoch += 1).await;
    let renewed = world
        .app
        .access
        .update_access_token(&holder, Replacement::Any, world.now() + DAY, &world.context())
        .await;

    assert_eq!(renewed.unwrap_err().describe().reason, Some("TOKEN_REVOKED"));
}

#[tokio::test]
async fn a_login_while_all_credentials_are_revoked_opens_a_session_of_the_new_epoch() {
    let world = World::new().await;
    world.no_wait_is_real();
    world.signed_in("ana@acme.test").await;
    let before = world.stakeholder("ana@acme.test").await;
    world.change("ana@acme.test", |it| it.epoch += 1).await;

    let opened = world.app.access.open_session(&before, None, &world.context()).await;
    let cookie = opened.unwrap();

    let cookie = cookie.to_str().unwrap().split(';').next().unwrap();
    let headers = [
        ("cookie", cookie),
        ("content-type", "application/json"),
        ("sec-fetch-site", "same-origin"),
    ];
    let answer = world.sends(("POST", "/api"), &headers, json!({ "query": ME }).to_string()).await;
    assert_eq!(answer.verdict(), "200");
}

#[tokio::test]
async fn a_login_whose_response_is_lost_succeeds() {
    let world = World::new().await;
    world.no_wait_is_real();
    world.signed_in("ana@acme.test").await;

    world.faults.plan_at("TransactWriteItems", Fault::LostAnswer, 1);

    assert_eq!(world.signed_in("ana@acme.test").await.asks(ME).await.status, 200);
}

#[tokio::test]
async fn a_new_token_whose_response_is_lost_is_created_once() {
    let world = World::new().await;
    world.no_wait_is_real();
    let ana = world.signed_in("ana@acme.test").await;
    ana.makes_token(world.now() + DAY).await;
    world.sent_calls();

    world.faults.plan_at("TransactWriteItems", Fault::LostAnswer, 2);
    let program = ana.makes_token(world.now() + DAY).await;

    let calls = world.sent_calls();
    let sent = calls.iter().filter(|it| it.operation == "TransactWriteItems");
    let ids: Vec<_> = sent.map(|it| it.body["ClientRequestToken"].clone()).collect();
    assert_eq!(ids.len(), 3);
    assert!(ids[0].is_string(), "{ids:?}");
    assert!(ids.iter().all(|it| *it == ids[0]), "{ids:?}");
    assert_eq!(program.asks(ME).await.status, 200);
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
    let ana = world.signed_in("ana@acme.test").await;
    world.calls();

    world.dynamodb_fails(fault, FOR_GOOD);
    let answer = ana.asks(ME).await;

    assert_eq!(answer.verdict(), "500 INTERNAL_SERVER_ERROR");
    assert_eq!(answer.header("retry-after"), None);
    assert_eq!(world.calls(), ["BatchGetItem"], "it is not sent again");
    let log = world.log();
    let cause = log.iter().find_map(|line| line["cause"].as_str()).unwrap();
    assert!(cause.starts_with("DynamoDB rejected the request: "), "{cause}");
    assert!(cause.contains("injected"), "{cause}");
}

#[tokio::test]
async fn a_record_that_is_too_large_is_an_internal_error() {
    let world = World::new().await;
    let email = "ana@acme.test";
    world.signed_in(email).await;
    let user_agent = Some("a".repeat(500_000).into());
    let stakeholder = world.stakeholder(email).await;
    let context = RequestContext { user_agent, ..world.context() };

    let opened = world.app.access.open_session(&stakeholder, None, &context).await;

    assert_eq!(opened.unwrap_err().describe().code, "INTERNAL_SERVER_ERROR");
}
