//! The capacity units that requests consume: one for 4 KB read or 1 KB written, twice as many in a
//! transaction.

use arm_api::store::page::{Direction, PageRequest};

use crate::given::{
    ME, ProviderKey, Units, World,
    login::{ACME, StartedLogin, acme, claims, log_in, set_id_token},
    note::{Note, notes},
    update_access_token,
};

const DAY: i64 = 86_400;

fn capacity(read: f64, write: f64) -> Units {
    Units { read, write }
}

#[tokio::test]
async fn authentication_consumes_one_unit_for_each_record() {
    let world = World::new().await;
    let browser = world.log_in("ana@acme.test").await;
    let program = browser.create_token(world.now() + DAY).await;
    program.query(ME).await;
    world.take_consumed_capacity();

    program.query("{ me { userEmail } }").await;
    assert_eq!(
        world.take_consumed_capacity(),
        capacity(3.0, 0.0),
        "the user, the memberships and the token"
    );
    browser.query("{ me { userEmail } }").await;
    assert_eq!(
        world.take_consumed_capacity(),
        capacity(4.0, 0.0),
        "the user, the memberships, the session and the slot"
    );
}

#[tokio::test]
async fn creating_or_replacing_a_token_is_one_transaction() {
    let world = World::new().await;
    let browser = world.log_in("ana@acme.test").await;
    let create = update_access_token(world.now() + DAY);
    world.take_consumed_capacity();

    let first = browser.query(&create).await.new_token();
    assert_eq!(
        world.take_consumed_capacity(),
        capacity(4.0, 10.0),
        "the entry, the user, the token, the counter and the slot"
    );
    browser.query(&create).await.new_token();
    assert_eq!(world.take_consumed_capacity(), capacity(4.0, 12.0), "and the old token");
    world.register_secret(&first);
}

#[tokio::test]
async fn the_first_use_of_a_token_is_one_write() {
    let world = World::new().await;
    let program = world.program_for("ana@acme.test").await;
    world.take_consumed_capacity();

    program.query("{ me { userEmail } }").await;

    assert_eq!(world.take_consumed_capacity(), capacity(3.0, 1.0));
}

#[tokio::test]
async fn a_login_consumes_the_capacity_of_its_records() {
    let world = acme().await;
    log_in(&world, 1, |_| ()).await;
    world.take_consumed_capacity();

    let login = StartedLogin::start(&world, "/login/acme").await;
    assert_eq!(world.take_consumed_capacity(), capacity(0.0, 1.0), "the attempt");
    set_id_token(
        &world,
        &ProviderKey::from_seed(1).id_token(&claims(&world, ACME, login.parameter("nonce"))),
    );
    login.finish(&world).await;
    assert_eq!(
        world.take_consumed_capacity(),
        capacity(3.0, 8.0),
        "reads the attempt, the subject and the user; writes the attempt, the user, the session \
         and the entry"
    );
}

#[tokio::test]
async fn a_page_consumes_the_capacity_of_its_total_size() {
    let world = World::new().await;
    let store = &world.app.access.store;
    let all: Vec<Note> = (0..200).map(Note::new).collect();
    world.take_consumed_capacity();

    store.put_all(&all).await.unwrap();
    assert_eq!(world.take_consumed_capacity(), capacity(0.0, 200.0));
    let request = PageRequest { limit: 100, after: None, direction: Direction::Ascending };
    store.page::<Note>(&notes(), &request).await.unwrap();
    assert_eq!(world.take_consumed_capacity(), capacity(4.0, 0.0), "101 records of 150 bytes");
}
