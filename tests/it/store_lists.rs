//! Batches, and lists that are read in pages.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicU64, Ordering},
};

use arm_api::{
    local::faults::Fault,
    store::{
        Record, Store, StoreError,
        cursor::Cursor,
        page::{Direction, Page, PageRequest},
    },
};
use proptest::prelude::*;
use rstest::rstest;

use crate::given::{
    World,
    note::{Note, audit_entry, notes},
};

const ALWAYS: u32 = 1000;

async fn insert(store: &Store, numbers: impl IntoIterator<Item = u64>) {
    let notes: Vec<Note> = numbers.into_iter().map(Note::new).collect();
    store.put_all(&notes).await.unwrap();
}

async fn remove(store: &Store, number: u64) {
    static REMOVALS: AtomicU64 = AtomicU64::new(0);
    let audit = audit_entry(REMOVALS.fetch_add(1, Ordering::Relaxed));
    let check = |_: &Note| Ok::<_, StoreError>(());
    store.remove(&Note::new(number).key(), &audit, check).await.unwrap().unwrap();
}

async fn page(
    store: &Store,
    limit: usize,
    after: Option<&Cursor>,
    direction: Direction,
) -> Page<Note> {
    let request = PageRequest { limit, after: after.cloned(), direction };
    store.page(&notes(), &request).await.unwrap()
}

fn numbers(page: &Page<Note>) -> Vec<u64> {
    page.records.iter().map(|(_, note)| note.id.timestamp_ms()).collect()
}

#[tokio::test]
async fn a_batch_of_any_size_is_read_in_chunks() {
    let world = World::new().await;
    let store = &world.app.access.store;
    insert(store, 1..=230).await;
    world.take_operations();

    let keys = (1..=250).chain(1..=10).map(|it| Note::new(it).key());
    let read = store.batch::<Note>(keys).await.unwrap();

    let read: BTreeSet<u64> = read.iter().map(|it| it.id.timestamp_ms()).collect();
    assert_eq!(read, (1..=230).collect());
    assert_eq!(world.take_operations(), ["BatchGetItem"; 3]);
}

#[tokio::test]
async fn an_empty_batch_makes_no_call() {
    let world = World::new().await;

    let read = world.app.access.store.batch::<Note>([]).await.unwrap();

    assert_eq!(read, []);
    assert_eq!(world.take_operations(), Vec::<String>::new());
}

#[tokio::test]
async fn many_records_are_put_in_chunks() {
    let world = World::new().await;

    insert(&world.app.access.store, 1..=60).await;

    assert_eq!(world.take_operations(), ["BatchWriteItem"; 3]);
}

#[tokio::test]
async fn unprocessed_records_are_written_again() {
    let world = World::new().await;
    world.skip_waits();
    let store = &world.app.access.store;

    world.faults.plan_at("BatchWriteItem", Fault::Unprocessed, 3);
    insert(store, 1..=5).await;

    assert_eq!(world.take_operations(), ["BatchWriteItem"; 4]);
    assert_eq!(numbers(&page(store, 10, None, Direction::Ascending).await), [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn records_that_stay_unprocessed_are_an_error() {
    let world = World::new().await;
    world.skip_waits();

    world.faults.plan_at("BatchWriteItem", Fault::Unprocessed, ALWAYS);
    let put = world.app.access.store.put_all(&[Note::new(1)]).await;

    assert!(matches!(put, Err(StoreError::Unavailable(_))), "{put:?}");
    assert_eq!(world.take_operations(), ["BatchWriteItem"; 7]);
}

#[rstest]
#[case::ascending(Direction::Ascending, [[1, 2], [3, 4]])]
#[case::descending(Direction::Descending, [[4, 3], [2, 1]])]
#[tokio::test]
async fn a_list_is_read_in_pages(#[case] direction: Direction, #[case] pages: [[u64; 2]; 2]) {
    let world = World::new().await;
    let store = &world.app.access.store;
    insert(store, 1..=4).await;
    world.take_operations();

    let first = page(store, 2, None, direction).await;
    let last = page(store, 2, first.next.as_ref(), direction).await;

    assert_eq!(numbers(&first), pages[0]);
    assert_eq!(numbers(&last), pages[1]);
    assert_eq!(last.next, None, "no other read is needed to find the end");
    assert_eq!(world.take_operations(), ["Query"; 2]);
}

#[tokio::test]
async fn a_list_continues_after_the_cursor_of_any_record() {
    let world = World::new().await;
    let store = &world.app.access.store;
    insert(store, 1..=4).await;

    let all = page(store, 10, None, Direction::Ascending).await;
    let rest = page(store, 10, Some(&all.records[1].0), Direction::Ascending).await;

    assert_eq!(all.next, None);
    assert_eq!(numbers(&rest), [3, 4]);
}

#[tokio::test]
async fn a_list_continues_after_a_record_that_was_removed() {
    let world = World::new().await;
    let store = &world.app.access.store;
    insert(store, [1, 2, 3, 5]).await;

    let first = page(store, 2, None, Direction::Ascending).await;
    remove(store, 2).await;
    insert(store, [0, 4]).await;
    let rest = page(store, 10, first.next.as_ref(), Direction::Ascending).await;

    assert_eq!(numbers(&rest), [3, 4, 5]);
}

#[tokio::test]
async fn a_page_is_limited_to_a_megabyte_and_the_list_continues() {
    let world = World::new().await;
    let store = &world.app.access.store;
    for number in 1..=4 {
        let text = "a".repeat(390_000);
        store.insert(&Note { text, ..Note::new(number) }).await.unwrap();
    }

    let first = page(store, 4, None, Direction::Ascending).await;
    let rest = page(store, 4, first.next.as_ref(), Direction::Ascending).await;

    assert!((1..4).contains(&first.records.len()), "{}", first.records.len());
    assert_eq!([numbers(&first), numbers(&rest)].concat(), [1, 2, 3, 4]);
    assert_eq!(rest.next, None);
}

#[tokio::test]
async fn a_cursor_can_be_converted_to_text_and_back() {
    let world = World::new().await;
    let store = &world.app.access.store;
    insert(store, 1..=3).await;

    let first = page(store, 1, None, Direction::Ascending).await;
    let cursor = first.next.unwrap().to_string().parse::<Cursor>().unwrap();

    assert_eq!(numbers(&page(store, 9, Some(&cursor), Direction::Ascending).await), [2, 3]);
}

#[rstest]
#[case::empty("")]
#[case::not_base64("a cursor")]
#[case::not_text("_w")]
#[case::too_long(&"A".repeat(1368))]
fn text_that_is_not_a_cursor_is_rejected(#[case] text: &str) {
    assert!(text.parse::<Cursor>().is_err());
}

#[rstest]
#[case::the_lowest("AQ")]
#[case::the_highest("9I-_vw")]
#[case::of_another_list("VCM")]
#[tokio::test]
async fn a_forged_cursor_cannot_read_another_list(#[case] text: &str) {
    let world = World::new().await;
    let store = &world.app.access.store;
    insert(store, 1..=3).await;

    let cursor = text.parse::<Cursor>().unwrap();

    for direction in [Direction::Ascending, Direction::Descending] {
        let found = numbers(&page(store, 9, Some(&cursor), direction).await);
        assert!(found.is_empty() || found.len() == 3, "{found:?}");
    }
}

/// A change to a list between two pages.
#[derive(Clone, Copy, Debug)]
enum Event {
    Insert(u64),
    Remove(u64),
}

fn events() -> impl Strategy<Value = Vec<Vec<Event>>> {
    let event =
        prop_oneof![(0..40_u64).prop_map(Event::Insert), (0..40_u64).prop_map(Event::Remove)];
    proptest::collection::vec(proptest::collection::vec(event, 0..4), 12)
}

/// Reads a list to its end while records are inserted and removed between the pages. Returns the
/// records that were read, and those that were never removed.
async fn read_during_changes(
    events: Vec<Vec<Event>>,
    limit: usize,
    direction: Direction,
) -> (Vec<u64>, BTreeSet<u64>) {
    let world = World::new().await;
    let store = &world.app.access.store;
    let mut present: BTreeSet<u64> = (0..40).step_by(2).collect();
    insert(store, present.iter().copied()).await;
    let mut never_removed = present.clone();
    let mut read = Vec::new();
    let mut after = None;
    let mut events = events.into_iter();
    loop {
        let found = page(store, limit, after.as_ref(), direction).await;
        read.extend(numbers(&found));
        after = found.next;
        if after.is_none() {
            return (read, never_removed);
        }
        for event in events.next().unwrap_or_default() {
            match event {
                Event::Insert(number) if present.insert(number) => insert(store, [number]).await,
                Event::Remove(number) if present.remove(&number) => {
                    never_removed.remove(&number);
                    remove(store, number).await;
                }
                Event::Insert(_) | Event::Remove(_) => {}
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_record_that_is_never_removed_is_listed_exactly_once(
        events in events(),
        limit in 1..7_usize,
        is_ascending in any::<bool>(),
    ) {
        let direction =
            if is_ascending { Direction::Ascending } else { Direction::Descending };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (mut read, never_removed) = runtime.block_on(read_during_changes(events, limit, direction));
        if !is_ascending {
            read.reverse();
        }

        prop_assert!(read.windows(2).all(|it| it[0] < it[1]), "{read:?}");
        let read: BTreeSet<u64> = read.into_iter().collect();
        prop_assert!(never_removed.is_subset(&read), "{read:?} does not contain {never_removed:?}");
    }
}
