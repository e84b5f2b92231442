//! The form that creates a token in browsers without JavaScript.

use axum::body::Body;
use http::{Request, header};
use jiff::SignedDuration;
use rstest::rstest;

use crate::given::{Browser, ME, TestResponse, URL, World};

/// Sends the form.
async fn send_form(
    world: &World,
    browser: &Browser<'_>,
    date: &str,
    replaces: &str,
) -> TestResponse {
    let request = Request::post("/home/token")
        .header(header::COOKIE, &browser.cookie)
        .header(header::ORIGIN, URL);
    let form = format!("date={date}&replaces={replaces}");
    world.send(request.body(Body::from(form)).unwrap()).await
}

/// Returns the text between two others.
fn between(text: &str, before: &str, after: &str) -> String {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("no {before}: {text}"));
    rest.split_once(after).unwrap().0.to_owned()
}

/// Returns the token that the page shows.
fn shown_token(page: &TestResponse) -> String {
    between(&page.text(), "spellcheck=\"false\">", "</textarea>")
}

/// Returns the id of the token that the form on the home page replaces.
async fn token_to_replace(browser: &Browser<'_>) -> String {
    between(&browser.open("/home").await.text(), "name=\"replaces\" value=\"", "\"")
}

#[tokio::test]
async fn the_form_creates_a_token_that_expires_at_the_end_of_its_date_in_utc() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;

    let page = send_form(&world, &ana, "2026-12-01", "").await;
    assert_eq!(page.status, 200, "{}", page.text());
    let program = world.program(&shown_token(&page));

    world.advance(
        "2026-12-01T23:59:58Z"
            .parse::<jiff::Timestamp>()
            .unwrap()
            .duration_since(world.app.clock.now()),
    );
    assert_eq!(program.query(ME).await.status, 200);
    world.advance(SignedDuration::from_secs(1));
    assert_eq!(program.query(ME).await.verdict(), "401 UNAUTHENTICATED TOKEN_EXPIRED");
}

#[tokio::test]
async fn the_page_with_the_token_is_neither_cached_nor_compressed() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    let headers =
        [("cookie", ana.cookie.as_str()), ("origin", URL), ("accept-encoding", "gzip, br")];

    let page = world.request(("POST", "/home/token"), &headers, "date=2026-12-01&replaces=").await;

    world.program(&shown_token(&page));
    assert_eq!(page.header("cache-control"), Some("no-store"));
    assert_eq!(page.header("content-encoding"), None);
}

#[tokio::test]
async fn the_last_date_that_the_form_offers_works() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    let last = between(&ana.open("/home").await.text(), "max=\"", "\"");

    let page = send_form(&world, &ana, &last, "").await;
    world.program(&shown_token(&page));

    assert_eq!(page.status, 200);
}

#[rstest]
#[case::nothing("", "Required field")]
#[case::a_word("tomorrow%22%3E", "Invalid date")]
#[case::a_day_that_does_not_exist("2027-02-30", "Invalid date")]
#[case::the_past("2026-11-22", "Invalid date")]
#[case::beyond_six_months("2027-05-25", "The date must be below six months")]
#[case::far_beyond("9999-12-31", "The date must be below six months")]
#[tokio::test]
async fn an_invalid_date_stays_in_the_field_with_a_message(
    #[case] date: &str,
    #[case] message: &str,
) {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;

    let page = send_form(&world, &ana, date, "").await;

    assert_eq!(page.status, 400);
    let error = between(&page.text(), "id=\"form-error\" class=\"error\" role=\"alert\">", "<");
    assert_eq!(error, message);
    let typed = between(&page.text(), "value=\"", "\"");
    let plain = date.replace("%22%3E", "&#34;&#62;");
    assert_eq!(typed, plain);
    assert!(
        ana.query("{ me { accessToken } }").await.text().contains("false"),
        "a token was created"
    );
}

#[tokio::test]
async fn a_form_that_is_sent_twice_creates_one_token() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    let replaces = token_to_replace(&ana).await;
    let program =
        world.program(&shown_token(&send_form(&world, &ana, "2026-12-01", &replaces).await));

    let again = send_form(&world, &ana, "2026-12-01", &replaces).await;
    assert_eq!(again.status, 400);
    assert!(
        again.text().contains("No token was created: this form was already submitted"),
        "{}",
        again.text()
    );
    assert_eq!(program.query(ME).await.status, 200);

    let replaces = token_to_replace(&ana).await;
    world.program(&shown_token(&send_form(&world, &ana, "2026-12-01", &replaces).await));
    assert_eq!(program.query(ME).await.verdict(), "401 UNAUTHENTICATED TOKEN_REPLACED");
}

#[tokio::test]
async fn two_clicks_at_once_create_one_token() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    for _ in 0..2 {
        let replaces = token_to_replace(&ana).await;

        let click = || send_form(&world, &ana, "2026-12-01", &replaces);
        let responses = futures_util::future::join_all([click(), click()]).await;

        let (created, rejected): (Vec<_>, Vec<_>) =
            responses.iter().partition(|it| it.status == 200);
        assert_eq!(created.len(), 1);
        assert_eq!(rejected[0].status, 400);
        assert!(
            rejected[0].text().contains("this form was already submitted"),
            "{}",
            rejected[0].text()
        );
        assert_eq!(world.program(&shown_token(created[0])).query(ME).await.status, 200);
    }
}

#[tokio::test]
async fn a_form_of_another_site_creates_no_token() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    let headers = [("cookie", ana.cookie.as_str()), ("origin", "https://evil.test")];

    let response =
        world.request(("POST", "/home/token"), &headers, "date=2026-12-01&replaces=").await;

    assert_eq!(response.status, 403);
    assert!(
        ana.query("{ me { accessToken } }").await.text().contains("false"),
        "a token was created"
    );
}

#[tokio::test]
async fn a_form_that_is_sent_after_the_session_ended_redirects_to_the_login_page() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    world.advance(SignedDuration::from_mins(40));

    let response = send_form(&world, &ana, "2026-12-01", "").await;

    assert_eq!(response.header("location"), Some("/?next=%2Fhome"));
}

#[tokio::test]
async fn the_reason_of_the_operator_is_shown_beside_the_field() {
    let reason = "Tokens are not made during the audit.".to_owned();
    let world = World::with(|config| config.token_creation_disabled = Some(reason)).await;
    let ana = world.log_in("ana@acme.test").await;

    let page = send_form(&world, &ana, "2026-12-01", "").await;

    assert_eq!(page.status, 403);
    assert!(page.text().contains("Tokens are not made during the audit."), "{}", page.text());
}

#[tokio::test]
async fn too_many_forms_are_refused_with_the_time_to_wait() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    world.advance(SignedDuration::from_secs(60 - world.now() % 60 + 50));
    for _ in 0..60 {
        ana.create_token(world.now() + 86_400).await;
    }
    let replaces = token_to_replace(&ana).await;

    let page = send_form(&world, &ana, "2026-12-01", &replaces).await;

    assert_eq!(page.status, 429);
    assert_eq!(page.header("retry-after"), Some("10"));
    assert!(page.text().contains("Wait 10 seconds, then try again."), "{}", page.text());
}

#[tokio::test]
async fn the_address_of_the_form_redirects_to_the_form() {
    let world = World::new().await;

    let response =
        world.request(("GET", "/home/token"), &[("accept", "text/html")], Body::empty()).await;

    assert_eq!(response.header("location"), Some("/home#api"));
}
