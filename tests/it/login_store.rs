//! The records of a login: subjects, addresses, counters, sessions. The suite `dynamodb-local`
//! runs these tests on Amazon's DynamoDB Local too.

use arm_api::{
    domain::{
        audit::{AuditEntry, AuditSubject, Author},
        email::Email,
        id::UserId,
        rate_limit::{Counter, Network, RateLimit},
        secret::Secret,
        session::{Session, SessionEnd, SessionState},
        stakeholder::Stakeholder,
        subject::{LinkedSubject, Subject},
    },
    store::{Store, StoreError, sessions::ReplacedSession},
};
use jiff::SignedDuration;
use serde_json::json;
use ulid::Ulid;

use crate::given::{World, start};

fn email(text: &str) -> Email {
    Email::try_from(text.to_owned()).unwrap()
}

async fn ana(store: &Store) -> Stakeholder {
    let id = UserId::from_entropy([1; 16]);
    let ana = Stakeholder::enrol(id, email("ana@acme.test"), "Ana", start());
    store.enrol(&ana, &entry(&ana, 0)).await.unwrap();
    ana
}

fn link(owner: &Stakeholder, subject: &str) -> LinkedSubject {
    let subject = Subject::new("https://id.acme.test".to_owned(), subject.to_owned()).unwrap();
    LinkedSubject {
        subject,
        user: owner.id.clone(),
        email: owner.email.clone(),
        linked_at: start(),
    }
}

/// The owner with a linked subject.
fn linked(owner: &Stakeholder, link: &LinkedSubject) -> Stakeholder {
    let mut linked = owner.clone();
    linked.link(&link.subject);
    linked
}

fn session(owner: &Stakeholder, number: u8) -> Session {
    Session {
        user: owner.id.clone(),
        digest: Secret::from_entropy([number; 32]).digest(),
        epoch: owner.epoch,
        opened_at: start(),
        last_seen_at: None,
        agent: None,
        address: None,
        state: SessionState::Open,
    }
}

fn entry(owner: &Stakeholder, number: u64) -> AuditEntry {
    let subject = AuditSubject::User(owner.id.clone());
    let id = Ulid::from_parts(number, 0);
    AuditEntry::new(subject, id, start(), Author::program(owner), "test")
}

/// Links the subject `1` to a stakeholder.
async fn link_first(store: &Store, ana: &Stakeholder) -> Stakeholder {
    let first = link(ana, "1");
    store.link_subject(ana, linked(ana, &first), &first, None, &entry(ana, 1)).await.unwrap()
}

#[tokio::test]
async fn a_stored_address_stays_valid_when_the_rules_change() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    let stored = "ana\u{200b}@acme.test";

    world
        .change_stakeholder("ana@acme.test", |it| {
            it.email = serde_json::from_value(stored.into()).unwrap();
        })
        .await;

    let response = ana.query("{ me { userEmail } }").await;
    assert_eq!(response.status, 200, "{}", response.text());
    assert_eq!(response.json()["data"]["me"]["userEmail"], stored);
}

#[tokio::test]
async fn a_subject_is_linked_to_its_user() {
    let world = World::new().await;
    let store = &world.app.access.store;
    let ana = ana(store).await;
    let link = link(&ana, "1");

    let after =
        store.link_subject(&ana, linked(&ana, &link), &link, None, &entry(&ana, 1)).await.unwrap();

    assert!(after.has_linked(&link.subject));
    assert_eq!(store.stakeholder(&ana.id).await.unwrap(), Some(after));
    assert_eq!(store.linked_subject(&link.subject).await.unwrap(), Some(link));
}

#[tokio::test]
async fn the_second_of_two_concurrent_links_is_a_conflict() {
    let world = World::new().await;
    let store = &world.app.access.store;
    let ana = ana(store).await;

    link_first(store, &ana).await;
    let second = link(&ana, "2");
    let late =
        store.link_subject(&ana, linked(&ana, &second), &second, None, &entry(&ana, 2)).await;

    assert!(matches!(late, Err(StoreError::Stale)));
    assert_eq!(store.linked_subject(&link(&ana, "2").subject).await.unwrap(), None);
}

#[tokio::test]
async fn a_linked_subject_is_not_linked_to_another_user() {
    let world = World::new().await;
    let store = &world.app.access.store;
    let ana = ana(store).await;
    link_first(store, &ana).await;

    let eve =
        Stakeholder::enrol(UserId::from_entropy([2; 16]), email("eve@acme.test"), "Eve", start());
    let taken = store.enrol_subject(&eve, &link(&eve, "1"), None, &entry(&eve, 1)).await;

    assert!(matches!(taken, Err(StoreError::Stale)));
    assert_eq!(store.stakeholder(&eve.id).await.unwrap(), None);
}

#[tokio::test]
async fn a_changed_address_frees_the_former_one() {
    let world = World::new().await;
    let store = &world.app.access.store;
    let ana = ana(store).await;
    let known = link_first(store, &ana).await;

    let moved = LinkedSubject { email: email("rossi@acme.test"), ..link(&ana, "1") };
    let after = store.change_address(&known, &moved, &entry(&ana, 2)).await.unwrap();

    assert_eq!(store.stakeholder_at(&email("rossi@acme.test")).await.unwrap(), Some(after));
    assert_eq!(store.stakeholder_at(&email("ana@acme.test")).await.unwrap(), None);
    assert_eq!(store.linked_subject(&moved.subject).await.unwrap(), Some(moved));
}

#[tokio::test]
async fn a_changed_address_keeps_an_attribute_of_the_link_that_a_newer_version_added() {
    let world = World::new().await;
    let store = &world.app.access.store;
    let ana = ana(store).await;
    let known = link_first(store, &ana).await;
    let record = || world.stored_items().into_iter().find(|it| it["SK"]["S"] == "I").unwrap();
    let added = json!({
        "TableName": world.table, "Key": { "PK": record()["PK"], "SK": record()["SK"] },
        "UpdateExpression": "SET picture = :text",
        "ExpressionAttributeValues": { ":text": { "S": "new" } },
    });
    let embedded = world.embedded.as_ref().unwrap();
    assert_eq!(embedded.respond("UpdateItem", added.to_string().as_bytes()).0, 200);

    let moved = LinkedSubject { email: email("rossi@acme.test"), ..link(&ana, "1") };
    store.record_address(&moved).await.unwrap();
    store.change_address(&known, &moved, &entry(&ana, 2)).await.unwrap();

    assert_eq!(record()["picture"]["S"], "new");
    assert_eq!(record()["email"]["S"], "rossi@acme.test");
}

#[tokio::test]
async fn a_counter_stops_at_its_limit_until_the_window_ends() {
    let world = World::new().await;
    let store = &world.app.access.store;
    let office = Counter::LoginsFrom(Network::of("203.0.113.7".parse().unwrap()));
    let limit = RateLimit::per_minute(2);
    let count = async |now| store.count_within(&office, limit, now).await.unwrap();

    assert!(count(start()).await);
    assert!(count(start()).await);
    assert!(!count(start()).await);
    assert!(count(start() + SignedDuration::from_mins(1)).await);
}

#[tokio::test]
async fn a_new_session_ends_the_session_that_it_replaces() {
    let world = World::new().await;
    let store = &world.app.access.store;
    let ana = ana(store).await;
    let former = session(&ana, 8);
    let new = session(&ana, 9);
    store.open_session(&ana, &former, &entry(&ana, 1), None).await.unwrap();

    let replaced_at = jiff::Timestamp::from_second(start().as_second()).unwrap();
    let replaced = ReplacedSession {
        user: ana.id.clone(),
        digest: former.digest.clone(),
        entry: entry(&ana, 3),
    };
    store.open_session(&ana, &new, &entry(&ana, 2), Some(&replaced)).await.unwrap();

    let (_, found, _) = store.session_and_owner(&ana.id, &former.digest).await.unwrap();
    assert_eq!(
        found.unwrap().state,
        SessionState::Ended { at: replaced_at, why: SessionEnd::Replaced }
    );
    let (_, found, _) = store.session_and_owner(&ana.id, &new.digest).await.unwrap();
    assert_eq!(found.unwrap().state, SessionState::Open);
}
