//! DynamoDB fails: 503 and when to try again; never "allow", never "log in again".

use arm_api::local::faults::Fault;
use rstest::rstest;

use crate::given::{INVALIDATE, ME, START, World};

const FOR_GOOD: u32 = 1000;

#[rstest]
#[case::throttled(Fault::Throttle)]
#[case::too_slow(Fault::Timeout)]
#[case::out_of_order(Fault::Error)]
#[case::leaving_out_keys(Fault::Unprocessed)]
#[tokio::test]
async fn j08_who_cannot_be_looked_up_is_neither_let_in_nor_sent_away(#[case] fault: Fault) {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;
    let program = ana.makes_token(START + 86_400).await;

    world.dynamodb_fails(fault, FOR_GOOD);

    for answer in [ana.asks(ME).await, program.asks(ME).await] {
        assert_eq!(answer.verdict(), "503 SERVICE_UNAVAILABLE");
        assert_eq!(answer.header("retry-after"), Some("2"));
        assert_eq!(answer.header("set-cookie"), None);
        assert!(!answer.text().to_lowercase().contains("dynamodb"), "{}", answer.text());
    }
    world.faults.plan(None, 0);
    assert_eq!((ana.asks(ME).await.status, program.asks(ME).await.status), (200, 200));
}

#[rstest]
#[case::throttled(Fault::Throttle)]
#[case::out_of_order(Fault::Error)]
#[case::leaving_out_keys(Fault::Unprocessed)]
#[tokio::test]
async fn a_fault_that_passes_is_not_noticed(#[case] fault: Fault) {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;

    world.dynamodb_fails(fault, 1);

    assert_eq!(ana.asks(ME).await.status, 200);
}

#[tokio::test]
async fn a_fault_inside_of_a_resolver_keeps_the_form_of_graphql() {
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
async fn a_use_that_cannot_be_recorded_hinders_nobody() {
    let world = World::new().await;
    let program_of_ana = world.signed_in("ana@acme.test").await;
    let program = program_of_ana.makes_token(START + 86_400).await;

    world.faults.plan_at("UpdateItem", Fault::Error, FOR_GOOD);

    assert_eq!(program.asks("{ me { userEmail } }").await.status, 200);
    assert!(world.log().iter().any(|line| line["message"] == "a use was not recorded"));
}

#[tokio::test]
async fn a_revocation_that_fails_says_so_and_revokes_nothing() {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;
    let program = ana.makes_token(START + 86_400).await;

    world.faults.plan_at("TransactWriteItems", Fault::Error, FOR_GOOD);
    let answer = ana.asks(INVALIDATE).await;
    world.faults.plan(None, 0);

    assert_eq!(
        (answer.verdict().as_str(), &answer.json()["data"]),
        ("503 SERVICE_UNAVAILABLE", &serde_json::Value::Null)
    );
    assert_eq!(program.asks(ME).await.status, 200);
}

#[tokio::test]
async fn a_logout_that_fails_does_not_pretend() {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;

    world.faults.plan_at("TransactWriteItems", Fault::Error, FOR_GOOD);
    let answer = ana.logs_out().await;
    world.faults.plan(None, 0);

    assert_eq!((answer.status, answer.header("set-cookie")), (503, None));
    assert_eq!(ana.asks(ME).await.status, 200);
}

#[tokio::test]
async fn j10_a_clock_that_jumps_back_revives_no_token_that_another_instance_ended() {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;
    let program = ana.makes_token(START + 60).await;
    world.later(jiff::SignedDuration::from_mins(2));
    ana.asks(INVALIDATE).await;
    let renewed = ana.makes_token(START + 3600).await;

    world.later(jiff::SignedDuration::from_mins(-5));

    assert_eq!(program.asks(ME).await.status, 401);
    assert_eq!(
        renewed.asks(ME).await.verdict(),
        "401 UNAUTHENTICATED TOKEN_INVALID",
        "made more than a minute ahead"
    );
}
