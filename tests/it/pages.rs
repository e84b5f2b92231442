//! What a person finds in a browser, as far as HTTP tells.

use std::collections::BTreeSet;

use arm_api::{domain::stakeholder::Status, local::faults::Fault};
use axum::body::Body;
use http::Request;
use jiff::SignedDuration;
use rstest::rstest;

use crate::given::{ME, START, URL, World};

async fn opens(world: &World, path: &str) -> crate::given::Answer {
    world.send(Request::get(path).header("accept", "text/html").body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn the_login_page_offers_the_ways_to_log_in() {
    let world = World::new().await;

    let page = opens(&world, "/").await;

    assert_eq!(page.status, 200);
    assert!(page.text().contains("href=\"/login/development?next=/home\""), "{}", page.text());
}

#[tokio::test]
async fn who_is_signed_in_goes_home_and_sees_who_they_are() {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;

    assert_eq!(ana.opens("/").await.header("location"), Some("/home"));
    let home = ana.opens("/home").await;

    assert!(home.status == 200 && home.text().contains("ana@acme.test"), "{}", home.text());
}

#[tokio::test]
async fn who_is_not_signed_in_logs_in_first_and_gets_back() {
    let world = World::new().await;

    assert_eq!(opens(&world, "/home").await.header("location"), Some("/?next=%2Fhome"));
    let login = opens(&world, "/?next=%2Fapi").await;

    assert!(login.text().contains("/login/development?next=/api"), "{}", login.text());
    assert!(!login.text().contains("has ended"));
}

#[tokio::test]
async fn whose_session_is_over_is_told_so_and_gets_back() {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;
    world.later(SignedDuration::from_mins(40));

    assert_eq!(ana.opens("/home").await.header("location"), Some("/?next=%2Fhome"));
    let login = ana.opens("/?next=%2Fhome").await;

    assert!(login.text().contains("Your session has ended"), "{}", login.text());
    assert!(login.text().contains("/login/development?next=/home"));
    let cleared = login.session_cookie();
    assert_eq!(cleared.as_deref(), Some("__Host-arm_session="), "and the old session is cleared");
}

#[tokio::test]
async fn a_session_whose_cookie_the_browser_has_dropped_is_said_to_have_ended_once() {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;
    let home = ana.opens("/home").await;
    let kept = home.header("set-cookie").unwrap().split(';').next().unwrap();
    let headers = [("accept", "text/html"), ("cookie", kept)];

    let moved = world.sends(("GET", "/home"), &headers, "").await;
    assert_eq!(moved.header("location"), Some("/?next=%2Fhome"));
    let login = world.sends(("GET", "/?next=%2Fhome"), &headers, "").await;

    assert!(login.text().contains("Your session has ended"), "{}", login.text());
    assert!(
        login.header("set-cookie").unwrap().starts_with("arm_signed_in=; "),
        "it is said again"
    );
    let after_logout = world.sends(("GET", "/?logged-out"), &headers, "").await;
    assert!(after_logout.text().contains("You are logged out"));
    assert!(!after_logout.text().contains("has ended"));
}

#[tokio::test]
async fn who_is_signed_in_may_log_in_again() {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;

    let login = ana.opens("/?next=%2Fhome&again").await;

    assert!(login.text().contains("href=\"/login/development?next=/home\""), "{}", login.text());
}

#[tokio::test]
async fn home_says_when_the_token_expires() {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;
    assert!(ana.opens("/home").await.text().contains("data-token=\"some\" hidden"));
    ana.makes_token(world.now() + 7 * 86_400).await;

    let home = ana.opens("/home").await.text();

    assert!(home.contains(">30 November 2026 at 12:00 UTC</time>"), "{home}");
    assert!(home.contains("data-token=\"none\" hidden"));
}

#[tokio::test]
async fn the_disabled_are_told_whom_to_ask() {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;
    world
        .change("ana@acme.test", |it| it.status = Status::Disabled { at: world.app.clock.now() })
        .await;

    let login = ana.opens("/").await;

    assert!(login.text().contains("Your account is disabled"), "{}", login.text());
}

#[tokio::test]
async fn a_cookie_of_nobody_is_cleared_without_a_word() {
    let world = World::new().await;
    let headers = [("accept", "text/html"), ("cookie", "__Host-arm_session=someone.elses")];

    let login = world.sends(("GET", "/"), &headers, "").await;

    assert!(!login.text().contains("role=\"status\""), "{}", login.text());
    assert_eq!(login.session_cookie().as_deref(), Some("__Host-arm_session="));
}

#[tokio::test]
async fn who_logs_out_is_told_so() {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;

    let answer = ana.logs_out().await;
    assert_eq!(answer.header("location"), Some("/?logged-out"));
    let login = opens(&world, "/?logged-out").await;

    assert!(login.text().contains("You are logged out"), "{}", login.text());
}

#[tokio::test]
async fn home_says_when_the_session_ends_and_how_to_begin_also_without_scripts() {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;

    let home = ana.opens("/home").await.text();

    assert!(home.contains("23 November 2026 at 12:40 UTC"), "{home}");
    assert!(home.contains("data-session-seconds=\"2400\""));
    assert!(home.contains("You belong to no organization yet"));
    assert!(home.contains(
        "name=\"date\" required min=\"2026-11-23\" max=\"2027-05-24\" value=\"2027-02-21\""
    ));
    assert!(home.contains("curl https://arm.test/api"));
    assert!(!home.contains("style=") && !home.contains("<style"), "a policy would stop it");
}

#[tokio::test]
async fn every_file_that_home_loads_is_ours_and_is_there() {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;

    let home = ana.opens("/home").await.text();

    let files: BTreeSet<_> = home.split('"').filter(|it| it.starts_with("/static/")).collect();
    assert_eq!(files.len(), 5, "{files:?}");
    for path in files {
        assert_eq!(opens(&world, path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn a_name_is_shown_as_it_is_and_never_as_markup() {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;
    world.change("ana@acme.test", |it| "<img src=x>\" onload=\"1".clone_into(&mut it.name)).await;

    let home = ana.opens("/home").await.text();

    assert!(!home.contains("<img") && !home.contains("\" onload"), "{home}");
}

#[tokio::test]
async fn when_dynamodb_fails_the_page_says_what_to_do() {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;
    world.dynamodb_fails(Fault::Error, 20);

    let page = ana.opens("/home").await;

    assert_eq!((page.status, page.header("retry-after")), (503, Some("2")));
    assert!(
        page.text().contains("Try again") && page.text().contains("Nothing is lost"),
        "{}",
        page.text()
    );
    assert_eq!(page.session_cookie(), None, "and nobody is logged out by it");
}

#[tokio::test]
async fn the_login_leads_to_our_own_pages_alone() {
    let world = World::new().await;
    let sign_in = |next: &str| {
        let request = Request::post("/login/development").header("origin", URL);
        world.send(request.body(Body::from(format!("email=ana@acme.test&next={next}"))).unwrap())
    };

    assert_eq!(sign_in("%2Fapi").await.header("location"), Some("/api"));
    assert_eq!(sign_in("%2F%2Fevil.test").await.header("location"), Some("/home"));
}

#[tokio::test]
async fn a_login_from_another_site_is_refused() {
    let world = World::new().await;
    let forged = Request::post("/login/development").header("origin", "https://evil.test");

    let answer = world.send(forged.body("email=ana@acme.test".into()).unwrap()).await;

    assert_eq!((answer.status, answer.header("set-cookie")), (403, None));
}

#[tokio::test]
async fn a_page_is_compressed_for_browsers_that_accept_it() {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;
    let headers = [("cookie", ana.cookie.as_str()), ("accept-encoding", "gzip, deflate, br, zstd")];

    let page = world.sends(("GET", "/home"), &headers, Body::empty()).await;

    assert_eq!(page.header("content-encoding"), Some("gzip"));
    let mut text = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&*page.bytes), &mut text)
        .unwrap();
    assert_eq!(text, ana.opens("/home").await.text());
    assert!(page.bytes.len() < 6_000, "{} bytes", page.bytes.len());
}

#[tokio::test]
async fn the_ide_is_a_page_for_everybody() {
    let world = World::new().await;

    let page = opens(&world, "/api").await;

    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert!(page.text().contains("<title>GraphQL Playground</title>"));
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        policy.starts_with("default-src 'none'; script-src 'self';")
            && policy.contains("frame-ancestors 'none'")
    );
    assert_eq!(world.calls(), Vec::<String>::new());
}

#[tokio::test]
async fn every_asset_of_the_ide_answers_and_none_is_foreign() {
    let world = World::new().await;
    let page = opens(&world, "/api").await.text();
    let mut parts = page.split(['"', '\'']).filter(|it| it.starts_with("/static/"));

    let assets: Vec<_> = parts.by_ref().collect();
    assert_eq!(assets.len(), 6, "{page}");
    for path in assets {
        let asset = opens(&world, path).await;
        assert_eq!(asset.status, 200, "{path}");
        assert_eq!(asset.header("cache-control"), Some("public, max-age=31536000, immutable"));
    }
    let page = page.replace("xmlns='http://www.w3.org/2000/svg'", "");
    assert!(!page.contains("://"), "it names another origin: {page}");
}

#[tokio::test]
async fn pages_are_strict_and_want_tls() {
    let world = World::new().await;

    let page = opens(&world, "/").await;

    assert_eq!(
        page.header("strict-transport-security"),
        Some("max-age=31536000; includeSubDomains")
    );
    assert!(
        page.header("content-security-policy").unwrap().contains("frame-ancestors 'none'"),
        "e17"
    );
    assert_eq!(
        (page.header("cache-control"), page.header("referrer-policy")),
        (Some("no-store"), Some("no-referrer"))
    );
}

#[tokio::test]
async fn an_unknown_path_is_a_real_404_page_with_a_request_id() {
    let world = World::new().await;

    let page = opens(&world, "/not_found").await;

    assert_eq!(page.status, 404);
    assert!(page.text().contains("Page not found") && page.text().contains("href=\"/home\""));
    assert!(page.text().contains(page.header("x-request-id").unwrap()));
}

#[tokio::test]
async fn the_public_keys_are_there_for_everybody() {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;
    let program = ana.makes_token(START + 60).await;

    let answer = opens(&world, "/.well-known/jwks.json").await;

    let key = answer.json()["keys"][0].clone();
    assert_eq!(
        (key["kty"].as_str(), key["crv"].as_str(), key.get("d")),
        (Some("OKP"), Some("Ed25519"), None)
    );
    assert_eq!(answer.header("cache-control"), Some("public, max-age=3600"));
    assert!(program.token.len() <= 600 && program.asks(ME).await.status == 200);
}

#[rstest]
#[case("/healthz", "ok\n")]
#[tokio::test]
async fn the_function_says_that_it_lives(#[case] path: &str, #[case] text: &str) {
    let world = World::new().await;

    assert_eq!(opens(&world, path).await.text(), text);
}
