//! How long records are kept before DynamoDB deletes them by `ttl`. Only the embedded DynamoDB
//! deletes them at a known time.

use arm_api::domain::id::UserId;

use crate::given::{INVALIDATE, ME, START, World};

#[tokio::test]
async fn records_are_deleted_when_their_retention_ends() {
    let world = World::new().await;
    let embedded = world.embedded.as_ref().unwrap();
    let ana = world.log_in("ana@acme.test").await;
    ana.create_token(START + 60).await;
    ana.query(INVALIDATE).await;
    let user = UserId::try_from(ana.cookie.split(['=', '.']).nth(1).unwrap().to_owned()).unwrap();
    let deleted_after = |hours: i64| {
        world.clock.advance(START + hours * 3600 - world.now());
        embedded.delete_expired().unwrap()
    };

    assert_eq!(deleted_after(1), 1, "the counter of created tokens");
    assert_eq!(deleted_after(24), 0, "the session expired 23 hours and 20 minutes ago");
    assert_eq!(deleted_after(25), 1, "the session");
    assert_eq!(deleted_after(90 * 24), 0, "the token is kept for 90 days after it was revoked");
    assert_eq!(deleted_after(90 * 24 + 1), 1, "the token");
    assert_eq!(
        deleted_after(400 * 24 + 1),
        4,
        "the audit entries of the enrolment, the login, the created token and its revocation"
    );
    assert!(world.app.access.store.stakeholder(&user).await.unwrap().is_some());
}

#[tokio::test]
async fn a_token_whose_record_was_deleted_is_invalid() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    let program = ana.create_token(START + 60).await;

    world.clock.advance(91 * 86_400);
    world.embedded.as_ref().unwrap().delete_expired().unwrap();
    world.clock.advance(-91 * 86_400);

    assert_eq!(program.query(ME).await.verdict(), "401 UNAUTHENTICATED TOKEN_INVALID");
}
