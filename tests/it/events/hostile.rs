//! Events that no gateway would send: whatever comes, the answer is ours, and no 5xx.

use arm_api::routes;
use axum::Router;
use proptest::{
    prelude::*,
    sample::Index,
    test_runner::{Config, TestRunner},
};
use serde_json::Value;
use tokio::runtime::Runtime;

use super::{
    answered,
    story_events::{Credentials, Story, stories},
};
use crate::given::World;

/// How many events are tried in one world, before some have ended its credentials.
const EVENTS: u32 = 50;
/// How many worlds there are.
const WORLDS: u32 = 8;

/// Any JSON, with the words that matter to us among its texts.
fn json() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "GET",
        "POST",
        "/api",
        "/home",
        "/prod/api",
        "prod",
        "$default",
        "Bearer a.b.c",
        "%%%",
        "a b|[",
        "\u{0}\r\n",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        word.prop_map(Value::from),
    ];
    let name = prop_oneof![
        any::<String>(),
        prop::sample::select(vec![
            "version",
            "rawPath",
            "path",
            "httpMethod",
            "requestContext",
            "http",
            "method",
            "headers",
            "multiValueHeaders",
            "cookies",
            "body",
            "isBase64Encoded",
        ])
        .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(4, 32, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::hash_map(name.clone(), inner, 0..8)
                .prop_map(|it| Value::Object(it.into_iter().collect())),
        ]
    })
}

/// What happens to one member of an event: another value, or it is gone.
fn change() -> impl Strategy<Value = (Index, Option<Value>)> {
    (any::<Index>(), prop::option::weighted(0.7, json()))
}

/// Changes the member that `index` chooses.
fn mutated(mut event: Value, (index, value): (Index, Option<Value>)) -> Value {
    let mut places = Vec::new();
    members(&event, "", &mut places);
    if places.is_empty() {
        return value.unwrap_or_default();
    }
    let place = index.get(&places);
    match (value, place.rsplit_once('/').unwrap()) {
        (Some(value), _) => *event.pointer_mut(place).unwrap() = value,
        (None, (parent, name)) => drop_member(event.pointer_mut(parent).unwrap(), name),
    }
    event
}

fn members(value: &Value, place: &str, places: &mut Vec<String>) {
    let children: Vec<_> = match value {
        Value::Object(members) => members.iter().map(|(name, it)| (escaped(name), it)).collect(),
        Value::Array(items) => {
            items.iter().enumerate().map(|(at, it)| (at.to_string(), it)).collect()
        }
        _ => Vec::new(),
    };
    for (name, child) in children {
        let place = format!("{place}/{name}");
        members(child, &place, places);
        places.push(place);
    }
}

/// A name, as it is written in a JSON pointer (RFC 6901).
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn drop_member(parent: &mut Value, name: &str) {
    match parent {
        Value::Object(members) => drop(members.remove(&name.replace("~1", "/").replace("~0", "~"))),
        Value::Array(items) => drop(items.remove(name.parse().unwrap())),
        _ => {}
    }
}

/// Tries `events` on both functions.
fn none_is_a_5xx(library: impl FnOnce(&Credentials) -> BoxedStrategy<Value>) {
    let runtime = Runtime::new().unwrap();
    let world = runtime.block_on(World::new());
    let all: String = stories().iter().map(Story::text).collect();
    let credentials = runtime.block_on(Credentials::made(&world.web_app, &world.clock, &all));
    let handlers = [routes::api(world.app.clone()), routes::web(world.web_app.clone())];
    let status = |router: &Router, event: &Value| {
        runtime.block_on(answered(router.clone(), event.clone()))["statusCode"].as_u64()
    };
    let mut runner =
        TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(EVENTS) });
    let outcome = runner.run(&library(&credentials), |event| {
        for handler in &handlers {
            let status = status(handler, &event);
            prop_assert!(matches!(status, Some(200..=499)), "{status:?} for {event}");
        }
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn any_json_is_answered_and_never_with_a_5xx() {
    for _ in 0..WORLDS {
        none_is_a_5xx(|_| json().boxed());
    }
}

#[test]
fn any_change_of_a_real_event_is_answered_and_never_with_a_5xx() {
    for _ in 0..WORLDS {
        none_is_a_5xx(|credentials| {
            let real: Vec<_> = stories().iter().map(|it| it.event(credentials)).collect();
            let changes = prop::collection::vec(change(), 1..6);
            (prop::sample::select(real), changes)
                .prop_map(|(event, changes)| changes.into_iter().fold(event, mutated))
                .boxed()
        });
    }
}
