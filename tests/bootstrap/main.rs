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
mod product;
#[path = "../it/story_events.rs"]
mod story_events;

use std::{ffi::OsString, path::PathBuf};

use emulator::Emulator;
use product::Product;
use story_events::{Credentials, Story, Verdict, stories};

/// The path in an environment variable, which the suite sets.
#[expect(clippy::disallowed_methods, reason = "the suite passes the paths by it")]
fn path_in(variable: &str) -> PathBuf {
    let value: Option<OsString> = std::env::var_os(variable).filter(|it| !it.is_empty());
    let path = value
        .map(PathBuf::from)
        .unwrap_or_else(|| panic!("{variable} is not set: run tests/suites/bootstrap instead"));
    assert!(path.exists(), "{variable}: {} does not exist", path.display());
    path
}

/// Sends all events of one function to one instance of it.
async fn replay(handler: &str) {
    let product = Product::start().await;
    let binary = path_in("ARM_BOOTSTRAP_DIR").join(handler);
    let emulator = Emulator::start(&path_in("ARM_RIE"), &binary, &product.environment()).await;
    let stories: Vec<Story> = stories().into_iter().filter(|it| it.handler() == handler).collect();
    let (mut wrong, mut secrets) = (Vec::new(), Vec::new());

    for story in &stories {
        let (app, clock) = product.two_hours_ago().await;
        let credentials = Credentials::create(&app, &clock, story.text()).await;
        secrets.extend(credentials.secrets().map(str::to_owned));
        let answer = emulator.invoke(&story.event(&credentials)).await;
        if Verdict::of(&answer) != story.expected {
            wrong.push(format!("{}: expected {:?}, got {answer}", story.name, story.expected));
        }
    }

    let log = emulator.log();
    assert!(wrong.is_empty(), "{}\n\n{log}", wrong.join("\n"));
    let lines = |part: &str| log.lines().filter(|it| it.contains(part)).count();
    assert_eq!(
        lines(&format!("\"handler\":\"{handler}\"")),
        stories.len(),
        "one line a request:\n{log}"
    );
    assert_eq!(lines("\"coldStart\":true"), 1, "one instance lived through all of them:\n{log}");
    let logged = secrets.iter().find(|it| log.contains(it.as_str()));
    assert!(logged.is_none(), "the log has the secret {logged:?}:\n{log}");
}

#[tokio::test]
async fn the_api_function_answers_every_event() {
    replay("api").await;
}

#[tokio::test]
async fn the_web_function_answers_every_event() {
    replay("web").await;
}
