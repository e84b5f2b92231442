//! Methods, paths and media types of requests, and the media type of errors.

use rstest::rstest;

use crate::given::World;

const CONTENT_TYPE: (&str, &str) = ("content-type", "application/json");
const JSON: &str = "application/json";
const GRAPHQL: &str = "application/graphql-response+json";

#[rstest]
#[case("PUT")]
#[case("DELETE")]
#[case("PATCH")]
#[case("TRACE")]
#[case("PROPFIND")]
#[tokio::test]
async fn any_other_method_is_not_allowed(#[case] method: &str) {
    let world = World::new().await;

    for accept in ["*/*", "text/html", "image/png"] {
        let headers = [CONTENT_TYPE, ("accept", accept)];
        let response =
            world.request((method, "/api"), &headers, r#"{"query":"{ __typename }"}"#).await;
        assert_eq!(response.status, 405, "{accept}");
        assert_eq!(response.header("allow"), Some("GET, HEAD, POST, OPTIONS"), "{accept}");
    }
}

#[rstest]
#[case::curl("/api", "*/*")]
#[case::a_browser("/api", "text/html")]
#[case::a_query("/api?query=%7Bme%7Brole%7D%7D", "application/json")]
#[tokio::test]
async fn a_head_request_gets_the_headers_of_the_page_without_its_body(
    #[case] path: &str,
    #[case] accept: &str,
) {
    let world = World::new().await;

    let response = world.request(("HEAD", path), &[("accept", accept)], "").await;

    assert_eq!(response.status, 200);
    assert_eq!(response.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(response.bytes.is_empty());
    assert!(world.take_operations().is_empty());
}

#[tokio::test]
async fn the_path_may_end_in_a_slash() {
    let world = World::new().await;

    let response =
        world.request(("POST", "/api/"), &[CONTENT_TYPE], r#"{"query":"{ __typename }"}"#).await;
    let page = world.request(("GET", "/api/"), &[("accept", "text/html")], "").await;

    assert_eq!(response.text(), r#"{"data":{"__typename":"Query"}}"#);
    assert_eq!(page.status, 200);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
}

#[rstest]
#[case::json_is_sent(("POST", "/graphql"), CONTENT_TYPE, "404 NOT_FOUND")]
#[case::with_two_slashes(("POST", "//api"), CONTENT_TYPE, "404 NOT_FOUND")]
#[case::json_is_accepted(("GET", "/graphql"), ("accept", JSON), "404 NOT_FOUND")]
#[case::the_type_of_graphql_is_accepted(
    ("GET", "/api/graphql"),
    ("accept", GRAPHQL),
    "404 NOT_FOUND"
)]
#[case::another_method(("POST", "/home"), CONTENT_TYPE, "405 BAD_REQUEST")]
#[case::a_form_that_is_fetched(("GET", "/logout"), ("accept", JSON), "405 BAD_REQUEST")]
#[case::a_form_of_another_site(("POST", "/logout"), CONTENT_TYPE, "403 FORBIDDEN CSRF_REJECTED")]
#[tokio::test]
async fn a_client_that_sends_or_accepts_json_gets_errors_as_json(
    #[case] request: (&str, &str),
    #[case] header: (&str, &str),
    #[case] verdict: &str,
) {
    let world = World::new().await;

    let response = world.request(request, &[header], r#"{"query":"{ __typename }"}"#).await;

    assert_eq!(response.verdict(), verdict, "{}", response.text());
    assert!(response.header("content-type").unwrap().contains("json"));
    if response.status == 404 {
        assert_eq!(response.extension("hint"), "GraphQL is at /api: POST your query there");
    }
}

#[rstest]
#[case::an_unknown_path("/graphql", 404)]
#[case::another_method("/home", 405)]
#[tokio::test]
async fn a_browser_gets_errors_as_a_page(#[case] path: &str, #[case] status: u16) {
    let world = World::new().await;

    let accept = ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8");
    let response = world.request(("POST", path), &[accept], "a=b").await;

    assert_eq!(response.status, status);
    assert_eq!(response.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(response.text().contains("<h1"), "{}", response.text());
}

#[tokio::test]
async fn a_response_to_options_has_the_allowed_methods_and_no_body() {
    let response = World::new().await.request(("OPTIONS", "/api"), &[], "").await;

    assert_eq!(response.status, 204);
    assert_eq!(response.text(), "");
    assert_eq!(response.header("allow"), Some("GET, HEAD, POST, OPTIONS"));
    assert!(response.headers.keys().all(|it| !it.as_str().starts_with("access-control-")));
}

#[rstest]
#[case::an_upload(Some("multipart/form-data; boundary=x"))]
#[case::text(Some("text/plain"))]
#[case::curl_without_a_content_type(Some("application/x-www-form-urlencoded"))]
#[case::no_content_type(None)]
#[tokio::test]
async fn a_body_of_another_media_type_is_rejected_whatever_the_client_accepts(
    #[case] content_type: Option<&str>,
) {
    let world = World::new().await;

    for accept in [JSON, GRAPHQL, "text/html"] {
        let headers: Vec<_> = content_type
            .map(|it| ("content-type", it))
            .into_iter()
            .chain([("accept", accept)])
            .collect();
        let response =
            world.request(("POST", "/api"), &headers, r#"{"query":"{ __typename }"}"#).await;
        assert_eq!(response.verdict(), "415 BAD_REQUEST");
        assert_eq!(response.extension("hint"), "add -H 'Content-Type: application/json'");
    }
}

#[rstest]
#[case::a_charset(
    "content-type",
    "application/json; charset=us-ascii",
    "The charset us-ascii is not supported",
    "UTF-8"
)]
#[case::another(
    "content-type",
    "application/json; charset=\"iso-8859-1\"",
    "The charset iso-8859-1 is not supported",
    "UTF-8"
)]
#[case::gzip(
    "content-encoding",
    "gzip",
    "The Content-Encoding gzip is not supported",
    "without compression"
)]
#[case::brotli(
    "content-encoding",
    "br",
    "The Content-Encoding br is not supported",
    "without compression"
)]
#[tokio::test]
async fn an_unsupported_charset_or_encoding_is_named_in_the_error(
    #[case] name: &'static str,
    #[case] value: &str,
    #[case] message: &str,
    #[case] hint: &str,
) {
    let mut headers = vec![(name, value)];
    if name != "content-type" {
        headers.push(CONTENT_TYPE);
    }

    let response =
        World::new().await.request(("POST", "/api"), &headers, vec![0x1f, 0x8b, 8]).await;

    assert_eq!(response.verdict(), "415 BAD_REQUEST");
    assert_eq!(response.message(), message);
    assert!(response.extension("hint").as_str().unwrap().contains(hint), "{}", response.text());
    assert_eq!(
        response.header("accept-encoding"),
        (name == "content-encoding").then_some("identity")
    );
}

#[tokio::test]
async fn a_body_with_the_encoding_identity_is_accepted() {
    let headers = [CONTENT_TYPE, ("content-encoding", "identity")];
    let response = World::new()
        .await
        .request(("POST", "/api"), &headers, r#"{"query":"{ __typename }"}"#)
        .await;

    assert_eq!(response.verdict(), "200");
}

#[rstest]
#[case("application/json")]
#[case("application/json;charset=utf-8")]
#[case("application/json; charset=utf8")]
#[case("Application/JSON; Charset=\"UTF-8\"")]
#[tokio::test]
async fn json_in_utf_8_is_accepted(#[case] content_type: &str) {
    let headers = [("content-type", content_type)];
    let response = World::new()
        .await
        .request(("POST", "/api"), &headers, r#"{"query":"{ __typename }"}"#)
        .await;

    assert_eq!(response.verdict(), "200");
}
