//! Organizations: who sees them, how they are listed, and how they are created.

use arm_api::{
    domain::{
        id::{OrganizationId, OrganizationName},
        memberships::Memberships,
        organization::OrganizationRef,
        policy::in_organization::GrantStakeholder,
        role::{OrganizationRole, UserRole},
        stakeholder::Stakeholder,
    },
    local::faults::{Calls, Fault, Plan},
    store::StoreError,
};
use rstest::rstest;
use serde_json::{Value, json};

use crate::given::{Browser, TestResponse, World};

/// All fields of an organization.
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

/// Returns the body of a response without the request ID, which differs in each request.
fn without_request_id(response: &TestResponse) -> Value {
    let mut json = response.json();
    json["errors"][0]["extensions"]["requestId"] = json!("");
    json
}

async fn admin<'w>(world: &'w World, email: &str) -> Browser<'w> {
    let admin = world.log_in(email).await;
    world.change_stakeholder(email, |it| it.role = UserRole::Admin).await;
    admin
}

async fn world_with(organizations: &[&str]) -> World {
    let world = World::new().await;
    world.log_in("bob@acme.test").await;
    for name in organizations {
        world.add_member("bob@acme.test", name, OrganizationRole::UserManager).await;
    }
    world
}

fn names(response: &TestResponse) -> Vec<String> {
    let edges = response.json()["data"]["organizations"]["edges"].as_array().unwrap().clone();
    edges.iter().map(|it| it["node"]["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_member_finds_an_organization_by_id_and_by_name() {
    let world = world_with(&["acme"]).await;
    let ana = world.log_in("ana@acme.test").await;
    world.add_member("ana@acme.test", "acme", OrganizationRole::UserManager).await;
    let id = world.organization_id("acme").await;
    world.take_operations();

    let found_by_id = ana.query(&by_id(id.as_str())).await;
    let calls = world.take_operations();
    let found_by_name = ana.query(&by_name("ACME")).await;

    let acme = json!({
        "id": id.as_str(), "name": "acme", "userRole": "user_manager",
        "permissions": ["organization", "auditLog", "grantStakeholderOrganizationAccess"],
    });
    assert_eq!(found_by_id.json()["data"]["organization"], acme);
    assert_eq!(found_by_name.json()["data"]["organizationId"], acme);
    assert_eq!(calls, ["BatchGetItem"], "the memberships contain the organization");
}

#[tokio::test]
async fn a_hidden_organization_looks_like_one_that_does_not_exist() {
    let world = world_with(&["hidden"]).await;
    let ana = world.log_in("ana@acme.test").await;
    let hidden = world.organization_id("hidden").await;
    let missing = OrganizationId::from_entropy([7; 16]);
    world.take_operations();

    let hidden_response = without_request_id(&ana.query(&by_id(hidden.as_str())).await);
    let hidden_calls = world.take_operations();
    let missing_response = without_request_id(&ana.query(&by_id(missing.as_str())).await);
    let missing_calls = world.take_operations();

    assert_eq!(hidden_response["errors"][0]["message"], "Access denied");
    assert_eq!(hidden_response["errors"][0]["extensions"]["code"], "FORBIDDEN");
    assert_eq!(hidden_response, missing_response);
    assert_eq!(hidden_calls, missing_calls);
}

#[rstest]
#[case::hidden("hidden")]
#[case::missing("missing")]
#[case::not_a_name("no name!")]
#[tokio::test]
async fn a_non_member_cannot_tell_whether_an_organization_exists(#[case] name: &str) {
    let world = world_with(&["hidden"]).await;
    let ana = world.log_in("ana@acme.test").await;

    let response = ana.query(&by_name(name)).await;

    assert_eq!(response.json()["data"], json!({ "organizationId": null }));
    assert_eq!(response.message(), "Access denied");
}

#[tokio::test]
async fn an_admin_finds_any_organization_with_one_more_read() {
    let world = world_with(&["acme"]).await;
    let ada = admin(&world, "ada@acme.test").await;
    let id = world.organization_id("acme").await;
    world.take_operations();

    let found = ada.query(&by_id(id.as_str())).await;
    let calls = world.take_operations();
    let missing = ada.query(&by_name("missing")).await;

    assert_eq!(found.json()["data"]["organization"]["userRole"], "admin");
    assert_eq!(calls, ["BatchGetItem", "BatchGetItem"]);
    assert_eq!(missing.message(), "Access denied");
}

#[tokio::test]
async fn organizations_in_one_document_are_loaded_with_one_read() {
    let world = world_with(&["acme", "bravo"]).await;
    let ada = admin(&world, "ada@acme.test").await;
    let id = world.organization_id("acme").await;
    world.take_operations();

    let query = format!(
        "{{
            acme: organization(organizationId: \"{id}\") {{ name }}
            again: organization(organizationId: \"{id}\") {{ name }}
            bravo: organizationId(organizationName: \"bravo\") {{ name }}
            missing: organizationId(organizationName: \"missing\") {{ name }}
            me {{ role(entity: ORGANIZATION, identifier: \"acme\") }}
        }}"
    );
    let response = ada.query(&query).await;
    let calls = world.take_calls();

    let data = response.json()["data"].clone();
    assert_eq!(data["acme"]["name"], "acme");
    assert_eq!(data["again"]["name"], "acme");
    assert_eq!(data["bravo"]["name"], "bravo");
    assert_eq!(data["missing"], Value::Null);
    assert_eq!(data["me"]["role"], "admin");
    let [_authentication, load] = &calls[..] else { panic!("expected two calls: {calls:?}") };
    let table = load.body["RequestItems"].as_object().unwrap().values().next().unwrap();
    assert_eq!(table["Keys"].as_array().unwrap().len(), 4, "each key is read once: {table}");
}

#[tokio::test]
async fn a_failed_load_fails_all_waiting_fields_and_is_logged() {
    let world = world_with(&["acme", "bravo"]).await;
    let ada = admin(&world, "ada@acme.test").await;
    let calls = Calls::Of("BatchGetItem");
    world.faults.set(Some(Plan { fault: Fault::Error, calls, after: 1, times: 100 }));

    let query = "{
        acme: organizationId(organizationName: \"acme\") { name }
        bravo: organizationId(organizationName: \"bravo\") { name }
    }";
    let response = ada.query(query).await;

    assert_eq!(response.json()["errors"].as_array().unwrap().len(), 2);
    assert_eq!(response.json()["errors"][1]["extensions"]["code"], "SERVICE_UNAVAILABLE");
    let log = world.log();
    let line = log.iter().rfind(|it| it["code"] == "SERVICE_UNAVAILABLE").unwrap();
    assert_eq!(line["dynamodbCalls"], 4, "one for the credential, and three attempts");
}

#[tokio::test]
async fn organizations_are_listed_by_name_in_pages() {
    let world = world_with(&["delta", "acme", "charlie", "bravo"]).await;
    let ada = admin(&world, "ada@acme.test").await;
    world.take_operations();

    let first = ada.query(&list("(first: 2)")).await;
    let calls = world.take_operations();
    world.add_member("bob@acme.test", "aaa", OrganizationRole::User).await;
    let end = first.json()["data"]["organizations"]["pageInfo"]["endCursor"].clone();
    let second = ada.query(&list(&format!("(first: 2, after: {end})"))).await;

    assert_eq!(names(&first), ["acme", "bravo"]);
    assert_eq!(first.json()["data"]["organizations"]["pageInfo"]["hasNextPage"], true);
    assert_eq!(names(&second), ["charlie", "delta"]);
    assert_eq!(second.json()["data"]["organizations"]["pageInfo"]["hasNextPage"], false);
    assert_eq!(calls, ["BatchGetItem", "Query"]);
}

#[tokio::test]
async fn a_search_finds_names_that_contain_the_search_text() {
    let world = world_with(&["acme", "big-acme", "other"]).await;
    let ada = admin(&world, "ada@acme.test").await;

    let all = ada.query(&list("(search: \"ACME\")")).await;
    let first = ada.query(&list("(first: 1, search: \"acme\")")).await;
    let end = first.json()["data"]["organizations"]["pageInfo"]["endCursor"].clone();
    let second = ada.query(&list(&format!("(first: 1, search: \"acme\", after: {end})"))).await;

    assert_eq!(names(&all), ["acme", "big-acme"]);
    assert_eq!(names(&first), ["acme"]);
    assert_eq!(names(&second), ["big-acme"]);
}

#[tokio::test]
async fn an_empty_page_says_whether_there_are_more() {
    let world = world_with(&["acme"]).await;
    let ada = admin(&world, "ada@acme.test").await;

    let response = ada.query(&list("(first: 0)")).await;

    assert_eq!(names(&response), Vec::<String>::new());
    assert_eq!(response.json()["data"]["organizations"]["pageInfo"]["hasNextPage"], true);
}

#[rstest]
#[case::too_many("(first: 101)", "first")]
#[case::negative("(first: -1)", "first")]
#[case::an_invalid_cursor("(after: \"%\")", "after")]
#[tokio::test]
async fn an_invalid_paging_argument_of_organizations_is_named_in_the_error(
    #[case] arguments: &str,
    #[case] argument: &str,
) {
    let world = World::new().await;
    let ada = admin(&world, "ada@acme.test").await;

    let response = ada.query(&list(arguments)).await;

    let extensions = response.json()["errors"][0]["extensions"].clone();
    assert_eq!(response.message(), "Exception - Parameter is not valid");
    assert_eq!(extensions["reason"], "INVALID_ARGUMENT");
    assert_eq!(extensions["argument"], argument);
}

#[tokio::test]
async fn an_admin_who_creates_an_organization_becomes_its_customer_manager() {
    let world = World::new().await;
    let ada = admin(&world, "ada@acme.test").await;
    world.take_operations();

    let response = ada.query(&add("Acme")).await;
    let calls = world.take_operations();

    let payload = response.json()["data"]["addOrganization"].clone();
    assert_eq!(payload["success"], true);
    assert_eq!(payload["organization"]["name"], "acme");
    assert_eq!(calls, ["BatchGetItem", "GetItem", "TransactWriteItems"]);

    world.change_stakeholder("ada@acme.test", |it| it.role = UserRole::User).await;
    let found = ada.query(&by_name("acme")).await.json();
    assert_eq!(found["data"]["organizationId"]["id"], payload["organization"]["id"]);
    assert_eq!(found["data"]["organizationId"]["userRole"], "customer_manager");
}

#[tokio::test]
async fn a_user_can_have_at_most_100_organizations() {
    let world = World::new().await;
    let ada = admin(&world, "ada@acme.test").await;
    for number in 0..99 {
        world.add_member("ada@acme.test", &format!("acme-{number}"), OrganizationRole::User).await;
    }

    let (first, second) = (add("first"), add("second"));
    let (first, second) = futures_util::join!(ada.query(&first), ada.query(&second));
    let third = ada.query(&add("third")).await;

    let is_success = |it: &TestResponse| it.json()["data"]["addOrganization"]["success"] == true;
    assert_ne!(is_success(&first), is_success(&second), "both requests read 99 organizations");
    assert_eq!(third.json()["errors"][0]["extensions"]["reason"], "LIMIT_REACHED");
    assert_eq!(third.json()["errors"][0]["extensions"]["limit"], 100);
}

#[tokio::test]
async fn a_stakeholder_is_not_added_to_an_organization_that_does_not_exist() {
    let world = World::new().await;
    world.log_in("ana@acme.test").await;
    let ana = world.stakeholder("ana@acme.test").await;
    let admin = Stakeholder { role: UserRole::Admin, ..ana.clone() };
    let organization = OrganizationRef {
        id: OrganizationId::from_entropy([7; 16]),
        name: OrganizationName::try_from("missing".to_owned()).unwrap(),
    };
    let memberships = Memberships::none(ana.id.clone());
    let permitted = admin.permit_in(organization, &memberships, GrantStakeholder).unwrap();

    let (store, entry) = (&world.app.access.store, world.audit_entry(&ana));
    let added = store.set_member(&permitted, &ana, OrganizationRole::User, &entry).await;

    assert!(matches!(added, Err(StoreError::Guard)), "{added:?}");
}

#[tokio::test]
async fn the_audit_log_records_the_creation_of_an_organization() {
    let world = World::new().await;
    let ada = admin(&world, "ada@acme.test").await;

    ada.query(&add("acme")).await;

    let stored = world.stored_items();
    let entries: Vec<&Value> = stored
        .iter()
        .filter(|it| it["PK"]["S"].as_str().unwrap().starts_with("O#"))
        .filter(|it| it["SK"]["S"].as_str().unwrap().starts_with("A#"))
        .collect();
    let [entry] = entries[..] else { panic!("expected one entry: {entries:?}") };
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
async fn an_invalid_or_taken_name_changes_nothing(
    #[case] name: &str,
    #[case] reason: &str,
    #[case] message: &str,
) {
    let world = world_with(&["acme"]).await;
    let ada = admin(&world, "ada@acme.test").await;
    let before = world.stored_items().len();

    let response = ada.query(&add(name)).await;

    let extensions = response.json()["errors"][0]["extensions"].clone();
    assert_eq!(response.message(), message);
    assert_eq!(extensions["code"], "BAD_USER_INPUT");
    assert_eq!(extensions["reason"], reason);
    assert_eq!(world.stored_items().len(), before);
}

#[tokio::test]
async fn two_concurrent_organizations_cannot_have_the_same_name() {
    let world = World::new().await;
    let ada = admin(&world, "ada@acme.test").await;
    let ann = admin(&world, "ann@acme.test").await;

    let query = add("acme");
    let (first, second) = futures_util::join!(ada.query(&query), ann.query(&query));

    let is_success = |it: &TestResponse| it.json()["data"]["addOrganization"]["success"] == true;
    assert_ne!(is_success(&first), is_success(&second));
}
