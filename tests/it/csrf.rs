//! Requests from pages of other sites, and which responses their scripts can read.

use rstest::rstest;
use serde_json::json;

use crate::given::{INVALIDATE, ME, TestResponse, URL, World};

const JSON: (&str, &str) = ("content-type", "application/json");
const EVIL: (&str, &str) = ("origin", "https://evil.test");
const CROSS_SITE: (&str, &str) = ("sec-fetch-site", "cross-site");
/// The origin in `CORS_ORIGINS`.
const LISTED: &str = "https://friend.test";
const REJECTED: &str = "403 FORBIDDEN CSRF_REJECTED";
const UNSUPPORTED_MEDIA_TYPE: &str = "415 BAD_REQUEST";

/// Sends a query with these headers.
async fn post(world: &World, headers: &[(&str, &str)], query: &str) -> TestResponse {
    world.request(("POST", "/api"), headers, json!({ "query": query }).to_string()).await
}

/// Returns whether scripts of another origin can read the response.
fn is_shared(response: &TestResponse) -> bool {
    response.headers.keys().any(|name| name.as_str().starts_with("access-control-"))
}

#[rstest]
#[case::our_own_page(&[("sec-fetch-site", "same-origin")], "200")]
#[case::our_own_page_with_an_origin(&[("sec-fetch-site", "same-origin"), ("origin", URL)], "200")]
#[case::another_site(&[("sec-fetch-site", "cross-site")], REJECTED)]
#[case::another_host_of_the_same_site(&[("sec-fetch-site", "same-site")], REJECTED)]
#[case::the_address_bar(&[("sec-fetch-site", "none")], REJECTED)]
#[case::another_site_with_our_origin(&[CROSS_SITE, ("origin", URL)], REJECTED)]
#[case::an_unknown_value(&[("sec-fetch-site", "Same-Origin")], REJECTED)]
#[case::an_older_browser_on_our_page(&[("origin", URL)], "200")]
#[case::an_older_browser_on_another_page(&[EVIL], REJECTED)]
#[case::an_origin_that_starts_like_ours(&[("origin", "https://arm.test.evil.test")], REJECTED)]
#[case::our_host_without_tls(&[("origin", "http://arm.test")], REJECTED)]
#[case::our_host_on_another_port(&[("origin", "https://arm.test:8443")], REJECTED)]
#[case::a_sandboxed_page(&[("origin", "null")], REJECTED)]
#[case::another_host_header(&[EVIL, ("host", "evil.test")], REJECTED)]
#[case::our_own_referer(&[("referer", "https://arm.test/")], REJECTED)]
#[case::neither(&[], REJECTED)]
#[tokio::test]
async fn a_session_works_only_from_our_own_pages(
    #[case] sent: &[(&str, &str)],
    #[case] verdict: &str,
) {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    world.take_operations();

    let headers = [&[JSON, ("cookie", ana.cookie.as_str())], sent].concat();
    let response = post(&world, &headers, ME).await;

    assert_eq!(response.verdict(), verdict);
    assert_eq!(world.take_operations().is_empty(), verdict == REJECTED);
    assert!(!is_shared(&response));
}

#[tokio::test]
async fn a_rejected_request_changes_nothing() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    let program = ana.create_token(world.now() + 86_400).await;

    let headers = [JSON, ("cookie", &ana.cookie), ("sec-fetch-site", "cross-site")];
    let response = post(&world, &headers, INVALIDATE).await;

    assert_eq!(response.verdict(), REJECTED);
    assert_eq!(response.message(), "Access denied");
    assert!(response.json().get("data").is_none());
    assert_eq!(response.session_cookie(), None);
    assert_eq!(program.query(ME).await.verdict(), "200");
    assert_eq!(ana.query(ME).await.verdict(), "200");
}

#[rstest]
#[case::json("application/json")]
#[case::text("text/plain")]
#[case::form("application/x-www-form-urlencoded")]
#[case::upload("multipart/form-data; boundary=x")]
#[tokio::test]
async fn another_site_is_rejected_with_any_content_type(#[case] content_type: &str) {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    let program = ana.create_token(world.now() + 86_400).await;

    let headers =
        [("content-type", content_type), ("cookie", &ana.cookie), ("sec-fetch-site", "cross-site")];
    let response = post(&world, &headers, INVALIDATE).await;

    assert_eq!(response.verdict(), REJECTED);
    assert_eq!(program.query(ME).await.verdict(), "200");
}

#[rstest]
#[case::text(Some("text/plain"))]
#[case::text_that_says_json(Some("text/plain; application/json"))]
#[case::a_form(Some("application/x-www-form-urlencoded"))]
#[case::an_upload(Some("multipart/form-data; boundary=x"))]
#[case::no_content_type(None)]
#[case::an_empty_content_type(Some(""))]
#[case::another_json_type(Some("application/vnd.api+json"))]
#[case::graphql(Some("application/graphql"))]
#[case::another_charset(Some("application/json; charset=utf-16"))]
#[tokio::test]
async fn even_our_own_pages_must_send_json(#[case] content_type: Option<&str>) {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    let program = ana.create_token(world.now() + 86_400).await;
    world.take_operations();

    let own = [("cookie", ana.cookie.as_str()), ("sec-fetch-site", "same-origin")];
    let headers: Vec<_> =
        own.into_iter().chain(content_type.map(|it| ("content-type", it))).collect();
    let response = post(&world, &headers, INVALIDATE).await;

    assert_eq!(response.verdict(), UNSUPPORTED_MEDIA_TYPE);
    assert!(world.take_operations().is_empty());
    assert_eq!(program.query(ME).await.verdict(), "200");
}

#[tokio::test]
async fn a_token_works_from_every_site_but_scripts_cannot_read_the_response() {
    let world = World::new().await;
    let program = world.program_for("ana@acme.test").await;

    let bearer = format!("Bearer {}", program.token);
    let headers = [JSON, EVIL, ("sec-fetch-site", "cross-site"), ("authorization", &bearer)];
    let response = post(&world, &headers, ME).await;

    assert_eq!(response.verdict(), "200");
    assert!(!is_shared(&response));
}

#[tokio::test]
async fn a_request_with_a_token_and_a_session_may_come_from_another_site() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    let bob = world.program_for("bob@acme.test").await;

    let bearer = format!("Bearer {}", bob.token);
    let headers = [JSON, EVIL, ("cookie", &ana.cookie), ("authorization", &bearer)];
    let response = post(&world, &headers, "{ me { userEmail } }").await;

    assert_eq!(response.json()["data"]["me"]["userEmail"], "bob@acme.test");
}

#[tokio::test]
async fn a_preflight_of_another_site_is_not_allowed() {
    let world = World::new().await;

    let headers = [
        EVIL,
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization"),
    ];
    let response = world.request(("OPTIONS", "/api"), &headers, "").await;

    assert_eq!(response.verdict(), "204");
    assert!(!is_shared(&response), "{:?}", response.headers);
}

#[rstest]
#[case::an_image(&[CROSS_SITE, ("sec-fetch-dest", "image"), ("accept", "image/*,*/*;q=0.8")])]
#[case::an_image_in_an_older_browser(&[("accept", "image/*")])]
#[case::a_link(&[CROSS_SITE, ("sec-fetch-mode", "navigate"), ("accept", "text/html")])]
#[case::our_own_page(&[("sec-fetch-site", "same-origin")])]
#[case::the_address_bar(&[("sec-fetch-site", "none"), ("accept", "text/html")])]
#[tokio::test]
async fn a_mutation_with_get_is_not_executed(#[case] sent: &[(&str, &str)]) {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    let program = ana.create_token(world.now() + 86_400).await;
    let bearer = format!("Bearer {}", program.token);
    world.take_operations();

    let path = "/api?query=mutation%7BinvalidateAccessToken%7Bsuccess%7D%7D";
    for credential in
        [Some(("cookie", ana.cookie.as_str())), Some(("authorization", bearer.as_str())), None]
    {
        let headers: Vec<_> = sent.iter().copied().chain(credential).collect();
        let response = world.request(("GET", path), &headers, "").await;
        assert_eq!(response.verdict(), "405 BAD_REQUEST");
        assert_eq!(response.header("allow"), Some("POST"));
    }

    assert!(world.take_operations().is_empty());
    assert_eq!(program.query(ME).await.verdict(), "200");
}

#[rstest]
#[case::our_own_page(&[("sec-fetch-site", "same-origin")], "200")]
#[case::the_address_bar(&[("sec-fetch-site", "none")], "200")]
#[case::an_older_browser_on_our_page(&[("origin", URL)], "200")]
#[case::another_site(&[CROSS_SITE], REJECTED)]
#[case::a_link_on_another_site(
    &[CROSS_SITE, ("sec-fetch-mode", "navigate"), ("accept", "text/html")],
    REJECTED
)]
#[case::an_older_browser_on_another_page(&[EVIL], REJECTED)]
#[case::neither(&[], REJECTED)]
#[tokio::test]
async fn a_query_with_get_and_a_session_works_only_from_our_own_pages(
    #[case] sent: &[(&str, &str)],
    #[case] verdict: &str,
) {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;

    let headers = [&[("cookie", ana.cookie.as_str())], sent].concat();
    let response =
        world.request(("GET", "/api?query=%7Bme%7BaccessToken%7D%7D"), &headers, "").await;

    assert_eq!(response.verdict(), verdict);
}

#[tokio::test]
async fn a_link_on_another_site_opens_the_ide() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;

    let headers = [
        ("cookie", ana.cookie.as_str()),
        ("sec-fetch-site", "cross-site"),
        ("accept", "text/html"),
    ];
    let response = world.request(("GET", "/api"), &headers, "").await;

    assert_eq!(response.status, 200);
    assert_eq!(response.header("content-type"), Some("text/html; charset=utf-8"));
}

#[rstest]
#[case::our_page(&[("sec-fetch-site", "same-origin")], 303)]
#[case::an_older_browser_on_our_page(&[("origin", URL)], 303)]
#[case::another_site(&[("sec-fetch-site", "cross-site")], 403)]
#[case::neither(&[], 403)]
#[tokio::test]
async fn only_our_own_form_opens_a_session(#[case] sent: &[(&str, &str)], #[case] status: u16) {
    let world = World::new().await;

    let response = world.request(("POST", "/login/development"), sent, "email=ana@acme.test").await;

    assert_eq!(response.status, status);
    assert_eq!(response.session_cookie().is_some(), status == 303);
}

async fn world_with_listed_origin() -> World {
    World::with(|config| config.cors_origins = vec![LISTED.parse().unwrap()]).await
}

#[tokio::test]
async fn a_listed_origin_may_send_a_token_but_no_session() {
    let world = world_with_listed_origin().await;
    let program = world.program_for("ana@acme.test").await;
    let bearer = format!("Bearer {}", program.token);

    let preflight_headers = [("origin", LISTED), ("access-control-request-method", "POST")];
    let requested_headers = [("access-control-request-headers", "authorization,content-type")];
    let preflight = world
        .request(
            ("OPTIONS", "/api"),
            &[&preflight_headers[..], &requested_headers[..]].concat(),
            "",
        )
        .await;
    let sent =
        [JSON, ("origin", LISTED), ("sec-fetch-site", "cross-site"), ("authorization", &bearer)];
    let response = post(&world, &sent, ME).await;

    assert!([200, 204].contains(&preflight.status));
    assert_eq!(response.verdict(), "200");
    for it in [&preflight, &response] {
        assert_eq!(it.header("access-control-allow-origin"), Some(LISTED));
        assert_eq!(it.header("access-control-allow-credentials"), None);
        assert!(it.header("vary").unwrap().to_lowercase().contains("origin"));
    }
    let allowed = preflight.header("access-control-allow-headers").unwrap();
    assert!(allowed.contains("authorization"), "{allowed}");
    assert!(allowed.contains("content-type"), "{allowed}");
}

#[tokio::test]
async fn a_listed_origin_can_read_why_its_token_is_rejected() {
    let world = world_with_listed_origin().await;

    let headers = [JSON, ("origin", LISTED), ("authorization", "Bearer a.b.c")];
    let response = post(&world, &headers, ME).await;

    assert_eq!(response.status, 401);
    assert_eq!(response.header("access-control-allow-origin"), Some(LISTED));
    let exposed = response.header("access-control-expose-headers").unwrap();
    assert!(exposed.contains("www-authenticate"), "{exposed}");
    assert!(exposed.contains("x-request-id"), "{exposed}");
}

#[tokio::test]
async fn a_session_does_not_work_from_a_listed_origin() {
    let world = world_with_listed_origin().await;
    let ana = world.log_in("ana@acme.test").await;

    let headers = [JSON, ("origin", LISTED), ("cookie", &ana.cookie)];

    assert_eq!(post(&world, &headers, ME).await.verdict(), REJECTED);
}

#[rstest]
#[case::another_origin("https://evil.test")]
#[case::a_listed_origin_as_a_prefix("https://friend.test.evil.test")]
#[case::without_tls("http://friend.test")]
#[case::a_sandboxed_page("null")]
#[tokio::test]
async fn an_origin_that_is_not_listed_cannot_read_responses(#[case] origin: &str) {
    let world = world_with_listed_origin().await;

    let preflight_headers = [("origin", origin), ("access-control-request-method", "POST")];
    let preflight = world.request(("OPTIONS", "/api"), &preflight_headers, "").await;
    let response = post(&world, &[JSON, ("origin", origin)], "{ __typename }").await;

    for it in [&preflight, &response] {
        assert_eq!(it.header("access-control-allow-origin"), None);
        assert_eq!(it.header("access-control-allow-credentials"), None);
    }
}
