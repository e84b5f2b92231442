//! Requests that pages of other sites make browsers send, and what their scripts can read.

use rstest::rstest;
use serde_json::json;

use crate::given::{Answer, INVALIDATE, ME, URL, World};

const JSON: (&str, &str) = ("content-type", "application/json");
const EVIL: (&str, &str) = ("origin", "https://evil.test");
const CROSS_SITE: (&str, &str) = ("sec-fetch-site", "cross-site");
const FRIEND: &str = "https://friend.test";
const REJECTED: &str = "403 FORBIDDEN CSRF_REJECTED";
const MEDIA_TYPE: &str = "415 BAD_REQUEST";

/// Posts a query with these headers.
async fn post(world: &World, headers: &[(&str, &str)], query: &str) -> Answer {
    world.sends(("POST", "/api"), headers, json!({ "query": query }).to_string()).await
}

/// Whether scripts of another origin can read the response.
fn is_shared(answer: &Answer) -> bool {
    answer.headers.keys().any(|name| name.as_str().starts_with("access-control-"))
}

#[rstest]
#[case::our_own_page(&[("sec-fetch-site", "same-origin")], "200")]
#[case::our_own_page_with_an_origin(&[("sec-fetch-site", "same-origin"), ("origin", URL)], "200")]
#[case::another_site(&[("sec-fetch-site", "cross-site")], REJECTED)]
#[case::another_host_of_the_same_site(&[("sec-fetch-site", "same-site")], REJECTED)]
#[case::the_address_bar(&[("sec-fetch-site", "none")], REJECTED)]
#[case::another_site_with_our_origin(&[CROSS_SITE, ("origin", URL)], REJECTED)]
#[case::an_unknown_word(&[("sec-fetch-site", "Same-Origin")], REJECTED)]
#[case::an_older_browser_on_our_page(&[("origin", URL)], "200")]
#[case::an_older_browser_on_another_page(&[EVIL], REJECTED)]
#[case::an_origin_that_begins_like_ours(&[("origin", "https://arm.test.evil.test")], REJECTED)]
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
    let ana = world.signed_in("ana@acme.test").await;
    world.calls();

    let headers = [&[JSON, ("cookie", ana.cookie.as_str())], sent].concat();
    let answer = post(&world, &headers, ME).await;

    assert_eq!(answer.verdict(), verdict);
    assert_eq!(world.calls().is_empty(), verdict == REJECTED);
    assert!(!is_shared(&answer));
}

#[tokio::test]
async fn a_rejected_request_changes_nothing() {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;
    let program = ana.makes_token(world.now() + 86_400).await;

    let headers = [JSON, ("cookie", &ana.cookie), ("sec-fetch-site", "cross-site")];
    let answer = post(&world, &headers, INVALIDATE).await;

    assert_eq!(answer.verdict(), REJECTED);
    assert_eq!(answer.message(), "Access denied");
    assert!(answer.json().get("data").is_none());
    assert_eq!(answer.session_cookie(), None);
    assert_eq!(program.asks(ME).await.verdict(), "200");
    assert_eq!(ana.asks(ME).await.verdict(), "200");
}

#[rstest]
#[case::json("application/json")]
#[case::text("text/plain")]
#[case::form("application/x-www-form-urlencoded")]
#[case::upload("multipart/form-data; boundary=x")]
#[tokio::test]
async fn another_site_is_rejected_with_any_content_type(#[case] content_type: &str) {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;
    let program = ana.makes_token(world.now() + 86_400).await;

    let headers =
        [("content-type", content_type), ("cookie", &ana.cookie), ("sec-fetch-site", "cross-site")];
    let answer = post(&world, &headers, INVALIDATE).await;

    assert_eq!(answer.verdict(), REJECTED);
    assert_eq!(program.asks(ME).await.verdict(), "200");
}

#[rstest]
#[case::text(Some("text/plain"))]
#[case::text_that_says_json(Some("text/plain; application/json"))]
#[case::a_form(Some("application/x-www-form-urlencoded"))]
#[case::an_upload(Some("multipart/form-data; boundary=x"))]
#[case::nothing(None)]
#[case::an_empty_type(Some(""))]
#[case::json_of_another_kind(Some("application/vnd.api+json"))]
#[case::graphql(Some("application/graphql"))]
#[case::another_charset(Some("application/json; charset=utf-16"))]
#[tokio::test]
async fn even_our_own_pages_must_send_json(#[case] content_type: Option<&str>) {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;
    let program = ana.makes_token(world.now() + 86_400).await;
    world.calls();

    let own = [("cookie", ana.cookie.as_str()), ("sec-fetch-site", "same-origin")];
    let headers: Vec<_> =
        own.into_iter().chain(content_type.map(|it| ("content-type", it))).collect();
    let answer = post(&world, &headers, INVALIDATE).await;

    assert_eq!(answer.verdict(), MEDIA_TYPE);
    assert!(world.calls().is_empty());
    assert_eq!(program.asks(ME).await.verdict(), "200");
}

#[tokio::test]
async fn a_token_works_from_every_site_but_scripts_cannot_read_the_response() {
    let world = World::new().await;
    let program = world.program_of("ana@acme.test").await;

    let bearer = format!("Bearer {}", program.token);
    let headers = [JSON, EVIL, ("sec-fetch-site", "cross-site"), ("authorization", &bearer)];
    let answer = post(&world, &headers, ME).await;

    assert_eq!(answer.verdict(), "200");
    assert!(!is_shared(&answer));
}

#[tokio::test]
async fn a_request_with_a_token_and_a_session_may_come_from_another_site() {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;
    let bob = world.program_of("bob@acme.test").await;

    let bearer = format!("Bearer {}", bob.token);
    let headers = [JSON, EVIL, ("cookie", &ana.cookie), ("authorization", &bearer)];
    let answer = post(&world, &headers, "{ me { userEmail } }").await;

    assert_eq!(answer.json()["data"]["me"]["userEmail"], "bob@acme.test");
}

#[tokio::test]
async fn a_preflight_of_another_site_is_not_allowed() {
    let world = World::new().await;

    let headers = [
        EVIL,
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization"),
    ];
    let answer = world.sends(("OPTIONS", "/api"), &headers, "").await;

    assert_eq!(answer.verdict(), "204");
    assert!(!is_shared(&answer), "{:?}", answer.headers);
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
    let ana = world.signed_in("ana@acme.test").await;
    let program = ana.makes_token(world.now() + 86_400).await;
    let bearer = format!("Bearer {}", program.token);
    world.calls();

    let path = "/api?query=mutation%7BinvalidateAccessToken%7Bsuccess%7D%7D";
    for credential in
        [Some(("cookie", ana.cookie.as_str())), Some(("authorization", bearer.as_str())), None]
    {
        let headers: Vec<_> = sent.iter().copied().chain(credential).collect();
        let answer = world.sends(("GET", path), &headers, "").await;
        assert_eq!(answer.verdict(), "405 BAD_REQUEST");
        assert_eq!(answer.header("allow"), Some("POST"));
    }

    assert!(world.calls().is_empty());
    assert_eq!(program.asks(ME).await.verdict(), "200");
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
    let ana = world.signed_in("ana@acme.test").await;

    let headers = [&[("cookie", ana.cookie.as_str())], sent].concat();
    let answer = world.sends(("GET", "/api?query=%7Bme%7BaccessToken%7D%7D"), &headers, "").await;

    assert_eq!(answer.verdict(), verdict);
}

#[tokio::test]
async fn a_link_on_another_site_opens_the_ide() {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;

    let headers = [
        ("cookie", ana.cookie.as_str()),
        ("sec-fetch-site", "cross-site"),
        ("accept", "text/html"),
    ];
    let answer = world.sends(("GET", "/api"), &headers, "").await;

    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
}

#[rstest]
#[case::our_page(&[("sec-fetch-site", "same-origin")], 303)]
#[case::an_older_browser_on_our_page(&[("origin", URL)], 303)]
#[case::another_site(&[("sec-fetch-site", "cross-site")], 403)]
#[case::neither(&[], 403)]
#[tokio::test]
async fn only_our_own_form_opens_a_session(#[case] sent: &[(&str, &str)], #[case] status: u16) {
    let world = World::new().await;

    let answer = world.sends(("POST", "/login/development"), sent, "email=ana@acme.test").await;

    assert_eq!(answer.status, status);
    assert_eq!(answer.session_cookie().is_some(), status == 303);
}

async fn world_with_a_friend() -> World {
    World::with(|config| config.cors_origins = vec![FRIEND.parse().unwrap()]).await
}

#[tokio::test]
async fn a_listed_origin_may_send_a_token_but_no_session() {
    let world = world_with_a_friend().await;
    let program = world.program_of("ana@acme.test").await;
    let bearer = format!("Bearer {}", program.token);

    let asks = [("origin", FRIEND), ("access-control-request-method", "POST")];
    let wants = [("access-control-request-headers", "authorization,content-type")];
    let preflight = world.sends(("OPTIONS", "/api"), &[&asks[..], &wants[..]].concat(), "").await;
    let sent =
        [JSON, ("origin", FRIEND), ("sec-fetch-site", "cross-site"), ("authorization", &bearer)];
    let answer = post(&world, &sent, ME).await;

    assert!([200, 204].contains(&preflight.status));
    assert_eq!(answer.verdict(), "200");
    for it in [&preflight, &answer] {
        assert_eq!(it.header("access-control-allow-origin"), Some(FRIEND));
        assert_eq!(it.header("access-control-allow-credentials"), None);
        assert!(it.header("vary").unwrap().to_lowercase().contains("origin"));
    }
    let allowed = preflight.header("access-control-allow-headers").unwrap();
    assert!(allowed.contains("authorization"), "{allowed}");
    assert!(allowed.contains("content-type"), "{allowed}");
}

#[tokio::test]
async fn a_listed_origin_can_read_why_its_token_is_refused() {
    let world = world_with_a_friend().await;

    let headers = [JSON, ("origin", FRIEND), ("authorization", "Bearer a.b.c")];
    let answer = post(&world, &headers, ME).await;

    assert_eq!(answer.status, 401);
    assert_eq!(answer.header("access-control-allow-origin"), Some(FRIEND));
    let exposed = answer.header("access-control-expose-headers").unwrap();
    assert!(exposed.contains("www-authenticate"), "{exposed}");
    assert!(exposed.contains("x-request-id"), "{exposed}");
}

#[tokio::test]
async fn a_session_does_not_work_from_a_listed_origin() {
    let world = world_with_a_friend().await;
    let ana = world.signed_in("ana@acme.test").await;

    let headers = [JSON, ("origin", FRIEND), ("cookie", &ana.cookie)];

    assert_eq!(post(&world, &headers, ME).await.verdict(), REJECTED);
}

#[rstest]
#[case::another_origin("https://evil.test")]
#[case::a_listed_origin_as_a_prefix("https://friend.test.evil.test")]
#[case::without_tls("http://friend.test")]
#[case::a_sandboxed_page("null")]
#[tokio::test]
async fn an_origin_that_is_not_listed_cannot_read_responses(#[case] origin: &str) {
    let world = world_with_a_friend().await;

    let asks = [("origin", origin), ("access-control-request-method", "POST")];
    let preflight = world.sends(("OPTIONS", "/api"), &asks, "").await;
    let answer = post(&world, &[JSON, ("origin", origin)], "{ __typename }").await;

    for it in [&preflight, &answer] {
        assert_eq!(it.header("access-control-allow-origin"), None);
        assert_eq!(it.header("access-control-allow-credentials"), None);
    }
}
