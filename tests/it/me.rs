//! The field `me`, which returns the user who sends the request.

use arm_api::domain::role::{OrganizationRole, UserRole};
use rstest::rstest;
use serde_json::json;

use crate::given::{START, World};

const EVERYTHING: &str = "{ me {
    __typename accessToken userEmail userName role callerOrigin organizations { name }
    sessionExpiration permissions
    accessTokenPolicy { minExpirationTime maxExpirationTime now }
} }";

#[tokio::test]
async fn me_returns_the_profile_of_the_user() {
    let world = World::new().await;
    let ana = world.log_in("Ana@Acme.test").await;
    world.add_member("ana@acme.test", "acme", OrganizationRole::User).await;

    let me = ana.query(EVERYTHING).await.json()["data"]["me"].clone();

    assert_eq!(
        me,
        json!({
            "__typename": "Me",
            "accessToken": "{\"hasAccessToken\": false, \"issuedAt\": \"\"}",
            "userEmail": "ana@acme.test",
            "userName": "ana",
            "role": "user",
            "callerOrigin": "API",
            "organizations": [{ "name": "acme" }],
            "sessionExpiration": "2026-11-23T12:40:00Z",
            "permissions": ["me", "updateAccessToken", "invalidateAccessToken"],
            "accessTokenPolicy": {
                "minExpirationTime": START + 1,
                "maxExpirationTime": START + 182 * 86_400,
                "now": START,
            },
        })
    );
}

#[tokio::test]
async fn the_session_expiration_of_a_token_is_the_expiration_time_of_the_token() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    let program = ana.create_token(START + 86_400).await;

    let response = program.query("{ me { sessionExpiration } }").await;

    assert_eq!(response.json()["data"]["me"]["sessionExpiration"], "2026-11-24T12:00:00Z");
}

#[tokio::test]
async fn a_changed_role_applies_from_the_next_request_on() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    let program = ana.create_token(START + 86_400).await;

    world.change_stakeholder("ana@acme.test", |it| it.role = UserRole::Admin).await;

    assert_eq!(program.query("{ me { role } }").await.json()["data"]["me"]["role"], "admin");
}

#[rstest]
#[case::an_organization_of_other_users("hidden")]
#[case::an_organization_that_does_not_exist("not_found")]
#[case::an_invalid_name("No Name!")]
#[tokio::test]
async fn the_role_in_an_organization_of_other_users_is_denied_as_if_it_did_not_exist(
    #[case] name: &str,
) {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    let bob = world.log_in("bob@acme.test").await;
    world.add_member("bob@acme.test", "hidden", OrganizationRole::UserManager).await;
    let role =
        |name: &str| format!("{{ me {{ role(entity: ORGANIZATION, identifier: \"{name}\") }} }}");

    let mut response = ana.query(&role(name)).await.json();
    response["errors"][0]["extensions"]["requestId"] = json!("");

    let denied = json!({ "data": { "me": null }, "errors": [{
        "message": "Access denied",
        "locations": [{ "line": 1, "column": 8 }],
        "path": ["me", "role"],
        "extensions": { "code": "FORBIDDEN", "requestId": "" },
    }] });
    assert_eq!(response, denied);
    assert_eq!(bob.query(&role("hidden")).await.json()["data"]["me"]["role"], "user_manager");
}

#[tokio::test]
async fn arguments_of_missing_variables_have_their_default_values() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;

    let query = "query Me($o: String, $e: Entity) { \
                 me(callerOrigin: $o) { callerOrigin role(entity: $e) } }";
    let response = ana.query(query).await;

    assert_eq!(
        response.json(),
        json!({ "data": { "me": { "callerOrigin": "API", "role": "user" } } })
    );
}

#[tokio::test]
async fn me_returns_the_caller_origin_of_its_argument() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;

    let response = ana.query("{ me(callerOrigin: \"FRONT\") { callerOrigin } }").await;

    assert_eq!(response.json()["data"]["me"]["callerOrigin"], "FRONT");
}

#[tokio::test]
async fn memberships_are_read_in_the_call_that_reads_the_credential() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    world.add_member("ana@acme.test", "zeta", OrganizationRole::User).await;
    world.add_member("ana@acme.test", "acme", OrganizationRole::UserManager).await;
    let program = ana.create_token(world.now() + 60).await;
    program.query("{ me { role } }").await;
    world.take_operations();

    let names = "{ me { organizations { name } } }";
    let in_session = ana.query(names).await.json();
    let with_token = program.query(names).await.json();

    let expected = json!([{ "name": "acme" }, { "name": "zeta" }]);
    assert_eq!(in_session["data"]["me"]["organizations"], expected);
    assert_eq!(with_token["data"]["me"]["organizations"], expected);
    assert_eq!(world.take_operations(), ["BatchGetItem", "BatchGetItem"]);
}
