//! Browser sessions: forty minutes, fixed.

use arm_api::domain::stakeholder::Status;
use jiff::SignedDuration;

use crate::given::{ME, URL, World, public_url, text_at};

const ALMOST_FORTY_MINUTES: SignedDuration = SignedDuration::from_secs(39 * 60 + 59);
const ONE_SECOND: SignedDuration = SignedDuration::from_secs(1);

#[tokio::test]
async fn a_login_gives_a_host_cookie_of_forty_minutes() {
    let world = World::new().await;

    let ana = world.signed_in("ana@acme.test").await;

    let value = ana.cookie.strip_prefix("__Host-arm_session=").unwrap();
    let (user, secret) = value.split_once('.').unwrap();
    assert_eq!((user.len(), secret.len()), (22, 43));
}

#[tokio::test]
async fn a_signed_in_viewer_asks_until_the_fortieth_minute() {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;

    world.later(ALMOST_FORTY_MINUTES);
    assert_eq!(ana.asks(ME).await.verdict(), "200");

    world.later(ONE_SECOND);
    let answer = ana.asks(ME).await;
    assert_eq!(answer.verdict(), "401 UNAUTHENTICATED SESSION_EXPIRED");
    assert_eq!(answer.extension("expiredAt"), text_at(2400));
    assert_eq!(answer.session_cookie().unwrap(), "__Host-arm_session=");
}

#[tokio::test]
async fn constant_use_does_not_extend_a_session() {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;

    for _ in 0..39 {
        world.later(SignedDuration::from_mins(1));
        assert_eq!(ana.asks(ME).await.status, 200);
    }

    world.later(SignedDuration::from_mins(1));
    assert_eq!(ana.asks(ME).await.verdict(), "401 UNAUTHENTICATED SESSION_EXPIRED");
}

#[tokio::test]
async fn a_logged_out_cookie_opens_nothing() {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;

    let answer = ana.logs_out().await;

    assert_eq!(answer.status, 303);
    assert_eq!(answer.header("clear-site-data"), Some("\"storage\""));
    let cleared = "__Host-arm_session=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0";
    assert_eq!(answer.header("set-cookie"), Some(cleared));
    assert_eq!(ana.asks(ME).await.verdict(), "401 UNAUTHENTICATED SESSION_ENDED");
}

#[tokio::test]
async fn six_logouts_at_once_end_the_session() {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;

    let answers = futures_util::future::join_all((0..6).map(|_| ana.logs_out())).await;

    assert!(answers.iter().all(|it| it.status == 303), "{answers:?}");
    assert_eq!(ana.asks(ME).await.verdict(), "401 UNAUTHENTICATED SESSION_ENDED");
}

#[tokio::test]
async fn after_a_revoke_of_everything_there_is_no_token() {
    let world = World::new().await;
    let program = world.program_of("ana@acme.test").await;
    world.change("ana@acme.test", |it| it.epoch += 1).await;

    let ana = world.signed_in("ana@acme.test").await;

    assert!(ana.asks(ME).await.text().contains("false"));
    ana.makes_token(world.now() + 60).await;
    assert_eq!(program.asks(ME).await.verdict(), "401 UNAUTHENTICATED TOKEN_REVOKED");
}

#[tokio::test]
async fn an_image_of_another_site_logs_nobody_out() {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;

    let answer = ana.opens("/logout").await;
    assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")));
    assert!(answer.text().contains("This method is not allowed here"), "{}", answer.text());

    assert_eq!(ana.asks(ME).await.status, 200);
}

#[tokio::test]
async fn a_form_that_is_too_long_is_called_that() {
    let world = World::new().await;
    let email = format!("email={}", "a".repeat(5_000));

    let answer = world.sends(("POST", "/login/development"), &[("origin", URL)], email).await;

    assert_eq!(answer.verdict(), "413 BAD_REQUEST");
}

#[tokio::test]
async fn a_form_of_another_site_logs_nobody_out() {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;

    let forged = http::Request::post("/logout")
        .header("cookie", &ana.cookie)
        .header("origin", "https://evil.test");
    let answer = world.send(forged.body(axum::body::Body::empty()).unwrap()).await;

    assert_eq!(answer.status, 403);
    assert_eq!(ana.asks(ME).await.status, 200);
}

#[tokio::test]
async fn a_revoke_of_everything_ends_the_session_at_once() {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;

    world.change("ana@acme.test", |it| it.epoch += 1).await;
    assert_eq!(ana.asks(ME).await.verdict(), "401 UNAUTHENTICATED SESSION_ENDED");
}

#[tokio::test]
async fn the_disabled_are_shut_out_from_the_next_request() {
    let world = World::new().await;
    let carol = world.signed_in("carol@acme.test").await;
    let at = world.app.clock.now();

    world.change("carol@acme.test", |it| it.status = Status::Disabled { at }).await;

    assert_eq!(carol.asks(ME).await.verdict(), "401 UNAUTHENTICATED USER_DISABLED");
    let again = http::Request::post("/login/development").header("origin", URL);
    let answer = world.send(again.body("email=carol@acme.test".into()).unwrap()).await;
    assert_eq!(answer.verdict(), "401 UNAUTHENTICATED USER_DISABLED");
}

#[tokio::test]
async fn two_browsers_are_signed_in_side_by_side() {
    let world = World::new().await;
    let here = world.signed_in("ana@acme.test").await;
    let there = world.signed_in("Ana@Acme.test").await;

    here.logs_out().await;

    assert_eq!(here.asks(ME).await.status, 401);
    assert_eq!(there.asks(ME).await.status, 200);
}

/// Somebody signs in with a browser that sends this cookie.
async fn signs_in_again(world: &World, email: &str, cookie: &str) -> crate::given::Answer {
    let headers = [("origin", URL), ("cookie", cookie)];
    let answer =
        world.sends(("POST", "/login/development"), &headers, format!("email={email}")).await;
    world.keep_secret(answer.session_cookie().unwrap().split_once('=').unwrap().1);
    answer
}

#[tokio::test]
async fn a_new_login_ends_the_former_session_of_the_browser() {
    let world = World::new().await;
    let former = world.signed_in("ana@acme.test").await;
    world.calls();

    let answer = signs_in_again(&world, "ana@acme.test", &former.cookie).await;

    assert_eq!(world.calls(), ["GetItem", "GetItem", "TransactWriteItems"]);
    let now = crate::given::Browser { world: &world, cookie: answer.session_cookie().unwrap() };
    assert_eq!(now.asks(ME).await.status, 200);
    let refusal = former.asks(ME).await;
    assert_eq!(refusal.verdict(), "401 UNAUTHENTICATED SESSION_ENDED");
    let hint = format!(
        "A new login in the same browser replaced the session at {}: log in again.",
        text_at(0)
    );
    assert_eq!(refusal.extension("hint"), hint);
    assert!(world.stored().iter().any(|it| it["what"]["S"] == "sessionReplaced"));
}

#[tokio::test]
async fn a_new_login_ends_the_session_of_whoever_used_the_browser_before() {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;

    let eve = signs_in_again(&world, "eve@acme.test", &ana.cookie).await;

    assert_eq!(ana.asks(ME).await.verdict(), "401 UNAUTHENTICATED SESSION_ENDED");
    let eve = crate::given::Browser { world: &world, cookie: eve.session_cookie().unwrap() };
    assert_eq!(eve.asks(ME).await.status, 200);
}

#[tokio::test]
async fn a_former_session_that_does_not_hold_hinders_no_login() {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;
    ana.logs_out().await;
    let user = ana.cookie.split_once('.').unwrap().0.to_owned();

    for cookie in [
        ana.cookie.clone(),
        "__Host-arm_session=x".to_owned(),
        format!("{user}.{}", "A".repeat(43)),
    ] {
        let answer = signs_in_again(&world, "ana@acme.test", &cookie).await;

        let again =
            crate::given::Browser { world: &world, cookie: answer.session_cookie().unwrap() };
        assert_eq!(again.asks(ME).await.status, 200, "{cookie}");
    }
    assert_eq!(ana.asks(ME).await.extension("hint"), "The session was ended: log in again.");
}

#[tokio::test]
async fn an_api_token_outlives_the_session_that_made_it() {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;
    let program = ana.makes_token(world.now() + 86_400).await;

    ana.logs_out().await;
    world.later(SignedDuration::from_hours(1));

    assert_eq!(ana.asks(ME).await.status, 401);
    assert_eq!(program.asks(ME).await.status, 200);
}

#[tokio::test]
async fn a_planted_cookie_is_refused_and_cleared() {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;
    let user = ana.cookie.split_once('.').unwrap().0;

    for cookie in ["__Host-arm_session=nonsense".to_owned(), format!("{user}.{}", "A".repeat(43))] {
        let answer = crate::given::Browser { world: &world, cookie }.asks(ME).await;

        assert_eq!(answer.verdict(), "401 UNAUTHENTICATED TOKEN_INVALID");
        assert_eq!(answer.session_cookie().unwrap(), "__Host-arm_session=");
    }
}

#[tokio::test]
async fn a_session_that_is_not_known_says_to_log_in_again() {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;
    let user = ana.cookie.split_once('.').unwrap().0;

    for cookie in ["__Host-arm_session=nonsense".to_owned(), format!("{user}.{}", "A".repeat(43))] {
        let answer = crate::given::Browser { world: &world, cookie }.asks(ME).await;

        assert_eq!(
            answer.extension("hint"),
            "This session has ended or never existed: log in again."
        );
    }
}

#[tokio::test]
async fn a_session_whose_record_is_gone_says_to_log_in_again() {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;

    world.later(SignedDuration::from_hours(25));
    world.embedded.as_ref().unwrap().sweep().unwrap();

    let answer = ana.asks(ME).await;
    assert_eq!(answer.verdict(), "401 UNAUTHENTICATED TOKEN_INVALID");
    assert_eq!(answer.extension("hint"), "This session has ended or never existed: log in again.");
}

#[rstest::rstest]
#[case::a_blank_of_unicode("\u{2000}__Host-arm_session")]
#[case::another_case("__host-arm_session")]
#[tokio::test]
async fn a_cookie_that_a_neighbouring_host_can_plant_is_not_ours(#[case] name: &str) {
    let world = World::new().await;
    let eve = world.signed_in("eve@acme.test").await;
    let planted = format!("{name}={}", eve.cookie.split_once('=').unwrap().1);

    let victim = crate::given::Browser { world: &world, cookie: planted };

    assert_eq!(victim.asks(ME).await.verdict(), "200 UNAUTHENTICATED NO_CREDENTIAL");
}

#[tokio::test]
async fn two_session_cookies_are_refused_with_the_way_out() {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;
    let eve = world.signed_in("eve@acme.test").await;
    let cookie = format!("{}; {}", eve.cookie, ana.cookie);
    let both = crate::given::Browser { world: &world, cookie };

    let answer = both.asks(ME).await;
    assert_eq!(answer.verdict(), "400 BAD_REQUEST");
    assert_eq!(answer.message(), "The cookie __Host-arm_session was sent twice");
    let hint = answer.extension("hint");
    assert!(hint.as_str().unwrap().contains("Delete the cookies of this site"), "{hint}");
    assert_eq!(answer.header("set-cookie"), None, "clearing one would leave the planted one");

    for page in ["/", "/home"] {
        let answer = both.opens(page).await;
        assert_eq!(answer.status, 400, "{page}");
        assert!(answer.text().contains("Delete the cookies of this site"), "{}", answer.text());
    }
}

#[tokio::test]
async fn a_token_works_beside_two_session_cookies() {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;
    let program = ana.makes_token(world.now() + 60).await;

    let bearer = format!("Bearer {}", program.token);
    let request =
        crate::given::post().header("authorization", bearer).header("cookie", &ana.cookie);
    let request =
        request.header("cookie", "__Host-arm_session=planted").body(crate::given::body(ME));

    assert_eq!(world.send(request.unwrap()).await.status, 200);
}

#[tokio::test]
async fn over_http_a_session_is_a_cookie_that_every_client_sends_back() {
    let url = public_url("http://localhost:3202");
    let world = World::with(|config| config.public_url = url).await;
    let request =
        http::Request::post("/login/development").header("origin", "http://localhost:3202");

    let answer = world.send(request.body("email=ana@acme.test".into()).unwrap()).await;

    let cookie = answer.header("set-cookie").unwrap();
    assert!(cookie.starts_with("arm_session="), "{cookie}");
    assert!(!cookie.contains("Secure"), "{cookie}");
    let ana = crate::given::Browser { world: &world, cookie: answer.session_cookie().unwrap() };
    assert_eq!(ana.asks(ME).await.status, 200);
}

#[tokio::test]
async fn over_https_a_cookie_without_the_prefix_is_not_ours() {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;
    let cookie = ana.cookie.replace("__Host-", "");

    let answer = crate::given::Browser { world: &world, cookie }.asks(ME).await;

    assert_eq!(answer.verdict(), "200 UNAUTHENTICATED NO_CREDENTIAL");
}

#[tokio::test]
async fn a_session_opened_by_an_instance_a_minute_ahead_holds_already() {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;

    world.later(SignedDuration::from_secs(-60));
    assert_eq!(ana.asks(ME).await.status, 200);

    world.later(SignedDuration::from_secs(-1));
    assert_eq!(ana.asks(ME).await.verdict(), "401 UNAUTHENTICATED TOKEN_INVALID");
}
