//! Who may begin a login by an identity provider, and how often.

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
    assert_eq!(world.calls(), ["UpdateItem"], "it leaves no attempt");
}

#[tokio::test]
async fn the_logins_of_one_network_stop_nobody_elses() {
    let world = acme().await;
    for _ in 0..31 {
        begins(&world, OFFICE, &[]).await;
    }

    assert_eq!(begins(&world, OFFICE, &[]).await.status, 429);
    assert_eq!(begins(&world, "203.0.113.8:4000", &[]).await.status, 303);
}

#[tokio::test]
async fn a_new_minute_admits_new_logins() {
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
async fn fifty_logins_at_once_are_counted_one_by_one() {
    let world = acme().await;

    let all = (0..50).map(|_| begins(&world, OFFICE, &[]));
    let answers = futures_util::future::join_all(all).await;

    assert_eq!(answers.iter().filter(|it| it.status == 303).count(), 30);
    assert_eq!(answers.iter().filter(|it| it.status == 429).count(), 20);
}

#[tokio::test]
async fn when_dynamodb_fails_no_login_is_counted_or_begun() {
    let world = acme().await;
    world.faults.plan_at("UpdateItem", Fault::Error, 100);

    assert_eq!(begins(&world, OFFICE, &[]).await.status, 503);
}

#[rstest]
#[case::an_image(&[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")])]
#[case::a_frame(&[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")])]
#[case::a_script(&[("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty")])]
#[tokio::test]
async fn what_a_page_embeds_begins_no_login(#[case] headers: &[(&str, &str)]) {
    let world = acme().await;

    let answer = begins(&world, OFFICE, headers).await;

    assert_eq!(answer.status, 403);
    assert_eq!(answer.header("set-cookie"), None);
    assert_eq!(world.calls(), Vec::<String>::new());
}

#[rstest]
#[case::of_another_site("cross-site")]
#[case::of_a_neighbouring_host("same-site")]
#[tokio::test]
async fn a_link_of_another_site_leads_to_the_login_page(#[case] site: &str) {
    let world = acme().await;
    let headers =
        [("sec-fetch-site", site), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];

    let answer = begins(&world, OFFICE, &headers).await;

    assert_eq!(answer.status, 303);
    assert_eq!(answer.header("location"), Some("/?next=%2Fapi"));
    assert_eq!(world.calls(), Vec::<String>::new());
}

#[rstest]
#[case::our_button(&[("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")])]
#[case::the_address_bar(&[("sec-fetch-site", "none"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")])]
#[case::a_browser_that_does_not_say(&[])]
#[case::the_fetch_of_node(&[("sec-fetch-mode", "cors")])]
#[tokio::test]
async fn a_navigation_of_ours_begins_a_login(#[case] headers: &[(&str, &str)]) {
    let world = acme().await;

    let answer = begins(&world, OFFICE, headers).await;

    assert_eq!(answer.status, 303);
    assert!(
        answer.header("location").unwrap().starts_with(ACME),
        "{:?}",
        answer.header("location")
    );
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
    assert_eq!(world.calls(), ["UpdateItem"], "it takes no attempt");
    assert_eq!(ends(&world, "203.0.113.8:4000", cookie).await.status, 400);
    assert_eq!(
        begins(&world, OFFICE, &[]).await.status,
        303,
        "logins that are begun count by themselves"
    );
}

#[tokio::test]
async fn a_callback_without_the_cookie_of_a_login_is_not_counted() {
    let world = acme().await;

    assert_eq!(ends(&world, OFFICE, "other=1").await.status, 400);

    assert_eq!(world.calls(), Vec::<String>::new());
}
