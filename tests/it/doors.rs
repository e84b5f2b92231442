//! Every root field, and whom it opens to: a field without a row fails, and each door
//! is asked as each role and as a stranger.

use arm_api::domain::{policy::UserAction, role::UserRole};
use serde_json::Value;

use crate::given::{INVALIDATE, ME, START, World, update_access_token};

/// A root field of the schema.
struct Door {
    field: &'static str,
    query: String,
    opens_to: UserAction,
}

fn doors() -> Vec<Door> {
    vec![
        Door { field: "me", query: ME.to_owned(), opens_to: UserAction::ReadMe },
        Door {
            field: "updateAccessToken",
            query: update_access_token(START + 60),
            opens_to: UserAction::UpdateAccessToken,
        },
        Door {
            field: "invalidateAccessToken",
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

    let fields =
        ["queryType", "mutationType"].iter().flat_map(|it| schema[it]["fields"].as_array().unwrap().clone());
    let mut names: Vec<String> = fields.map(|it: Value| it["name"].as_str().unwrap().to_owned()).collect();
    let mut rows: Vec<String> = doors().iter().map(|it| it.field.to_owned()).collect();
    names.sort();
    rows.sort();
    assert_eq!(names, rows);
}

#[tokio::test]
async fn every_door_opens_to_those_whom_the_policy_allows() {
    for role in UserRole::ALL {
        for door in doors() {
            let world = World::new().await;
            let ana = world.signed_in("ana@acme.test").await;
            world.change("ana@acme.test", |it| it.role = *role).await;

            let verdict = ana.asks(&door.query).await.verdict();

            let expected = if role.allows(door.opens_to) { "200" } else { "200 FORBIDDEN" };
            assert_eq!(verdict, expected, "{} as {}", door.field, role.name());
        }
    }
}

#[tokio::test]
async fn no_door_opens_to_a_stranger() {
    let world = World::new().await;

    for door in doors() {
        let answer = world.nobody_asks(&door.query).await;

        assert_eq!(answer.verdict(), "200 UNAUTHENTICATED NO_CREDENTIAL", "{}", door.field);
        assert_eq!(answer.message(), "Login required");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"api\""));
    }
    assert_eq!(world.calls(), Vec::<String>::new());
}
