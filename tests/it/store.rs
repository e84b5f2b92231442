//! Users, sessions and tokens in the table, and what happens when records are missing or changed
//! at the same time. The suite `dynamodb-local` runs these tests against Amazon's DynamoDB Local.

use arm_api::domain::{
    access_token::{AccessToken, RecordedState},
    audit::{AuditEntry, AuditSubject, Author},
    email::Email,
    id::{TokenId, TokenName, UserId},
    secret::Secret,
    session::{Session, SessionState},
    stakeholder::Stakeholder,
};
use arm_api::store::{Record, Store, StoreError, access_tokens::CurrentToken};
use jiff::SignedDuration;
use ulid::Ulid;

use crate::given::{ME, World, start};

async fn ana(store: &Store) -> Stakeholder {
    let email = Email::try_from("ana@acme.test".to_owned()).unwrap();
    let ana = Stakeholder::enrol(UserId::from_entropy([1; 16]), email, "Ana", start());
    store.enrol(&ana, &entry(&ana, 0)).await.unwrap();
    ana
}

fn token(owner: &Stakeholder, number: u8) -> AccessToken {
    AccessToken {
        user: owner.id.clone(),
        id: TokenId::from_entropy([number; 16]),
        name: TokenName::default(),
        digest: Secret::from_entropy([number; 32]).digest(),
        epoch: owner.epoch,
        issued_at: start(),
        expires_at: start() + SignedDuration::from_hours(24),
        chain_started_at: None,
        state: RecordedState::Active,
        first_used_at: None,
        last_used_at: None,
    }
}

fn entry(owner: &Stakeholder, number: u64) -> AuditEntry {
    let subject = AuditSubject::User(owner.id.clone());
    let id = Ulid::from_parts(number, 0);
    AuditEntry::new(subject, id, start(), Author::program(owner), "test")
}

/// Revokes all credentials of a stakeholder.
async fn revoke_all(store: &Store, owner: &Stakeholder, entry: &AuditEntry) {
    let next_epoch =
        |it: &Stakeholder| Ok::<_, StoreError>(Stakeholder { epoch: it.epoch + 1, ..it.clone() });
    store.change(&owner.key(), entry, next_epoch).await.unwrap();
}

fn session(owner: &Stakeholder) -> Session {
    Session {
        user: owner.id.clone(),
        digest: Secret::from_entropy([9; 32]).digest(),
        epoch: owner.epoch,
        opened_at: start(),
        last_seen_at: None,
        agent: Some("curl/7.88.1".to_owned()),
        address: "2001:db8::1".parse().ok(),
        state: SessionState::Open,
    }
}

#[tokio::test]
async fn an_email_address_is_enrolled_once() {
    let world = World::new().await;
    let store = &world.app.access.store;
    let first = ana(store).await;

    let second = Stakeholder { id: UserId::from_entropy([2; 16]), ..first.clone() };
    assert!(matches!(store.enrol(&second, &entry(&second, 0)).await, Err(StoreError::Exists)));

    assert_eq!(store.stakeholder_at(&first.email).await.unwrap(), Some(first));
}

#[tokio::test]
async fn of_two_concurrent_changes_of_a_user_none_is_lost() {
    let world = World::new().await;
    let store = &world.app.access.store;
    let ana = ana(store).await;

    let first = entry(&ana, 1);
    let second = entry(&ana, 2);
    world.synchronize_reads(2);
    tokio::join!(revoke_all(store, &ana, &first), revoke_all(store, &ana, &second));

    let now = store.stakeholder(&ana.id).await.unwrap().unwrap();
    assert_eq!(now.epoch, 2);
    assert_eq!(now.version, 2);
}

#[tokio::test]
async fn a_session_is_read_back_as_it_was_written() {
    let world = World::new().await;
    let store = &world.app.access.store;
    let ana = ana(store).await;
    let session = session(&ana);

    store.open_session(&ana, &session, &entry(&ana, 1), None).await.unwrap();
    store.record_session_use(&session, start() + SignedDuration::from_mins(10)).await.unwrap();

    let (owner, found, _) = store.session_and_owner(&ana.id, &session.digest).await.unwrap();
    let found = found.unwrap();
    assert_eq!(owner.unwrap().stakeholder, ana);
    assert_eq!(found.last_seen_at, Some(start() + SignedDuration::from_mins(10)));
    assert_eq!(found.opened_at, session.opened_at);
    assert_eq!(found.agent, session.agent);
    assert_eq!(found.address, session.address);
}

#[tokio::test]
async fn a_session_ends_once() {
    let world = World::new().await;
    let store = &world.app.access.store;
    let ana = ana(store).await;
    let session = session(&ana);
    store.open_session(&ana, &session, &entry(&ana, 1), None).await.unwrap();

    store.end_session(&session, &entry(&ana, 2)).await.unwrap();

    assert!(matches!(store.end_session(&session, &entry(&ana, 3)).await, Err(StoreError::Stale)));
}

#[tokio::test]
async fn a_user_who_revoked_all_credentials_meanwhile_gets_no_session_and_no_token() {
    let world = World::new().await;
    let store = &world.app.access.store;
    let before = ana(store).await;
    revoke_all(store, &before, &entry(&before, 3)).await;

    let opened = store.open_session(&before, &session(&before), &entry(&before, 1), None).await;
    let issued =
        store.issue_access_token(&before, &token(&before, 1), None, &entry(&before, 2)).await;

    assert!(matches!(opened, Err(StoreError::Guard)));
    assert!(matches!(issued, Err(StoreError::Guard)));
    let (_, session, _) =
        store.session_and_owner(&before.id, &session(&before).digest).await.unwrap();
    assert!(session.is_none(), "a transaction that failed wrote nothing");
}

#[tokio::test]
async fn a_slot_holds_one_token() {
    let world = World::new().await;
    let store = &world.app.access.store;
    let ana = ana(store).await;
    let first = token(&ana, 1);
    let second = token(&ana, 2);
    let third = token(&ana, 3);
    store.issue_access_token(&ana, &first, None, &entry(&ana, 1)).await.unwrap();

    let blind = store.issue_access_token(&ana, &second, None, &entry(&ana, 2)).await;
    assert!(matches!(blind, Err(StoreError::Exists)));
    store
        .issue_access_token(&ana, &second, Some(&CurrentToken::of(&first, &ana)), &entry(&ana, 3))
        .await
        .unwrap();
    let late = store
        .issue_access_token(&ana, &third, Some(&CurrentToken::of(&first, &ana)), &entry(&ana, 4))
        .await;
    assert!(matches!(late, Err(StoreError::Stale)));

    let in_slot = store.access_token_in(&ana.id, &TokenName::default()).await.unwrap().unwrap();
    let (_, replaced) = store.access_token_and_owner(&ana.id, &first.id).await.unwrap();
    assert_eq!(in_slot.id, second.id);
    assert_eq!(
        replaced.unwrap().state,
        RecordedState::Replaced { at: start(), successor: second.id }
    );
}

#[tokio::test]
async fn a_slot_whose_token_may_be_deleted_takes_a_new_token() {
    let world = World::new().await;
    let store = &world.app.access.store;
    let ana = ana(store).await;
    let old = token(&ana, 1);
    let new = token(&ana, 2);
    store.issue_access_token(&ana, &old, None, &entry(&ana, 1)).await.unwrap();
    let much_later = old.expires_at + SignedDuration::from_hours(90 * 24);

    let (_, _, slot) = store.session_and_owner(&ana.id, &session(&ana).digest).await.unwrap();
    let in_slot = slot.unwrap().token(&ana, much_later);
    store.issue_access_token(&ana, &new, Some(&in_slot), &entry(&ana, 2)).await.unwrap();

    let (_, untouched) = store.access_token_and_owner(&ana.id, &old.id).await.unwrap();
    assert_eq!(
        untouched.unwrap().state,
        RecordedState::Active,
        "its record may be deleted at any time"
    );
}

#[tokio::test]
async fn the_first_use_stays_recorded_and_a_late_write_does_not_undo_a_later_one() {
    let world = World::new().await;
    let store = &world.app.access.store;
    let ana = ana(store).await;
    let token = token(&ana, 1);
    store.issue_access_token(&ana, &token, None, &entry(&ana, 1)).await.unwrap();
    let at = |minutes| start() + SignedDuration::from_mins(minutes);

    store.record_access_token_use(&token, at(1)).await.unwrap();
    store.record_access_token_use(&token, at(20)).await.unwrap();
    assert!(matches!(store.record_access_token_use(&token, at(15)).await, Err(StoreError::Stale)));

    let (_, found) = store.access_token_and_owner(&ana.id, &token.id).await.unwrap();
    let found = found.unwrap();
    assert_eq!(found.first_used_at, Some(at(1)));
    assert_eq!(found.last_used_at, Some(at(20)));
}

#[tokio::test]
async fn a_late_write_does_not_create_a_deleted_record() {
    let world = World::new().await;
    let store = &world.app.access.store;
    let ana = ana(store).await;
    let missing = token(&ana, 1);

    let written = store.record_access_token_use(&missing, start()).await;

    assert!(matches!(written, Err(StoreError::Stale)));
    let (_, found) = store.access_token_and_owner(&ana.id, &missing.id).await.unwrap();
    assert!(found.is_none());
}

#[tokio::test]
async fn an_expired_token_is_rejected_without_reading_its_record() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    let program = ana.create_token(world.now() + 60).await;
    world.advance(SignedDuration::from_mins(1));
    world.take_operations();

    assert_eq!(program.query(ME).await.verdict(), "401 UNAUTHENTICATED TOKEN_EXPIRED");

    assert_eq!(
        world.take_operations(),
        Vec::<String>::new(),
        "the signed expiration time is sufficient"
    );
}
