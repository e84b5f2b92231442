//! Sends the library of Lambda events to the release binaries, in AWS's Runtime Interface Emulator.
//! `tests/suites/bootstrap` runs it, and sets `ARM_RIE` (the path of the emulator) and
//! `ARM_BOOTSTRAP_DIR` (the directory of the binaries).

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a failed test panics"
)]

mod emulator;
#[path = "../it/event_fixtures.rs"]
mod event_fixtures;
mod product;

use std::{ffi::OsString, path::PathBuf};

use emulator::Emulator;
use event_fixtures::{Credentials, Fixture, Verdict, fixtures};
use product::Product;

/// Returns the path in an environment variable.
#[expect(clippy::disallowed_methods, reason = "the suite sets the variables")]
fn path_in(variable: &str) -> PathBuf {
    let value: Option<OsString> = std::env::var_os(variable).filter(|it| !it.is_empty());
    let is_missing = || panic!("{variable} is not set: run tests/suites/bootstrap instead");
    let path = value.map_or_else(is_missing, PathBuf::from);
    assert!(path.exists(), "{variable}: {} does not exist", path.display());
    path
}

/// Sends all events of one function to one instance of it.
async fn replay(handler: &str) {
    let product = Product::start().await;
    let binary = path_in("ARM_BOOTSTRAP_DIR").join(handler);
    let emulator = Emulator::start(&path_in("ARM_RIE"), &binary, &product.environment()).await;
    let fixtures: Vec<Fixture> =
        fixtures().into_iter().filter(|it| it.handler() == handler).collect();
    let mut wrong = Vec::new();
    let mut secrets = Vec::new();

    for fixture in &fixtures {
        let (app, clock) = product.two_hours_ago().await;
        let credentials = Credentials::create(&app, &clock, fixture.text()).await;
        secrets.extend(credentials.secrets().map(str::to_owned));
        let response = emulator.invoke(&fixture.event(&credentials)).await;
        if Verdict::of(&response) != fixture.expected {
            wrong
                .push(format!("{}: expected {:?}, got {response}", fixture.name, fixture.expected));
        }
    }

    let log = emulator.log();
    assert!(wrong.is_empty(), "{}\n\n{log}", wrong.join("\n"));
    let lines = |part: &str| log.lines().filter(|it| it.contains(part)).count();
    assert_eq!(
        lines(&format!("\"handler\":\"{handler}\"")),
        fixtures.len(),
        "there is one line per request:\n{log}"
    );
    assert_eq!(lines("\"coldStart\":true"), 1, "one instance handles all events:\n{log}");
    let logged = secrets.iter().find(|it| log.contains(it.as_str()));
    assert!(logged.is_none(), "the log contains the secret {logged:?}:\n{log}");
}

#[tokio::test]
async fn the_api_function_responds_to_every_event() {
    replay("api").await;
}

#[tokio::test]
async fn the_web_function_responds_to_every_event() {
    replay("web").await;
}
