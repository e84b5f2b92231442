//! The subject of an identity provider, which the first login links to a user.

use arm_api::{
    access::stakeholders::{DomainOwnership, VerifiedIdentity},
    domain::issuer::DomainOwner,
    local::faults::{Calls, Fault, Plan},
};
use rstest::rstest;
use serde_json::{Value, json};

use crate::given::{
    TestResponse, World,
    login::{
        self, ACME, OWNS_ACME, acme, email_of, log_in, log_in_with_other, start_login,
        two_providers, user_id_of, world,
    },
};

const WRONG_LOGIN: &str = "Your email address belongs to an account with another login";

fn assert_rejected(response: &TestResponse) {
    assert_eq!(response.status, 403, "{}", response.text());
    assert_eq!(response.header("set-cookie"), None);
    assert!(response.text().contains(WRONG_LOGIN), "{}", response.text());
    assert!(response.text().contains("Log in the way you did before"), "{}", response.text());
}

#[tokio::test]
async fn the_first_login_links_the_subject() {
    let world = acme().await;

    let user = user_id_of(&world, &log_in(&world, 1, |_| ()).await);

    let stored = world.stored_items();
    let link = stored.iter().find(|it| it["SK"]["S"] == "I").unwrap();
    assert_eq!(link["issuer"]["S"], ACME);
    assert_eq!(link["subject"]["S"], "1");
    assert_eq!(link["uid"]["S"], user);
}

#[tokio::test]
async fn a_later_login_reads_the_linked_subject_in_one_call() {
    let world = acme().await;
    log_in(&world, 1, |_| ()).await;
    world.take_operations();

    log_in(&world, 1, |_| ()).await;

    let begin = ["PutItem"];
    let end = ["GetItem", "TransactWriteItems", "GetItem", "GetItem", "TransactWriteItems"];
    assert_eq!(world.take_operations(), [&begin[..], &end[..]].concat());
}

#[tokio::test]
async fn another_subject_with_the_same_email_address_is_rejected() {
    let world = acme().await;
    log_in(&world, 1, |_| ()).await;

    let response = log_in(&world, 1, |it| it["sub"] = json!("2")).await;

    assert_rejected(&response);
}

#[tokio::test]
async fn a_reassigned_email_address_is_rejected_even_from_the_provider_that_owns_its_domain() {
    let world = world(&format!(r#""issuer":"{ACME}","domains":["acme.test"]"#), ACME, ACME).await;
    log_in(&world, 1, |_| ()).await;

    assert_rejected(&log_in(&world, 1, |it| it["sub"] = json!("2")).await);
}

#[tokio::test]
async fn a_second_provider_is_not_linked_by_the_email_address() {
    let world = two_providers("", "").await;
    log_in(&world, 1, |_| ()).await;

    assert_rejected(&log_in_with_other(&world, |_| ()).await);
}

#[tokio::test]
async fn a_second_provider_is_linked_if_it_owns_the_domain() {
    let world = two_providers(OWNS_ACME, OWNS_ACME).await;
    let user = user_id_of(&world, &log_in(&world, 1, |_| ()).await);

    assert_eq!(user_id_of(&world, &log_in_with_other(&world, |_| ()).await), user);
    assert_eq!(
        user_id_of(&world, &log_in_with_other(&world, |_| ()).await),
        user,
        "it stays linked"
    );
    assert_eq!(
        user_id_of(&world, &log_in(&world, 1, |_| ()).await),
        user,
        "the first provider stays linked"
    );
}

#[tokio::test]
async fn the_same_subject_at_two_issuers_is_two_users() {
    let world = two_providers("", "").await;
    let ana = user_id_of(&world, &log_in(&world, 1, |_| ()).await);

    let eve = log_in_with_other(&world, |it| it["email"] = json!("eve@acme.test")).await;

    assert_ne!(user_id_of(&world, &eve), ana);
}

#[tokio::test]
async fn a_user_gets_the_new_email_address_of_the_provider() {
    let world = acme().await;
    let user = user_id_of(&world, &log_in(&world, 1, |_| ()).await);

    let renamed = log_in(&world, 1, |it| it["email"] = json!("ana.rossi@acme.test")).await;

    assert_eq!(user_id_of(&world, &renamed), user);
    assert_eq!(email_of(&world, &renamed).await, "ana.rossi@acme.test");
    world.register_secret("ana.rossi@acme.test");
}

#[tokio::test]
async fn a_former_email_address_can_be_used_by_another_user() {
    let world = acme().await;
    let ana = user_id_of(&world, &log_in(&world, 1, |_| ()).await);
    log_in(&world, 1, |it| it["email"] = json!("ana.rossi@acme.test")).await;

    let next = log_in(&world, 1, |it| it["sub"] = json!("2")).await;

    assert_ne!(user_id_of(&world, &next), ana);
    assert_eq!(email_of(&world, &next).await, "ana@acme.test");
}

#[tokio::test]
async fn a_user_does_not_get_an_email_address_that_belongs_to_another_user() {
    let world = acme().await;
    let eve =
        user_id_of(&world, &log_in(&world, 1, |it| it["email"] = json!("eve@acme.test")).await);
    log_in(&world, 1, |it| it["sub"] = json!("2")).await;

    let response = log_in(&world, 1, |_| ()).await;

    assert_eq!(user_id_of(&world, &response), eve);
    assert_eq!(email_of(&world, &response).await, "eve@acme.test");
    let is_warned =
        |line: &Value| line["message"] == "address not updated: it belongs to another stakeholder";
    assert!(world.log().iter().any(is_warned), "{:?}", world.log());
}

#[tokio::test]
async fn two_providers_with_different_email_addresses_do_not_change_the_address_at_each_login() {
    let world = two_providers(OWNS_ACME, r#","domains":["acme.test","other.test"]"#).await;
    log_in(&world, 1, |_| ()).await;
    log_in_with_other(&world, |_| ()).await;
    let moved = log_in_with_other(&world, |it| it["email"] = json!("ana@other.test")).await;
    assert_eq!(email_of(&world, &moved).await, "ana@other.test");

    let again = log_in(&world, 1, |_| ()).await;

    assert_eq!(email_of(&world, &again).await, "ana@other.test");
}

#[tokio::test]
async fn an_existing_user_without_a_linked_subject_is_linked_at_the_next_login() {
    let world = two_providers("", "").await;
    let before = world.log_in("ana@acme.test").await;
    let user = before.cookie.split_once('=').unwrap().1.split_once('.').unwrap().0.to_owned();

    assert_eq!(user_id_of(&world, &log_in(&world, 1, |_| ()).await), user);

    assert_rejected(&log_in_with_other(&world, |_| ()).await);
}

#[tokio::test]
async fn an_operator_can_unlink_a_subject() {
    let world = acme().await;
    let user = user_id_of(&world, &log_in(&world, 1, |_| ()).await);

    world.change_stakeholder("ana@acme.test", |it| it.subjects.clear()).await;

    // The old subject logs in before the new one, and is not linked again.
    assert_rejected(&log_in(&world, 1, |_| ()).await);
    assert_eq!(user_id_of(&world, &log_in(&world, 1, |it| it["sub"] = json!("2")).await), user);
    assert_rejected(&log_in(&world, 1, |_| ()).await);
}

#[rstest]
#[case::empty(json!(""))]
#[case::longer_than_the_standard_allows(json!("1".repeat(256)))]
#[tokio::test]
async fn an_empty_or_too_long_subject_is_rejected(#[case] subject: Value) {
    let world = acme().await;

    assert_eq!(log_in(&world, 1, |it| it["sub"] = subject).await.status, 400);
}

fn identity(subject: &str) -> VerifiedIdentity {
    login::verified_identity(ACME, subject, "ana@acme.test")
}

/// Returns this owner of the domain of the email address. No issuer owns another domain.
fn ownership(domain_owner: DomainOwner) -> DomainOwnership<'static> {
    DomainOwnership { domain_owner, domain_owners: Box::leak(Box::default()) }
}

#[tokio::test]
async fn concurrent_first_logins_enrol_one_user() {
    let world = World::new().await;
    let access = &world.app.access;
    let context = &world.context();
    let ana = identity("1");
    let ana_again = identity("1");

    let logins = [&ana, &ana_again]
        .map(|it| access.log_in(it, ownership(DomainOwner::Nobody), None, context));
    let responses = futures_util::future::join_all(logins).await;

    let user = |cookie: &http::HeaderValue| {
        cookie.to_str().unwrap().split_once('=').unwrap().1.split_once('.').unwrap().0.to_owned()
    };
    let users: Vec<String> = responses.iter().map(|it| user(it.as_ref().unwrap())).collect();
    assert_eq!(users[0], users[1]);
}

#[tokio::test]
async fn a_login_whose_person_is_enrolled_between_its_reads_logs_that_user_in() {
    let world = World::new().await;
    let access = &world.app.access;
    let context = &world.context();
    let ana = identity("1");
    let ana_again = identity("1");
    let log_in = |it| access.log_in(it, ownership(DomainOwner::Nobody), None, context);

    world.synchronize_reads(2);
    let mut slow = std::pin::pin!(log_in(&ana));
    for _ in 0..10 {
        assert!(futures_util::poll!(&mut slow).is_pending(), "it waits after its first read");
    }
    let fast = log_in(&ana_again).await;
    let slow = slow.await;

    assert!(fast.is_ok(), "{fast:?}");
    assert!(slow.is_ok(), "{slow:?}");
    let entries = world.stored_items();
    assert_eq!(entries.iter().filter(|it| it["SK"]["S"] == "P").count(), 1);
}

#[tokio::test]
async fn of_two_concurrent_subjects_with_one_new_email_address_one_succeeds() {
    let world = World::new().await;
    let access = &world.app.access;
    let context = &world.context();
    let ana = identity("1");
    let eve = identity("2");

    let logins = [&ana, &eve]
        .map(|it| access.log_in(it, ownership(DomainOwner::ThisProvider), None, context));
    let responses = futures_util::future::join_all(logins).await;

    assert_eq!(responses.iter().filter(|it| it.is_ok()).count(), 1);
    let error = responses.iter().find_map(|it| it.as_ref().err()).unwrap();
    assert_eq!(error.to_string(), WRONG_LOGIN);
}

#[tokio::test]
async fn of_two_concurrent_subjects_with_the_email_address_of_a_user_one_succeeds() {
    let world = World::new().await;
    world.log_in("ana@acme.test").await;
    let access = &world.app.access;
    let context = &world.context();
    let ana = identity("1");
    let eve = identity("2");

    let logins =
        [&ana, &eve].map(|it| access.log_in(it, ownership(DomainOwner::Nobody), None, context));
    let responses = futures_util::future::join_all(logins).await;

    assert_eq!(responses.iter().filter(|it| it.is_ok()).count(), 1);
}

/// Injects a fault into `times` calls of an operation after the first call, which is for the login
/// attempt.
fn fail_after_the_login_attempt(world: &World, fault: Fault, operation: &'static str, times: u32) {
    let calls = Calls::Of(operation);
    world.faults.set(Some(Plan { fault, calls, after: 1, times }));
}

#[tokio::test]
async fn a_login_fails_when_dynamodb_cannot_read_the_linked_subject() {
    let world = acme().await;
    log_in(&world, 1, |_| ()).await;
    let login = start_login(&world, ("acme", ACME), 1, |_| ()).await;

    fail_after_the_login_attempt(&world, Fault::Error, "GetItem", 100);

    assert_eq!(login.finish(&world).await.status, 503);
}

#[tokio::test]
async fn a_login_is_retried_when_it_conflicts_with_another_transaction() {
    let world = acme().await;
    world.skip_waits();
    let login = start_login(&world, ("acme", ACME), 1, |_| ()).await;

    fail_after_the_login_attempt(&world, Fault::Conflict, "TransactWriteItems", 3);

    assert_eq!(login.finish(&world).await.status, 303);
}

#[tokio::test]
async fn a_login_whose_every_attempt_conflicts_is_unavailable() {
    let world = acme().await;
    world.skip_waits();
    let login = start_login(&world, ("acme", ACME), 1, |_| ()).await;

    fail_after_the_login_attempt(&world, Fault::Changed, "TransactWriteItems", 1000);

    assert_eq!(login.finish(&world).await.status, 503);
}
