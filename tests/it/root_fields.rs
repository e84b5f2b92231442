//! Every root field, and whom it opens to: a field without a row fails, and each field
//! is asked as each role and as a stranger.

use arm_api::domain::{policy::UserAction, role::UserRole};
use serde_json::Value;

use crate::given::{INVALIDATE, ME, START, World, update_access_token};

/// A root field of the schema.
struct RootField {
    name: &'static str,
    query: String,
    opens_to: UserAction,
}

fn root_fields() -> Vec<RootField> {
    vec![
        RootField { name: "me", query: ME.to_owned(), opens_to: UserAction::ReadMe },
        RootField {
            name: "updateAccessToken",
            query: update_access_token(START + 60),
            opens_to: UserAction::UpdateAccessToken,
        },
        RootField {
            name: "invalidateAccessToken",
            query: INVALIDATE.to_owned(),
            opens_to: UserAction::InvalidateAccessToken,
        },
    ]
}

#[tokio::test]
async fn every_root_field_has_a_row() {
    let world = World::new().await;

    let types = "queryType { fields { name } } mutationType { fields { name } }";
    let schema =
        world.nobody_asks(&format!("{{ __schema {{ {types} }} }}")).await.json()["data"]["__schema"].clone();

    let fields = ["queryType", "mutationType"]
        .iter()
        .flat_map(|it| schema[it]["fields"].as_array().unwrap().clone());
    let mut names: Vec<String> =
        fields.map(|it: Value| it["name"].as_str().unwrap().to_owned()).collect();
    let mut rows: Vec<String> = root_fields().iter().map(|it| it.name.to_owned()).collect();
    names.sort();
    rows.sort();
    assert_eq!(names, rows);
}

#[tokio::test]
async fn every_root_field_is_open_to_the_roles_of_the_policy() {
    for role in UserRole::ALL {
        for field in root_fields() {
            let world = World::new().await;
            let ana = world.signed_in("ana@acme.test").await;
            world.change("ana@acme.test", |it| it.role = *role).await;

            let verdict = ana.asks(&field.query).await.verdict();

            let expected = if role.allows(field.opens_to) { "200" } else { "200 FORBIDDEN" };
            assert_eq!(verdict, expected, "{} as {}", field.name, role.name());
        }
    }
}

#[tokio::test]
async fn no_root_field_is_open_without_a_credential() {
    let world = World::new().await;

    for field in root_fields() {
        let answer = world.nobody_asks(&field.query).await;

        assert_eq!(answer.verdict(), "200 UNAUTHENTICATED NO_CREDENTIAL", "{}", field.name);
        assert_eq!(answer.message(), "Login required");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"api\""));
    }
    assert_eq!(world.calls(), Vec::<String>::new());
}
