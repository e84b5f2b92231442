//! The headers of responses, the limits of requests, and the responses to panics.

use arm_api::{
    local::{self, dynamodb::http_client},
    store::client,
    web::assets,
};
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture},
    orchestrator::HttpRequest,
};
use rstest::rstest;
use serde_json::{Value, json};

use crate::given::{INVALIDATE, ME, TestResponse, URL, World, public_url};

const JSON: (&str, &str) = ("content-type", "application/json");
const TYPENAME: &str = r#"{"query":"{ __typename }"}"#;

/// A connection to DynamoDB that panics.
#[derive(Debug)]
struct Panicking;

impl HttpConnector for Panicking {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        std::panic::resume_unwind(Box::new("a bug with the table arm-secret-name"))
    }
}

/// Restarts the product with a store that panics.
async fn break_store(world: &mut World) {
    world.dependencies.dynamodb = client::client_on(&local::aws(None), http_client(Panicking));
    world.redeploy(|config| config.table = String::from("arm-secret-name")).await;
}

#[rstest]
#[case::success("POST", &[JSON], TYPENAME, 200)]
#[case::an_invalid_token("POST", &[JSON, ("authorization", "Bearer a.b.c")], TYPENAME, 401)]
#[case::a_session_from_another_site("POST", &[JSON, ("cookie", "__Host-arm_session=a")], TYPENAME, 403)]
#[case::a_body_without_a_query("POST", &[JSON], "{}", 400)]
#[case::a_syntax_error("POST", &[JSON, ("accept", "application/graphql-response+json")], r#"{"query":"{"}"#, 400)]
#[case::no_content_type("POST", &[], TYPENAME, 415)]
#[case::not_acceptable("POST", &[JSON, ("accept", "text/html")], TYPENAME, 406)]
#[case::another_method("PATCH", &[JSON], TYPENAME, 405)]
#[case::a_head_request("HEAD", &[], "", 200)]
#[case::a_preflight("OPTIONS", &[], "", 204)]
#[case::the_ide("GET", &[("accept", "text/html")], "", 200)]
#[case::no_query("GET", &[], "", 400)]
#[tokio::test]
async fn every_response_of_the_endpoint_has_the_security_headers(
    #[case] method: &str,
    #[case] headers: &[(&str, &str)],
    #[case] body: &'static str,
    #[case] status: u16,
) {
    let world = World::new().await;

    let response = world.request((method, "/api"), headers, body).await;

    assert_eq!(response.status, status);
    assert_eq!(response.header("cache-control"), Some("no-store"));
    assert_eq!(response.header("vary"), Some(VARY));
    assert_headers(&response);
}

const VARY: &str = "accept, origin, cookie, authorization, sec-fetch-site";

fn assert_headers(response: &TestResponse) {
    assert_eq!(response.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(response.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(
        response.header("strict-transport-security"),
        Some("max-age=31536000; includeSubDomains")
    );
    assert_eq!(response.header("cross-origin-opener-policy"), Some("same-origin"));
    assert_eq!(response.header("cross-origin-resource-policy"), Some("same-origin"));
    let permissions = response.header("permissions-policy").unwrap();
    assert!(permissions.contains("camera=(), geolocation=()"), "{permissions}");
    assert!(response.header("content-security-policy").unwrap().contains("frame-ancestors 'none'"));
    assert_eq!(response.header("x-request-id").map(str::len), Some(26));
}

#[rstest]
#[case::the_login("/", 200)]
#[case::the_schema("/api/schema.graphql", 200)]
#[case::a_redirect("/home", 303)]
#[case::not_found("/nothing", 404)]
#[case::wrong_method("/logout", 405)]
#[case::the_keys("/.well-known/jwks.json", 200)]
#[case::the_health("/healthz", 200)]
#[tokio::test]
async fn every_page_has_the_security_headers_compressed_or_not(
    #[case] path: &str,
    #[case] status: u16,
) {
    let world = World::new().await;

    for encoding in ["identity", "gzip"] {
        let response = world.request(("GET", path), &[("accept-encoding", encoding)], "").await;

        assert_eq!(response.status, status);
        let vary = response.header("vary").unwrap();
        assert!(vary.starts_with(VARY), "{vary}");
        assert!(
            response.header("content-encoding").is_none() || vary.contains("accept-encoding"),
            "{vary}"
        );
        assert_headers(&response);
    }
}

#[tokio::test]
async fn a_json_error_can_be_compressed() {
    let world = World::new().await;

    let headers = [("accept", "application/json"), ("accept-encoding", "gzip")];
    let response = world.request(("POST", "/graphql"), &headers, "").await;

    assert_eq!(response.header("content-encoding"), Some("gzip"));
    let body: Value =
        serde_json::from_reader(flate2::read::GzDecoder::new(&*response.bytes)).unwrap();
    assert_eq!(body["errors"][0]["extensions"]["code"], "NOT_FOUND");
}

#[tokio::test]
async fn an_asset_varies_only_by_encoding() {
    let world = World::new().await;

    let response = world.request(("GET", assets::IDE_CSS), &[], "").await;

    assert_eq!(response.header("vary"), Some("Accept-Encoding"));
    assert_headers(&response);
}

#[rstest]
#[case::a_rejected_request(&[JSON, ("authorization", "Bearer a.b.c")], ME)]
#[case::a_failed_field(&[JSON], ME)]
#[case::an_invalid_query(&[JSON], "{ nothing }")]
#[tokio::test]
async fn the_request_id_is_in_the_header_the_errors_and_the_log(
    #[case] headers: &[(&str, &str)],
    #[case] query: &str,
) {
    let world = World::new().await;

    let first =
        world.request(("POST", "/api"), headers, json!({ "query": query }).to_string()).await;
    let second =
        world.request(("POST", "/api"), headers, json!({ "query": query }).to_string()).await;

    let ids = [&first, &second].map(|it| it.header("x-request-id").unwrap().to_owned());
    assert_eq!(
        [&first, &second].map(|it| it.extension("requestId")),
        ids.clone().map(|it| json!(it))
    );
    assert_eq!(world.log().iter().map(|it| it["requestId"].clone()).collect::<Vec<_>>(), ids);
    assert_ne!(ids[0], ids[1]);
}

#[tokio::test]
async fn the_response_to_a_panic_does_not_contain_its_cause() {
    let mut world = World::new().await;
    break_store(&mut world).await;

    let cookie = format!("__Host-arm_session={}.{}", "A".repeat(22), "A".repeat(43));
    let headers = [JSON, ("cookie", cookie.as_str()), ("sec-fetch-site", "same-origin")];
    let response = world.request(("POST", "/api"), &headers, TYPENAME).await;

    assert_eq!(response.verdict(), "500 INTERNAL_SERVER_ERROR");
    let id = response.header("x-request-id").unwrap();
    let extensions = json!({ "code": "INTERNAL_SERVER_ERROR", "requestId": id });
    let error = json!({ "message": "Internal server error", "extensions": extensions });
    assert_eq!(response.json(), json!({ "errors": [error] }));
    assert_eq!(response.header("cache-control"), Some("no-store"));
    assert!(world.log().iter().any(|it| it["requestId"] == id && it.to_string().contains("a bug")));
    assert!(world.log().iter().any(|it| it["requestId"] == id && it["status"] == 500));
}

#[tokio::test]
async fn a_panic_ends_only_its_request() {
    let mut world = World::new().await;
    break_store(&mut world).await;

    let cookie = format!("__Host-arm_session={}.{}", "A".repeat(22), "A".repeat(43));
    let headers = [JSON, ("cookie", cookie.as_str()), ("sec-fetch-site", "same-origin")];
    world.request(("POST", "/api"), &headers, TYPENAME).await;

    assert_eq!(world.query_anonymously("{ __typename }").await.verdict(), "200");
}

#[rstest]
#[case::the_login("/", 200)]
#[case::the_ide("/api", 200)]
#[case::the_development_login("/login/development", 200)]
#[case::not_found("/nothing", 404)]
#[tokio::test]
async fn a_page_cannot_be_framed(#[case] path: &str, #[case] status: u16) {
    let world = World::new().await;

    let response = world.request(("GET", path), &[("accept", "text/html")], "").await;

    assert_eq!(response.status, status);
    assert_eq!(response.header("content-type"), Some("text/html; charset=utf-8"));
    let policy = response.header("content-security-policy").unwrap();
    assert!(
        policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'"),
        "{policy}"
    );
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(
        response.header("strict-transport-security"),
        Some("max-age=31536000; includeSubDomains")
    );
    assert_eq!(response.header("x-content-type-options"), Some("nosniff"));
}

#[rstest]
#[case::over_tls(URL, Some("max-age=31536000; includeSubDomains"))]
#[case::on_localhost("http://localhost:3000", None)]
#[tokio::test]
async fn hsts_is_sent_only_if_the_product_uses_tls(
    #[case] url: &'static str,
    #[case] expected: Option<&str>,
) {
    let world = World::with(|config| config.public_url = public_url(url)).await;

    let response = world.request(("GET", "/"), &[("accept", "text/html")], "").await;

    assert_eq!(response.header("strict-transport-security"), expected);
}

#[tokio::test]
async fn a_page_without_tls_cannot_open_a_session() {
    let world = World::new().await;

    let plain = [("origin", "http://arm.test")];
    let response =
        world.request(("POST", "/login/development"), &plain, "email=ana@acme.test").await;

    assert_eq!(response.status, 403);
    assert_eq!(response.session_cookie(), None);
}

#[rstest]
#[case::without_a_credential(None, 256_000)]
#[case::with_a_token(Some("Bearer T"), 4 * 1024 * 1024)]
#[tokio::test]
async fn a_body_is_read_up_to_its_limit(#[case] authorization: Option<&str>, #[case] limit: usize) {
    let world = World::new().await;
    let bearer = match authorization {
        Some(_) => format!("Bearer {}", world.program_for("ana@acme.test").await.token),
        None => String::new(),
    };
    let headers: Vec<_> = authorization
        .map(|_| ("authorization", bearer.as_str()))
        .into_iter()
        .chain([JSON])
        .collect();

    for (length, status) in [(limit, 200), (limit + 1, 413)] {
        let before = r#"{"query":"{ __typename }","padding":""#;
        let body = format!("{before}{}\"}}", "a".repeat(length - before.len() - 2));
        let response = world.request(("POST", "/api"), &headers, body).await;
        assert_eq!(response.status, status, "{length} bytes");
    }
}

/// A well-formed cookie of a session that does not exist.
const UNKNOWN_SESSION: &str =
    "__Host-arm_session=AAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

#[tokio::test]
async fn an_unknown_session_has_the_limit_of_anonymous_requests() {
    let world = World::new().await;
    let headers = [JSON, ("cookie", UNKNOWN_SESSION), ("origin", URL)];

    let response = world.request(("POST", "/api"), &headers, endless()).await;

    assert_eq!(response.verdict(), "401 UNAUTHENTICATED TOKEN_INVALID");
    assert_eq!(world.take_operations(), ["BatchGetItem"]);
}

#[tokio::test]
async fn a_revoked_token_has_the_limit_of_anonymous_requests() {
    let world = World::new().await;
    let program = world.program_for("ana@acme.test").await;
    program.query(INVALIDATE).await;

    let bearer = format!("Bearer {}", program.token);
    let response =
        world.request(("POST", "/api"), &[JSON, ("authorization", &bearer)], endless()).await;

    assert_eq!(response.verdict(), "401 UNAUTHENTICATED TOKEN_REVOKED");
}

#[tokio::test]
async fn a_session_may_send_a_large_body() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    world.take_operations();

    let body = json!({ "query": ME, "padding": "a".repeat(1_000_000) }).to_string();
    let headers = [JSON, ("cookie", ana.cookie.as_str()), ("origin", URL)];
    let response = world.request(("POST", "/api"), &headers, body).await;

    assert_eq!(response.verdict(), "200");
    assert_eq!(world.take_operations().iter().filter(|it| *it == "BatchGetItem").count(), 1);
}

#[tokio::test]
async fn a_malformed_body_is_rejected_before_its_credential() {
    let world = World::new().await;
    let headers = [JSON, ("cookie", UNKNOWN_SESSION), ("origin", URL)];

    let response = world.request(("POST", "/api"), &headers, "{").await;

    assert_eq!(response.verdict(), "400 BAD_REQUEST");
    assert!(world.take_operations().is_empty());
}

/// Returns an endless body. A test that reads all of it hangs.
fn endless() -> axum::body::Body {
    let piece = |()| async { Some((Ok::<_, std::io::Error>("a".repeat(1024)), ())) };
    axum::body::Body::from_stream(futures_util::stream::unfold((), piece))
}

#[rstest]
#[case::a_forged_token(("authorization", "Bearer a.b.c"))]
#[case::a_malformed_token(("authorization", "Bearer not-a-token"))]
#[case::a_malformed_cookie(("cookie", "__Host-arm_session=x"))]
#[tokio::test]
async fn the_body_of_an_invalid_credential_is_not_read(#[case] credential: (&str, &str)) {
    let world = World::new().await;

    let headers = [JSON, ("origin", URL), credential];
    let response = world.request(("POST", "/api"), &headers, endless()).await;

    assert_eq!(response.status, 401);
    assert!(world.take_operations().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_request_whose_body_never_ends_times_out() {
    let world = World::new().await;
    let body = axum::body::Body::from_stream(futures_util::stream::pending::<
        Result<String, std::io::Error>,
    >());

    let response = world.request(("POST", "/api"), &[JSON], body).await;

    assert_eq!(response.verdict(), "503 SERVICE_UNAVAILABLE");
    assert_eq!(response.header("retry-after"), Some("2"));
}

#[rstest]
#[case::at_the_limit(100_000, 200)]
#[case::above_the_limit(100_001, 413)]
#[tokio::test]
async fn a_query_is_limited_to_a_hundred_thousand_bytes(
    #[case] length: usize,
    #[case] status: u16,
) {
    let world = World::new().await;
    let query = format!("{{__typename}}#{}", "a".repeat(length - "{__typename}#".len()));

    for accept in ["application/json", "application/graphql-response+json"] {
        let body = json!({ "query": query }).to_string();
        let response = world.request(("POST", "/api"), &[JSON, ("accept", accept)], body).await;
        assert_eq!(response.status, status, "{}", response.text());
        assert_eq!(
            response.extension("limit"),
            if status == 413 { json!(100_000) } else { json!(null) }
        );
    }
}

#[tokio::test]
async fn the_schema_is_not_sent_again_to_clients_that_have_it() {
    let world = World::new().await;

    let response = world.request(("GET", "/api/schema.graphql"), &[], "").await;
    let etag = response.header("etag").unwrap();
    let again = world.request(("GET", "/api/schema.graphql"), &[("if-none-match", etag)], "").await;
    let stale =
        world.request(("GET", "/api/schema.graphql"), &[("if-none-match", "\"old\"")], "").await;

    assert_eq!(response.status, 200);
    assert_eq!(response.header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(response.text(), arm_api::graph::sdl());
    assert_eq!(again.status, 304);
    assert_eq!(again.text(), "");
    assert_eq!(again.header("etag"), Some(etag));
    assert_eq!(stale.status, 200);
    assert_eq!(stale.bytes, response.bytes);
}

#[rstest]
#[case::weak("W/")]
#[case::among_others("\"old\", ")]
#[tokio::test]
async fn the_etag_of_the_schema_is_found_in_a_list(#[case] before: &str) {
    let world = World::new().await;
    let response = world.request(("GET", "/api/schema.graphql"), &[], "").await;

    let listed = format!("{before}{}", response.header("etag").unwrap());
    let again =
        world.request(("GET", "/api/schema.graphql"), &[("if-none-match", &listed)], "").await;

    assert_eq!(again.status, 304);
}
