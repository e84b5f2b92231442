//! The list of a user's API tokens, which the web application shows.

use jiff::SignedDuration;
use rstest::rstest;
use serde_json::{Value, json};

use crate::given::{INVALIDATE, ME, World, at, text_at};

const DAY: i64 = 86_400;

const LIST: &str = "{ me { accessTokens { edges { node {
    name state issuedAt expiresAt firstUsedAt lastUsedAt revokedAt revokedBy
} } } } }";

fn nodes(response: &Value) -> Vec<Value> {
    let edges = response["data"]["me"]["accessTokens"]["edges"].as_array().unwrap();
    edges.iter().map(|it| it["node"].clone()).collect()
}

fn states(response: &Value) -> Vec<String> {
    nodes(response).iter().map(|it| it["state"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_list_has_the_state_of_each_token_with_the_newest_first() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    ana.create_token(at(DAY)).await;
    world.advance(SignedDuration::from_mins(1));
    ana.create_token(at(2 * DAY)).await.query(INVALIDATE).await;
    world.advance(SignedDuration::from_mins(1));
    ana.create_token(at(180)).await;
    world.advance(SignedDuration::from_mins(1));
    ana.create_token(at(3 * DAY)).await.query(ME).await;
    world.take_operations();

    let response = ana.query(LIST).await.json();

    assert_eq!(world.take_operations(), ["BatchGetItem", "Query", "BatchGetItem"]);
    assert_eq!(states(&response), ["ACTIVE", "EXPIRED", "REVOKED", "REPLACED"]);
    assert_eq!(
        nodes(&response)[0],
        json!({
            "name": "default", "state": "ACTIVE", "issuedAt": text_at(180),
            "expiresAt": text_at(3 * DAY), "firstUsedAt": text_at(180),
            "lastUsedAt": text_at(180), "revokedAt": null, "revokedBy": null,
        })
    );
    let revoked = &nodes(&response)[2];
    assert_eq!(revoked["revokedAt"], text_at(60));
    assert_eq!(revoked["revokedBy"], "HOLDER");
}

#[tokio::test]
async fn tokens_are_listed_as_revoked_after_revoking_all_credentials() {
    let world = World::new().await;
    let before = world.log_in("ana@acme.test").await;
    before.create_token(at(DAY)).await;
    world.change_stakeholder("ana@acme.test", |it| it.epoch += 1).await;

    let response = world.log_in("ana@acme.test").await.query(LIST).await.json();

    let token = &nodes(&response)[0];
    assert_eq!(token["state"], "REVOKED");
    assert_eq!(token["revokedAt"], Value::Null);
    assert_eq!(token["revokedBy"], "OWNER");
}

#[tokio::test]
async fn a_list_can_be_filtered_by_state_and_read_in_pages() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    for day in 1..=4 {
        ana.create_token(at(day * DAY)).await;
        world.advance(SignedDuration::from_mins(1));
    }
    let list = |arguments: &str| {
        let fields = "edges { cursor node { state issuedAt } } \
                      pageInfo { hasNextPage hasPreviousPage endCursor }";
        format!("{{ me {{ accessTokens{arguments} {{ {fields} }} }} }}")
    };

    assert_eq!(states(&ana.query(&list("(states: [ACTIVE, EXPIRED])")).await.json()), ["ACTIVE"]);
    let first = ana.query(&list("(first: 3)")).await.json();
    let info = &first["data"]["me"]["accessTokens"]["pageInfo"];
    assert_eq!(info["hasNextPage"], true);
    assert_eq!(info["hasPreviousPage"], false);
    let after = format!("(first: 3, after: {})", info["endCursor"]);
    let second = ana.query(&list(&after)).await.json();

    let info = &second["data"]["me"]["accessTokens"]["pageInfo"];
    assert_eq!(info["hasNextPage"], false);
    assert_eq!(info["hasPreviousPage"], true);
    assert_eq!(nodes(&second), [json!({ "state": "REPLACED", "issuedAt": text_at(0) })]);
}

#[tokio::test]
async fn tokens_created_in_the_same_second_are_listed_with_the_newest_first() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    for number in 1..=30 {
        ana.create_token(world.now() + number * DAY).await;
    }
    ana.query(INVALIDATE).await;
    ana.create_token(world.now() + 31 * DAY).await;

    let response = ana.query(LIST).await.json();

    let days = |node: &Value| {
        let expires_at: jiff::Timestamp = node["expiresAt"].as_str().unwrap().parse().unwrap();
        (expires_at.as_second() - world.now()) / DAY
    };
    let listed: Vec<_> = nodes(&response).iter().map(days).collect();
    assert_eq!(listed, (1..=31).rev().collect::<Vec<_>>());
}

#[tokio::test]
async fn the_cursor_of_a_list_stays_valid_when_its_token_leaves_the_filter() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    for day in 1..=3 {
        ana.create_token(world.now() + day * DAY).await;
        ana.query(INVALIDATE).await;
    }
    ana.create_token(world.now() + DAY).await;
    let list = |states: &str, after: &Value| {
        let arguments = format!("(first: 1, after: {after}, states: {states})");
        format!("{{ me {{ accessTokens{arguments} {{ edges {{ cursor node {{ state }} }} }} }} }}")
    };
    let first = ana.query(&list("[ACTIVE, REVOKED]", &Value::Null)).await.json();
    assert_eq!(states(&first), ["ACTIVE"]);

    ana.create_token(world.now() + DAY).await;
    let cursor = &first["data"]["me"]["accessTokens"]["edges"][0]["cursor"];
    let second = ana.query(&list("[ACTIVE, REVOKED]", cursor)).await.json();

    assert_eq!(states(&second), ["REVOKED"], "the active token is now replaced");
}

#[tokio::test]
async fn a_page_reads_its_tokens_and_one_more() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    for _ in 0..40 {
        ana.create_token(world.now() + DAY).await;
    }
    world.take_calls();

    let response =
        ana.query("{ me { accessTokens(first: 5) { edges { node { id } } } } }").await.json();

    assert_eq!(nodes(&response).len(), 5);
    let calls = world.take_calls();
    let operations: Vec<_> = calls.iter().map(|it| it.operation.as_str()).collect();
    assert_eq!(operations, ["BatchGetItem", "Query", "BatchGetItem"]);
    assert_eq!(calls[1].body["Limit"], 20, "audit entries, about 500 bytes each");
    let tables = calls[2].body["RequestItems"].as_object().unwrap();
    let keys = tables.values().next().unwrap()["Keys"].as_array().unwrap();
    assert_eq!(keys.len(), 6, "the sixth token decides hasNextPage");
}

#[tokio::test]
async fn a_page_without_a_matching_token_ends_after_five_reads_with_a_cursor_to_continue() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    ana.create_token(world.now() + DAY).await;
    ana.query(INVALIDATE).await;
    for _ in 0..20 {
        ana.create_token(world.now() + DAY).await;
    }
    world.take_operations();
    let list = |after: &Value| {
        let fields = "edges { node { state } } pageInfo { hasNextPage endCursor }";
        let arguments = format!("(first: 1, states: [REVOKED], after: {after})");
        format!("{{ me {{ accessTokens{arguments} {{ {fields} }} }} }}")
    };

    let first = ana.query(&list(&Value::Null)).await.json();

    let mut calls = vec!["BatchGetItem"];
    calls.extend(["Query", "BatchGetItem"].repeat(5));
    assert_eq!(world.take_operations(), calls);
    assert_eq!(states(&first), Vec::<String>::new());
    let mut page = first;
    let mut pages = 1;
    while page["data"]["me"]["accessTokens"]["pageInfo"]["hasNextPage"] == true
        && states(&page).is_empty()
    {
        page = ana
            .query(&list(&page["data"]["me"]["accessTokens"]["pageInfo"]["endCursor"]))
            .await
            .json();
        pages += 1;
    }
    assert_eq!(states(&page), ["REVOKED"]);
    assert_eq!(pages, 3, "20 tokens are before it, and each read returns two");
    assert_eq!(page["data"]["me"]["accessTokens"]["pageInfo"]["hasNextPage"], false);
}

#[tokio::test]
async fn tokens_replaced_more_than_ninety_days_ago_are_not_read() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    for _ in 0..30 {
        ana.create_token(world.now() + 180 * DAY).await;
    }
    world.advance(SignedDuration::from_hours(91 * 24));
    let ana = world.log_in("ana@acme.test").await;
    world.take_calls();

    let response = ana.query(LIST).await.json();

    assert_eq!(states(&response), ["ACTIVE"]);
    let calls = world.take_calls();
    let operations: Vec<_> = calls.iter().map(|it| it.operation.as_str()).collect();
    assert_eq!(operations[..3], ["BatchGetItem", "Query", "BatchGetItem"]);
    let tables = calls[2].body["RequestItems"].as_object().unwrap();
    let keys = tables.values().next().unwrap()["Keys"].as_array().unwrap();
    assert_eq!(keys.len(), 1, "the token that has not expired");
}

#[tokio::test]
async fn a_list_continues_past_audit_entries_of_other_events() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    for day in 1..=3 {
        ana.create_token(world.now() + day * DAY).await;
        for _ in 0..30 {
            world.log_in("ana@acme.test").await;
        }
    }

    let response = ana.query(LIST).await.json();

    assert_eq!(states(&response), ["ACTIVE", "REPLACED", "REPLACED"]);
}

#[tokio::test]
async fn a_token_with_an_invalid_record_is_logged_and_left_out_of_the_list() {
    let world = World::with_metrics().await;
    let Some(embedded) = &world.embedded else { return };
    let ana = world.log_in("ana@acme.test").await;
    ana.create_token(world.now() + DAY).await;
    ana.create_token(world.now() + DAY).await;
    let listed = ana.query("{ me { accessTokens(first: 1) { edges { node { id } } } } }").await;
    let newest = listed.json()["data"]["me"]["accessTokens"]["edges"][0]["node"]["id"].clone();
    let key = format!("T#{}", newest.as_str().unwrap());
    let record = world.stored_items().into_iter().find(|it| it["SK"]["S"] == key).unwrap();
    let edit = json!({
        "TableName": world.table, "Key": { "PK": record["PK"], "SK": record["SK"] },
        "UpdateExpression": "SET iat = :text",
        "ExpressionAttributeValues": { ":text": { "S": "yesterday" } },
    });
    assert_eq!(embedded.respond("UpdateItem", edit.to_string().as_bytes()).0, 200);

    let response = ana.query(LIST).await;

    assert_eq!(response.verdict(), "200");
    assert_eq!(states(&response.json()), ["REPLACED"]);
    let log = world.log();
    let line = log.iter().find(|it| it["message"] == "a record of a list was left out").unwrap();
    assert_eq!(line["key"], key);
    assert!(log.iter().any(|it| it["DatabaseErrors"] == 1.0), "{log:?}");
}

#[tokio::test]
async fn a_replaced_or_revoked_token_leaves_the_list_after_ninety_days() {
    let world = World::new().await;
    let Some(embedded) = &world.embedded else { return };
    let list = "{ me { accessTokens { edges { node { state } } } } }";
    let ana = world.log_in("ana@acme.test").await;
    ana.create_token(world.now() + 180 * DAY).await;
    ana.create_token(world.now() + 180 * DAY).await;
    ana.query(INVALIDATE).await;
    ana.create_token(world.now() + 180 * DAY).await;

    world.advance(SignedDuration::from_hours(90 * 24 - 1));
    embedded.delete_expired().unwrap();
    let ana = world.log_in("ana@acme.test").await;
    assert_eq!(states(&ana.query(list).await.json()), ["ACTIVE", "REVOKED", "REPLACED"]);

    world.advance(SignedDuration::from_secs(3601));
    embedded.delete_expired().unwrap();
    let ana = world.log_in("ana@acme.test").await;
    assert_eq!(states(&ana.query(list).await.json()), ["ACTIVE"]);
}

#[rstest]
#[case::more_than_a_hundred("(first: 101)", "first")]
#[case::negative("(first: -1)", "first")]
#[case::an_invalid_cursor("(after: \"x\")", "after")]
#[tokio::test]
async fn an_invalid_paging_argument_is_named_in_the_error(
    #[case] arguments: &str,
    #[case] name: &str,
) {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;

    let response = ana
        .query(&format!("{{ me {{ accessTokens{arguments} {{ edges {{ cursor }} }} }} }}"))
        .await;

    assert_eq!(response.verdict(), "200 BAD_USER_INPUT INVALID_ARGUMENT");
    assert_eq!(response.message(), "Exception - Parameter is not valid");
    assert_eq!(response.extension("argument"), name);
}

#[tokio::test]
async fn the_list_cannot_be_read_with_a_token() {
    let world = World::new().await;
    let program = world.program_for("ana@acme.test").await;

    assert_eq!(program.query(LIST).await.verdict(), "200 FORBIDDEN SESSION_REQUIRED");
}

#[tokio::test]
async fn the_list_has_neither_the_secret_of_a_token_nor_tokens_of_other_users() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    let program = ana.create_token(at(DAY)).await;
    let bob = world.log_in("bob@acme.test").await;

    assert!(!ana.query(LIST).await.text().contains(&program.token));
    assert_eq!(states(&bob.query(LIST).await.json()), Vec::<String>::new());
}
