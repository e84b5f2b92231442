//! Inserts, changes and removals of one record, and what happens when two of them meet.

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

const FOR_GOOD: u32 = 1000;

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
    store.insert(&Note::number(1)).await.unwrap();
    world.calls();

    let other = Note { text: "other".to_owned(), ..Note::number(1) };
    let second = store.insert(&other).await;

    assert!(matches!(second, Err(StoreError::Exists)), "{second:?}");
    assert_eq!(world.calls(), ["PutItem"]);
    assert_eq!(stored(store, &other).await, Some(Note::number(1)));
}

#[tokio::test]
async fn an_insert_whose_response_is_lost_succeeds() {
    let world = World::new().await;
    world.no_wait_is_real();
    let store = &world.app.access.store;

    world.faults.plan_at("PutItem", Fault::LostAnswer, 1);

    store.insert(&Note::number(1)).await.unwrap();
    assert_eq!(world.calls(), ["PutItem", "PutItem"]);
}

#[tokio::test]
async fn a_change_writes_its_audit_entry_in_the_same_transaction() {
    let world = World::new().await;
    let store = &world.app.access.store;
    let note = Note::number(1);
    store.insert(&note).await.unwrap();
    world.calls();

    let changed = store.change(&note.key(), &audit(), |it: &Note| it.write("changed")).await;

    let expected = Note { text: "changed".to_owned(), version: 1, ..note };
    assert_eq!(world.calls(), ["GetItem", "TransactWriteItems"]);
    assert_eq!(changed.unwrap().as_ref(), Some(&expected));
    assert_eq!(stored(store, &expected).await.as_ref(), Some(&expected));
    assert_eq!(stored_audit(store).await, Some(audit()));
}

#[tokio::test]
async fn a_change_that_changes_nothing_writes_nothing() {
    let world = World::new().await;
    let store = &world.app.access.store;
    let note = Note::number(1);
    store.insert(&note).await.unwrap();
    world.calls();

    let changed = store.change(&note.key(), &audit(), |it: &Note| it.write("new")).await.unwrap();

    assert_eq!(changed, Some(note));
    assert_eq!(world.calls(), ["GetItem"]);
}

#[tokio::test]
async fn a_change_of_a_record_that_does_not_exist_says_so() {
    let world = World::new().await;
    let store = &world.app.access.store;

    let key = Note::number(1).key();
    let changed = store.change(&key, &audit(), |it: &Note| it.write("changed")).await.unwrap();

    assert_eq!(changed, None);
    assert_eq!(stored_audit(store).await, None);
}

#[tokio::test]
async fn a_change_that_the_rules_forbid_writes_nothing() {
    let world = World::new().await;
    let store = &world.app.access.store;
    let note = Note { text: "closed".to_owned(), ..Note::number(1) };
    store.insert(&note).await.unwrap();

    let changed = store.change(&note.key(), &audit(), |it: &Note| it.write("changed")).await;

    assert!(matches!(changed, Err(NoteError::Closed)), "{changed:?}");
    assert_eq!(stored(store, &note).await.as_ref(), Some(&note));
    assert_eq!(stored_audit(store).await, None);
}

#[tokio::test]
async fn of_two_changes_at_the_same_time_none_is_lost() {
    let world = World::new().await;
    world.no_wait_is_real();
    let store = &world.app.access.store;
    let note = Note::number(1);
    store.insert(&note).await.unwrap();
    world.calls();

    let color =
        |it: &Note| Ok::<_, StoreError>(Note { color: Some("red".to_owned()), ..it.clone() });
    let (key, audit, other_audit) = (note.key(), audit(), audit_entry(2));
    world.rivals_meet(2);
    let (one, other) = tokio::join!(
        store.change(&key, &audit, |it: &Note| it.write("changed")),
        store.change(&key, &other_audit, color),
    );

    assert!(one.unwrap().is_some());
    assert!(other.unwrap().is_some());
    let color = Some("red".to_owned());
    let both = Note { text: "changed".to_owned(), color, version: 2, ..note };
    assert_eq!(stored(store, &both).await.as_ref(), Some(&both));
    assert_eq!(world.calls().iter().filter(|it| *it == "TransactWriteItems").count(), 3);
}

#[rstest]
#[case::stale(Fault::Changed, 8, 8)]
#[case::raced(Fault::Conflict, 1, 6)]
#[tokio::test]
async fn a_change_that_never_succeeds_is_given_up(
    #[case] fault: Fault,
    #[case] reads: usize,
    #[case] writes: usize,
) {
    let world = World::new().await;
    world.no_wait_is_real();
    let store = &world.app.access.store;
    let note = Note::number(1);
    store.insert(&note).await.unwrap();
    world.calls();

    world.faults.plan_at("TransactWriteItems", fault, FOR_GOOD);
    let changed = store.change(&note.key(), &audit(), |it: &Note| it.write("changed")).await;

    let error = changed.unwrap_err();
    assert!(matches!(error, NoteError::Store(StoreError::Stale | StoreError::Raced)), "{error:?}");
    let calls = world.calls();
    assert_eq!(calls.iter().filter(|it| *it == "GetItem").count(), reads);
    assert_eq!(calls.iter().filter(|it| *it == "TransactWriteItems").count(), writes);
}

#[tokio::test]
async fn a_change_whose_response_is_lost_happens_once() {
    let world = World::new().await;
    world.no_wait_is_real();
    let store = &world.app.access.store;
    let note = Note::number(1);
    store.insert(&note).await.unwrap();

    world.faults.plan_at("TransactWriteItems", Fault::LostAnswer, 1);
    let changed = store.change(&note.key(), &audit(), |it: &Note| it.write("changed")).await;

    assert_eq!(changed.unwrap().unwrap().version, 1);
    assert_eq!(stored(store, &note).await.unwrap().version, 1);
}

#[tokio::test]
async fn an_older_version_of_the_program_keeps_an_attribute_that_it_does_not_know() {
    let world = World::new().await;
    let store = &world.app.access.store;
    let color = Some("red".to_owned());
    let new = NewNote { note: Note { color, ..Note::number(1) }, stars: 5 };
    store.insert(&new).await.unwrap();

    let plain = |it: &Note| Ok::<_, StoreError>(Note { color: None, ..it.clone() });
    store.change(&new.key(), &audit(), plain).await.unwrap();
    store.change(&new.key(), &audit_entry(2), |it: &Note| it.write("changed")).await.unwrap();

    let note = Note { text: "changed".to_owned(), version: 2, ..Note::number(1) };
    assert_eq!(store.get(&new.key()).await.unwrap(), Some(NewNote { note, stars: 5 }));
}

#[tokio::test]
async fn a_change_sends_the_attributes_that_it_changes_and_no_others() {
    let world = World::new().await;
    let store = &world.app.access.store;
    let color = Some("red".to_owned());
    let note = Note { color, ..Note::number(1) };
    store.insert(&note).await.unwrap();
    world.sent_calls();

    let plain = |it: &Note| Ok::<_, StoreError>(Note { color: None, ..it.clone() });
    store.change(&note.key(), &audit(), plain).await.unwrap();

    let calls = world.sent_calls();
    let update = &calls[1].body["TransactItems"][1]["Update"];
    assert_eq!(update["UpdateExpression"], "SET #version = :next REMOVE #r0");
    assert_eq!(update["ExpressionAttributeNames"]["#r0"], "color");
}

#[tokio::test]
async fn a_removal_checks_what_it_removes_and_leaves_an_audit_entry() {
    let world = World::new().await;
    let store = &world.app.access.store;
    let (note, closed) = (Note::number(1), Note { text: "closed".to_owned(), ..Note::number(2) });
    store.insert(&note).await.unwrap();
    store.insert(&closed).await.unwrap();
    world.calls();

    let check = |it: &Note| it.write("removed").map(|_| ());
    let removed = store.remove(&note.key(), &audit(), check).await.unwrap();
    assert_eq!(world.calls(), ["GetItem", "TransactWriteItems"]);
    let refused = store.remove(&closed.key(), &audit_entry(2), check).await;
    let again = store.remove(&note.key(), &audit_entry(2), check).await.unwrap();

    assert_eq!(removed.as_ref(), Some(&note));
    assert!(matches!(refused, Err(NoteError::Closed)), "{refused:?}");
    assert_eq!(again, None);
    assert_eq!(stored(store, &note).await, None);
    assert_eq!(stored(store, &closed).await, Some(closed));
    assert_eq!(stored_audit(store).await, Some(audit()));
}
