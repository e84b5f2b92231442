//! Inserting, changing and removing one record, and conflicts.

use arm_api::{
    domain::audit::AuditEntry,
    local::faults::Fault,
    store::{Record, Store, StoreError},
};
use rstest::rstest;

use crate::given::{
    World,
    note::{NewNote, Note, NoteError, audit_entry},
};

const ALWAYS: u32 = 1000;

async fn stored(store: &Store, note: &Note) -> Option<Note> {
    store.get(&note.key()).await.unwrap()
}

fn audit() -> AuditEntry {
    audit_entry(1)
}

async fn stored_audit(store: &Store) -> Option<AuditEntry> {
    store.get(&audit().key()).await.unwrap()
}

#[tokio::test]
async fn a_record_is_inserted_once() {
    let world = World::new().await;
    let store = &world.app.access.store;
    store.insert(&Note::new(1)).await.unwrap();
    world.take_operations();

    let other = Note { text: "other".to_owned(), ..Note::new(1) };
    let second = store.insert(&other).await;

    assert!(matches!(second, Err(StoreError::Exists)), "{second:?}");
    assert_eq!(world.take_operations(), ["PutItem"]);
    assert_eq!(stored(store, &other).await, Some(Note::new(1)));
}

#[tokio::test]
async fn an_insert_whose_response_is_lost_succeeds() {
    let world = World::new().await;
    world.skip_waits();
    let store = &world.app.access.store;

    world.faults.plan_at("PutItem", Fault::LostAnswer, 1);

    store.insert(&Note::new(1)).await.unwrap();
    assert_eq!(world.take_operations(), ["PutItem", "PutItem"]);
}

#[tokio::test]
async fn a_change_writes_its_audit_entry_in_the_same_transaction() {
    let world = World::new().await;
    let store = &world.app.access.store;
    let note = Note::new(1);
    store.insert(&note).await.unwrap();
    world.take_operations();

    let changed = store.change(&note.key(), &audit(), |it: &Note| it.write("changed")).await;

    let expected = Note { text: "changed".to_owned(), version: 1, ..note };
    assert_eq!(world.take_operations(), ["GetItem", "TransactWriteItems"]);
    assert_eq!(changed.unwrap().as_ref(), Some(&expected));
    assert_eq!(stored(store, &expected).await.as_ref(), Some(&expected));
    assert_eq!(stored_audit(store).await, Some(audit()));
}

#[tokio::test]
async fn a_change_that_changes_nothing_writes_nothing() {
    let world = World::new().await;
    let store = &world.app.access.store;
    let note = Note::new(1);
    store.insert(&note).await.unwrap();
    world.take_operations();

    let changed = store.change(&note.key(), &audit(), |it: &Note| it.write("new")).await.unwrap();

    assert_eq!(changed, Some(note));
    assert_eq!(world.take_operations(), ["GetItem"]);
}

#[tokio::test]
async fn changing_a_missing_record_returns_none() {
    let world = World::new().await;
    let store = &world.app.access.store;

    let key = Note::new(1).key();
    let changed = store.change(&key, &audit(), |it: &Note| it.write("changed")).await.unwrap();

    assert_eq!(changed, None);
    assert_eq!(stored_audit(store).await, None);
}

#[tokio::test]
async fn a_forbidden_change_writes_nothing() {
    let world = World::new().await;
    let store = &world.app.access.store;
    let note = Note { text: "closed".to_owned(), ..Note::new(1) };
    store.insert(&note).await.unwrap();

    let changed = store.change(&note.key(), &audit(), |it: &Note| it.write("changed")).await;

    assert!(matches!(changed, Err(NoteError::Closed)), "{changed:?}");
    assert_eq!(stored(store, &note).await.as_ref(), Some(&note));
    assert_eq!(stored_audit(store).await, None);
}

#[tokio::test]
async fn neither_of_two_concurrent_changes_is_lost() {
    let world = World::new().await;
    world.skip_waits();
    let store = &world.app.access.store;
    let note = Note::new(1);
    store.insert(&note).await.unwrap();
    world.take_operations();

    let color =
        |it: &Note| Ok::<_, StoreError>(Note { color: Some("red".to_owned()), ..it.clone() });
    let key = note.key();
    let audit = audit();
    let other_audit = audit_entry(2);
    world.synchronize_reads(2);
    let (one, other) = tokio::join!(
        store.change(&key, &audit, |it: &Note| it.write("changed")),
        store.change(&key, &other_audit, color),
    );

    assert!(one.unwrap().is_some());
    assert!(other.unwrap().is_some());
    let color = Some("red".to_owned());
    let both = Note { text: "changed".to_owned(), color, version: 2, ..note };
    assert_eq!(stored(store, &both).await.as_ref(), Some(&both));
    assert_eq!(world.take_operations().iter().filter(|it| *it == "TransactWriteItems").count(), 3);
}

#[rstest]
#[case::stale(Fault::Changed, 8, 8)]
#[case::conflicting(Fault::Conflict, 1, 6)]
#[tokio::test]
async fn a_change_is_retried_a_limited_number_of_times(
    #[case] fault: Fault,
    #[case] reads: usize,
    #[case] writes: usize,
) {
    let world = World::new().await;
    world.skip_waits();
    let store = &world.app.access.store;
    let note = Note::new(1);
    store.insert(&note).await.unwrap();
    world.take_operations();

    world.faults.plan_at("TransactWriteItems", fault, ALWAYS);
    let changed = store.change(&note.key(), &audit(), |it: &Note| it.write("changed")).await;

    let error = changed.unwrap_err();
    assert!(matches!(error, NoteError::Store(StoreError::Stale | StoreError::Raced)), "{error:?}");
    let calls = world.take_operations();
    assert_eq!(calls.iter().filter(|it| *it == "GetItem").count(), reads);
    assert_eq!(calls.iter().filter(|it| *it == "TransactWriteItems").count(), writes);
}

#[tokio::test]
async fn a_change_whose_response_is_lost_is_applied_once() {
    let world = World::new().await;
    world.skip_waits();
    let store = &world.app.access.store;
    let note = Note::new(1);
    store.insert(&note).await.unwrap();

    world.faults.plan_at("TransactWriteItems", Fault::LostAnswer, 1);
    let changed = store.change(&note.key(), &audit(), |it: &Note| it.write("changed")).await;

    assert_eq!(changed.unwrap().unwrap().version, 1);
    assert_eq!(stored(store, &note).await.unwrap().version, 1);
}

#[tokio::test]
async fn an_older_version_keeps_attributes_that_it_does_not_know() {
    let world = World::new().await;
    let store = &world.app.access.store;
    let color = Some("red".to_owned());
    let new = NewNote { note: Note { color, ..Note::new(1) }, stars: 5 };
    store.insert(&new).await.unwrap();

    let plain = |it: &Note| Ok::<_, StoreError>(Note { color: None, ..it.clone() });
    store.change(&new.key(), &audit(), plain).await.unwrap();
    store.change(&new.key(), &audit_entry(2), |it: &Note| it.write("changed")).await.unwrap();

    let note = Note { text: "changed".to_owned(), version: 2, ..Note::new(1) };
    assert_eq!(store.get(&new.key()).await.unwrap(), Some(NewNote { note, stars: 5 }));
}

#[tokio::test]
async fn a_change_sends_only_the_changed_attributes() {
    let world = World::new().await;
    let store = &world.app.access.store;
    let color = Some("red".to_owned());
    let note = Note { color, ..Note::new(1) };
    store.insert(&note).await.unwrap();
    world.take_calls();

    let plain = |it: &Note| Ok::<_, StoreError>(Note { color: None, ..it.clone() });
    store.change(&note.key(), &audit(), plain).await.unwrap();

    let calls = world.take_calls();
    let update = &calls[1].body["TransactItems"][1]["Update"];
    assert_eq!(update["UpdateExpression"], "SET #version = :next REMOVE #r0");
    assert_eq!(update["ExpressionAttributeNames"]["#r0"], "color");
}

#[tokio::test]
async fn a_removal_checks_the_record_and_writes_an_audit_entry() {
    let world = World::new().await;
    let store = &world.app.access.store;
    let note = Note::new(1);
    let closed = Note { text: "closed".to_owned(), ..Note::new(2) };
    store.insert(&note).await.unwrap();
    store.insert(&closed).await.unwrap();
    world.take_operations();

    let check = |it: &Note| it.write("removed").map(|_| ());
    let removed = store.remove(&note.key(), &audit(), check).await.unwrap();
    assert_eq!(world.take_operations(), ["GetItem", "TransactWriteItems"]);
    let refused = store.remove(&closed.key(), &audit_entry(2), check).await;
    let again = store.remove(&note.key(), &audit_entry(2), check).await.unwrap();

    assert_eq!(removed.as_ref(), Some(&note));
    assert!(matches!(refused, Err(NoteError::Closed)), "{refused:?}");
    assert_eq!(again, None);
    assert_eq!(stored(store, &note).await, None);
    assert_eq!(stored(store, &closed).await, Some(closed));
    assert_eq!(stored_audit(store).await, Some(audit()));
}
