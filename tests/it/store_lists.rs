//! Batches, and lists that are read page by page.

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

const FOR_GOOD: u32 = 1000;

async fn insert(store: &Store, numbers: impl IntoIterator<Item = u64>) {
    let notes: Vec<Note> = numbers.into_iter().map(Note::number).collect();
    store.put_all(&notes).await.unwrap();
}

async fn remove(store: &Store, number: u64) {
    static REMOVALS: AtomicU64 = AtomicU64::new(0);
    let audit = audit_entry(REMOVALS.fetch_add(1, Ordering::Relaxed));
    let check = |_: &Note| Ok::<_, StoreError>(());
    store.remove(&Note::number(number).key(), &audit, check).await.unwrap().unwrap();
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
    world.calls();

    let keys = (1..=250).chain(1..=10).map(|it| Note::number(it).key());
    let read = store.batch::<Note>(keys).await.unwrap();

    let read: BTreeSet<u64> = read.iter().map(|it| it.id.timestamp_ms()).collect();
    assert_eq!(read, (1..=230).collect());
    assert_eq!(world.calls(), ["BatchGetItem"; 3]);
}

#[tokio::test]
async fn a_batch_of_no_keys_costs_nothing() {
    let world = World::new().await;

    let read = world.app.access.store.batch::<Note>([]).await.unwrap();

    assert_eq!(read, []);
    assert_eq!(world.calls(), Vec::<String>::new());
}

#[tokio::test]
async fn many_records_are_put_in_chunks() {
    let world = World::new().await;

    insert(&world.app.access.store, 1..=60).await;

    assert_eq!(world.calls(), ["BatchWriteItem"; 3]);
}

#[tokio::test]
async fn records_that_dynamodb_did_not_process_are_put_again() {
    let world = World::new().await;
    world.no_wait_is_real();
    let store = &world.app.access.store;

    world.faults.plan_at("BatchWriteItem", Fault::Unprocessed, 3);
    insert(store, 1..=5).await;

    assert_eq!(world.calls(), ["BatchWriteItem"; 4]);
    assert_eq!(numbers(&page(store, 10, None, Direction::Ascending).await), [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn records_that_dynamodb_never_processes_are_given_up() {
    let world = World::new().await;
    world.no_wait_is_real();

    world.faults.plan_at("BatchWriteItem", Fault::Unprocessed, FOR_GOOD);
    let put = world.app.access.store.put_all(&[Note::number(1)]).await;

    assert!(matches!(put, Err(StoreError::Unavailable(_))), "{put:?}");
    assert_eq!(world.calls(), ["BatchWriteItem"; 7]);
}

#[rstest]
#[case::ascending(Direction::Ascending, [[1, 2], [3, 4]])]
#[case::descending(Direction::Descending, [[4, 3], [2, 1]])]
#[tokio::test]
async fn a_list_is_read_page_by_page(#[case] direction: Direction, #[case] pages: [[u64; 2]; 2]) {
    let world = World::new().await;
    let store = &world.app.access.store;
    insert(store, 1..=4).await;
    world.calls();

    let first = page(store, 2, None, direction).await;
    let last = page(store, 2, first.next.as_ref(), direction).await;

    assert_eq!(numbers(&first), pages[0]);
    assert_eq!(numbers(&last), pages[1]);
    assert_eq!(last.next, None, "the end is known without another read");
    assert_eq!(world.calls(), ["Query"; 2]);
}

#[tokio::test]
async fn a_list_goes_on_after_each_of_its_records() {
    let world = World::new().await;
    let store = &world.app.access.store;
    insert(store, 1..=4).await;

    let all = page(store, 10, None, Direction::Ascending).await;
    let rest = page(store, 10, Some(&all.records[1].0), Direction::Ascending).await;

    assert_eq!(all.next, None);
    assert_eq!(numbers(&rest), [3, 4]);
}

#[tokio::test]
async fn a_list_goes_on_where_a_record_was_that_is_removed() {
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
async fn a_page_that_is_larger_than_a_megabyte_is_shorter_and_more_follow() {
    let world = World::new().await;
    let store = &world.app.access.store;
    for number in 1..=4 {
        let text = "a".repeat(390_000);
        store.insert(&Note { text, ..Note::number(number) }).await.unwrap();
    }

    let first = page(store, 4, None, Direction::Ascending).await;
    let rest = page(store, 4, first.next.as_ref(), Direction::Ascending).await;

    assert!((1..4).contains(&first.records.len()), "{}", first.records.len());
    assert_eq!([numbers(&first), numbers(&rest)].concat(), [1, 2, 3, 4]);
    assert_eq!(rest.next, None);
}

#[tokio::test]
async fn a_cursor_survives_its_text_form() {
    let world = World::new().await;
    let store = &world.app.access.store;
    insert(store, 1..=3).await;

    let first = page(store, 1, None, Direction::Ascending).await;
    let cursor = Cursor::try_from(first.next.unwrap().to_string()).unwrap();

    assert_eq!(numbers(&page(store, 9, Some(&cursor), Direction::Ascending).await), [2, 3]);
}

#[rstest]
#[case::empty("")]
#[case::not_base64("a cursor")]
#[case::not_text("_w")]
#[case::too_long(&"A".repeat(1368))]
fn a_text_that_is_no_cursor_is_rejected(#[case] text: &str) {
    assert!(Cursor::try_from(text.to_owned()).is_err());
}

#[rstest]
#[case::the_lowest("AQ")]
#[case::the_highest("9I-_vw")]
#[case::of_another_list("VCM")]
#[tokio::test]
async fn a_forged_cursor_does_not_leave_the_list(#[case] text: &str) {
    let world = World::new().await;
    let store = &world.app.access.store;
    insert(store, 1..=3).await;

    let cursor = Cursor::try_from(text.to_owned()).unwrap();

    for direction in [Direction::Ascending, Direction::Descending] {
        let found = numbers(&page(store, 9, Some(&cursor), direction).await);
        assert!(found.is_empty() || found.len() == 3, "{found:?}");
    }
}

/// What happens to a list between two pages.
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

/// Reads a list to its end while records are inserted and removed between the pages. Returns
/// what was read, and which records were there all the time.
async fn read_amid(
    events: Vec<Vec<Event>>,
    limit: usize,
    direction: Direction,
) -> (Vec<u64>, BTreeSet<u64>) {
    let world = World::new().await;
    let store = &world.app.access.store;
    let mut present: BTreeSet<u64> = (0..40).step_by(2).collect();
    insert(store, present.iter().copied()).await;
    let (mut always, mut read, mut after) = (present.clone(), Vec::new(), None);
    let mut events = events.into_iter();
    loop {
        let found = page(store, limit, after.as_ref(), direction).await;
        read.extend(numbers(&found));
        after = found.next;
        if after.is_none() {
            return (read, always);
        }
        for event in events.next().unwrap_or_default() {
            match event {
                Event::Insert(number) if present.insert(number) => insert(store, [number]).await,
                Event::Remove(number) if present.remove(&number) => {
                    always.remove(&number);
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
    fn a_list_shows_each_record_once_that_is_there_all_the_time(
        events in events(),
        limit in 1..7_usize,
        is_ascending in any::<bool>(),
    ) {
        let direction =
            if is_ascending { Direction::Ascending } else { Direction::Descending };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (mut read, always) = runtime.block_on(read_amid(events, limit, direction));
        if !is_ascending {
            read.reverse();
        }

        prop_assert!(read.windows(2).all(|it| it[0] < it[1]), "{read:?}");
        let read: BTreeSet<u64> = read.into_iter().collect();
        prop_assert!(always.is_subset(&read), "{read:?} lacks some of {always:?}");
    }
}
