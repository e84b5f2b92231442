//! What requests consume, in units of capacity: 4 KB that are read, 1 KB that is written, twice
//! that in a transaction.

use arm_api::store::page::{Direction, PageRequest};

use crate::given::{
    ME, ProviderKey, Units, World,
    login::{ACME, Begun, acme, claims, logs_in, tells},
    note::{Note, notes},
    update_access_token,
};

const DAY: i64 = 86_400;

fn units(read: f64, write: f64) -> Units {
    Units { read, write }
}

#[tokio::test]
async fn an_authentication_consumes_one_unit_for_each_record() {
    let world = World::new().await;
    let browser = world.signed_in("ana@acme.test").await;
    let program = browser.makes_token(world.now() + DAY).await;
    program.asks(ME).await;
    world.units();

    program.asks("{ me { userEmail } }").await;
    assert_eq!(world.units(), units(3.0, 0.0), "the user, the memberships and the token");
    browser.asks("{ me { userEmail } }").await;
    assert_eq!(
        world.units(),
        units(4.0, 0.0),
        "the user, the memberships, the session and the slot"
    );
}

#[tokio::test]
async fn a_token_is_created_and_replaced_by_one_transaction() {
    let world = World::new().await;
    let browser = world.signed_in("ana@acme.test").await;
    let create = update_access_token(world.now() + DAY);
    world.units();

    let first = browser.asks(&create).await.new_token();
    assert_eq!(
        world.units(),
        units(4.0, 10.0),
        "the entry, the user, the token, the counter and the slot"
    );
    browser.asks(&create).await.new_token();
    assert_eq!(world.units(), units(4.0, 12.0), "the former token, too");
    world.keep_secret(&first);
}

#[tokio::test]
async fn a_first_use_of_a_token_is_one_write() {
    let world = World::new().await;
    let program = world.program_of("ana@acme.test").await;
    world.units();

    program.asks("{ me { userEmail } }").await;

    assert_eq!(world.units(), units(3.0, 1.0));
}

#[tokio::test]
async fn a_login_consumes_what_its_records_need() {
    let world = acme().await;
    logs_in(&world, 1, |_| ()).await;
    world.units();

    let begun = Begun::at(&world, "/login/acme").await;
    assert_eq!(world.units(), units(0.0, 1.0), "the attempt");
    tells(&world, &ProviderKey::of(1).id_token(&claims(&world, ACME, begun.parameter("nonce"))));
    begun.ends(&world).await;
    assert_eq!(
        world.units(),
        units(3.0, 8.0),
        "reads the attempt, the subject and the user; writes the attempt, the user, the session \
         and the entry"
    );
}

#[tokio::test]
async fn a_page_consumes_what_its_records_have_together() {
    let world = World::new().await;
    let store = &world.app.access.store;
    let all: Vec<Note> = (0..200).map(Note::number).collect();
    world.units();

    store.put_all(&all).await.unwrap();
    assert_eq!(world.units(), units(0.0, 200.0));
    let request = PageRequest { limit: 100, after: None, direction: Direction::Ascending };
    store.page::<Note>(&notes(), &request).await.unwrap();
    assert_eq!(world.units(), units(4.0, 0.0), "101 records of 150 bytes");
}
