//! Creating, replacing and revoking API tokens, and the calls to DynamoDB.

use arm_api::{
    access::{access_tokens::ExpectedToken, keys::KeyEntry},
    local::faults::Fault,
};
use jiff::SignedDuration;
use rstest::rstest;
use serde_json::json;

use crate::given::{INVALIDATE, ME, World, at, signing_keys, text_at, update_access_token};

const DAY: i64 = 86_400;
/// The maximum lifetime of a token, in seconds: 26 weeks (182 days). Six calendar months after the
/// start of each test are 181 days, which is shorter.
const MAX_LIFETIME: i64 = 182 * DAY;

#[tokio::test]
async fn a_new_token_is_accepted() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;

    let response = ana.query(&update_access_token(world.now() + 8 * 7 * DAY)).await;

    assert_eq!(response.json()["data"]["updateAccessToken"]["success"], true);
    let program = world.program(&response.new_token());
    assert_eq!(
        program.query("{ me { userEmail } }").await.json()["data"]["me"]["userEmail"],
        "ana@acme.test"
    );
}

#[rstest]
#[case::the_example_in_the_documentation(1_577_854_799)]
#[case::a_second_ago(at(-1))]
#[case::now(at(0))]
#[case::zero(0)]
#[case::negative(-1)]
#[case::beyond_the_maximum_and_the_clock_tolerance(at(MAX_LIFETIME) + 61)]
#[case::twenty_seven_weeks(at(27 * 7 * DAY))]
#[case::the_largest_integer(i64::MAX)]
#[tokio::test]
async fn an_expiration_time_outside_the_policy_is_rejected_with_the_bounds(#[case] received: i64) {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    world.take_operations();

    let response = ana.query(&update_access_token(received)).await;

    assert_eq!(response.verdict(), "200 BAD_USER_INPUT INVALID_EXPIRATION_TIME");
    assert_eq!(response.message(), "Exception - Invalid Expiration Time");
    assert_eq!(response.json()["errors"][0]["path"], json!(["updateAccessToken"]));
    assert_eq!(response.extension("min"), at(1));
    assert_eq!(response.extension("max"), at(MAX_LIFETIME));
    assert_eq!(response.extension("received"), received);
    assert_eq!(world.take_operations(), ["BatchGetItem"]);
}

#[rstest]
#[case::the_next_second(1)]
#[case::a_second_before_26_weeks(MAX_LIFETIME - 1)]
#[case::twenty_six_weeks(MAX_LIFETIME)]
#[case::six_calendar_months(181 * DAY)]
#[tokio::test]
async fn an_expiration_time_within_the_policy_is_accepted(#[case] seconds: i64) {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;

    let program = ana.create_token(at(seconds)).await;

    assert_eq!(program.query(ME).await.status, 200);
}

#[rstest]
#[case::by_a_second(1)]
#[case::by_a_minute(60)]
#[tokio::test]
async fn an_expiration_time_up_to_a_minute_beyond_the_maximum_is_lowered_to_the_maximum(
    #[case] beyond: i64,
) {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;

    let fields = "sessionJwt accessToken { expiresAt }";
    let mutation = format!(
        "mutation {{ updateAccessToken(expirationTime: {}) {{ {fields} }} }}",
        at(MAX_LIFETIME) + beyond
    );
    let response = ana.query(&mutation).await;

    let payload = &response.json()["data"]["updateAccessToken"];
    assert_eq!(payload["accessToken"]["expiresAt"], text_at(182 * DAY));
    let program = world.program(&response.new_token());
    let me = program.query("{ me { sessionExpiration } }").await.json();
    assert_eq!(me["data"]["me"]["sessionExpiration"], text_at(182 * DAY));
}

#[tokio::test]
async fn milliseconds_are_rejected_with_a_hint() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;

    let response = ana.query(&update_access_token(1_893_456_000_000)).await;

    let hint = response.extension("hint");
    assert!(
        hint.as_str().unwrap().starts_with("looks like milliseconds: use 1893456000"),
        "{hint}"
    );
}

#[rstest]
#[case("\"abc\"")]
#[case("1.5")]
#[case("true")]
#[case("null")]
#[case("99999999999999999999")]
#[case("9223372036854775808")]
#[case("[1]")]
#[case("{a: 1}")]
#[case("SOON")]
#[tokio::test]
async fn a_value_that_is_not_an_integer_is_rejected_with_the_bounds(#[case] literal: &str) {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    world.take_operations();

    let response = ana
        .query(&format!(
            "mutation {{ updateAccessToken(expirationTime: {literal}) {{ success }} }}"
        ))
        .await;

    assert!(response.json().get("data").is_none(), "{}", response.text());
    assert_eq!(response.verdict(), "200 BAD_USER_INPUT INVALID_EXPIRATION_TIME");
    assert_eq!(response.message(), "Exception - Invalid Expiration Time");
    assert_eq!(response.extension("min"), world.now() + 1);
    assert!(response.extension("hint").as_str().unwrap().contains("a Unix timestamp in seconds"));
    assert_eq!(world.take_operations(), ["BatchGetItem"]);
}

#[tokio::test]
async fn a_new_token_replaces_the_old_one_immediately() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    let old = ana.create_token(at(DAY)).await;
    world.advance(SignedDuration::from_mins(5));

    let new = ana.create_token(at(DAY)).await;

    let rejected = old.query(ME).await;
    assert_eq!(rejected.verdict(), "401 UNAUTHENTICATED TOKEN_REPLACED");
    assert_eq!(rejected.extension("replacedAt"), text_at(300));
    assert_eq!(new.query(ME).await.status, 200);
}

#[tokio::test]
async fn fifty_concurrent_calls_leave_exactly_one_valid_token() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    let mutation = update_access_token(world.now() + DAY);

    world.take_operations();
    world.skip_waits();
    let responses = futures_util::future::join_all((0..50).map(|_| ana.query(&mutation))).await;
    let attempts = world.take_operations().iter().filter(|it| *it == "TransactWriteItems").count();

    let (created, conflicts): (Vec<_>, Vec<_>) =
        responses.iter().partition(|it| it.verdict() == "200");
    assert!(conflicts.iter().all(|it| it.verdict() == "200 CONFLICT"), "{conflicts:?}");
    let mut valid = 0;
    for response in &created {
        valid += usize::from(world.program(&response.new_token()).query(ME).await.status == 200);
    }
    assert_eq!(valid, 1);
    assert!(attempts > 50, "no transaction was retried: {attempts} attempts");
}

#[tokio::test]
async fn a_token_can_replace_itself() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    let old = ana.create_token(at(DAY)).await;

    let new = world.program(&old.query(&update_access_token(at(2 * DAY))).await.new_token());

    assert_eq!(old.query(ME).await.verdict(), "401 UNAUTHENTICATED TOKEN_REPLACED");
    assert_eq!(new.query(ME).await.status, 200);
}

#[tokio::test]
async fn replacing_a_token_reads_no_more_records_than_authentication() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    let token = ana.create_token(at(DAY)).await;
    token.query(ME).await;
    world.take_operations();

    token.query(&update_access_token(at(DAY))).await.new_token();
    assert_eq!(world.take_operations(), ["BatchGetItem", "TransactWriteItems"]);
    ana.query(&update_access_token(at(DAY))).await.new_token();
    let calls = world.take_calls();
    let operations: Vec<_> = calls.iter().map(|it| it.operation.as_str()).collect();
    assert_eq!(operations, ["BatchGetItem", "TransactWriteItems"]);
    let writes = calls[1].body["TransactItems"].as_array().unwrap();
    let verbs: Vec<_> = writes.iter().flat_map(|it| it.as_object().unwrap().keys()).collect();
    // The audit entry, the owner, the new token, the rate limit, the slot and the old token.
    assert_eq!(verbs, ["Put", "ConditionCheck", "Put", "Update", "Put", "Update"]);
}

#[tokio::test]
async fn a_user_can_create_sixty_tokens_per_minute() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    let bob = world.log_in("bob@acme.test").await;
    world.advance(SignedDuration::from_secs(60 - world.now() % 60 + 50));
    for _ in 0..60 {
        ana.create_token(world.now() + DAY).await;
    }

    let response = ana.query(&update_access_token(world.now() + DAY)).await;

    assert_eq!(response.verdict(), "429 RATE_LIMITED");
    assert_eq!(response.header("retry-after"), Some("10"));
    assert_eq!(response.json()["data"], json!(null));
    bob.create_token(world.now() + DAY).await;
    world.advance(SignedDuration::from_secs(10));
    assert_eq!(ana.create_token(world.now() + DAY).await.query(ME).await.status, 200);
}

#[tokio::test]
async fn of_two_tokens_created_in_one_request_the_second_is_valid() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    let field =
        |name| format!("{name}: updateAccessToken(expirationTime: {}) {{ sessionJwt }}", at(DAY));

    let response = ana.query(&format!("mutation {{ {} {} }}", field("one"), field("two"))).await;

    let token =
        |name: &str| response.json()["data"][name]["sessionJwt"].as_str().unwrap().to_owned();
    assert_eq!(
        world.program(&token("one")).query(ME).await.verdict(),
        "401 UNAUTHENTICATED TOKEN_REPLACED"
    );
    assert_eq!(world.program(&token("two")).query(ME).await.status, 200);
}

#[rstest]
#[case::revoked(INVALIDATE, "TOKEN_REVOKED")]
#[case::replaced(&update_access_token(at(DAY)), "TOKEN_REPLACED")]
#[tokio::test]
async fn a_token_that_stops_being_valid_while_it_renews_itself_gets_no_successor(
    #[case] mutation_of_the_owner: &str,
    #[case] reason: &str,
) {
    let world = World::new().await;
    world.skip_waits();
    let ana = world.log_in("ana@acme.test").await;
    let token = ana.create_token(at(DAY)).await;
    let access = &world.app.access;
    let context = &world.context();
    let holder = token.authenticate().await;

    assert_eq!(ana.query(mutation_of_the_owner).await.status, 200);
    let renewed = access.update_access_token(&holder, ExpectedToken::Any, at(DAY), context).await;

    assert_eq!(renewed.err().unwrap().describe().reason, Some(reason));
}

#[tokio::test]
async fn a_token_that_is_replaced_while_it_revokes_itself_does_not_revoke_its_successor() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    let token = ana.create_token(at(DAY)).await;
    let holder = token.authenticate().await;

    let successor = ana.create_token(at(DAY)).await;
    world.app.access.invalidate_access_token(&holder, &world.context()).await.unwrap();

    assert_eq!(successor.query(ME).await.status, 200);
}

#[tokio::test]
async fn a_request_without_a_credential_creates_no_token() {
    let world = World::new().await;

    let response = world.query_anonymously(&update_access_token(at(DAY))).await;

    assert_eq!(response.verdict(), "200 UNAUTHENTICATED NO_CREDENTIAL");
    assert_eq!(world.take_operations(), Vec::<String>::new());
}

#[tokio::test]
async fn no_record_is_written_without_a_private_key_to_sign_with() {
    let public_only = KeyEntry { d: None, ..KeyEntry::from_entropy([1; 32]).unwrap() };
    let keys = signing_keys(&[public_only]);
    let world = World::with(|config| config.signing_keys = keys).await;
    let ana = world.log_in("ana@acme.test").await;
    world.take_operations();

    let response = ana.query(&update_access_token(at(DAY))).await;

    assert_eq!(response.verdict(), "503 SERVICE_UNAVAILABLE");
    assert_eq!(world.take_operations(), ["BatchGetItem"]);
}

#[tokio::test]
async fn the_old_token_stays_valid_when_signing_the_new_one_fails() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    let old = ana.create_token(at(DAY)).await;

    world.app.access.jwt.keys().faults.store(1, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(ana.query(&update_access_token(at(DAY))).await.status, 503);

    assert_eq!(old.query(ME).await.status, 200);
}

#[tokio::test]
async fn the_old_token_stays_valid_when_writing_the_new_one_fails() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    let old = ana.create_token(at(DAY)).await;
    old.query(ME).await;

    world.faults.plan_at("TransactWriteItems", Fault::Error, 3);
    assert_eq!(ana.query(&update_access_token(at(DAY))).await.verdict(), "503 SERVICE_UNAVAILABLE");

    assert_eq!(old.query(ME).await.status, 200);
}

#[tokio::test]
async fn no_token_is_created_while_the_operator_has_disabled_token_creation() {
    let reason = "Tokens are not created during the audit.".to_owned();
    let world = World::with(|config| config.token_creation_disabled = Some(reason)).await;
    let ana = world.log_in("ana@acme.test").await;

    let response = ana.query(&update_access_token(at(DAY))).await;

    assert_eq!(response.verdict(), "200 FORBIDDEN CREATION_DISABLED");
    assert_eq!(response.extension("hint"), "Tokens are not created during the audit.");
}

#[tokio::test]
async fn a_revoked_token_is_rejected_from_the_next_request_on() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    let program = ana.create_token(at(DAY)).await;

    assert_eq!(
        ana.query(INVALIDATE).await.json()["data"]["invalidateAccessToken"]["success"],
        true
    );

    let rejected = program.query(ME).await;
    assert_eq!(rejected.verdict(), "401 UNAUTHENTICATED TOKEN_REVOKED");
    assert_eq!(rejected.extension("revokedAt"), text_at(0));
    assert_eq!(rejected.extension("revokedBy"), "owner");
}

#[tokio::test]
async fn revoking_succeeds_when_there_is_no_token() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;

    for _ in 0..2 {
        assert_eq!(
            ana.query(INVALIDATE).await.json()["data"]["invalidateAccessToken"]["success"],
            true
        );
    }
}

#[tokio::test]
async fn a_token_can_revoke_itself() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    let program = ana.create_token(at(DAY)).await;

    program.query(INVALIDATE).await;

    let rejected = program.query(ME).await;
    assert_eq!(rejected.verdict(), "401 UNAUTHENTICATED TOKEN_REVOKED");
    assert_eq!(rejected.extension("revokedBy"), "holder");
}

#[tokio::test]
async fn a_new_token_can_be_created_after_a_revocation() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    ana.create_token(at(DAY)).await;
    ana.query(INVALIDATE).await;

    let new = ana.create_token(at(DAY)).await;

    assert_eq!(new.query(ME).await.status, 200);
}

#[tokio::test]
async fn a_new_token_can_be_created_after_the_old_one_expired() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    let old = ana.create_token(at(60)).await;
    world.advance(SignedDuration::from_mins(2));

    let new = ana.create_token(at(DAY)).await;

    assert_eq!(old.query(ME).await.verdict(), "401 UNAUTHENTICATED TOKEN_EXPIRED");
    assert_eq!(new.query(ME).await.status, 200);
}

#[tokio::test]
async fn me_returns_whether_there_is_a_token_with_the_spacing_of_the_original_api() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    let none = r#"{"hasAccessToken": false, "issuedAt": ""}"#;
    let none = json!({ "data": { "me": { "accessToken": none } } });
    let one = format!(r#"{{"hasAccessToken": true, "issuedAt": "{}"}}"#, at(0));
    let one = json!({ "data": { "me": { "accessToken": one } } });

    assert_eq!(ana.query(ME).await.json(), none);
    let program = ana.create_token(at(DAY)).await;
    assert_eq!(ana.query(ME).await.json(), one);
    assert_eq!(program.query(ME).await.json(), one);
    ana.query(INVALIDATE).await;
    assert_eq!(ana.query(ME).await.json(), none);
}

#[tokio::test]
async fn tokens_of_two_users_are_independent() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    let bob = world.log_in("bob@acme.test").await;
    let token_of_ana = ana.create_token(at(DAY)).await;
    let token_of_bob = bob.create_token(at(DAY)).await;

    ana.query(INVALIDATE).await;

    assert_eq!(token_of_ana.query(ME).await.status, 401);
    assert_eq!(
        token_of_bob.query("{ me { userEmail } }").await.json()["data"]["me"]["userEmail"],
        "bob@acme.test"
    );
}

#[tokio::test]
async fn a_request_with_a_valid_token_costs_one_read_of_three_records_and_no_write() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    let program = ana.create_token(at(DAY)).await;
    world.take_operations();

    program.query("{ me { userEmail } }").await;
    assert_eq!(
        world.take_operations(),
        ["BatchGetItem", "UpdateItem"],
        "the first use is recorded"
    );

    program.query("{ me { userEmail } }").await;
    let calls = world.take_calls();
    assert_eq!(calls.len(), 1);
    let read = calls[0].body["RequestItems"].as_object().unwrap().values().next().unwrap();
    assert_eq!(read["Keys"].as_array().unwrap().len(), 3);
    assert_eq!(read["ConsistentRead"], true);
}

#[tokio::test]
async fn the_use_of_a_token_is_recorded_at_most_every_ten_minutes() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    let program = ana.create_token(at(DAY)).await;
    program.query(ME).await;

    world.advance(SignedDuration::from_secs(599));
    world.take_operations();
    program.query(ME).await;
    assert_eq!(world.take_operations(), ["BatchGetItem"]);

    world.advance(SignedDuration::from_secs(1));
    program.query(ME).await;
    assert_eq!(world.take_operations(), ["BatchGetItem", "UpdateItem"]);
}

#[rstest]
#[case::replaced(|world: &World| update_access_token(world.now() + DAY))]
#[case::revoked(|_: &World| INVALIDATE.to_owned())]
#[tokio::test]
async fn a_token_revoked_or_replaced_after_it_expired_stays_rejected_when_the_clock_jumps_back(
    #[case] mutation: impl Fn(&World) -> String,
) {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    let old = ana.create_token(at(60)).await;
    world.advance(SignedDuration::from_secs(70));
    let response = ana.query(&mutation(&world)).await;
    assert_eq!(response.verdict(), "200");

    world.advance(SignedDuration::from_secs(-30));

    let verdict = old.query(ME).await.verdict();
    assert!(verdict.starts_with("401 UNAUTHENTICATED TOKEN_RE"), "{verdict}");
}

#[tokio::test]
async fn a_credential_from_an_instance_whose_clock_is_ahead_is_rejected_with_a_hint_about_clocks() {
    let world = World::new().await;
    world.advance(SignedDuration::from_mins(5));
    let ana = world.log_in("ana@acme.test").await;
    let program = ana.create_token(world.now() + DAY).await;

    world.advance(SignedDuration::from_secs(-61));

    for response in [program.query(ME).await, ana.query(ME).await] {
        assert_eq!(response.verdict(), "401 UNAUTHENTICATED TOKEN_INVALID");
        assert_eq!(response.extension("issuedAt"), text_at(300));
        let hint = response.extension("hint");
        assert!(hint.as_str().unwrap().contains("their clocks differ"), "{hint}");
        assert_eq!(
            response.header("set-cookie"),
            None,
            "the session is valid once the clock catches up"
        );
    }
    world.advance(SignedDuration::from_secs(1));
    assert_eq!(program.query(ME).await.status, 200);
    assert_eq!(ana.query(ME).await.status, 200);
}
