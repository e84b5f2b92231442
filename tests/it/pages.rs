//! The pages, as HTTP responses.

use std::{collections::BTreeSet, fs};

use arm_api::{
    domain::{
        role::{OrganizationRole, UserRole},
        stakeholder::Status,
    },
    graph::execution,
    local::faults::Fault,
};
use axum::body::Body;
use http::Request;
use jiff::SignedDuration;
use rstest::rstest;

use crate::given::{ME, START, URL, World};

async fn open(world: &World, path: &str) -> crate::given::TestResponse {
    world.send(Request::get(path).header("accept", "text/html").body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn the_login_page_links_to_the_login_methods() {
    let world = World::new().await;

    let page = open(&world, "/").await;

    assert_eq!(page.status, 200);
    assert!(page.text().contains("href=\"/login/development?next=/home\""), "{}", page.text());
}

#[tokio::test]
async fn a_logged_in_user_is_redirected_to_home_and_sees_their_email() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;

    assert_eq!(ana.open("/").await.header("location"), Some("/home"));
    let home = ana.open("/home").await;

    assert_eq!(home.status, 200);
    assert!(home.text().contains("ana@acme.test"), "{}", home.text());
}

#[tokio::test]
async fn a_page_redirects_to_the_login_page_and_from_there_back() {
    let world = World::new().await;

    assert_eq!(open(&world, "/home").await.header("location"), Some("/?next=%2Fhome"));
    let login = open(&world, "/?next=%2Fapi").await;

    assert!(login.text().contains("/login/development?next=/api"), "{}", login.text());
    assert!(!login.text().contains("has ended"));
}

#[tokio::test]
async fn an_expired_session_is_explained_on_the_login_page() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    world.advance(SignedDuration::from_mins(40));

    assert_eq!(ana.open("/home").await.header("location"), Some("/?next=%2Fhome"));
    let login = ana.open("/?next=%2Fhome").await;

    assert!(login.text().contains("Your session has ended"), "{}", login.text());
    assert!(login.text().contains("/login/development?next=/home"));
    let cleared = login.session_cookie();
    assert_eq!(cleared.as_deref(), Some("__Host-arm_session="), "the cookie is not deleted");
}

#[tokio::test]
async fn an_ended_session_without_its_cookie_is_explained_once() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    let home = ana.open("/home").await;
    let kept = home.header("set-cookie").unwrap().split(';').next().unwrap();
    let headers = [("accept", "text/html"), ("cookie", kept)];

    let redirect = world.request(("GET", "/home"), &headers, "").await;
    assert_eq!(redirect.header("location"), Some("/?next=%2Fhome"));
    let login = world.request(("GET", "/?next=%2Fhome"), &headers, "").await;

    assert!(login.text().contains("Your session has ended"), "{}", login.text());
    assert!(
        login.header("set-cookie").unwrap().starts_with("arm_signed_in=; "),
        "the explanation would be shown again"
    );
    let after_logout = world.request(("GET", "/?logged-out"), &headers, "").await;
    assert!(after_logout.text().contains("You are logged out"));
    assert!(!after_logout.text().contains("has ended"));
}

#[tokio::test]
async fn a_logged_in_user_can_log_in_again() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;

    let login = ana.open("/?next=%2Fhome&again").await;

    assert!(login.text().contains("href=\"/login/development?next=/home\""), "{}", login.text());
}

#[tokio::test]
async fn home_shows_when_the_token_expires() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    assert!(ana.open("/home").await.text().contains("data-token=\"some\" hidden"));
    ana.create_token(world.now() + 7 * 86_400).await;

    let home = ana.open("/home").await.text();

    assert!(home.contains(">30 November 2026 at 12:00 UTC</time>"), "{home}");
    assert!(home.contains("data-token=\"none\" hidden"));
}

#[tokio::test]
async fn a_user_sees_their_organizations_in_a_list() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    let without = ana.open("/orgs").await.text();
    world.add_member("ana@acme.test", "acme", OrganizationRole::UserManager).await;
    world.take_operations();

    let with = ana.open("/orgs?search=other").await;

    assert_eq!(world.take_operations(), ["BatchGetItem"]);
    assert!(without.contains("You do not belong to an organization yet"), "{without}");
    assert!(with.text().contains("<span>acme</span><span class=\"badge\">user_manager</span>"));
    assert!(!with.text().contains("type=\"search\""), "only an admin can search");
}

#[tokio::test]
async fn an_admin_pages_through_all_organizations_and_searches_them() {
    let world = World::new().await;
    let ada = world.log_in("ada@acme.test").await;
    for number in 10..62 {
        world.add_member("ada@acme.test", &format!("acme-{number}"), OrganizationRole::User).await;
    }
    world.change_stakeholder("ada@acme.test", |it| it.role = UserRole::Admin).await;

    let first = ada.open("/orgs").await.text();
    let next = first.split("rel=\"next\" href=\"").nth(1).unwrap().split('"').next().unwrap();
    let second = ada.open(next).await.text();
    let found = ada.open("/orgs?search=ME-60").await.text();
    let nothing = ada.open("/orgs?search=%3Cb%3E").await.text();

    assert_eq!(first.matches("<span>acme-").count(), 50);
    assert_eq!(second.matches("<span>acme-").count(), 2);
    assert!(second.contains("href=\"/orgs\">First page"), "{second}");
    assert!(!second.contains("rel=\"next\""));
    assert_eq!(found.matches("<span>acme-").count(), 1);
    assert!(nothing.contains("contains “&#60;b&#62;”"), "{nothing}");
}

#[tokio::test]
async fn a_text_that_is_no_cursor_is_a_bad_request() {
    let world = World::new().await;
    let ada = world.log_in("ada@acme.test").await;
    world.change_stakeholder("ada@acme.test", |it| it.role = UserRole::Admin).await;

    assert_eq!(ada.open("/orgs?after=%25").await.status, 400);
}

#[tokio::test]
async fn a_disabled_user_sees_whom_to_ask() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    world
        .change_stakeholder("ana@acme.test", |it| {
            it.status = Status::Disabled { at: world.app.clock.now() }
        })
        .await;

    let login = ana.open("/").await;

    assert!(login.text().contains("Your account is disabled"), "{}", login.text());
}

#[tokio::test]
async fn an_unknown_session_cookie_is_deleted_without_a_banner() {
    let world = World::new().await;
    let headers = [("accept", "text/html"), ("cookie", "__Host-arm_session=someone.elses")];

    let login = world.request(("GET", "/"), &headers, "").await;

    assert!(!login.text().contains("role=\"status\""), "{}", login.text());
    assert_eq!(login.session_cookie().as_deref(), Some("__Host-arm_session="));
}

#[tokio::test]
async fn the_login_page_confirms_a_logout() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;

    let response = ana.log_out().await;
    assert_eq!(response.header("location"), Some("/?logged-out"));
    let login = open(&world, "/?logged-out").await;

    assert!(login.text().contains("You are logged out"), "{}", login.text());
}

#[tokio::test]
async fn home_shows_the_end_of_the_session_and_the_first_steps_without_scripts() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;

    let home = ana.open("/home").await.text();

    assert!(home.contains("23 November 2026 at 12:40 UTC"), "{home}");
    assert!(home.contains("data-session-seconds=\"2400\""));
    assert!(home.contains("You do not belong to an organization yet"));
    assert!(home.contains(
        "name=\"date\" required min=\"2026-11-23\" max=\"2027-05-24\" value=\"2027-02-21\""
    ));
    assert!(home.contains("curl https://arm.test/api"));
    assert!(!home.contains("style="), "the content security policy would block it");
    assert!(!home.contains("<style"), "the content security policy would block it");
}

#[tokio::test]
async fn every_file_that_home_loads_exists() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;

    let home = ana.open("/home").await.text();

    let files: BTreeSet<_> = home.split('"').filter(|it| it.starts_with("/static/")).collect();
    assert!(files.len() > 5, "{files:?}");
    for path in files {
        assert_eq!(open(&world, path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn a_name_is_escaped() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    world
        .change_stakeholder("ana@acme.test", |it| {
            "<img src=x>\" onload=\"1".clone_into(&mut it.name);
        })
        .await;

    let home = ana.open("/home").await.text();

    assert!(!home.contains("<img"), "{home}");
    assert!(!home.contains("\" onload"), "{home}");
}

#[tokio::test]
async fn a_page_says_what_to_do_if_dynamodb_fails() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    world.fail_dynamodb(Fault::Error, 20);

    let page = ana.open("/home").await;

    assert_eq!(page.status, 503);
    assert_eq!(page.header("retry-after"), Some("2"));
    assert!(page.text().contains("Nothing was lost"), "{}", page.text());
    assert!(page.text().contains("Try again"), "{}", page.text());
    assert_eq!(page.session_cookie(), None, "the user is logged out");
}

#[tokio::test]
async fn a_login_redirects_only_to_pages_of_this_site() {
    let world = World::new().await;
    let log_in = |next: &str| {
        let request = Request::post("/login/development").header("origin", URL);
        world.send(request.body(Body::from(format!("email=ana@acme.test&next={next}"))).unwrap())
    };

    assert_eq!(log_in("%2Fapi").await.header("location"), Some("/api"));
    assert_eq!(log_in("%2F%2Fevil.test").await.header("location"), Some("/home"));
}

#[tokio::test]
async fn a_login_from_another_site_is_rejected() {
    let world = World::new().await;
    let forged = Request::post("/login/development").header("origin", "https://evil.test");

    let response = world.send(forged.body("email=ana@acme.test".into()).unwrap()).await;

    assert_eq!(response.status, 403);
    assert_eq!(response.header("set-cookie"), None);
}

#[tokio::test]
async fn a_page_is_compressed_if_the_browser_accepts_it() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    let headers = [("cookie", ana.cookie.as_str()), ("accept-encoding", "gzip, deflate, br, zstd")];

    let page = world.request(("GET", "/home"), &headers, Body::empty()).await;

    assert_eq!(page.header("content-encoding"), Some("gzip"));
    let mut text = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&*page.bytes), &mut text)
        .unwrap();
    assert_eq!(text, ana.open("/home").await.text());
    assert!(page.bytes.len() < 6_000, "{} bytes", page.bytes.len());
}

#[tokio::test]
async fn the_ide_needs_no_login() {
    let world = World::new().await;

    let page = open(&world, "/api").await;

    assert_eq!(page.status, 200);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(page.text().contains("<title>GraphQL Playground</title>"));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    assert_eq!(world.take_operations(), Vec::<String>::new());
}

#[tokio::test]
async fn the_ide_loads_only_our_own_files() {
    let world = World::new().await;
    let page = open(&world, "/api").await.text();
    let parts = page.split(['"', '\'']);
    let assets: BTreeSet<_> = parts.filter(|it| it.starts_with("/static/")).collect();

    assert!(assets.len() > 6, "{page}");
    for path in assets {
        let asset = open(&world, path).await;
        assert_eq!(asset.status, 200, "{path}");
        assert_eq!(asset.header("cache-control"), Some("public, max-age=31536000, immutable"));
    }
    let page = page.replace("xmlns='http://www.w3.org/2000/svg'", "");
    assert!(!page.contains("://"), "the page refers to another origin: {page}");
}

#[tokio::test]
async fn pages_have_a_strict_policy_and_require_tls() {
    let world = World::new().await;

    let page = open(&world, "/").await;

    assert_eq!(
        page.header("strict-transport-security"),
        Some("max-age=31536000; includeSubDomains")
    );
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    assert_eq!(page.header("cache-control"), Some("no-store"));
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
}

#[tokio::test]
async fn an_unknown_path_is_a_404_page_with_a_request_id() {
    let world = World::new().await;

    let page = open(&world, "/not_found").await;

    assert_eq!(page.status, 404);
    assert!(page.text().contains("Page not found"));
    assert!(page.text().contains("href=\"/home\""));
    assert!(page.text().contains(page.header("x-request-id").unwrap()));
}

#[tokio::test]
async fn the_public_keys_need_no_login() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    let program = ana.create_token(START + 60).await;

    let response = open(&world, "/.well-known/jwks.json").await;

    let key = response.json()["keys"][0].clone();
    assert_eq!(key["kty"], "OKP");
    assert_eq!(key["crv"], "Ed25519");
    assert_eq!(key.get("d"), None);
    assert_eq!(response.header("cache-control"), Some("public, max-age=3600"));
    assert!(program.token.len() <= 600);
    assert_eq!(program.query(ME).await.status, 200);
}

#[rstest]
#[case("/healthz", "ok\n")]
#[tokio::test]
async fn the_health_check_responds(#[case] path: &str, #[case] text: &str) {
    let world = World::new().await;

    assert_eq!(open(&world, path).await.text(), text);
}

#[tokio::test]
async fn a_page_records_the_use_of_the_session_every_ten_minutes() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    world.take_operations();

    ana.open("/home").await;
    assert!(
        !world.take_operations().contains(&"UpdateItem".to_owned()),
        "a new session was recorded"
    );

    world.advance(SignedDuration::from_mins(10));
    ana.open("/home").await;
    assert!(world.take_operations().contains(&"UpdateItem".to_owned()), "the use was not recorded");

    ana.open("/home").await;
    assert!(
        !world.take_operations().contains(&"UpdateItem".to_owned()),
        "the use was recorded twice"
    );
}

#[tokio::test]
async fn a_login_link_on_a_page_leads_back_to_the_page() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;

    let home = ana.open("/home?tab=1").await.text();

    assert!(home.contains("href=\"/?next=/home%3Ftab%3D1\""), "{home}");
}

#[tokio::test]
async fn home_reads_only_the_credential_and_the_token_from_dynamodb() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    ana.create_token(world.now() + 7 * 86_400).await;
    world.take_operations();

    ana.open("/home").await;

    assert_eq!(world.take_operations(), ["BatchGetItem", "GetItem", "GetItem"]);
}

/// Returns the GraphQL documents in a script: template literals after `/* GraphQL */`.
fn documents(script: &str) -> impl Iterator<Item = &str> {
    script.split("/* GraphQL */ `").skip(1).map(|it| it.split('`').next().unwrap())
}

#[tokio::test]
async fn the_documents_in_scripts_are_valid() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/web/static");
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        for document in documents(&fs::read_to_string(&path).unwrap()) {
            let validated = execution::validate(document).await;
            assert!(validated.is_ok(), "{}: {validated:?}", path.display());
            count += 1;
        }
    }
    assert!(count >= 4, "only {count} documents were found");
}
