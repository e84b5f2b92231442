//! API tokens that renew themselves: lost responses, and the limit of a chain of renewals.

use arm_api::local::faults::Fault;
use jiff::{SignedDuration, Timestamp};
use rstest::rstest;
use serde_json::{Value, json};

use crate::given::{INVALIDATE, ME, Program, TestResponse, World, at, update_access_token};

const DAY: i64 = 86_400;
const POLICY: &str = "{ me { accessTokenPolicy { maxExpirationTime } } }";
/// How many times the SDK sends a request whose response is lost.
const ATTEMPTS: u32 = 3;

/// Renews a token and loses the response of DynamoDB.
async fn lose_the_response(world: &World, token: &Program<'_>, mutation: &str) {
    world.faults.plan_at("TransactWriteItems", Fault::LostAnswer, ATTEMPTS);
    assert_eq!(token.query(mutation).await.verdict(), "503 SERVICE_UNAVAILABLE");
    assert_eq!(token.query(ME).await.verdict(), "401 UNAUTHENTICATED TOKEN_REPLACED");
}

#[tokio::test]
async fn repeating_a_renewal_whose_response_was_lost_returns_the_new_token() {
    let world = World::new().await;
    world.skip_waits();
    let token = world.program_for("ana@acme.test").await;
    let mutation = update_access_token(world.now() + DAY);
    lose_the_response(&world, &token, &mutation).await;

    let repeated = token.query(&mutation).await;

    assert_eq!(repeated.verdict(), "200");
    let new = world.program(&repeated.new_token());
    assert_eq!(new.query(ME).await.status, 200);
    assert_eq!(token.query(ME).await.verdict(), "401 UNAUTHENTICATED TOKEN_REPLACED");
}

#[tokio::test]
async fn a_repeated_renewal_returns_the_same_bytes_and_writes_nothing() {
    let world = World::new().await;
    let token = world.program_for("ana@acme.test").await;
    let all = "success sessionJwt accessToken { id state issuedAt expiresAt firstUsedAt }";
    let mutation = format!(
        "mutation {{ updateAccessToken(expirationTime: {}) {{ {all} }} }}",
        world.now() + DAY
    );

    let first = token.query(&mutation).await;
    world.register_secret(&first.new_token());
    world.take_operations();
    world.advance(SignedDuration::from_secs(59));
    let second = token.query(&mutation).await;

    assert_eq!(second.text(), first.text());
    assert_eq!(
        world.take_operations(),
        ["BatchGetItem"; 3],
        "it reads the old token, its owner and the new token, and writes nothing"
    );
}

#[tokio::test]
async fn the_log_names_the_user_and_the_token_of_a_repeated_renewal() {
    let world = World::new().await;
    let token = world.program_for("ana@acme.test").await;
    let renew = format!(
        "mutation Renew {{ updateAccessToken(expirationTime: {}) {{ sessionJwt }} }}",
        world.now() + DAY
    );
    world.register_secret(&token.query(&renew).await.new_token());
    let original = world.log().pop().unwrap();

    assert_eq!(token.query(&renew).await.verdict(), "200");

    let repeated = world.log().pop().unwrap();
    assert_eq!(repeated["operation"], "Renew");
    assert_eq!(repeated["credential"], "token");
    assert_eq!(repeated["actor"], original["actor"]);
    assert_eq!(repeated["tokenId"], original["tokenId"]);
    assert_eq!(repeated["repeatedRenewal"], true);
    assert_eq!(original["repeatedRenewal"], Value::Null);
}

#[rstest]
#[case::after_a_minute(61, |at: i64| update_access_token(at))]
#[case::with_another_expiration_time(1, |at: i64| update_access_token(at + 1))]
#[case::with_another_mutation(1, |at: i64| {
    let renewal = format!("updateAccessToken(expirationTime: {at}) {{ success }}");
    format!("mutation {{ {renewal} invalidateAccessToken {{ success }} }}")
})]
#[case::as_a_mutation_without_fields_of_the_api(1, |_: i64| "mutation { __typename }".to_owned())]
#[case::as_a_query_with_a_syntax_error(1, |_: i64| "mutation { nothing".to_owned())]
#[case::as_an_introspection(1, |_: i64| "{ __schema { queryType { name } } }".to_owned())]
#[case::as_a_query(1, |_: i64| ME.to_owned())]
#[tokio::test]
async fn any_other_request_with_a_replaced_token_is_rejected(
    #[case] seconds: i64,
    #[case] query: fn(i64) -> String,
) {
    let world = World::new().await;
    let token = world.program_for("ana@acme.test").await;
    let at = world.now() + DAY;
    world.register_secret(&token.query(&update_access_token(at)).await.new_token());

    world.advance(SignedDuration::from_secs(seconds));

    assert_eq!(token.query(&query(at)).await.verdict(), "401 UNAUTHENTICATED TOKEN_REPLACED");
}

#[tokio::test]
async fn a_renewal_cannot_be_repeated_after_the_new_token_was_used() {
    let world = World::new().await;
    let token = world.program_for("ana@acme.test").await;
    let mutation = update_access_token(world.now() + DAY);
    let new = world.program(&token.query(&mutation).await.new_token());

    new.query(ME).await;

    assert_eq!(token.query(&mutation).await.verdict(), "401 UNAUTHENTICATED TOKEN_REPLACED");
}

#[tokio::test]
async fn a_renewal_cannot_be_repeated_after_the_new_token_was_revoked() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    let token = ana.create_token(world.now() + DAY).await;
    let mutation = update_access_token(world.now() + DAY);
    world.register_secret(&token.query(&mutation).await.new_token());

    ana.query(INVALIDATE).await;

    assert_eq!(token.query(&mutation).await.verdict(), "401 UNAUTHENTICATED TOKEN_REPLACED");
}

#[tokio::test]
async fn a_token_that_was_replaced_in_a_session_cannot_repeat_a_renewal() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    let token = ana.create_token(world.now() + DAY).await;
    let at = world.now() + DAY;

    ana.create_token(at).await;

    assert_eq!(
        token.query(&update_access_token(at)).await.verdict(),
        "401 UNAUTHENTICATED TOKEN_REPLACED"
    );
}

#[tokio::test]
async fn a_renewal_that_fails_to_repeat_can_be_sent_again() {
    let world = World::new().await;
    let token = world.program_for("ana@acme.test").await;
    let mutation = update_access_token(world.now() + DAY);
    world.register_secret(&token.query(&mutation).await.new_token());

    world.app.access.jwt.keys().faults.store(1, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(token.query(&mutation).await.verdict(), "503 SERVICE_UNAVAILABLE");

    world.register_secret(&token.query(&mutation).await.new_token());
}

/// Logs Ana in and creates a token in her session.
async fn create_in_session(world: &World, expiration_time: i64) -> Program<'_> {
    let response =
        world.log_in("ana@acme.test").await.query(&update_access_token(expiration_time)).await;
    world.program(&response.new_token())
}

/// Renews a token every 25 weeks, until `days` after the start.
async fn renew_until<'a>(world: &'a World, mut token: Program<'a>, days: i64) -> Program<'a> {
    while world.now() < at(days * DAY) {
        let step = (at(days * DAY) - world.now()).min(175 * DAY);
        world.advance(SignedDuration::from_secs(step));
        let max = max_expiration_time(&token.query(POLICY).await);
        token = world.program(&token.query(&update_access_token(max)).await.new_token());
    }
    token
}

fn max_expiration_time(response: &TestResponse) -> i64 {
    response.json()["data"]["me"]["accessTokenPolicy"]["maxExpirationTime"].as_i64().unwrap()
}

fn text(at: i64) -> String {
    Timestamp::from_second(at).unwrap().to_string()
}

#[tokio::test]
async fn a_token_can_renew_itself_until_two_years_after_the_last_session() {
    let world = World::new().await;
    let end = at(730 * DAY);
    let first = create_in_session(&world, at(180 * DAY)).await;

    let token = renew_until(&world, first, 700).await;

    assert_eq!(max_expiration_time(&token.query(POLICY).await), end);
    let beyond = token.query(&update_access_token(end + 61)).await;
    assert_eq!(beyond.verdict(), "200 BAD_USER_INPUT INVALID_EXPIRATION_TIME");
    assert_eq!(beyond.extension("max"), end);
    let hint = beyond.extension("hint");
    assert!(hint.as_str().unwrap().contains("log in"), "{hint}");
    let last = world.program(&token.query(&update_access_token(end)).await.new_token());
    world.advance(SignedDuration::from_secs(end - 1 - world.now()));
    assert_eq!(last.query(ME).await.status, 200);
    let over = last.query(&update_access_token(end + DAY)).await;
    assert_eq!(over.verdict(), "200 BAD_USER_INPUT INVALID_EXPIRATION_TIME");
    world.advance(SignedDuration::from_secs(1));
    assert_eq!(last.query(ME).await.verdict(), "401 UNAUTHENTICATED TOKEN_EXPIRED");
}

#[tokio::test]
async fn creating_a_token_in_a_session_starts_a_new_chain_of_renewals() {
    let world = World::new().await;
    let first = create_in_session(&world, at(180 * DAY)).await;
    renew_until(&world, first, 700).await;

    let token = create_in_session(&world, world.now() + 180 * DAY).await;

    let max = max_expiration_time(&token.query(POLICY).await);
    assert!(max > world.now() + 180 * DAY, "{max}");
}

#[tokio::test]
async fn a_response_has_a_warning_fourteen_days_before_the_last_possible_renewal() {
    let world = World::new().await;
    let end = at(730 * DAY);
    let first = create_in_session(&world, at(180 * DAY)).await;
    let token = renew_until(&world, first, 710).await;

    world.advance(SignedDuration::from_secs(end - 14 * DAY - 1 - world.now()));
    assert_eq!(token.query(ME).await.json()["extensions"], Value::Null);
    world.advance(SignedDuration::from_secs(1));

    let end = text(end);
    let message = format!(
        "This API token can renew itself until {end}. Before then, log in with a browser and \
         create a new token."
    );
    let warning = json!({ "code": "TOKEN_EXPIRES_SOON", "message": message, "expiresAt": end });
    assert_eq!(token.query(ME).await.json()["extensions"], json!({ "warnings": [warning] }));
    let ana = world.log_in("ana@acme.test").await;
    assert_eq!(ana.query(ME).await.json()["extensions"], Value::Null);
}

#[tokio::test]
async fn a_shorter_renewal_limit_applies_to_existing_chains() {
    let mut world = World::new().await;
    let token = {
        let first = create_in_session(&world, at(180 * DAY)).await;
        renew_until(&world, first, 300).await.token
    };

    world
        .redeploy(|config| config.token_renewal_limit = SignedDuration::from_hours(184 * 24))
        .await;

    let over = world.program(&token).query(&update_access_token(world.now() + DAY)).await;
    assert_eq!(over.verdict(), "200 FORBIDDEN SESSION_REQUIRED");
    let hint = format!(
        "API tokens could renew themselves until {}. Log in with a browser and create a new one.",
        text(at(184 * DAY))
    );
    assert_eq!(over.extension("hint"), hint);
}
