//! The contents of the audit log, which are read from the embedded table.

use http::header;
use serde_json::{Value, json};

use crate::given::{INVALIDATE, World, body, post, update_access_token};

/// Returns the entries of an action, oldest first.
fn entries(world: &World, action: &str) -> Vec<Value> {
    let stored = world.stored_items();
    stored.into_iter().filter(|it| it["action"]["S"] == action).collect()
}

#[tokio::test]
async fn an_entry_contains_the_user_the_credential_the_request_and_the_target() {
    let world = World::new().await;
    let program = world.program_for("ana@acme.test").await;
    let owner = world.stakeholder("ana@acme.test").await;
    let actor = program.authenticate().await;
    let token_id = actor.credential.access_token().unwrap().id.as_str();

    let request = post()
        .header(header::AUTHORIZATION, format!("Bearer {}", program.token))
        .header(header::USER_AGENT, "curl/8.7");
    let response = world.send(request.body(body(INVALIDATE)).unwrap()).await;

    let entry = entries(&world, "invalidateAccessToken").pop().unwrap();
    assert_eq!(entry["user"]["S"], owner.id.as_str());
    assert_eq!(entry["target"]["S"], token_id);
    let author = &entry["author"]["M"];
    assert_eq!(author["user"]["S"], owner.id.as_str());
    assert_eq!(author["email"]["S"], "ana@acme.test");
    assert_eq!(
        author["credential"]["M"],
        json!({ "kind": { "S": "token" }, "id": { "S": token_id } })
    );
    assert_eq!(author["agent"]["S"], "curl/8.7");
    assert_eq!(author["requestId"]["S"], response.header("x-request-id").unwrap());
}

#[tokio::test]
async fn an_entry_of_a_session_contains_the_session_id_and_no_secret() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    let secret = ana.cookie.split_once('.').unwrap().1;

    let token = ana.query(&update_access_token(world.now() + 60)).await.new_token();

    let entry = entries(&world, "updateAccessToken").pop().unwrap();
    let credential = &entry["author"]["M"]["credential"]["M"];
    assert_eq!(credential["kind"]["S"], "session");
    assert_eq!(credential["id"]["S"].as_str().unwrap().len(), 22);
    world.register_secret(&token);
    for hidden in [secret, token.as_str()] {
        assert!(!entry.to_string().contains(hidden), "{entry}");
    }
}

#[tokio::test]
async fn the_first_login_records_the_enrolment_and_the_session() {
    let world = World::new().await;

    world.log_in("ana@acme.test").await;

    let enrolment = entries(&world, "enrol").pop().unwrap();
    let login = entries(&world, "logIn").pop().unwrap();
    assert!(enrolment["SK"]["S"].as_str() < login["SK"]["S"].as_str(), "{enrolment} {login}");
    assert_eq!(login["what"]["S"], "sessionOpened");
}
