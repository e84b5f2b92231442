//! Golden files of the schema, the policy and the stored records. They change only on purpose:
//! `make golden` writes them again.

use std::{fs, path::Path};

use arm_api::{
    domain::{
        email::Email,
        id::ProviderId,
        login::LoginAttempt,
        own_path::OwnPath,
        policy,
        rate_limit::{Counter, Network, RateLimit},
        role::OrganizationRole,
        secret::Secret,
        subject::{LinkedSubject, Subject},
    },
    graph,
};
use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::given::{ME, START, World};

/// Compares text with a golden file. Writes the file first if `UPDATE_GOLDEN` is set.
#[expect(clippy::disallowed_methods, reason = "a developer sets UPDATE_GOLDEN to write the file")]
fn check(name: &str, actual: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var("UPDATE_GOLDEN").is_ok() {
        fs::write(&path, actual).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        expected, actual,
        "{name} has changed: if that is meant, run `make golden` and read the diff"
    );
}

#[test]
fn the_schema_matches_the_golden_file() {
    check("schema.graphql", &graph::sdl());
}

#[test]
fn the_policy_matches_the_golden_file() {
    check("policy.txt", &policy::table());
}

#[tokio::test]
async fn the_stored_records_match_the_golden_file() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    ana.create_token(START + 86_400).await;
    ana.create_token(START + 86_400).await.query(ME).await;
    ana.log_out().await;
    let store = &world.app.access.store;
    let now = world.app.clock.now();
    store.begin_login(&login_attempt(now)).await.unwrap();
    let email = Email::try_from("ana@acme.test".to_owned()).unwrap();
    let ana = store.stakeholder_at(&email).await.unwrap().unwrap();
    let subject = Subject::new("https://id.acme.test".to_owned(), "1".to_owned()).unwrap();
    let link = LinkedSubject { subject, user: ana.id.clone(), email, linked_at: now };
    let mut linked = ana.clone();
    linked.link(&link.subject);
    store.link_subject(&ana, linked, &link, None, &world.audit_entry(&ana)).await.unwrap();
    let office = Counter::LoginsFrom(Network::of("203.0.113.7".parse().unwrap()));
    store.count_within(&office, RateLimit::per_minute(30), now).await.unwrap();

    world.add_member("ana@acme.test", "acme", OrganizationRole::UserManager).await;

    let items = world.stored_items();

    let lines: Vec<_> = items.iter().map(line).collect();
    check("table.txt", &(lines.join("\n") + "\n"));
}

/// Returns an attempt to log in that has not finished.
fn login_attempt(now: Timestamp) -> LoginAttempt {
    let digest = |seed| Secret::from_entropy([seed; 32]).digest();
    LoginAttempt {
        state: digest(1),
        provider: ProviderId::try_from("google".to_owned()).unwrap(),
        verifier: digest(2),
        nonce: digest(3),
        next: OwnPath::default(),
        begun_at: now,
    }
}

/// Writes a record on one line with its key first.
fn line(item: &Value) -> String {
    let members: &Map<String, Value> = item.as_object().unwrap();
    let is_key = |name: &&String| *name == "PK" || *name == "SK";
    let keys = members.iter().filter(|(name, _)| is_key(name));
    let others = members.iter().filter(|(name, _)| !is_key(name));
    keys.chain(others).map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
}
