//! Every root field, queried with each role and without a credential. The fields come from the
//! schema and the expected responses from the policy, so a field without an action fails.

use arm_api::domain::{
    policy::{OrganizationAction, UserAction},
    role::{OrganizationRole, UserRole},
};
use serde_json::Value;

use crate::given::{Browser, START, World};

/// The introspection of a type.
const FIELDS: &str = "fields { name type { kind ofType { kind } } \
                      args { name defaultValue type { kind } } }";

/// The placeholder for the ID of the organization, which is not known before the world is created.
const ORGANIZATION_ID: &str = "$ORGANIZATION_ID";

/// A root field of the schema, with the action that it needs.
struct RootField {
    name: String,
    /// A query of the field with all its required arguments.
    query: String,
    action: Action,
}

/// An action of one of the levels of the policy.
#[derive(Clone, Copy)]
enum Action {
    User(UserAction),
    Organization(OrganizationAction),
}

impl Action {
    fn of_field(name: &str) -> Option<Self> {
        let name = action_name(name);
        let user = UserAction::ALL.iter().find(|it| it.name() == name).copied();
        let organization = OrganizationAction::ALL.iter().find(|it| it.name() == name).copied();
        user.map(Self::User).or(organization.map(Self::Organization))
    }
}

/// The name of the action that a field needs: its own, unless it stands for another field.
fn action_name(field: &str) -> &str {
    match field {
        "createOrganization" => "addOrganization",
        "organizationId" => "organization",
        _ => field,
    }
}

impl RootField {
    fn parse(operation: &str, field: &Value) -> Self {
        let name = field["name"].as_str().unwrap().to_owned();
        let action = Action::of_field(&name);
        let action = action.unwrap_or_else(|| panic!("the policy has no action for `{name}`"));
        let query = format!("{operation} {{ {name}{}{} }}", arguments(field), selection(field));
        Self { name, query, action }
    }
}

/// The required arguments of a field, with a value for each.
fn arguments(field: &Value) -> String {
    let is_required =
        |it: &&Value| it["type"]["kind"] == "NON_NULL" && it["defaultValue"].is_null();
    let all = field["args"].as_array().unwrap().iter().filter(is_required);
    let all: Vec<String> = all.map(|it| argument(it["name"].as_str().unwrap())).collect();
    if all.is_empty() { String::new() } else { format!("({})", all.join(", ")) }
}

fn argument(name: &str) -> String {
    match name {
        "expirationTime" => format!("{name}: {}", START + 60),
        "name" => format!("{name}: \"new\""),
        "organizationId" => format!("{name}: \"{ORGANIZATION_ID}\""),
        "organizationName" => format!("{name}: \"acme\""),
        _ => panic!("add a value for the argument `{name}`"),
    }
}

fn selection(field: &Value) -> &'static str {
    let kinds = [&field["type"]["kind"], &field["type"]["ofType"]["kind"]];
    if kinds.iter().any(|it| *it == "OBJECT") { " { __typename }" } else { "" }
}

/// Reads the root fields from the schema.
async fn root_fields() -> Vec<RootField> {
    let world = World::new().await;
    let query =
        format!("{{ __schema {{ queryType {{ {FIELDS} }} mutationType {{ {FIELDS} }} }} }}");
    let schema = world.query_anonymously(&query).await.json()["data"]["__schema"].clone();
    let of = |operation: &str, kind: &str| -> Vec<RootField> {
        let fields = schema[kind]["fields"].as_array().unwrap();
        fields.iter().map(|it| RootField::parse(operation, it)).collect()
    };
    [of("query", "queryType"), of("mutation", "mutationType")].into_iter().flatten().collect()
}

/// Sends the query of a field to a world in which the organization `acme` exists.
async fn query(world: &World, user: &Browser<'_>, field: &RootField) -> String {
    world.add_member("bob@acme.test", "acme", OrganizationRole::User).await;
    let id = world.organization_id("acme").await;
    user.query(&field.query.replace(ORGANIZATION_ID, id.as_str())).await.verdict()
}

fn expected(is_allowed: bool) -> &'static str {
    if is_allowed { "200" } else { "200 FORBIDDEN" }
}

#[tokio::test]
async fn a_root_field_is_open_to_exactly_the_user_roles_of_the_policy() {
    for field in root_fields().await {
        for role in UserRole::ALL {
            let world = World::new().await;
            world.log_in("bob@acme.test").await;
            let ana = world.log_in("ana@acme.test").await;
            world.change_stakeholder("ana@acme.test", |it| it.role = *role).await;

            let verdict = query(&world, &ana, &field).await;

            let is_allowed = match field.action {
                Action::User(action) => role.allows(action),
                Action::Organization(_) => *role == UserRole::Admin,
            };
            assert_eq!(verdict, expected(is_allowed), "{} as {}", field.name, role.name());
        }
    }
}

#[tokio::test]
async fn a_root_field_is_open_to_exactly_the_organization_roles_of_the_policy() {
    for field in root_fields().await {
        let Action::Organization(action) = field.action else { continue };
        for role in OrganizationRole::ALL.iter().filter(|it| **it != OrganizationRole::Admin) {
            let world = World::new().await;
            world.log_in("bob@acme.test").await;
            let ana = world.log_in("ana@acme.test").await;
            world.add_member("ana@acme.test", "acme", *role).await;

            let verdict = query(&world, &ana, &field).await;

            assert_eq!(verdict, expected(role.allows(action)), "{} as {}", field.name, role.name());
        }
    }
}

#[tokio::test]
async fn no_root_field_is_open_without_a_credential() {
    let world = World::new().await;

    for field in root_fields().await {
        let response = world.query_anonymously(&field.query).await;

        assert_eq!(response.verdict(), "200 UNAUTHENTICATED NO_CREDENTIAL", "{}", field.name);
        assert_eq!(response.message(), "Login required");
        assert_eq!(response.header("www-authenticate"), Some("Bearer realm=\"api\""));
    }
    assert_eq!(world.take_operations(), Vec::<String>::new());
}
