//! Organizations: who sees them, how they are listed, and how they are created.

use arm_api::domain::{
    id::OrganizationId,
    role::{OrganizationRole, UserRole},
};
use arm_api::local::faults::{Calls, Fault, Plan};
use rstest::rstest;
use serde_json::{Value, json};

use crate::given::{Answer, Browser, World};

/// Everything that an organization shows.
const FIELDS: &str = "id name userRole permissions";

fn by_id(id: &str) -> String {
    format!("{{ organization(organizationId: \"{id}\") {{ {FIELDS} }} }}")
}

fn by_name(name: &str) -> String {
    format!("{{ organizationId(organizationName: \"{name}\") {{ {FIELDS} }} }}")
}

fn add(name: &str) -> String {
    format!(
        "mutation {{ addOrganization(name: \"{name}\") {{ success organization {{ {FIELDS} }} }} }}"
    )
}

fn list(arguments: &str) -> String {
    let fields = "edges { cursor node { name } } pageInfo { hasNextPage endCursor }";
    format!("{{ organizations{arguments} {{ {fields} }} }}")
}

/// The answer without what differs in each request.
fn without_request_id(answer: &Answer) -> Value {
    let mut json = answer.json();
    json["errors"][0]["extensions"]["requestId"] = json!("");
    json
}

async fn admin<'w>(world: &'w World, email: &str) -> Browser<'w> {
    let admin = world.signed_in(email).await;
    world.change(email, |it| it.role = UserRole::Admin).await;
    admin
}

async fn world_with(organizations: &[&str]) -> World {
    let world = World::new().await;
    world.signed_in("bob@acme.test").await;
    for name in organizations {
        world.join("bob@acme.test", name, OrganizationRole::UserManager).await;
    }
    world
}

fn names(answer: &Answer) -> Vec<String> {
    let edges = answer.json()["data"]["organizations"]["edges"].as_array().unwrap().clone();
    edges.iter().map(|it| it["node"]["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_stakeholder_finds_their_organization_by_its_id_and_by_its_name() {
    let world = world_with(&["acme"]).await;
    let ana = world.signed_in("ana@acme.test").await;
    world.join("ana@acme.test", "acme", OrganizationRole::UserManager).await;
    let id = world.organization_id("acme").await;
    world.calls();

    let found = ana.asks(&by_id(id.as_str())).await;
    let calls = world.calls();
    let named = ana.asks(&by_name("ACME")).await;

    let acme = json!({
        "id": id.as_str(), "name": "acme", "userRole": "user_manager",
        "permissions": ["organization", "auditLog"],
    });
    assert_eq!(found.json()["data"]["organization"], acme);
    assert_eq!(named.json()["data"]["organizationId"], acme);
    assert_eq!(calls, ["BatchGetItem"], "the memberships answer");
}

#[tokio::test]
async fn a_hidden_organization_is_answered_like_one_that_does_not_exist() {
    let world = world_with(&["hidden"]).await;
    let ana = world.signed_in("ana@acme.test").await;
    let hidden = world.organization_id("hidden").await;
    let missing = OrganizationId::from_entropy([7; 16]);
    world.calls();

    let of_hidden = without_request_id(&ana.asks(&by_id(hidden.as_str())).await);
    let calls_of_hidden = world.calls();
    let of_missing = without_request_id(&ana.asks(&by_id(missing.as_str())).await);
    let calls_of_missing = world.calls();

    assert_eq!(of_hidden["errors"][0]["message"], "Access denied");
    assert_eq!(of_hidden["errors"][0]["extensions"]["code"], "FORBIDDEN");
    assert_eq!(of_hidden, of_missing);
    assert_eq!(calls_of_hidden, calls_of_missing);
}

#[rstest]
#[case::hidden("hidden")]
#[case::missing("missing")]
#[case::not_a_name("no name!")]
#[tokio::test]
async fn a_name_tells_a_stranger_nothing(#[case] name: &str) {
    let world = world_with(&["hidden"]).await;
    let ana = world.signed_in("ana@acme.test").await;

    let answer = ana.asks(&by_name(name)).await;

    assert_eq!(answer.json()["data"], json!({ "organizationId": null }));
    assert_eq!(answer.message(), "Access denied");
}

#[tokio::test]
async fn an_admin_finds_every_organization_by_one_read_more() {
    let world = world_with(&["acme"]).await;
    let ada = admin(&world, "ada@acme.test").await;
    let id = world.organization_id("acme").await;
    world.calls();

    let found = ada.asks(&by_id(id.as_str())).await;
    let calls = world.calls();
    let missing = ada.asks(&by_name("missing")).await;

    assert_eq!(found.json()["data"]["organization"]["userRole"], "admin");
    assert_eq!(calls, ["BatchGetItem", "BatchGetItem"]);
    assert_eq!(missing.message(), "Access denied");
}

#[tokio::test]
async fn organizations_that_a_document_asks_for_by_id_and_by_name_are_read_at_once() {
    let world = world_with(&["acme", "bravo"]).await;
    let ada = admin(&world, "ada@acme.test").await;
    let id = world.organization_id("acme").await;
    world.calls();

    let query = format!(
        "{{
            acme: organization(organizationId: \"{id}\") {{ name }}
            again: organization(organizationId: \"{id}\") {{ name }}
            bravo: organizationId(organizationName: \"bravo\") {{ name }}
            missing: organizationId(organizationName: \"missing\") {{ name }}
            me {{ role(entity: ORGANIZATION, identifier: \"acme\") }}
        }}"
    );
    let answer = ada.asks(&query).await;
    let calls = world.sent_calls();

    let data = answer.json()["data"].clone();
    assert_eq!(data["acme"]["name"], "acme");
    assert_eq!(data["again"]["name"], "acme");
    assert_eq!(data["bravo"]["name"], "bravo");
    assert_eq!(data["missing"], Value::Null);
    assert_eq!(data["me"]["role"], "admin");
    let [_authentication, load] = &calls[..] else { panic!("two calls are expected: {calls:?}") };
    let table = load.body["RequestItems"].as_object().unwrap().values().next().unwrap();
    assert_eq!(table["Keys"].as_array().unwrap().len(), 4, "each key is read once: {table}");
}

#[tokio::test]
async fn a_failed_load_fails_each_field_that_waits_for_it_and_is_in_the_log_line() {
    let world = world_with(&["acme", "bravo"]).await;
    let ada = admin(&world, "ada@acme.test").await;
    let calls = Calls::Of("BatchGetItem");
    world.faults.set(Some(Plan { fault: Fault::Error, calls, after: 1, times: 100 }));

    let query = "{
        acme: organizationId(organizationName: \"acme\") { name }
        bravo: organizationId(organizationName: \"bravo\") { name }
    }";
    let answer = ada.asks(query).await;

    assert_eq!(answer.json()["errors"].as_array().unwrap().len(), 2);
    assert_eq!(answer.json()["errors"][1]["extensions"]["code"], "SERVICE_UNAVAILABLE");
    let log = world.log();
    let line = log.iter().rfind(|it| it["code"] == "SERVICE_UNAVAILABLE").unwrap();
    assert_eq!(line["dynamodbCalls"], 4, "one for the credential, and three attempts");
}

#[tokio::test]
async fn organizations_are_listed_by_name_page_by_page() {
    let world = world_with(&["delta", "acme", "charlie", "bravo"]).await;
    let ada = admin(&world, "ada@acme.test").await;
    world.calls();

    let first = ada.asks(&list("(first: 2)")).await;
    let calls = world.calls();
    world.join("bob@acme.test", "aaa", OrganizationRole::User).await;
    let end = first.json()["data"]["organizations"]["pageInfo"]["endCursor"].clone();
    let second = ada.asks(&list(&format!("(first: 2, after: {end})"))).await;

    assert_eq!(names(&first), ["acme", "bravo"]);
    assert_eq!(first.json()["data"]["organizations"]["pageInfo"]["hasNextPage"], true);
    assert_eq!(names(&second), ["charlie", "delta"]);
    assert_eq!(second.json()["data"]["organizations"]["pageInfo"]["hasNextPage"], false);
    assert_eq!(calls, ["BatchGetItem", "Query"]);
}

#[tokio::test]
async fn a_search_finds_names_that_contain_a_text() {
    let world = world_with(&["acme", "big-acme", "other"]).await;
    let ada = admin(&world, "ada@acme.test").await;

    let all = ada.asks(&list("(search: \"ACME\")")).await;
    let first = ada.asks(&list("(first: 1, search: \"acme\")")).await;
    let end = first.json()["data"]["organizations"]["pageInfo"]["endCursor"].clone();
    let second = ada.asks(&list(&format!("(first: 1, search: \"acme\", after: {end})"))).await;

    assert_eq!(names(&all), ["acme", "big-acme"]);
    assert_eq!(names(&first), ["acme"]);
    assert_eq!(names(&second), ["big-acme"]);
}

#[tokio::test]
async fn a_page_of_no_items_says_whether_there_are_any() {
    let world = world_with(&["acme"]).await;
    let ada = admin(&world, "ada@acme.test").await;

    let answer = ada.asks(&list("(first: 0)")).await;

    assert_eq!(names(&answer), Vec::<String>::new());
    assert_eq!(answer.json()["data"]["organizations"]["pageInfo"]["hasNextPage"], true);
}

#[rstest]
#[case::too_many("(first: 101)", "first")]
#[case::fewer_than_none("(first: -1)", "first")]
#[case::a_foreign_cursor("(after: \"%\")", "after")]
#[tokio::test]
async fn a_wrong_page_argument_is_named(#[case] arguments: &str, #[case] argument: &str) {
    let world = World::new().await;
    let ada = admin(&world, "ada@acme.test").await;

    let answer = ada.asks(&list(arguments)).await;

    let extensions = answer.json()["errors"][0]["extensions"].clone();
    assert_eq!(answer.message(), "Exception - Parameter is not valid");
    assert_eq!(extensions["reason"], "INVALID_ARGUMENT");
    assert_eq!(extensions["argument"], argument);
}

#[tokio::test]
async fn an_admin_creates_an_organization_and_is_its_customer_manager() {
    let world = World::new().await;
    let ada = admin(&world, "ada@acme.test").await;
    world.calls();

    let answer = ada.asks(&add("Acme")).await;
    let calls = world.calls();

    let payload = answer.json()["data"]["addOrganization"].clone();
    assert_eq!(payload["success"], true);
    assert_eq!(payload["organization"]["name"], "acme");
    assert_eq!(calls, ["BatchGetItem", "GetItem", "TransactWriteItems"]);

    world.change("ada@acme.test", |it| it.role = UserRole::User).await;
    let found = ada.asks(&by_name("acme")).await.json();
    assert_eq!(found["data"]["organizationId"]["id"], payload["organization"]["id"]);
    assert_eq!(found["data"]["organizationId"]["userRole"], "customer_manager");
}

#[tokio::test]
async fn a_new_organization_is_in_its_audit_log() {
    let world = World::new().await;
    let ada = admin(&world, "ada@acme.test").await;

    ada.asks(&add("acme")).await;

    let stored = world.stored();
    let entries: Vec<&Value> = stored
        .iter()
        .filter(|it| it["PK"]["S"].as_str().unwrap().starts_with("O#"))
        .filter(|it| it["SK"]["S"].as_str().unwrap().starts_with("A#"))
        .collect();
    let [entry] = entries[..] else { panic!("one entry is expected: {entries:?}") };
    assert_eq!(entry["action"]["S"], "addOrganization");
    assert_eq!(entry["target"]["S"], "acme");
    assert_eq!(entry["author"]["M"]["email"]["S"], "ada@acme.test");
    assert!(entry["author"]["M"]["requestId"]["S"].is_string());
}

#[rstest]
#[case::taken("ACME", "ORGANIZATION_NAME_TAKEN", "Exception - Organization name is invalid")]
#[case::blank(" ", "TEXT_EMPTY", "Exception - Error empty value is not valid")]
#[case::with_a_space("two words", "TEXT_INVALID", "Exception - Invalid characters")]
#[case::with_a_kelvin_sign("\u{212a}elvin", "TEXT_INVALID", "Exception - Invalid characters")]
#[tokio::test]
async fn a_name_that_cannot_be_given_changes_nothing(
    #[case] name: &str,
    #[case] reason: &str,
    #[case] message: &str,
) {
    let world = world_with(&["acme"]).await;
    let ada = admin(&world, "ada@acme.test").await;
    let before = world.stored().len();

    let answer = ada.asks(&add(name)).await;

    let extensions = answer.json()["errors"][0]["extensions"].clone();
    assert_eq!(answer.message(), message);
    assert_eq!(extensions["code"], "BAD_USER_INPUT");
    assert_eq!(extensions["reason"], reason);
    assert_eq!(world.stored().len(), before);
}

#[tokio::test]
async fn two_admins_cannot_give_the_same_name() {
    let world = World::new().await;
    let ada = admin(&world, "ada@acme.test").await;
    let ann = admin(&world, "ann@acme.test").await;

    let query = add("acme");
    let (first, second) = futures_util::join!(ada.asks(&query), ann.asks(&query));

    let is_success = |it: &Answer| it.json()["data"]["addOrganization"]["success"] == true;
    assert_ne!(is_success(&first), is_success(&second));
}
