//! Domains that a provider owns: only their owner can log in a user of such a domain.

use arm_api::{
    access::stakeholders::DomainOwnership,
    domain::issuer::{DomainOwner, DomainOwners},
};
use rstest::rstest;
use serde_json::{Value, json};

use crate::given::{
    Browser, TestResponse, World,
    login::{
        ACME, OTHER, OWNS_ACME, email_of, log_in, log_in_with_other, two_providers, user_id_of,
        verified_identity, world,
    },
};

const GOOGLE: &str = "https://accounts.google.com";

/// Logs Ana in as if the operator had configured `owners` as the owners of `acme.test`.
async fn log_in_with_owners<'a>(world: &'a World, issuer: &str, owners: &[&str]) -> Browser<'a> {
    log_in_as("ana@acme.test", world, issuer, owners).await
}

async fn log_in_as<'a>(
    email: &str,
    world: &'a World,
    issuer: &str,
    owners: &[&str],
) -> Browser<'a> {
    let domain_owner =
        if owners.contains(&issuer) { DomainOwner::ThisProvider } else { DomainOwner::Nobody };
    let owners = owners.iter().map(|it| ((*it).to_owned(), vec!["acme.test".to_owned()]));
    let ownership = DomainOwnership { domain_owner, domain_owners: &DomainOwners::new(owners) };
    let ana = verified_identity(issuer, "1", email);
    let login = world.app.access.log_in(&ana, ownership, None, &world.context()).await;
    let cookie = login.unwrap();
    let cookie = cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
    world.register_secret(cookie.split_once('=').unwrap().1);
    Browser { world, cookie }
}

fn assert_rejected(response: &TestResponse) {
    assert_eq!(response.status, 403, "{}", response.text());
    assert_eq!(response.header("set-cookie"), None);
    assert!(
        response.text().contains("belongs to another identity provider"),
        "{}",
        response.text()
    );
    assert!(
        response.text().contains("identity provider of your organization"),
        "{}",
        response.text()
    );
}

#[tokio::test]
async fn an_address_of_an_owned_domain_is_enrolled_by_its_owner_only() {
    let world = two_providers(OWNS_ACME, "").await;

    assert_rejected(&log_in_with_other(&world, |_| ()).await);
    assert_eq!(world.stored_items().len(), 0, "a rejected login leaves no record");

    let ana = user_id_of(&world, &log_in(&world, 1, |_| ()).await);
    assert_rejected(&log_in_with_other(&world, |_| ()).await);
    assert_eq!(user_id_of(&world, &log_in(&world, 1, |_| ()).await), ana);
}

#[tokio::test]
async fn an_existing_user_in_an_owned_domain_is_linked_by_its_owner_only() {
    let world = two_providers(OWNS_ACME, "").await;
    let before = world.log_in("ana@acme.test").await;
    let user = before.cookie.split_once('=').unwrap().1.split_once('.').unwrap().0.to_owned();

    assert_rejected(&log_in_with_other(&world, |_| ()).await);

    assert_eq!(user_id_of(&world, &log_in(&world, 1, |_| ()).await), user);
}

#[tokio::test]
async fn an_email_address_does_not_change_to_a_domain_of_another_provider() {
    let world = two_providers(OWNS_ACME, "").await;
    let eve = log_in_with_other(&world, |it| it["email"] = json!("eve@free.test")).await;
    let eve = user_id_of(&world, &eve);

    let response = log_in_with_other(&world, |_| ()).await;

    assert_eq!(user_id_of(&world, &response), eve);
    assert_eq!(email_of(&world, &response).await, "eve@free.test");
    let is_warned = |line: &Value| {
        line["message"] == "address not updated: another provider owns the old or the new domain"
    };
    assert!(world.log().iter().any(is_warned), "{:?}", world.log());
    assert_ne!(
        user_id_of(&world, &log_in(&world, 1, |_| ()).await),
        eve,
        "the user of the owner is another one"
    );
}

#[tokio::test]
async fn linking_the_owner_of_a_domain_ends_sessions_and_logins_of_other_providers() {
    let world = two_providers(OWNS_ACME, "").await;
    let eve = log_in_with_owners(&world, OTHER, &[]).await;
    assert_eq!(eve.query("{ me { userEmail } }").await.status, 200);

    let ana = log_in(&world, 1, |_| ()).await;

    assert_eq!(
        eve.cookie.split_once('=').unwrap().1.split_once('.').unwrap().0,
        user_id_of(&world, &ana)
    );
    let response = eve.query("{ me { userEmail } }").await;
    assert_eq!(
        response.json()["errors"][0]["extensions"]["code"],
        "UNAUTHENTICATED",
        "{}",
        response.text()
    );
    assert_rejected(&log_in_with_other(&world, |_| ()).await);
    assert_eq!(email_of(&world, &ana).await, "ana@acme.test");
}

#[tokio::test]
async fn linking_an_owner_of_a_domain_keeps_the_logins_of_its_other_owners() {
    let world = two_providers(OWNS_ACME, OWNS_ACME).await;
    let first = log_in_with_owners(&world, OTHER, &[OTHER]).await;

    log_in(&world, 1, |_| ()).await;

    assert_eq!(
        first.query("{ me { userEmail } }").await.json()["data"]["me"]["userEmail"],
        "ana@acme.test"
    );
    log_in_with_owners(&world, OTHER, &[]).await;
}

#[tokio::test]
async fn an_email_address_verified_by_the_owner_of_its_domain_is_not_changed_by_another_provider() {
    let world = two_providers(OWNS_ACME, "").await;
    log_in_with_owners(&world, ACME, &[ACME, OTHER]).await;
    log_in_with_owners(&world, OTHER, &[ACME, OTHER]).await;

    let response = log_in_with_other(&world, |it| it["email"] = json!("ana@free.test")).await;

    assert_eq!(email_of(&world, &response).await, "ana@acme.test");
}

#[rstest]
#[case::with_the_organization("ana@acme.test", json!("acme.test"), 303)]
#[case::with_another_organization("ana@acme.test", json!("evil.test"), 403)]
#[case::without_an_organization("ana@acme.test", json!(null), 403)]
#[case::with_an_organization_that_is_not_text("ana@acme.test", json!(7), 403)]
#[case::gmail_without_an_organization("ana@gmail.com", json!(null), 303)]
#[tokio::test]
async fn google_is_linked_if_it_hosts_the_email_address(
    #[case] email: &str,
    #[case] hd: Value,
    #[case] status: u16,
) {
    let world =
        world(r#""preset":"google","domains":["acme.test","gmail.com"]"#, GOOGLE, GOOGLE).await;
    log_in_as(email, &world, OTHER, &[]).await;

    let response = log_in(&world, 1, |it| {
        it["iss"] = json!(GOOGLE);
        it["email"] = json!(email);
        it["hd"] = hd;
    });

    assert_eq!(response.await.status, status);
}

#[tokio::test]
async fn google_enrols_an_email_address_of_a_listed_domain_without_an_organization() {
    let world = world(r#""preset":"google","domains":["acme.test"]"#, GOOGLE, GOOGLE).await;

    assert_eq!(log_in(&world, 1, |it| it["iss"] = json!(GOOGLE)).await.status, 303);
}
