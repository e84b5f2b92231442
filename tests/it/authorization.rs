//! The `Authorization` header.

use rstest::rstest;

use crate::given::{ME, TestResponse, URL, World};

const JSON: (&str, &str) = ("content-type", "application/json");
const MALFORMED: &str = "401 UNAUTHENTICATED TOKEN_MALFORMED";
/// The challenge of a response to a request without a credential (RFC 6750, section 3).
const CHALLENGE: &str = "Bearer realm=\"api\"";

/// Sends a query with these `Authorization` headers.
async fn query_with(world: &World, authorization: &[&str], query: &str) -> TestResponse {
    let headers: Vec<_> =
        authorization.iter().map(|it| ("authorization", *it)).chain([JSON]).collect();
    world
        .request(("POST", "/api"), &headers, serde_json::json!({ "query": query }).to_string())
        .await
}

#[tokio::test]
async fn a_token_authenticates_a_request() {
    let world = World::new().await;
    let program = world.program_for("ana@acme.test").await;

    let response = query_with(&world, &[&format!("Bearer {}", program.token)], ME).await;

    assert_eq!(response.verdict(), "200");
    assert_eq!(response.header("cache-control"), Some("no-store"));
    let text = response.json()["data"]["me"]["accessToken"].as_str().unwrap().to_owned();
    assert_eq!(text, r#"{"hasAccessToken": true, "issuedAt": "1795435200"}"#);
}

#[rstest]
#[case("bearer")]
#[case("BEARER")]
#[case("bEaReR")]
#[tokio::test]
async fn the_scheme_is_case_insensitive(#[case] scheme: &str) {
    let world = World::new().await;
    let program = world.program_for("ana@acme.test").await;

    let response = query_with(&world, &[&format!("{scheme} {}", program.token)], ME).await;

    assert_eq!(response.verdict(), "200");
}

#[tokio::test]
async fn a_field_that_needs_a_login_says_so() {
    let world = World::new().await;

    let response = world.query_anonymously(ME).await;

    assert_eq!(response.verdict(), "200 UNAUTHENTICATED NO_CREDENTIAL");
    assert_eq!(response.message(), "Login required");
    assert_eq!(response.json()["data"], serde_json::json!({ "me": null }));
    assert_eq!(response.header("www-authenticate"), Some(CHALLENGE));
    assert!(world.take_operations().is_empty());
}

#[rstest]
#[case("{ __typename }")]
#[case("{ __schema { types { name } } }")]
#[tokio::test]
async fn the_schema_needs_no_credential(#[case] query: &str) {
    let world = World::new().await;

    let response = world.query_anonymously(query).await;

    assert_eq!(response.verdict(), "200");
    assert!(response.json()["data"].is_object());
    assert!(response.json()["errors"].is_null());
    assert_eq!(response.header("www-authenticate"), None);
}

#[rstest]
#[case::no_scheme("T")]
#[case::no_token("Bearer")]
#[case::a_space("Bearer ")]
#[case::another_scheme("Basic YWxpY2U6VA==")]
#[case::an_unknown_scheme("Foo T")]
#[case::two_tokens("Bearer T T")]
#[case::a_tab("Bearer\tT")]
#[case::quotes("Bearer \"T\"")]
#[case::empty("")]
#[case::not_ascii("Bearer T\u{e9}")]
#[tokio::test]
async fn a_header_without_one_bearer_token_is_malformed(#[case] header: &str) {
    let world = World::new().await;
    let program = world.program_for("ana@acme.test").await;
    world.take_operations();

    let response = query_with(&world, &[&header.replace('T', &program.token)], ME).await;

    assert_eq!(response.verdict(), MALFORMED);
    assert!(world.take_operations().is_empty());
}

#[tokio::test]
async fn several_spaces_may_follow_the_scheme() {
    let world = World::new().await;
    let program = world.program_for("ana@acme.test").await;

    let response = query_with(&world, &[&format!("Bearer   {}", program.token)], ME).await;

    assert_eq!(response.verdict(), "200");
}

#[rstest]
#[case::no_scheme("TOKEN", "The header has no `Bearer` before the token")]
#[case::another_scheme("JWT TOKEN", "The header has another scheme than `Bearer`")]
#[case::an_empty_variable(
    "Bearer ",
    "There is no token after `Bearer`, perhaps because a variable is empty"
)]
#[case::the_scheme_twice("Bearer Bearer TOKEN", "The header has `Bearer` twice")]
#[case::quotes("Bearer \"TOKEN\"", "The token is in quotes")]
#[case::a_placeholder("Bearer <TOKEN>", "There is a placeholder instead of a token")]
#[case::a_missing_value(
    "Bearer undefined",
    "There is a word such as `undefined` or `null` instead of a token"
)]
#[case::two_words("Bearer TOKEN TOKEN", "There is more than one word after `Bearer`")]
#[case::a_truncated_token(
    "Bearer TOKEN",
    "An API token has three parts with dots between them, and this one does not"
)]
#[tokio::test]
async fn the_hint_names_the_mistake_in_the_header(#[case] header: &str, #[case] mistake: &str) {
    let world = World::new().await;
    let token = world.program_for("ana@acme.test").await.token;
    let token =
        if mistake.contains("three parts") { token.split_once('.').unwrap().0 } else { &token };

    let response = query_with(&world, &[&header.replace("TOKEN", token)], ME).await;

    assert_eq!(response.verdict(), MALFORMED);
    assert_eq!(
        response.extension("hint"),
        format!("{mistake}: send `Authorization: Bearer <api-token>`.")
    );
    assert!(!response.text().contains(token));
    assert!(!response.header("www-authenticate").unwrap().contains(token));
}

#[rstest]
#[case::malformed("Bearer no.token", MALFORMED)]
#[case::invalid("Bearer no.real.token", "401 UNAUTHENTICATED TOKEN_INVALID")]
#[tokio::test]
async fn a_rejection_has_its_hint_in_the_header_and_in_the_body(
    #[case] header: &str,
    #[case] verdict: &str,
) {
    let world = World::new().await;

    let response = query_with(&world, &[header], "{ __typename }").await;

    assert_eq!(response.verdict(), verdict);
    assert_eq!(response.message(), "Login required");
    assert!(response.json().get("data").is_none());
    assert_eq!(response.header("cache-control"), Some("no-store"));
    let hint = response.extension("hint");
    let challenge = format!(
        "{CHALLENGE}, error=\"invalid_token\", error_description=\"{}\"",
        hint.as_str().unwrap()
    );
    assert_eq!(response.header("www-authenticate"), Some(challenge.as_str()));
    assert_eq!(response.extension("requestId"), *response.header("x-request-id").unwrap());
}

#[rstest]
#[case(5000)]
#[case(4097 - "Bearer ".len())]
#[tokio::test]
async fn a_header_of_more_than_4096_bytes_is_malformed(#[case] length: usize) {
    let world = World::new().await;

    let response = query_with(&world, &[&format!("Bearer {}", "a".repeat(length))], ME).await;

    assert_eq!(response.verdict(), MALFORMED);
    assert!(world.take_operations().is_empty());
}

#[rstest]
#[case::two_headers(&["Bearer T", "Bearer T"])]
#[case::two_in_one(&["Bearer T, Bearer T"])]
#[case::beside_another_scheme(&["Basic YWxpY2U6VA==", "Bearer T"])]
#[tokio::test]
async fn two_credentials_are_rejected(#[case] headers: &[&str]) {
    let world = World::new().await;
    let program = world.program_for("ana@acme.test").await;
    world.take_operations();

    let headers: Vec<_> = headers.iter().map(|it| it.replace('T', &program.token)).collect();
    let response =
        query_with(&world, &headers.iter().map(String::as_str).collect::<Vec<_>>(), ME).await;

    assert_eq!(response.verdict(), "400 BAD_REQUEST");
    assert!(world.take_operations().is_empty());
}

#[tokio::test]
async fn a_token_in_the_query_string_is_ignored() {
    let world = World::new().await;
    let program = world.program_for("ana@acme.test").await;

    let path = format!("/api?access_token={}", program.token);
    let post =
        world.request(("POST", &path), &[JSON], r#"{"query":"{ me { accessToken } }"}"#).await;
    let get =
        world.request(("GET", &format!("{path}&query=%7Bme%7BaccessToken%7D%7D")), &[], "").await;

    assert_eq!(post.verdict(), "200 UNAUTHENTICATED NO_CREDENTIAL");
    assert_eq!(get.verdict(), "200 UNAUTHENTICATED NO_CREDENTIAL");
}

#[tokio::test]
async fn a_token_in_a_form_is_not_read() {
    let world = World::new().await;
    let program = world.program_for("ana@acme.test").await;

    let form = [("content-type", "application/x-www-form-urlencoded")];
    let body = format!("access_token={}&query=%7Bme%7BaccessToken%7D%7D", program.token);
    let response = world.request(("POST", "/api"), &form, body).await;

    assert_eq!(response.verdict(), "415 BAD_REQUEST");
}

#[rstest]
#[case::malformed("Bearer T", MALFORMED)]
#[case::forged("Bearer a.b.c", "401 UNAUTHENTICATED TOKEN_INVALID")]
#[case::another_scheme("Basic YWxpY2U6VA==", MALFORMED)]
#[tokio::test]
async fn an_invalid_token_is_rejected_despite_a_valid_session(
    #[case] header: &str,
    #[case] verdict: &str,
) {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;

    let headers = [
        JSON,
        ("cookie", &ana.cookie),
        ("sec-fetch-site", "same-origin"),
        ("authorization", header),
    ];
    let response =
        world.request(("POST", "/api"), &headers, r#"{"query":"{ me { accessToken } }"}"#).await;

    assert_eq!(response.verdict(), verdict);
    assert_eq!(response.session_cookie(), None);
    assert_eq!(ana.query(ME).await.verdict(), "200");
}

#[tokio::test]
async fn a_token_takes_precedence_over_a_session() {
    let world = World::new().await;
    let bob = world.log_in("bob@acme.test").await;
    let ana = world.program_for("ana@acme.test").await;

    let bearer = format!("Bearer {}", ana.token);
    let headers = [JSON, ("cookie", &bob.cookie), ("origin", URL), ("authorization", &bearer)];
    let response =
        world.request(("POST", "/api"), &headers, r#"{"query":"{ me { userEmail } }"}"#).await;

    assert_eq!(response.json()["data"]["me"]["userEmail"], "ana@acme.test");
}

#[tokio::test]
async fn a_preflight_with_a_token_from_another_site_is_not_allowed() {
    let world = World::new().await;
    let program = world.program_for("ana@acme.test").await;
    world.take_operations();

    let bearer = format!("Bearer {}", program.token);
    let headers = [("origin", "https://evil.test"), ("authorization", bearer.as_str())];
    let response = world.request(("OPTIONS", "/api"), &headers, "").await;

    assert_eq!(response.verdict(), "204");
    assert_eq!(response.header("access-control-allow-origin"), None);
    assert!(world.take_operations().is_empty());
}

#[tokio::test]
async fn a_token_does_not_open_pages() {
    let world = World::new().await;
    let program = world.program_for("ana@acme.test").await;

    let bearer = format!("Bearer {}", program.token);
    let response = world.request(("GET", "/home"), &[("authorization", &bearer)], "").await;

    assert_eq!(response.status, 303);
    assert_eq!(response.header("location"), Some("/?next=%2Fhome"));
}

#[tokio::test]
async fn a_credential_is_verified_before_the_query_is_parsed() {
    let response = query_with(&World::new().await, &["Bearer no.real.token"], "no GraphQL").await;

    assert_eq!(response.verdict(), "401 UNAUTHENTICATED TOKEN_INVALID");
}
