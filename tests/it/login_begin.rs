//! The begin and the end of logins: who may, and how often.

use std::net::SocketAddr;

use arm_api::local::faults::Fault;
use axum::{body::Body, extract::ConnectInfo};
use http::Request;
use jiff::SignedDuration;
use rstest::rstest;

use crate::given::{
    Answer, World,
    login::{ACME, acme},
};

const OFFICE: &str = "203.0.113.7:4000";
const LOGIN: &str = "/login/acme";

/// A browser at `address` asks for a login.
async fn begins(world: &World, address: &str, headers: &[(&str, &str)]) -> Answer {
    let address: SocketAddr = address.parse().unwrap();
    let request = Request::get(format!("{LOGIN}?next=/api")).extension(ConnectInfo(address));
    let request = headers.iter().fold(request, |it, (name, value)| it.header(*name, *value));
    world.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn one_network_begins_thirty_logins_a_minute() {
    let world = acme().await;
    for _ in 0..30 {
        assert_eq!(begins(&world, OFFICE, &[]).await.status, 303);
    }
    world.later(SignedDuration::from_secs(20));
    world.calls();

    let answer = begins(&world, OFFICE, &[]).await;

    assert_eq!(answer.status, 429);
    assert_eq!(answer.header("retry-after"), Some("40"));
    assert_eq!(answer.header("set-cookie"), None);
    assert!(answer.text().contains("Too many requests"), "{}", answer.text());
    assert!(answer.text().contains("Wait 40 seconds"), "{}", answer.text());
    assert_eq!(world.calls(), ["UpdateItem"], "no attempt is stored");
}

#[tokio::test]
async fn each_network_has_its_own_limit() {
    let world = acme().await;
    for _ in 0..31 {
        begins(&world, OFFICE, &[]).await;
    }

    assert_eq!(begins(&world, OFFICE, &[]).await.status, 429);
    assert_eq!(begins(&world, "203.0.113.8:4000", &[]).await.status, 303);
}

#[tokio::test]
async fn the_limit_starts_again_after_a_minute() {
    let world = acme().await;
    for _ in 0..31 {
        begins(&world, OFFICE, &[]).await;
    }
    world.later(SignedDuration::from_secs(59));
    assert_eq!(begins(&world, OFFICE, &[]).await.status, 429);

    world.later(SignedDuration::from_secs(1));

    assert_eq!(begins(&world, OFFICE, &[]).await.status, 303);
}

#[tokio::test]
async fn a_subnet_of_ipv6_counts_as_one_address() {
    let world = acme().await;
    for host in 0..30 {
        begins(&world, &format!("[2001:db8:1:2::{host:x}]:4000"), &[]).await;
    }

    assert_eq!(begins(&world, "[2001:db8:1:2:ffff::1]:4000", &[]).await.status, 429);
    assert_eq!(begins(&world, "[2001:db8:1:3::1]:4000", &[]).await.status, 303);
}

#[tokio::test]
async fn concurrent_logins_do_not_exceed_the_limit() {
    let world = acme().await;

    let all = (0..50).map(|_| begins(&world, OFFICE, &[]));
    let answers = futures_util::future::join_all(all).await;

    assert_eq!(answers.iter().filter(|it| it.status == 303).count(), 30);
    assert_eq!(answers.iter().filter(|it| it.status == 429).count(), 20);
}

#[tokio::test]
async fn a_login_that_cannot_be_counted_does_not_begin() {
    let world = acme().await;
    world.faults.plan_at("UpdateItem", Fault::Error, 100);

    assert_eq!(begins(&world, OFFICE, &[]).await.status, 503);
}

/// The headers in which a browser says where a request comes from.
fn fetch<'a>(site: &'a str, mode: &'a str, dest: &'a str) -> [(&'static str, &'a str); 3] {
    [("sec-fetch-site", site), ("sec-fetch-mode", mode), ("sec-fetch-dest", dest)]
}

#[rstest]
#[case::an_image(fetch("cross-site", "no-cors", "image"))]
#[case::a_frame(fetch("cross-site", "navigate", "iframe"))]
#[case::a_script(fetch("same-origin", "cors", "empty"))]
#[tokio::test]
async fn an_embedded_request_begins_no_login(#[case] headers: [(&str, &str); 3]) {
    let world = acme().await;

    let answer = begins(&world, OFFICE, &headers).await;

    assert_eq!(answer.status, 403);
    assert_eq!(answer.header("set-cookie"), None);
    assert_eq!(world.calls(), Vec::<String>::new());
}

#[rstest]
#[case::another_site("cross-site")]
#[case::another_host_of_the_same_site("same-site")]
#[tokio::test]
async fn a_link_on_another_site_leads_to_the_login_page(#[case] site: &str) {
    let world = acme().await;

    let answer = begins(&world, OFFICE, &fetch(site, "navigate", "document")).await;

    assert_eq!(answer.status, 303);
    assert_eq!(answer.header("location"), Some("/?next=%2Fapi"));
    assert_eq!(world.calls(), Vec::<String>::new());
}

#[rstest]
#[case::our_button(&fetch("same-origin", "navigate", "document"))]
#[case::the_address_bar(&fetch("none", "navigate", "document"))]
#[case::a_browser_without_these_headers(&[])]
#[case::the_fetch_of_node(&[("sec-fetch-mode", "cors")])]
#[tokio::test]
async fn a_navigation_on_our_own_pages_begins_a_login(#[case] headers: &[(&str, &str)]) {
    let world = acme().await;

    let answer = begins(&world, OFFICE, headers).await;

    assert_eq!(answer.status, 303);
    let location = answer.header("location").unwrap();
    assert!(location.starts_with(ACME), "{location}");
}

/// A browser at `address` comes back from the provider.
async fn ends(world: &World, address: &str, cookie: &str) -> Answer {
    let address: SocketAddr = address.parse().unwrap();
    let request =
        Request::get("/callback?code=a-code&state=a-state").extension(ConnectInfo(address));
    world.send(request.header("cookie", cookie).body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn one_network_ends_thirty_logins_a_minute() {
    let world = acme().await;
    let cookie = "__Host-arm_login=a-verifier";
    for _ in 0..30 {
        assert_eq!(ends(&world, OFFICE, cookie).await.status, 400);
    }
    world.calls();

    let answer = ends(&world, OFFICE, cookie).await;

    assert_eq!(answer.status, 429);
    assert_eq!(answer.header("retry-after"), Some("60"));
    assert_eq!(world.calls(), ["UpdateItem"], "no attempt is read");
    assert_eq!(ends(&world, "203.0.113.8:4000", cookie).await.status, 400);
    assert_eq!(begins(&world, OFFICE, &[]).await.status, 303, "begins are counted separately");
}

#[tokio::test]
async fn a_callback_without_a_login_cookie_is_not_counted() {
    let world = acme().await;

    assert_eq!(ends(&world, OFFICE, "other=1").await.status, 400);

    assert_eq!(world.calls(), Vec::<String>::new());
}
