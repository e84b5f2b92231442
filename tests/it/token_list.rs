//! The list of one's API tokens, as the web application shows it.

use jiff::SignedDuration;
use rstest::rstest;
use serde_json::{Value, json};

use crate::given::{INVALIDATE, ME, START, World};

const DAY: i64 = 86_400;

const LIST: &str = "{ me { accessTokens { edges { node {
    name state issuedAt expiresAt firstUsedAt lastUsedAt revokedAt revokedBy
} } } } }";

fn nodes(answer: &Value) -> Vec<Value> {
    let edges = answer["data"]["me"]["accessTokens"]["edges"].as_array().unwrap();
    edges.iter().map(|it| it["node"].clone()).collect()
}

fn states(answer: &Value) -> Vec<String> {
    nodes(answer).iter().map(|it| it["state"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn an_owner_sees_what_has_become_of_each_token_the_newest_first() {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;
    ana.makes_token(START + DAY).await;
    world.later(SignedDuration::from_mins(1));
    ana.makes_token(START + 2 * DAY).await.asks(INVALIDATE).await;
    world.later(SignedDuration::from_mins(1));
    ana.makes_token(START + 180).await;
    world.later(SignedDuration::from_mins(1));
    ana.makes_token(START + 3 * DAY).await.asks(ME).await;
    world.calls();

    let answer = ana.asks(LIST).await.json();

    assert_eq!(world.calls(), ["BatchGetItem", "Query"]);
    assert_eq!(states(&answer), ["ACTIVE", "EXPIRED", "REVOKED", "REPLACED"]);
    assert_eq!(
        nodes(&answer)[0],
        json!({
            "name": "default", "state": "ACTIVE", "issuedAt": "2026-11-23T12:03:00Z",
            "expiresAt": "2026-11-26T12:00:00Z", "firstUsedAt": "2026-11-23T12:03:00Z",
            "lastUsedAt": "2026-11-23T12:03:00Z", "revokedAt": null, "revokedBy": null,
        })
    );
    let revoked = &nodes(&answer)[2];
    assert_eq!(
        (&revoked["revokedAt"], &revoked["revokedBy"]),
        (&json!("2026-11-23T12:01:00Z"), &json!("HOLDER"))
    );
}

#[tokio::test]
async fn who_revokes_all_at_once_sees_them_revoked() {
    let world = World::new().await;
    let before = world.signed_in("ana@acme.test").await;
    before.makes_token(START + DAY).await;
    world.change("ana@acme.test", |it| it.epoch += 1).await;

    let answer = world.signed_in("ana@acme.test").await.asks(LIST).await.json();

    let token = &nodes(&answer)[0];
    assert_eq!(
        (&token["state"], &token["revokedAt"], &token["revokedBy"]),
        (&json!("REVOKED"), &json!(null), &json!("OWNER"))
    );
}

#[tokio::test]
async fn a_list_can_be_asked_for_by_states_and_by_pages() {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;
    for day in 1..=4 {
        ana.makes_token(START + day * DAY).await;
        world.later(SignedDuration::from_mins(1));
    }
    let list = |arguments: &str| {
        let fields =
            "edges { cursor node { state issuedAt } } pageInfo { hasNextPage hasPreviousPage endCursor }";
        format!("{{ me {{ accessTokens{arguments} {{ {fields} }} }} }}")
    };

    assert_eq!(states(&ana.asks(&list("(states: [ACTIVE, EXPIRED])")).await.json()), ["ACTIVE"]);
    let first = ana.asks(&list("(first: 3)")).await.json();
    let info = &first["data"]["me"]["accessTokens"]["pageInfo"];
    assert_eq!((&info["hasNextPage"], &info["hasPreviousPage"]), (&json!(true), &json!(false)));
    let after = format!("(first: 3, after: {})", info["endCursor"]);
    let second = ana.asks(&list(&after)).await.json();

    let info = &second["data"]["me"]["accessTokens"]["pageInfo"];
    assert_eq!((&info["hasNextPage"], &info["hasPreviousPage"]), (&json!(false), &json!(true)));
    assert_eq!(nodes(&second), [json!({ "state": "REPLACED", "issuedAt": "2026-11-23T12:00:00Z" })]);
}

#[rstest]
#[case::too_many("(first: 101)", "`first` is from 0 to 100, not 101")]
#[case::less_than_none("(first: -1)", "`first` is from 0 to 100, not -1")]
#[case::a_foreign_cursor("(after: \"x\")", "`after` is no cursor of this list: begin again without it")]
#[tokio::test]
async fn a_page_that_is_none_is_refused(#[case] arguments: &str, #[case] message: &str) {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;

    let answer = ana.asks(&format!("{{ me {{ accessTokens{arguments} {{ edges {{ cursor }} }} }} }}")).await;

    assert_eq!((answer.verdict().as_str(), answer.message().as_str()), ("200 BAD_USER_INPUT", message));
}

#[tokio::test]
async fn a_token_learns_nothing_of_the_others() {
    let world = World::new().await;
    let program = world.program_of("ana@acme.test").await;

    assert_eq!(program.asks(LIST).await.verdict(), "200 FORBIDDEN SESSION_REQUIRED");
}

#[tokio::test]
async fn c23_l05_nobody_sees_a_token_again_nor_one_of_another() {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;
    let program = ana.makes_token(START + DAY).await;
    let bob = world.signed_in("bob@acme.test").await;

    assert!(!ana.asks(LIST).await.text().contains(&program.token));
    assert_eq!(states(&bob.asks(LIST).await.json()), Vec::<String>::new());
}
