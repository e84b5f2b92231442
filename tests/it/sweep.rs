//! `ttl` is a broom: when it sweeps what. Only an embedded DynamoDB sweeps when we say.

use arm_api::domain::id::UserId;

use crate::given::{INVALIDATE, ME, START, World};

#[tokio::test]
async fn swept_records_are_gone_after_the_time_that_they_are_remembered() {
    let world = World::new().await;
    let embedded = world.embedded.as_ref().unwrap();
    let ana = world.signed_in("ana@acme.test").await;
    ana.makes_token(START + 60).await;
    ana.asks(INVALIDATE).await;
    let user = UserId::try_from(ana.cookie.split(['=', '.']).nth(1).unwrap().to_owned()).unwrap();
    let gone = |hours: i64| {
        world.clock.advance(START + hours * 3600 - world.now());
        embedded.sweep().unwrap()
    };

    assert_eq!(gone(1), 1, "the counter of new tokens");
    assert_eq!(gone(24), 0, "a day after the login the session ended 23:20 ago, and is remembered");
    assert_eq!(gone(25), 1, "the session");
    assert_eq!(gone(90 * 24), 0, "the token is remembered for 90 days after it was revoked");
    assert_eq!(gone(90 * 24 + 1), 1, "the token");
    assert_eq!(
        gone(400 * 24 + 1),
        4,
        "the audit entries of an enrolment, a login, a new token and its end"
    );
    assert!(world.app.access.store.stakeholder(&user).await.unwrap().is_some());
}

#[tokio::test]
async fn a_token_whose_record_was_swept_too_early_is_none_of_ours() {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;
    let program = ana.makes_token(START + 60).await;

    world.clock.advance(91 * 86_400);
    world.embedded.as_ref().unwrap().sweep().unwrap();
    world.clock.advance(-91 * 86_400);

    assert_eq!(program.asks(ME).await.verdict(), "401 UNAUTHENTICATED TOKEN_INVALID");
}
