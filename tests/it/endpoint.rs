//! GraphQL over HTTP: accepted requests, and the status and media type of the response.

use rstest::rstest;
use serde_json::{Value, json};

use crate::given::{TestResponse, World};

const CONTENT_TYPE: (&str, &str) = ("content-type", "application/json");
const JSON: &str = "application/json";
const GRAPHQL: &str = "application/graphql-response+json";
const BAD_REQUEST: &str = "400 BAD_REQUEST";

const TYPE_BY_NAME: &str = "query ($name: String!) { __type(name: $name) { name } }";
const TOKEN_UNTIL: &str =
    "mutation ($end: Int!) { updateAccessToken(expirationTime: $end) { success } }";

/// Posts this body without a credential, with this header `Accept`.
async fn post_query(
    world: &World,
    accept: &str,
    body: impl Into<axum::body::Body>,
) -> TestResponse {
    world.request(("POST", "/api"), &[CONTENT_TYPE, ("accept", accept)], body).await
}

async fn get_query(world: &World, query_string: &str) -> TestResponse {
    world.request(("GET", &format!("/api?{query_string}")), &[("accept", GRAPHQL)], "").await
}

#[rstest]
#[case::the_type_of_graphql(Some(GRAPHQL), GRAPHQL)]
#[case::among_others(
    Some("application/graphql-response+json; charset=utf-8, application/json; charset=utf-8"),
    GRAPHQL
)]
#[case::as_the_specification_recommends(
    Some("application/graphql-response+json, application/json;q=0.9"),
    GRAPHQL
)]
#[case::with_a_lower_quality(
    Some("application/graphql-response+json;q=0.5, application/json"),
    JSON
)]
#[case::json(Some(JSON), JSON)]
#[case::anything(Some("*/*"), JSON)]
#[case::any_application(Some("application/*"), JSON)]
#[case::empty(Some(""), JSON)]
#[case::missing(None, JSON)]
#[tokio::test]
async fn a_response_has_the_media_type_that_the_client_accepts(
    #[case] accept: Option<&str>,
    #[case] ty: &str,
) {
    let world = World::new().await;

    let headers: Vec<_> =
        accept.map(|it| ("accept", it)).into_iter().chain([CONTENT_TYPE]).collect();
    let response = world.request(("POST", "/api"), &headers, r#"{"query":"{ __typename }"}"#).await;

    assert_eq!(response.verdict(), "200");
    assert_eq!(response.header("content-type"), Some(format!("{ty}; charset=utf-8").as_str()));
    assert_eq!(response.text(), r#"{"data":{"__typename":"Query"}}"#);
}

#[rstest]
#[case("text/html")]
#[case("image/png")]
#[case("application/json;q=0")]
#[tokio::test]
async fn a_request_that_accepts_no_supported_media_type_is_rejected(#[case] accept: &str) {
    let response = post_query(&World::new().await, accept, r#"{"query":"{ __typename }"}"#).await;

    assert_eq!(response.verdict(), "406 BAD_REQUEST");
    assert_eq!(response.header("content-type"), Some("application/json; charset=utf-8"));
}

#[tokio::test]
async fn a_syntax_error_has_its_location_and_no_text_of_the_query() {
    let response = post_query(&World::new().await, JSON, r#"{"query":"{ me { } }"}"#).await;

    assert_eq!(response.message(), "Syntax Error: expected selection");
    assert_eq!(response.json()["errors"][0]["locations"], json!([{ "line": 1, "column": 8 }]));
}

#[tokio::test]
async fn a_response_has_at_most_fifty_errors() {
    let fields = (0..200).map(|it| format!("f{it}")).collect::<Vec<_>>().join(" ");
    let response = post_query(
        &World::new().await,
        JSON,
        json!({ "query": format!("{{ {fields} }}") }).to_string(),
    )
    .await;

    assert_eq!(response.json()["errors"].as_array().map(Vec::len), Some(50));
}

#[tokio::test]
async fn a_browser_gets_graphql_playground_without_a_login() {
    let world = World::new().await;

    let accept = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";
    let response = world.request(("GET", "/api"), &[("accept", accept)], "").await;

    assert_eq!(response.status, 200);
    assert_eq!(response.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(response.text().contains("<title>GraphQL Playground</title>"), "{}", response.text());
    assert!(world.take_operations().is_empty());
}

#[tokio::test]
async fn a_query_can_be_sent_by_get() {
    let world = World::new().await;

    let plain = get_query(&world, "query=%7B__typename%7D").await;
    let whole = "query=query+A(%24name%3AString!)%7B__type(name%3A%24name)%7Bname%7D%7D\
                 +query+B%7B__typename%7D&operationName=A\
                 &variables=%7B%22name%22%3A%22Me%22%7D&extensions=%7B%7D&unknown=1";
    let whole = get_query(&world, whole).await;

    assert_eq!(plain.text(), r#"{"data":{"__typename":"Query"}}"#);
    assert_eq!(whole.text(), r#"{"data":{"__type":{"name":"Me"}}}"#);
}

#[rstest]
#[case::no_parameters("")]
#[case::another_parameter("qeury=%7B__typename%7D")]
#[case::no_query("variables=%7B%7D&operationName=A")]
#[case::variables_as_a_list("query=%7B__typename%7D&variables=%5B%5D")]
#[case::variables_as_nonsense("query=%7B__typename%7D&variables=%7B")]
#[case::extensions_as_a_number("query=%7B__typename%7D&extensions=7")]
#[tokio::test]
async fn a_get_without_a_query_is_a_bad_request(#[case] query_string: &str) {
    let world = World::new().await;

    assert_eq!(get_query(&world, query_string).await.verdict(), BAD_REQUEST);
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
async fn a_body_that_is_not_a_graphql_request_is_a_bad_request(#[case] body: &str) {
    let world = World::new().await;

    for accept in [JSON, GRAPHQL] {
        let response = post_query(&world, accept, body.to_owned()).await;
        assert_eq!(response.verdict(), BAD_REQUEST);
        assert!(response.json().get("data").is_none());
    }
}

#[tokio::test]
async fn a_body_that_is_not_utf_8_is_a_bad_request() {
    let response =
        post_query(&World::new().await, JSON, b"{\"query\":\"\xff\xfe\"}".to_vec()).await;

    assert_eq!(response.verdict(), BAD_REQUEST);
}

#[rstest]
#[case::a_syntax_error(json!({"query": "{"}), "GRAPHQL_PARSE_FAILED")]
#[case::an_empty_query(json!({"query": ""}), "GRAPHQL_PARSE_FAILED")]
#[case::an_unknown_field(json!({"query": "{ nothing }"}), "GRAPHQL_VALIDATION_FAILED")]
#[case::a_field_without_its_fields(json!({"query": "{ me }"}), "GRAPHQL_VALIDATION_FAILED")]
#[case::two_operations_without_a_name(
    json!({"query": "query A { __typename } query B { __typename }"}),
    "GRAPHQL_VALIDATION_FAILED"
)]
#[case::an_unknown_operation_name(
    json!({"query": "query A { __typename }", "operationName": "B"}),
    "GRAPHQL_VALIDATION_FAILED"
)]
#[case::an_operation_name_for_an_anonymous_operation(
    json!({"query": "{ __typename }", "operationName": "B"}),
    "GRAPHQL_VALIDATION_FAILED"
)]
#[case::only_a_fragment(
    json!({"query": "fragment a on Query { __typename }"}),
    "GRAPHQL_PARSE_FAILED"
)]
#[case::a_missing_variable(json!({"query": TYPE_BY_NAME}), "GRAPHQL_VALIDATION_FAILED")]
#[case::null(
    json!({"query": TYPE_BY_NAME, "variables": {"name": null}}),
    "GRAPHQL_VALIDATION_FAILED"
)]
#[case::a_variable_of_another_type(
    json!({"query": TYPE_BY_NAME, "variables": {"name": 7}}),
    "GRAPHQL_VALIDATION_FAILED"
)]
#[case::in_a_mutation(
    json!({"query": TOKEN_UNTIL, "variables": {"end": "soon"}}),
    "BAD_USER_INPUT INVALID_EXPIRATION_TIME"
)]
#[case::a_subscription(
    json!({"query": "subscription { me { role } }"}),
    "GRAPHQL_VALIDATION_FAILED"
)]
#[tokio::test]
async fn an_invalid_query_is_rejected_without_a_call_of_dynamodb(
    #[case] body: Value,
    #[case] code: &str,
) {
    let world = World::new().await;

    for (accept, status) in [(GRAPHQL, 400), (JSON, 200)] {
        let response = post_query(&world, accept, body.to_string()).await;
        assert_eq!(response.verdict(), format!("{status} {code}"), "{}", response.text());
        assert!(response.json().get("data").is_none());
    }
    assert!(world.take_operations().is_empty());
}

#[rstest]
#[case(GRAPHQL)]
#[case(JSON)]
#[tokio::test]
async fn an_error_of_one_field_does_not_affect_the_others(#[case] accept: &str) {
    let response =
        post_query(&World::new().await, accept, r#"{"query":"{ me { role } here: __typename }"}"#)
            .await;

    assert_eq!(response.verdict(), "200 UNAUTHENTICATED NO_CREDENTIAL");
    assert_eq!(response.json()["data"], json!({ "me": null, "here": "Query" }));
    let error = &response.json()["errors"][0];
    assert_eq!(error["path"], json!(["me"]));
    assert_eq!(error["locations"], json!([{ "line": 1, "column": 3 }]));
}

#[tokio::test]
async fn an_error_of_a_non_null_field_makes_its_parent_null() {
    let world = World::new().await;
    let program = world.program_for("ana@acme.test").await;

    let query =
        "{ me { userEmail role(entity: ORGANIZATION, identifier: \"acme\") } here: __typename }";
    let response = program.query(query).await;

    assert_eq!(response.verdict(), "200 FORBIDDEN");
    assert_eq!(response.json()["data"], json!({ "me": null, "here": "Query" }));
    assert_eq!(response.json()["errors"][0]["path"], json!(["me", "role"]));
}

#[tokio::test]
async fn unknown_members_of_a_request_are_ignored() {
    let body = json!({
        "query": "{ __typename }",
        "id": 7,
        "variables": null,
        "operationName": null,
        "extensions": { "a": 1 },
    });

    let response = post_query(&World::new().await, JSON, body.to_string()).await;

    assert_eq!(response.verdict(), "200");
}

#[rstest]
#[case(r#"[{"query":"{ __typename }"}]"#)]
#[case("[]")]
#[tokio::test]
async fn a_batch_of_requests_is_rejected(#[case] body: &'static str) {
    let response = post_query(&World::new().await, JSON, body).await;

    assert_eq!(response.verdict(), BAD_REQUEST);
    assert_eq!(response.message(), "batching is not enabled");
}

#[tokio::test]
async fn a_persisted_query_is_rejected_with_the_error_that_makes_clients_send_the_query() {
    let world = World::new().await;
    let hashed = r#"{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"ecf4"}}}"#;

    let posted_answer = post_query(&world, JSON, hashed).await;
    let got_answer =
        get_query(&world, "extensions=%7B%22persistedQuery%22%3A%7B%22version%22%3A1%7D%7D").await;

    for response in [posted_answer, got_answer] {
        assert_eq!(response.verdict(), "200 PERSISTED_QUERY_NOT_SUPPORTED");
        assert_eq!(response.message(), "PersistedQueryNotSupported");
    }
}
