//! The capacity units that requests consume: one for 4 KB read or 1 KB written, twice as many in a
//! transaction.

use std::collections::BTreeMap;

use arm_api::{
    domain::role::{OrganizationRole, UserRole},
    store::page::{Direction, PageRequest},
};
use serde_json::Value;

use crate::given::{
    Call, ME, ProviderKey, Units, World,
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

/// Adds up the units of each partition, for records of at most 4 KB read and 1 KB written.
fn units_by_partition(calls: &[Call]) -> BTreeMap<String, u32> {
    let mut units = BTreeMap::new();
    for Call { operation, body, .. } in calls {
        let unit = if operation == "TransactWriteItems" { 2 } else { 1 };
        for partition in partitions(body) {
            *units.entry(partition).or_default() += unit;
        }
    }
    units
}

/// Returns the partition key of each record that a call reads or writes.
fn partitions(json: &Value) -> Vec<String> {
    match json {
        Value::Object(fields) => match fields.get("PK") {
            Some(key) => vec![key["S"].as_str().unwrap().to_owned()],
            None => fields.values().flat_map(partitions).collect(),
        },
        Value::Array(items) => items.iter().flat_map(partitions).collect(),
        _ => Vec::new(),
    }
}

#[tokio::test]
async fn a_request_with_a_token_uses_only_the_partition_of_its_user() {
    let world = World::new().await;
    let program = world.program_for("ana@acme.test").await;
    program.query(ME).await;
    world.take_calls();

    program.query("{ me { userEmail organizations { name } } }").await;

    let user = world.stakeholder("ana@acme.test").await.id;
    let calls = world.take_calls();
    let expected = BTreeMap::from([(format!("U#{user}"), 3)]);
    assert_eq!(units_by_partition(&calls[..1]), expected, "1,000 requests per second use 3,000");
}

#[tokio::test]
async fn creating_an_organization_uses_two_units_of_the_partition_of_all_names() {
    let world = World::new().await;
    let browser = world.log_in("ada@acme.test").await;
    world.add_member("ada@acme.test", "first", OrganizationRole::User).await;
    world.change_stakeholder("ada@acme.test", |it| it.role = UserRole::Admin).await;
    browser.query("{ me { userEmail } }").await;
    world.take_calls();
    world.take_consumed_capacity();

    let mutation = "mutation { addOrganization(name: \"second\") { organization { id } } }";
    let response = browser.query(mutation).await;

    let consumed = world.take_consumed_capacity();
    let id = response.json()["data"]["addOrganization"]["organization"]["id"].clone();
    let organization = id.as_str().unwrap().replace("ORG#", "O#");
    let units = units_by_partition(&world.take_calls());
    assert_eq!(units["O#names"], 2, "the name");
    assert_eq!(units[&organization], 6, "the organization, the member and the audit entry");
    let total = f64::from(units.values().sum::<u32>());
    assert_eq!(capacity(consumed.read, total - consumed.read), consumed, "{units:?}");
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
