//! A field that a query selects more than once is executed once. Its response has the fields of all
//! selections.

use rstest::rstest;
use serde_json::{Value, json};

use crate::given::{TestResponse, World};

const DAY: i64 = 86_400;

/// Executes a query in a session in a new world. `END` stands for the time in one day. Returns the
/// response and the calls of DynamoDB.
async fn execute(query: &str, variables: Value) -> (TestResponse, Vec<String>) {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    let query = query.replace("END", &(world.now() + DAY).to_string());
    let body = json!({ "query": query, "operationName": "A", "variables": variables });
    world.take_operations();

    let headers = [
        ("content-type", "application/json"),
        ("cookie", ana.cookie.as_str()),
        ("sec-fetch-site", "same-origin"),
    ];
    let response = world.request(("POST", "/api"), &headers, body.to_string()).await;
    if let Some(token) = response.json()["data"]["updateAccessToken"]["sessionJwt"].as_str() {
        world.register_secret(token);
    }
    (response, world.take_operations())
}

#[rstest]
#[case::side_by_side(
    "mutation A { updateAccessToken(expirationTime: END) { success } \
     updateAccessToken(expirationTime: END) { sessionJwt } }"
)]
#[case::with_a_variable(
    "mutation A($end: Int! = END) { updateAccessToken(expirationTime: $end) { success } \
     updateAccessToken(expirationTime: $end) { sessionJwt } }"
)]
#[case::in_an_inline_fragment(
    "mutation A { updateAccessToken(expirationTime: END) { success } \
     ... { updateAccessToken(expirationTime: END) { sessionJwt } } }"
)]
#[case::in_an_inline_fragment_of_its_type(
    "mutation A { ... on Mutation { updateAccessToken(expirationTime: END) { ... { success } } } \
     updateAccessToken(expirationTime: END) { sessionJwt } }"
)]
#[case::in_a_fragment(
    "mutation A { ...a updateAccessToken(expirationTime: END) { sessionJwt } } \
     fragment a on Mutation { updateAccessToken(expirationTime: END) { success } }"
)]
#[case::in_a_fragment_that_is_spread_twice(
    "mutation A { ...a ...a } \
     fragment a on Mutation { updateAccessToken(expirationTime: END) { ...b } } \
     fragment b on UpdateAccessTokenPayload { success sessionJwt }"
)]
#[case::in_one_of_two_operations(
    "query B { me { role } } mutation A { updateAccessToken(expirationTime: END) { success } \
     updateAccessToken(expirationTime: END) { sessionJwt } }"
)]
#[case::with_directives_that_include_both(
    "mutation A($yes: Boolean! = true) { \
     updateAccessToken(expirationTime: END) @include(if: $yes) { success } \
     ... @skip(if: false) { updateAccessToken(expirationTime: END) { sessionJwt } } }"
)]
#[tokio::test]
async fn a_mutation_that_is_selected_twice_creates_one_token_and_returns_both_selections(
    #[case] query: &str,
) {
    let once = "mutation A { updateAccessToken(expirationTime: END) { success sessionJwt } }";
    let (expected, expected_calls) = execute(once, json!({})).await;

    let (response, calls) = execute(query, json!({})).await;

    assert_eq!(response.text(), expected.text());
    assert_eq!(calls, expected_calls);
}

#[tokio::test]
async fn hundreds_of_repetitions_make_as_many_calls_as_one_selection() {
    let many = |field: &str, count| format!("{{ {} }}", field.repeat(count));

    let (_, one_token) =
        execute("mutation A { updateAccessToken(expirationTime: END) { success } }", json!({}))
            .await;
    let tokens = many("updateAccessToken(expirationTime: END) { success } ", 490);
    let (response, many_tokens) = execute(&format!("mutation A {tokens}"), json!({})).await;
    assert_eq!(response.text(), r#"{"data":{"updateAccessToken":{"success":true}}}"#);
    assert_eq!(many_tokens, one_token);

    let (expected, one_read) = execute("query A { me { accessToken } }", json!({})).await;
    let me = many("accessToken ", 990);
    let (response, many_reads) = execute(&format!("query A {{ me {me} }}"), json!({})).await;
    assert_eq!(response.text(), expected.text());
    assert_eq!(many_reads, one_read);
}

#[rstest]
#[case::both(json!({}), json!({ "success": true, "sessionJwt": "a token" }))]
#[case::the_first(json!({ "second": false }), json!({ "success": true }))]
#[case::the_second(json!({ "first": false }), json!({ "sessionJwt": "a token" }))]
#[tokio::test]
async fn a_skipped_selection_is_not_merged(#[case] variables: Value, #[case] expected: Value) {
    let query = "mutation A($first: Boolean = true, $second: Boolean! = true) { \
                 updateAccessToken(expirationTime: END) @include(if: $first) { success } \
                 ...b @include(if: $second) } \
                 fragment b on Mutation { updateAccessToken(expirationTime: END) { sessionJwt } }";

    let mut response = execute(query, variables).await.0.json();

    if let Some(token) = response["data"]["updateAccessToken"].get_mut("sessionJwt") {
        *token = json!("a token");
    }
    assert_eq!(response["data"]["updateAccessToken"], expected, "{response}");
}

#[tokio::test]
async fn a_mutation_whose_selections_are_all_skipped_is_not_executed() {
    let query = "mutation A { updateAccessToken(expirationTime: END) @skip(if: true) { success } \
                 updateAccessToken(expirationTime: END) @include(if: false) { success } }";

    let (response, calls) = execute(query, json!({})).await;

    assert_eq!(response.text(), r#"{"data":{}}"#);
    assert_eq!(calls, ["BatchGetItem"]);
}

#[rstest]
#[case::arguments(
    "mutation A { updateAccessToken(expirationTime: END) { success } \
     updateAccessToken(expirationTime: 1) { success } }",
    "Fields \"updateAccessToken\" conflict because they have differing arguments."
)]
#[case::arguments_in_a_fragment(
    "mutation A { updateAccessToken(expirationTime: END) { success } ...a } \
     fragment a on Mutation { updateAccessToken(expirationTime: 1) { success } }",
    "Fields \"updateAccessToken\" conflict because they have differing arguments."
)]
#[case::arguments_deeper_in_the_query(
    "query A { me { role(entity: USER) } ... on Query { me { role } } }",
    "Fields \"role\" conflict because they have differing arguments."
)]
#[case::fields(
    "query A { me { a: role } me { a: userName } }",
    "Fields \"a\" conflict because \"role\" and \"userName\" are different fields."
)]
#[case::skipped_fields(
    "query A { me { a: role @skip(if: true) a: userName } }",
    "Fields \"a\" conflict because \"role\" and \"userName\" are different fields."
)]
#[case::in_an_operation_that_is_not_executed(
    "query A { me { role } } query B { a: me { role } ... { a: __typename } }",
    "Fields \"a\" conflict because \"me\" and \"__typename\" are different fields."
)]
#[tokio::test]
async fn different_fields_with_the_same_response_key_are_rejected(
    #[case] query: &str,
    #[case] message: &str,
) {
    let (response, calls) = execute(query, json!({})).await;

    assert_eq!(response.verdict(), "200 GRAPHQL_VALIDATION_FAILED");
    assert!(response.message().starts_with(message), "{}", response.message());
    assert_eq!(calls, ["BatchGetItem"]);
}

#[rstest]
#[case::an_unknown_field("mutation A { FIRST updateAccessToken(expirationTime: END) { nothing } }")]
#[case::an_unknown_field_in_a_skipped_selection(
    "mutation A { FIRST updateAccessToken(expirationTime: END) @skip(if: true) { nothing } }"
)]
#[case::an_unknown_directive(
    "mutation A { FIRST updateAccessToken(expirationTime: END) @nothing { success } }"
)]
#[case::an_unknown_fragment("mutation A { FIRST FIRST ...nothing }")]
#[case::a_fragment_of_another_type("mutation A { FIRST FIRST ... on Query { __typename } }")]
#[case::an_unused_variable("mutation A($a: Int) { FIRST FIRST }")]
#[case::a_variable_of_another_type(
    "mutation A($a: String! = \"true\") { \
     FIRST updateAccessToken(expirationTime: END) @skip(if: $a) { success } }"
)]
#[case::in_an_operation_that_is_not_executed("mutation A { FIRST FIRST } query B { nothing }")]
#[tokio::test]
async fn selections_are_validated_before_they_are_merged(#[case] query: &str) {
    let first = "updateAccessToken(expirationTime: END) { success }";

    let (response, calls) = execute(&query.replace("FIRST", first), json!({})).await;

    assert_eq!(response.verdict(), "200 GRAPHQL_VALIDATION_FAILED", "{}", response.text());
    assert!(response.json().get("data").is_none());
    assert_eq!(calls, ["BatchGetItem"]);
}

#[tokio::test]
async fn fields_with_different_aliases_are_not_merged() {
    let query = "query A { me { a: role b: role } also: me { role } }";

    let (response, _) = execute(query, json!({})).await;

    assert_eq!(
        response.text(),
        r#"{"data":{"me":{"a":"user","b":"user"},"also":{"role":"user"}}}"#
    );
}

#[tokio::test]
async fn the_default_value_of_a_variable_decides_whether_a_field_is_skipped() {
    let query = "query A($no: Boolean! = false, $yes: Boolean! = true) { \
                 me { a: role @include(if: $no) b: role @skip(if: $yes) c: role } }";

    let (response, _) = execute(query, json!({})).await;

    assert_eq!(response.text(), r#"{"data":{"me":{"c":"user"}}}"#);
}
