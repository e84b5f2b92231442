//! Browser sessions, which expire forty minutes after the login.

use arm_api::domain::stakeholder::Status;
use jiff::SignedDuration;

use crate::given::{ME, URL, World, public_url, text_at};

const ALMOST_FORTY_MINUTES: SignedDuration = SignedDuration::from_secs(39 * 60 + 59);
const ONE_SECOND: SignedDuration = SignedDuration::from_secs(1);

#[tokio::test]
async fn a_login_sets_a_session_cookie_with_the_host_prefix() {
    let world = World::new().await;

    let ana = world.log_in("ana@acme.test").await;

    let value = ana.cookie.strip_prefix("__Host-arm_session=").unwrap();
    let (user, secret) = value.split_once('.').unwrap();
    assert_eq!(user.len(), 22);
    assert_eq!(secret.len(), 43);
}

#[tokio::test]
async fn a_session_expires_forty_minutes_after_the_login() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;

    world.advance(ALMOST_FORTY_MINUTES);
    assert_eq!(ana.query(ME).await.verdict(), "200");

    world.advance(ONE_SECOND);
    let response = ana.query(ME).await;
    assert_eq!(response.verdict(), "401 UNAUTHENTICATED SESSION_EXPIRED");
    assert_eq!(response.extension("expiredAt"), text_at(2400));
    assert_eq!(response.session_cookie().unwrap(), "__Host-arm_session=");
}

#[tokio::test]
async fn using_a_session_does_not_extend_it() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;

    for _ in 0..39 {
        world.advance(SignedDuration::from_mins(1));
        assert_eq!(ana.query(ME).await.status, 200);
    }

    world.advance(SignedDuration::from_mins(1));
    assert_eq!(ana.query(ME).await.verdict(), "401 UNAUTHENTICATED SESSION_EXPIRED");
}

#[tokio::test]
async fn a_session_cookie_is_rejected_after_logging_out() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;

    let response = ana.log_out().await;

    assert_eq!(response.status, 303);
    assert_eq!(response.header("clear-site-data"), Some("\"storage\""));
    let cleared = "__Host-arm_session=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0";
    assert_eq!(response.header("set-cookie"), Some(cleared));
    assert_eq!(ana.query(ME).await.verdict(), "401 UNAUTHENTICATED SESSION_ENDED");
}

#[tokio::test]
async fn six_concurrent_logouts_all_succeed() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;

    let responses = futures_util::future::join_all((0..6).map(|_| ana.log_out())).await;

    assert!(responses.iter().all(|it| it.status == 303), "{responses:?}");
    assert_eq!(ana.query(ME).await.verdict(), "401 UNAUTHENTICATED SESSION_ENDED");
}

#[tokio::test]
async fn revoking_all_credentials_revokes_the_token() {
    let world = World::new().await;
    let program = world.program_for("ana@acme.test").await;
    world.change_stakeholder("ana@acme.test", |it| it.epoch += 1).await;

    let ana = world.log_in("ana@acme.test").await;

    assert!(ana.query(ME).await.text().contains("false"));
    ana.create_token(world.now() + 60).await;
    assert_eq!(program.query(ME).await.verdict(), "401 UNAUTHENTICATED TOKEN_REVOKED");
}

#[tokio::test]
async fn a_get_request_does_not_log_out() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;

    let response = ana.open("/logout").await;
    assert_eq!(response.status, 405);
    assert_eq!(response.header("allow"), Some("POST"));
    assert!(response.text().contains("This method is not allowed here"), "{}", response.text());

    assert_eq!(ana.query(ME).await.status, 200);
}

#[tokio::test]
async fn a_login_form_that_is_too_long_is_rejected_with_413() {
    let world = World::new().await;
    let email = format!("email={}", "a".repeat(5_000));

    let response = world.request(("POST", "/login/development"), &[("origin", URL)], email).await;

    assert_eq!(response.verdict(), "413 BAD_REQUEST");
}

#[tokio::test]
async fn a_form_on_another_site_does_not_log_out() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;

    let forged = http::Request::post("/logout")
        .header("cookie", &ana.cookie)
        .header("origin", "https://evil.test");
    let response = world.send(forged.body(axum::body::Body::empty()).unwrap()).await;

    assert_eq!(response.status, 403);
    assert_eq!(ana.query(ME).await.status, 200);
}

#[tokio::test]
async fn revoking_all_credentials_ends_the_session_immediately() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;

    world.change_stakeholder("ana@acme.test", |it| it.epoch += 1).await;
    assert_eq!(ana.query(ME).await.verdict(), "401 UNAUTHENTICATED SESSION_ENDED");
}

#[tokio::test]
async fn a_disabled_user_is_rejected_from_the_next_request_on() {
    let world = World::new().await;
    let carol = world.log_in("carol@acme.test").await;
    let at = world.app.clock.now();

    world.change_stakeholder("carol@acme.test", |it| it.status = Status::Disabled { at }).await;

    assert_eq!(carol.query(ME).await.verdict(), "401 UNAUTHENTICATED USER_DISABLED");
    let again = http::Request::post("/login/development").header("origin", URL);
    let response = world.send(again.body("email=carol@acme.test".into()).unwrap()).await;
    assert_eq!(response.verdict(), "401 UNAUTHENTICATED USER_DISABLED");
}

#[tokio::test]
async fn logging_out_in_one_browser_leaves_the_session_of_another_browser() {
    let world = World::new().await;
    let here = world.log_in("ana@acme.test").await;
    let there = world.log_in("Ana@Acme.test").await;

    here.log_out().await;

    assert_eq!(here.query(ME).await.status, 401);
    assert_eq!(there.query(ME).await.status, 200);
}

/// Logs in with a browser that sends this session cookie.
async fn log_in_again(world: &World, email: &str, cookie: &str) -> crate::given::TestResponse {
    let headers = [("origin", URL), ("cookie", cookie)];
    let response =
        world.request(("POST", "/login/development"), &headers, format!("email={email}")).await;
    world.register_secret(response.session_cookie().unwrap().split_once('=').unwrap().1);
    response
}

#[tokio::test]
async fn a_new_login_ends_the_former_session_of_the_browser() {
    let world = World::new().await;
    let former = world.log_in("ana@acme.test").await;
    world.take_operations();

    let response = log_in_again(&world, "ana@acme.test", &former.cookie).await;

    assert_eq!(world.take_operations(), ["GetItem", "GetItem", "TransactWriteItems"]);
    let now = crate::given::Browser { world: &world, cookie: response.session_cookie().unwrap() };
    assert_eq!(now.query(ME).await.status, 200);
    let rejected = former.query(ME).await;
    assert_eq!(rejected.verdict(), "401 UNAUTHENTICATED SESSION_ENDED");
    let hint = format!(
        "A new login in the same browser replaced the session at {}: log in again.",
        text_at(0)
    );
    assert_eq!(rejected.extension("hint"), hint);
    assert!(world.stored_items().iter().any(|it| it["what"]["S"] == "sessionReplaced"));
}

#[tokio::test]
async fn a_new_login_ends_the_session_of_another_user_in_the_same_browser() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;

    let eve = log_in_again(&world, "eve@acme.test", &ana.cookie).await;

    assert_eq!(ana.query(ME).await.verdict(), "401 UNAUTHENTICATED SESSION_ENDED");
    let eve = crate::given::Browser { world: &world, cookie: eve.session_cookie().unwrap() };
    assert_eq!(eve.query(ME).await.status, 200);
}

#[tokio::test]
async fn a_login_succeeds_when_the_browser_sends_an_invalid_session_cookie() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    ana.log_out().await;
    let user = ana.cookie.split_once('.').unwrap().0.to_owned();

    for cookie in [
        ana.cookie.clone(),
        "__Host-arm_session=x".to_owned(),
        format!("{user}.{}", "A".repeat(43)),
    ] {
        let response = log_in_again(&world, "ana@acme.test", &cookie).await;

        let again =
            crate::given::Browser { world: &world, cookie: response.session_cookie().unwrap() };
        assert_eq!(again.query(ME).await.status, 200, "{cookie}");
    }
    assert_eq!(ana.query(ME).await.extension("hint"), "The session was ended: log in again.");
}

#[tokio::test]
async fn an_api_token_stays_valid_after_the_session_that_created_it_ended() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    let program = ana.create_token(world.now() + 86_400).await;

    ana.log_out().await;
    world.advance(SignedDuration::from_hours(1));

    assert_eq!(ana.query(ME).await.status, 401);
    assert_eq!(program.query(ME).await.status, 200);
}

#[tokio::test]
async fn an_invalid_session_cookie_is_rejected_and_cleared() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    let user = ana.cookie.split_once('.').unwrap().0;

    for cookie in ["__Host-arm_session=nonsense".to_owned(), format!("{user}.{}", "A".repeat(43))] {
        let response = crate::given::Browser { world: &world, cookie }.query(ME).await;

        assert_eq!(response.verdict(), "401 UNAUTHENTICATED TOKEN_INVALID");
        assert_eq!(response.session_cookie().unwrap(), "__Host-arm_session=");
    }
}

#[tokio::test]
async fn an_unknown_session_is_rejected_with_the_hint_to_log_in_again() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    let user = ana.cookie.split_once('.').unwrap().0;

    for cookie in ["__Host-arm_session=nonsense".to_owned(), format!("{user}.{}", "A".repeat(43))] {
        let response = crate::given::Browser { world: &world, cookie }.query(ME).await;

        assert_eq!(
            response.extension("hint"),
            "This session has ended or never existed: log in again."
        );
    }
}

#[tokio::test]
async fn a_session_whose_record_is_gone_says_to_log_in_again() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;

    world.advance(SignedDuration::from_hours(25));
    world.embedded.as_ref().unwrap().delete_expired().unwrap();

    let response = ana.query(ME).await;
    assert_eq!(response.verdict(), "401 UNAUTHENTICATED TOKEN_INVALID");
    assert_eq!(
        response.extension("hint"),
        "This session has ended or never existed: log in again."
    );
}

#[rstest::rstest]
#[case::a_unicode_space("\u{2000}__Host-arm_session")]
#[case::lower_case("__host-arm_session")]
#[tokio::test]
async fn a_cookie_name_that_a_sibling_host_can_set_is_ignored(#[case] name: &str) {
    let world = World::new().await;
    let eve = world.log_in("eve@acme.test").await;
    let planted = format!("{name}={}", eve.cookie.split_once('=').unwrap().1);

    let victim = crate::given::Browser { world: &world, cookie: planted };

    assert_eq!(victim.query(ME).await.verdict(), "200 UNAUTHENTICATED NO_CREDENTIAL");
}

#[tokio::test]
async fn two_session_cookies_are_rejected_with_the_hint_to_delete_the_cookies() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    let eve = world.log_in("eve@acme.test").await;
    let cookie = format!("{}; {}", eve.cookie, ana.cookie);
    let both = crate::given::Browser { world: &world, cookie };

    let response = both.query(ME).await;
    assert_eq!(response.verdict(), "400 BAD_REQUEST");
    assert_eq!(response.message(), "The cookie __Host-arm_session was sent twice");
    let hint = response.extension("hint");
    assert!(hint.as_str().unwrap().contains("Delete the cookies of this site"), "{hint}");
    assert_eq!(
        response.header("set-cookie"),
        None,
        "clearing one cookie could leave the other one"
    );

    for page in ["/", "/home"] {
        let response = both.open(page).await;
        assert_eq!(response.status, 400, "{page}");
        assert!(response.text().contains("Delete the cookies of this site"), "{}", response.text());
    }
}

#[tokio::test]
async fn a_token_is_accepted_in_a_request_with_two_session_cookies() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    let program = ana.create_token(world.now() + 60).await;

    let bearer = format!("Bearer {}", program.token);
    let request =
        crate::given::post().header("authorization", bearer).header("cookie", &ana.cookie);
    let request =
        request.header("cookie", "__Host-arm_session=planted").body(crate::given::body(ME));

    assert_eq!(world.send(request.unwrap()).await.status, 200);
}

#[tokio::test]
async fn over_http_the_session_cookie_has_neither_the_prefix_nor_the_secure_attribute() {
    let url = public_url("http://localhost:3202");
    let world = World::with(|config| config.public_url = url).await;
    let request =
        http::Request::post("/login/development").header("origin", "http://localhost:3202");

    let response = world.send(request.body("email=ana@acme.test".into()).unwrap()).await;

    let cookie = response.header("set-cookie").unwrap();
    assert!(cookie.starts_with("arm_session="), "{cookie}");
    assert!(!cookie.contains("Secure"), "{cookie}");
    let ana = crate::given::Browser { world: &world, cookie: response.session_cookie().unwrap() };
    assert_eq!(ana.query(ME).await.status, 200);
}

#[tokio::test]
async fn over_https_a_session_cookie_without_the_prefix_is_ignored() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    let cookie = ana.cookie.replace("__Host-", "");

    let response = crate::given::Browser { world: &world, cookie }.query(ME).await;

    assert_eq!(response.verdict(), "200 UNAUTHENTICATED NO_CREDENTIAL");
}

#[tokio::test]
async fn a_session_from_an_instance_whose_clock_is_a_minute_ahead_is_accepted() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;

    world.advance(SignedDuration::from_secs(-60));
    assert_eq!(ana.query(ME).await.status, 200);

    world.advance(SignedDuration::from_secs(-1));
    assert_eq!(ana.query(ME).await.verdict(), "401 UNAUTHENTICATED TOKEN_INVALID");
}
