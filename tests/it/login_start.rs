//! Starting and finishing logins: who may do so, and how often.

use std::net::SocketAddr;

use arm_api::local::faults::Fault;
use axum::{body::Body, extract::ConnectInfo};
use http::Request;
use jiff::SignedDuration;
use rstest::rstest;

use crate::given::{
    TestResponse, World,
    login::{ACME, acme},
};

const OFFICE: &str = "203.0.113.7:4000";
const LOGIN: &str = "/login/acme";

/// Starts a login from this address.
async fn start_login(world: &World, address: &str, headers: &[(&str, &str)]) -> TestResponse {
    let address: SocketAddr = address.parse().unwrap();
    let request = Request::get(format!("{LOGIN}?next=/api")).extension(ConnectInfo(address));
    let request = headers.iter().fold(request, |it, (name, value)| it.header(*name, *value));
    world.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn one_network_can_start_thirty_logins_per_minute() {
    let world = acme().await;
    for _ in 0..30 {
        assert_eq!(start_login(&world, OFFICE, &[]).await.status, 303);
    }
    world.advance(SignedDuration::from_secs(20));
    world.take_operations();

    let response = start_login(&world, OFFICE, &[]).await;

    assert_eq!(response.status, 429);
    assert_eq!(response.header("retry-after"), Some("40"));
    assert_eq!(response.header("set-cookie"), None);
    assert!(response.text().contains("Too many requests"), "{}", response.text());
    assert!(response.text().contains("Wait 40 seconds"), "{}", response.text());
    assert_eq!(world.take_operations(), ["UpdateItem"], "no attempt is stored");
}

#[tokio::test]
async fn each_network_has_its_own_limit() {
    let world = acme().await;
    for _ in 0..31 {
        start_login(&world, OFFICE, &[]).await;
    }

    assert_eq!(start_login(&world, OFFICE, &[]).await.status, 429);
    assert_eq!(start_login(&world, "203.0.113.8:4000", &[]).await.status, 303);
}

#[tokio::test]
async fn the_limit_resets_after_a_minute() {
    let world = acme().await;
    for _ in 0..31 {
        start_login(&world, OFFICE, &[]).await;
    }
    world.advance(SignedDuration::from_secs(59));
    assert_eq!(start_login(&world, OFFICE, &[]).await.status, 429);

    world.advance(SignedDuration::from_secs(1));

    assert_eq!(start_login(&world, OFFICE, &[]).await.status, 303);
}

#[tokio::test]
async fn an_ipv6_subnet_counts_as_one_address() {
    let world = acme().await;
    for host in 0..30 {
        start_login(&world, &format!("[2001:db8:1:2::{host:x}]:4000"), &[]).await;
    }

    assert_eq!(start_login(&world, "[2001:db8:1:2:ffff::1]:4000", &[]).await.status, 429);
    assert_eq!(start_login(&world, "[2001:db8:1:3::1]:4000", &[]).await.status, 303);
}

#[tokio::test]
async fn concurrent_logins_do_not_exceed_the_limit() {
    let world = acme().await;

    let all = (0..50).map(|_| start_login(&world, OFFICE, &[]));
    let responses = futures_util::future::join_all(all).await;

    assert_eq!(responses.iter().filter(|it| it.status == 303).count(), 30);
    assert_eq!(responses.iter().filter(|it| it.status == 429).count(), 20);
}

#[tokio::test]
async fn a_login_that_cannot_be_counted_does_not_start() {
    let world = acme().await;
    world.faults.plan_at("UpdateItem", Fault::Error, 100);

    assert_eq!(start_login(&world, OFFICE, &[]).await.status, 503);
}

/// Returns the headers with which browsers describe the context of a request.
fn fetch_metadata<'a>(site: &'a str, mode: &'a str, dest: &'a str) -> [(&'static str, &'a str); 3] {
    [("sec-fetch-site", site), ("sec-fetch-mode", mode), ("sec-fetch-dest", dest)]
}

#[rstest]
#[case::an_image(fetch_metadata("cross-site", "no-cors", "image"))]
#[case::a_frame(fetch_metadata("cross-site", "navigate", "iframe"))]
#[case::a_script(fetch_metadata("same-origin", "cors", "empty"))]
#[tokio::test]
async fn an_embedded_request_does_not_start_a_login(#[case] headers: [(&str, &str); 3]) {
    let world = acme().await;

    let response = start_login(&world, OFFICE, &headers).await;

    assert_eq!(response.status, 403);
    assert_eq!(response.header("set-cookie"), None);
    assert_eq!(world.take_operations(), Vec::<String>::new());
}

#[rstest]
#[case::another_site("cross-site")]
#[case::another_host_of_the_same_site("same-site")]
#[tokio::test]
async fn a_link_on_another_site_leads_to_the_login_page(#[case] site: &str) {
    let world = acme().await;

    let response = start_login(&world, OFFICE, &fetch_metadata(site, "navigate", "document")).await;

    assert_eq!(response.status, 303);
    assert_eq!(response.header("location"), Some("/?next=%2Fapi"));
    assert_eq!(world.take_operations(), Vec::<String>::new());
}

#[rstest]
#[case::our_button(&fetch_metadata("same-origin", "navigate", "document"))]
#[case::the_address_bar(&fetch_metadata("none", "navigate", "document"))]
#[case::a_browser_without_these_headers(&[])]
#[case::fetch_in_node(&[("sec-fetch-mode", "cors")])]
#[tokio::test]
async fn a_navigation_on_our_own_pages_starts_a_login(#[case] headers: &[(&str, &str)]) {
    let world = acme().await;

    let response = start_login(&world, OFFICE, headers).await;

    assert_eq!(response.status, 303);
    let location = response.header("location").unwrap();
    assert!(location.starts_with(ACME), "{location}");
}

/// Sends the callback of a login from this address.
async fn finish_login(world: &World, address: &str, cookie: &str) -> TestResponse {
    let address: SocketAddr = address.parse().unwrap();
    let request =
        Request::get("/callback?code=a-code&state=a-state").extension(ConnectInfo(address));
    world.send(request.header("cookie", cookie).body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn one_network_can_finish_thirty_logins_per_minute() {
    let world = acme().await;
    let cookie = "__Host-arm_login=a-verifier";
    for _ in 0..30 {
        assert_eq!(finish_login(&world, OFFICE, cookie).await.status, 400);
    }
    world.take_operations();

    let response = finish_login(&world, OFFICE, cookie).await;

    assert_eq!(response.status, 429);
    assert_eq!(response.header("retry-after"), Some("60"));
    assert_eq!(world.take_operations(), ["UpdateItem"], "no attempt is read");
    assert_eq!(finish_login(&world, "203.0.113.8:4000", cookie).await.status, 400);
    assert_eq!(
        start_login(&world, OFFICE, &[]).await.status,
        303,
        "started logins are counted separately"
    );
}

#[tokio::test]
async fn a_callback_without_a_login_cookie_is_not_counted() {
    let world = acme().await;

    assert_eq!(finish_login(&world, OFFICE, "other=1").await.status, 400);

    assert_eq!(world.take_operations(), Vec::<String>::new());
}
