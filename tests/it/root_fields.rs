//! Every root field, asked as each role and without a credential. The fields come from the schema
//! and the expected answers from the policy, so a field without an action fails.

use arm_api::domain::{policy::UserAction, role::UserRole};
use serde_json::Value;

use crate::given::{START, World};

/// What is asked of a type in an introspection.
const FIELDS: &str = "fields { name type { kind ofType { kind } } \
                      args { name defaultValue type { kind } } }";

/// A root field of the schema, with the action that it needs.
struct RootField {
    name: String,
    /// A query of the field with all its required arguments.
    query: String,
    action: UserAction,
}

impl RootField {
    fn parse(operation: &str, field: &Value) -> Self {
        let name = field["name"].as_str().unwrap().to_owned();
        let action = UserAction::ALL.iter().find(|it| it.name() == name);
        let action = *action.unwrap_or_else(|| panic!("no action of the policy is for `{name}`"));
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
        _ => panic!("no value is known for the argument `{name}`"),
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
    let schema = world.nobody_asks(&query).await.json()["data"]["__schema"].clone();
    let of = |operation: &str, kind: &str| -> Vec<RootField> {
        let fields = schema[kind]["fields"].as_array().unwrap();
        fields.iter().map(|it| RootField::parse(operation, it)).collect()
    };
    [of("query", "queryType"), of("mutation", "mutationType")].into_iter().flatten().collect()
}

#[tokio::test]
async fn a_root_field_is_open_to_exactly_the_roles_of_the_policy() {
    for field in root_fields().await {
        for role in UserRole::ALL {
            let world = World::new().await;
            let ana = world.signed_in("ana@acme.test").await;
            world.change("ana@acme.test", |it| it.role = *role).await;

            let verdict = ana.asks(&field.query).await.verdict();

            let expected = if role.allows(field.action) { "200" } else { "200 FORBIDDEN" };
            assert_eq!(verdict, expected, "{} as {}", field.name, role.name());
        }
    }
}

#[tokio::test]
async fn no_root_field_is_open_without_a_credential() {
    let world = World::new().await;

    for field in root_fields().await {
        let answer = world.nobody_asks(&field.query).await;

        assert_eq!(answer.verdict(), "200 UNAUTHENTICATED NO_CREDENTIAL", "{}", field.name);
        assert_eq!(answer.message(), "Login required");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"api\""));
    }
    assert_eq!(world.calls(), Vec::<String>::new());
}
