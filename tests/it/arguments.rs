//! The forms in which clients write the values of arguments and variables.

use rstest::rstest;
use serde_json::{Value, json};

use crate::given::{ME, World};

const CONTENT_TYPE: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn an_invalid_variable_creates_no_token() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    let query = "mutation ($end: Int!) { updateAccessToken(expirationTime: $end) { sessionJwt } }";

    let headers =
        [CONTENT_TYPE, ("cookie", ana.cookie.as_str()), ("sec-fetch-site", "same-origin")];
    let too_large = json!(9_223_372_036_854_775_808_u64);
    for end in [
        json!("1795500000"),
        json!(1_795_500_000.5),
        json!(true),
        Value::Null,
        json!([1]),
        too_large,
    ] {
        let body = json!({ "query": query, "variables": { "end": end } }).to_string();
        let response = world.request(("POST", "/api"), &headers, body).await;
        assert_eq!(response.verdict(), "200 BAD_USER_INPUT INVALID_EXPIRATION_TIME", "{end}");
        let received = if end.is_array() { json!("a list") } else { end };
        assert_eq!(response.extension("received"), received);
    }

    let me = ana.query(ME).await.json();
    assert_eq!(me["data"]["me"]["accessToken"], r#"{"hasAccessToken": false, "issuedAt": ""}"#);
}

#[rstest]
#[case::a_literal("mutation { updateAccessToken(expirationTime: END.0) { success } }", "{}")]
#[case::with_an_exponent("mutation { updateAccessToken(expirationTime: ENDe0) { success } }", "{}")]
#[case::a_variable(
    "mutation ($end: Int!) { updateAccessToken(expirationTime: $end) { success } }",
    "{\"end\": END.0}"
)]
#[tokio::test]
async fn a_whole_number_is_an_expiration_time_however_it_is_written(
    #[case] query: &str,
    #[case] variables: &str,
) {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    let end = (world.now() + 86_400).to_string();

    let headers =
        [CONTENT_TYPE, ("cookie", ana.cookie.as_str()), ("sec-fetch-site", "same-origin")];
    let body =
        format!("{{\"query\": \"{query}\", \"variables\": {variables}}}").replace("END", &end);
    let response = world.request(("POST", "/api"), &headers, body).await;

    assert_eq!(response.text(), r#"{"data":{"updateAccessToken":{"success":true}}}"#);
}

#[tokio::test]
async fn an_expiration_time_in_quotes_is_rejected_with_the_hint_to_remove_them() {
    let world = World::new().await;

    let response = world
        .query_anonymously(
            "mutation { updateAccessToken(expirationTime: \"1795500000\") { success } }",
        )
        .await;

    let hint = response.extension("hint");
    assert!(
        hint.as_str().unwrap().starts_with("send 1795500000 as a number, without quotes"),
        "{hint}"
    );
}

#[rstest]
#[case::braces(r#""\u{1F600}""#)]
#[case::a_surrogate_pair(r#""\uD83D\uDE00""#)]
#[case::unescaped("\"😀\"")]
#[tokio::test]
async fn a_character_is_read_however_it_is_escaped(#[case] literal: &str) {
    let query = format!("{{ __type(name: {literal}) {{ name }} __typename }}");

    let response = World::new().await.query_anonymously(&query).await;

    assert_eq!(response.text(), r#"{"data":{"__type":null,"__typename":"Query"}}"#);
}

#[tokio::test]
async fn an_argument_whose_variable_has_no_value_has_its_default_value() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;

    let query = "query ($first: Int, $after: String) { \
                 me { accessTokens(first: $first, after: $after) { nodes { id } } } }";
    let response = ana.query(query).await;

    assert_eq!(response.text(), r#"{"data":{"me":{"accessTokens":{"nodes":[]}}}}"#);
}
