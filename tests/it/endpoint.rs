//! GraphQL over HTTP: which request is answered, with which status and type.

use rstest::rstest;
use serde_json::{Value, json};

use crate::given::{Answer, World};

const CONTENT_TYPE: (&str, &str) = ("content-type", "application/json");
const JSON: &str = "application/json";
const GRAPHQL: &str = "application/graphql-response+json";
const BAD_REQUEST: &str = "400 BAD_REQUEST";

/// Nobody posts this body, and accepts that.
async fn posted(world: &World, accept: &str, body: impl Into<axum::body::Body>) -> Answer {
    world.sends(("POST", "/api"), &[CONTENT_TYPE, ("accept", accept)], body).await
}

async fn got(world: &World, query_string: &str) -> Answer {
    world.sends(("GET", &format!("/api?{query_string}")), &[("accept", GRAPHQL)], "").await
}

#[rstest]
#[case::g01(Some(GRAPHQL), GRAPHQL)]
#[case::among_others(
    Some("application/graphql-response+json; charset=utf-8, application/json; charset=utf-8"),
    GRAPHQL
)]
#[case::as_the_specification_recommends(
    Some("application/graphql-response+json, application/json;q=0.9"),
    GRAPHQL
)]
#[case::liked_less(Some("application/graphql-response+json;q=0.5, application/json"), JSON)]
#[case::g02(Some(JSON), JSON)]
#[case::anything(Some("*/*"), JSON)]
#[case::any_application(Some("application/*"), JSON)]
#[case::empty(Some(""), JSON)]
#[case::missing(None, JSON)]
#[tokio::test]
async fn an_answer_has_the_type_that_was_asked_for(#[case] accept: Option<&str>, #[case] ty: &str) {
    let world = World::new().await;

    let headers: Vec<_> =
        accept.map(|it| ("accept", it)).into_iter().chain([CONTENT_TYPE]).collect();
    let answer = world.sends(("POST", "/api"), &headers, r#"{"query":"{ __typename }"}"#).await;

    assert_eq!(answer.verdict(), "200");
    assert_eq!(answer.header("content-type"), Some(format!("{ty}; charset=utf-8").as_str()));
    assert_eq!(answer.text(), r#"{"data":{"__typename":"Query"}}"#);
}

#[rstest]
#[case("text/html")]
#[case("image/png")]
#[case("application/json;q=0")]
#[tokio::test]
async fn an_answer_of_another_type_is_not_given(#[case] accept: &str) {
    let answer = posted(&World::new().await, accept, r#"{"query":"{ __typename }"}"#).await;

    assert_eq!(answer.verdict(), "406 BAD_REQUEST");
    assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
}

#[tokio::test]
async fn a_syntax_error_says_where_it_is_and_repeats_nothing() {
    let answer = posted(&World::new().await, JSON, r#"{"query":"{ me { } }"}"#).await;

    assert_eq!(answer.message(), "Syntax Error: expected selection");
    assert_eq!(answer.json()["errors"][0]["locations"], json!([{ "line": 1, "column": 8 }]));
}

#[tokio::test]
async fn an_answer_tells_fifty_errors_at_most() {
    let fields = (0..200).map(|it| format!("f{it}")).collect::<Vec<_>>().join(" ");
    let answer = posted(
        &World::new().await,
        JSON,
        json!({ "query": format!("{{ {fields} }}") }).to_string(),
    )
    .await;

    assert_eq!(answer.json()["errors"].as_array().map(Vec::len), Some(50));
}

#[tokio::test]
async fn a_browser_that_opens_the_address_gets_the_ide_without_a_login() {
    let world = World::new().await;

    let accept = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";
    let answer = world.sends(("GET", "/api"), &[("accept", accept)], "").await;

    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, Some("text/html; charset=utf-8"))
    );
    assert!(answer.text().contains("<title>GraphQL Playground</title>"), "{}", answer.text());
    assert!(world.calls().is_empty());
}

#[tokio::test]
async fn a_query_comes_by_get() {
    let world = World::new().await;

    let plain = got(&world, "query=%7B__typename%7D").await;
    let whole = "query=query+A(%24name%3AString!)%7B__type(name%3A%24name)%7Bname%7D%7D+query+B%7B__typename%7D\
                 &operationName=A&variables=%7B%22name%22%3A%22Me%22%7D&extensions=%7B%7D&unknown=1";
    let whole = got(&world, whole).await;

    assert_eq!(plain.text(), r#"{"data":{"__typename":"Query"}}"#);
    assert_eq!(whole.text(), r#"{"data":{"__type":{"name":"Me"}}}"#);
}

#[rstest]
#[case::nothing("")]
#[case::another_parameter("qeury=%7B__typename%7D")]
#[case::no_query("variables=%7B%7D&operationName=A")]
#[case::variables_as_a_list("query=%7B__typename%7D&variables=%5B%5D")]
#[case::variables_as_nonsense("query=%7B__typename%7D&variables=%7B")]
#[case::extensions_as_a_number("query=%7B__typename%7D&extensions=7")]
#[tokio::test]
async fn a_get_without_a_query_is_a_bad_request(#[case] query_string: &str) {
    let world = World::new().await;

    assert_eq!(got(&world, query_string).await.verdict(), BAD_REQUEST);
}

#[rstest]
#[case::nonsense("NONSENSE")]
#[case::cut_off("{\"query\":")]
#[case::empty("")]
#[case::twice("{\"query\":\"{ __typename }\"} {}")]
#[case::a_text("\"{ __typename }\"")]
#[case::null("null")]
#[case::no_query("{}")]
#[case::misspelt(r#"{"qeury":"{ __typename }"}"#)]
#[case::a_number(r#"{"query":7}"#)]
#[case::a_list(r#"{"query":["{ __typename }"]}"#)]
#[case::null(r#"{"query":null}"#)]
#[case::variables_as_a_list(r#"{"query":"{ __typename }","variables":[7]}"#)]
#[case::variables_as_a_text(r#"{"query":"{ __typename }","variables":"{}"}"#)]
#[case::operation_name_as_a_number(r#"{"query":"{ __typename }","operationName":7}"#)]
#[case::extensions_as_a_text(r#"{"query":"{ __typename }","extensions":"{}"}"#)]
#[tokio::test]
async fn a_body_that_is_no_request_is_a_bad_one(#[case] body: &str) {
    let world = World::new().await;

    for accept in [JSON, GRAPHQL] {
        let answer = posted(&world, accept, body.to_owned()).await;
        assert_eq!(answer.verdict(), BAD_REQUEST);
        assert!(answer.json().get("data").is_none());
    }
}

#[tokio::test]
async fn a_body_that_is_no_text_is_a_bad_request() {
    let answer = posted(&World::new().await, JSON, b"{\"query\":\"\xff\xfe\"}".to_vec()).await;

    assert_eq!(answer.verdict(), BAD_REQUEST);
}

#[rstest]
#[case::a_syntax_error(json!({"query": "{"}), "GRAPHQL_PARSE_FAILED")]
#[case::an_empty_query(json!({"query": ""}), "GRAPHQL_PARSE_FAILED")]
#[case::an_unknown_field(json!({"query": "{ nothing }"}), "GRAPHQL_VALIDATION_FAILED")]
#[case::a_field_without_its_fields(json!({"query": "{ me }"}), "GRAPHQL_VALIDATION_FAILED")]
#[case::which_of_two(json!({"query": "query A { __typename } query B { __typename }"}), "GRAPHQL_VALIDATION_FAILED")]
#[case::an_unknown_name(json!({"query": "query A { __typename }", "operationName": "B"}), "GRAPHQL_VALIDATION_FAILED")]
#[case::a_name_for_none(json!({"query": "{ __typename }", "operationName": "B"}), "GRAPHQL_VALIDATION_FAILED")]
#[case::only_a_fragment(json!({"query": "fragment a on Query { __typename }"}), "GRAPHQL_PARSE_FAILED")]
#[case::a_missing_variable(json!({"query": "query ($name: String!) { __type(name: $name) { name } }"}), "GRAPHQL_VALIDATION_FAILED")]
#[case::null(json!({"query": "query ($name: String!) { __type(name: $name) { name } }", "variables": {"name": null}}), "GRAPHQL_VALIDATION_FAILED")]
#[case::a_variable_of_another_type(json!({"query": "query ($name: String!) { __type(name: $name) { name } }", "variables": {"name": 7}}), "GRAPHQL_VALIDATION_FAILED")]
#[case::in_a_mutation(json!({"query": "mutation ($end: Int!) { updateAccessToken(expirationTime: $end) { success } }", "variables": {"end": "soon"}}), "BAD_USER_INPUT INVALID_EXPIRATION_TIME")]
#[case::a_subscription(json!({"query": "subscription { me { role } }"}), "GRAPHQL_VALIDATION_FAILED")]
#[tokio::test]
async fn a_query_that_cannot_be_executed_is_not(#[case] body: Value, #[case] code: &str) {
    let world = World::new().await;

    for (accept, status) in [(GRAPHQL, 400), (JSON, 200)] {
        let answer = posted(&world, accept, body.to_string()).await;
        assert_eq!(answer.verdict(), format!("{status} {code}"), "{}", answer.text());
        assert!(answer.json().get("data").is_none());
    }
    assert!(world.calls().is_empty());
}

#[rstest]
#[case(GRAPHQL)]
#[case(JSON)]
#[tokio::test]
async fn the_error_of_a_field_leaves_the_others_in_peace(#[case] accept: &str) {
    let answer =
        posted(&World::new().await, accept, r#"{"query":"{ me { role } here: __typename }"}"#)
            .await;

    assert_eq!(answer.verdict(), "200 UNAUTHENTICATED NO_CREDENTIAL");
    assert_eq!(answer.json()["data"], json!({ "me": null, "here": "Query" }));
    let error = &answer.json()["errors"][0];
    assert_eq!(
        (&error["path"], &error["locations"]),
        (&json!(["me"]), &json!([{ "line": 1, "column": 3 }]))
    );
}

#[tokio::test]
async fn a_field_that_cannot_be_null_takes_its_parent_along() {
    let world = World::new().await;
    let program = world.program_of("ana@acme.test").await;

    let query =
        "{ me { userEmail role(entity: ORGANIZATION, identifier: \"acme\") } here: __typename }";
    let answer = program.asks(query).await;

    assert_eq!(answer.verdict(), "200 FORBIDDEN");
    assert_eq!(answer.json()["data"], json!({ "me": null, "here": "Query" }));
    assert_eq!(answer.json()["errors"][0]["path"], json!(["me", "role"]));
}

#[tokio::test]
async fn members_that_nobody_knows_are_ignored() {
    let body = r#"{"query":"{ __typename }","id":7,"variables":null,"operationName":null,"extensions":{"a":1}}"#;

    assert_eq!(posted(&World::new().await, JSON, body).await.verdict(), "200");
}

#[rstest]
#[case(r#"[{"query":"{ __typename }"}]"#)]
#[case("[]")]
#[tokio::test]
async fn many_requests_in_one_are_not_answered(#[case] body: &'static str) {
    let answer = posted(&World::new().await, JSON, body).await;

    assert_eq!(
        (answer.verdict().as_str(), answer.message().as_str()),
        (BAD_REQUEST, "batching is not enabled")
    );
}

#[tokio::test]
async fn a_persisted_query_is_not_known_and_clients_then_send_the_query() {
    let world = World::new().await;
    let hashed = r#"{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"ecf4"}}}"#;

    let posted = posted(&world, JSON, hashed).await;
    let got = got(&world, "extensions=%7B%22persistedQuery%22%3A%7B%22version%22%3A1%7D%7D").await;

    for answer in [posted, got] {
        assert_eq!(answer.verdict(), "200 PERSISTED_QUERY_NOT_SUPPORTED");
        assert_eq!(answer.message(), "PersistedQueryNotSupported");
    }
}
