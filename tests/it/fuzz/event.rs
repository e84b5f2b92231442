//! Lambda events: an event with changed strings is read correctly or rejected, and both functions
//! respond to it.

use std::{fs, path::Path};

use arm_api::{
    http::{ClientAddress, event::Event, handler},
    routes,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::Request;
use proptest::{collection::vec, prelude::*, sample::Index, test_runner::TestCaseResult};
use serde_json::Value;
use tokio::runtime::Runtime;

use super::{
    Input, Target, corpus, fuzz,
    mutation::{Change, change},
    runtime,
};
use crate::given::World;

/// The events in `events/` and malformed ones. Their strings are changed.
struct Events {
    runtime: Runtime,
    world: World,
    session: String,
    token: String,
}

impl Target for Events {
    const NAME: &'static str = "event";
    const WORDS: &'static [&'static str] = &[
        "/",
        "//",
        "?",
        "#",
        "%",
        "%2F",
        "%00",
        "..",
        "@",
        ":",
        "[",
        "]",
        "|",
        " ",
        "\r\n",
        "\u{0}",
        "\u{e9}",
        "\u{1f600}",
        "GET",
        "POST",
        "/api",
        "$default",
        "Bearer ",
        "__Host-arm_session=",
        "; ",
        "{",
        "}",
        "\"",
        "\\",
        "=",
        "==",
        "::1",
    ];

    fn new() -> Self {
        let runtime = runtime();
        let world = runtime.block_on(World::new());
        let cookie = runtime.block_on(world.log_in("ana@acme.test")).cookie;
        let session = cookie.split_once('=').unwrap().1.to_owned();
        let token = runtime.block_on(world.program_for("bob@acme.test")).token;
        Self { runtime, world, session, token }
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("events");
        let mut paths: Vec<_> =
            fs::read_dir(library).unwrap().map(|it| it.unwrap().path()).collect();
        paths.retain(|it| {
            it.extension().is_some_and(|it| it == "json") && !it.ends_with("expected.json")
        });
        paths.sort();
        let strings = paths.iter().map(|it| fs::read_to_string(it).unwrap());
        strings.chain(corpus(Self::NAME)).map(|it| self.fill_in(&it).into_bytes()).collect()
    }

    fn fill_in(&self, seed: &str) -> String {
        let credential =
            |name: &str| if name.contains("SESSION") { &self.session } else { &self.token };
        let mut parts = seed.split("${");
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |filled, part| {
            let (name, rest) = part.split_once('}').unwrap();
            format!("{filled}{}{rest}", credential(name))
        })
    }

    fn mutations(&self) -> BoxedStrategy<Input> {
        let seeds: Vec<Value> =
            self.seeds().iter().map(|it| serde_json::from_slice(it).unwrap()).collect();
        let changes = vec((any::<Index>(), vec(change(Self::WORDS), 1..4)), 1..4);
        (prop::sample::select(seeds), changes)
            .prop_map(|(event, changes)| {
                Input(
                    changes
                        .iter()
                        .fold(event, |event, (at, changes)| mutate(event, *at, changes))
                        .to_string()
                        .into_bytes(),
                )
            })
            .boxed()
    }

    fn check(&self, input: &[u8]) -> TestCaseResult {
        let event: Value = serde_json::from_slice(input).unwrap();
        if let Ok(request) = Event::parse(&event.to_string()).to_request() {
            check_request(&request, &event)?;
        }
        for router in [routes::api(self.world.app.clone()), routes::web(self.world.web_app.clone())]
        {
            let response = self.runtime.block_on(handler::handle_event(router, &event.to_string()));
            let status = serde_json::to_value(response).unwrap()["statusCode"].as_u64();
            prop_assert!(matches!(status, Some(200..=499)), "{status:?}");
        }
        Ok(())
    }
}

/// Changes one of the strings in the event.
fn mutate(mut event: Value, at: Index, changes: &[Change]) -> Value {
    let mut strings = Vec::new();
    collect_strings(&mut event, &mut strings);
    let seeds: Vec<_> = strings.iter().map(|it| it.as_bytes().to_vec()).collect();
    if !strings.is_empty() {
        let index = at.index(strings.len());
        let bytes =
            changes.iter().fold(seeds[index].clone(), |it, change| change.apply(it, &seeds));
        *strings[index] = String::from_utf8_lossy(&bytes).into_owned();
    }
    event
}

/// Collects all strings in an event except member names.
fn collect_strings<'a>(value: &'a mut Value, strings: &mut Vec<&'a mut String>) {
    match value {
        Value::String(text) => strings.push(text),
        Value::Array(items) => items.iter_mut().for_each(|it| collect_strings(it, strings)),
        Value::Object(members) => members.values_mut().for_each(|it| collect_strings(it, strings)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Checks that the headers, the body and the client address of a request come from its event.
fn check_request(request: &Request<impl AsRef<[u8]>>, event: &Value) -> TestCaseResult {
    let mut copy = event.clone();
    let mut strings = Vec::new();
    collect_strings(&mut copy, &mut strings);
    for (name, value) in request.headers() {
        prop_assert!(
            strings.iter().any(|it| it.as_bytes() == value.as_bytes()),
            "the header {name} is not in the event"
        );
    }
    let body = event["body"].as_str().unwrap_or_default();
    let is_base64 = event["isBase64Encoded"] == Value::Bool(true);
    let body = if is_base64 {
        STANDARD.decode(body).unwrap_or_default()
    } else {
        body.as_bytes().to_vec()
    };
    prop_assert_eq!(request.body().as_ref(), body);
    let caller =
        request.extensions().get::<ClientAddress>().and_then(|it| it.0).map(|it| it.to_string());
    let seen = [
        &event["requestContext"]["http"]["sourceIp"],
        &event["requestContext"]["identity"]["sourceIp"],
    ];
    let is_seen = |address: &String| {
        seen.iter().any(|it| {
            it.as_str().and_then(|it| it.parse().ok()) == address.parse::<std::net::IpAddr>().ok()
        })
    };
    prop_assert!(
        caller.as_ref().is_none_or(is_seen),
        "the client address {caller:?} is not in the event"
    );
    prop_assert!(request.uri().path().starts_with('/'));
    Ok(())
}

#[test]
fn any_event_is_read_correctly_or_rejected() {
    fuzz::<Events>();
}
