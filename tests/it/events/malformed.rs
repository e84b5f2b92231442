//! Events that no gateway sends. None of them causes a 5xx.

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
    event_fixtures::{Credentials, Fixture, fixtures},
    send,
};
use crate::given::World;

/// The number of events that are sent to one world. With more, its credentials could stop working.
const EVENTS: u32 = 50;
/// The number of worlds.
const WORLDS: u32 = 8;

/// Generates any JSON. Some of its strings have a meaning for the product.
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

/// Generates a change of one member of an event: a new value, or its removal.
fn change() -> impl Strategy<Value = (Index, Option<Value>)> {
    (any::<Index>(), prop::option::weighted(0.7, json()))
}

/// Changes or removes the member at `index`.
fn mutate(mut event: Value, (index, value): (Index, Option<Value>)) -> Value {
    let mut places = Vec::new();
    members(&event, "", &mut places);
    if places.is_empty() {
        return value.unwrap_or_default();
    }
    let place = index.get(&places);
    match (value, place.rsplit_once('/').unwrap()) {
        (Some(value), _) => *event.pointer_mut(place).unwrap() = value,
        (None, (parent, name)) => remove_member(event.pointer_mut(parent).unwrap(), name),
    }
    event
}

fn members(value: &Value, place: &str, places: &mut Vec<String>) {
    let children: Vec<_> = match value {
        Value::Object(members) => members.iter().map(|(name, it)| (escape(name), it)).collect(),
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

/// Escapes a name for a JSON pointer (RFC 6901).
fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn remove_member(parent: &mut Value, name: &str) {
    match parent {
        Value::Object(members) => drop(members.remove(&name.replace("~1", "/").replace("~0", "~"))),
        Value::Array(items) => drop(items.remove(name.parse().unwrap())),
        _ => {}
    }
}

/// Sends events to both functions. Asserts that no response is a 5xx.
fn assert_no_5xx(events: impl FnOnce(&Credentials) -> BoxedStrategy<Value>) {
    let runtime = Runtime::new().unwrap();
    let world = runtime.block_on(World::new());
    let all: String = fixtures().iter().map(Fixture::text).collect();
    let credentials = runtime.block_on(Credentials::create(&world.web_app, &world.clock, &all));
    let handlers = [routes::api(world.app.clone()), routes::web(world.web_app.clone())];
    let status = |router: &Router, event: &Value| {
        runtime.block_on(send(router.clone(), event.clone()))["statusCode"].as_u64()
    };
    let mut runner =
        TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(EVENTS) });
    let outcome = runner.run(&events(&credentials), |event| {
        for handler in &handlers {
            let status = status(handler, &event);
            prop_assert!(matches!(status, Some(200..=499)), "{status:?} for {event}");
        }
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn no_json_causes_a_5xx() {
    for _ in 0..WORLDS {
        assert_no_5xx(|_| json().boxed());
    }
}

#[test]
fn no_change_of_a_real_event_causes_a_5xx() {
    for _ in 0..WORLDS {
        assert_no_5xx(|credentials| {
            let real: Vec<_> = fixtures().iter().map(|it| it.event(credentials)).collect();
            let changes = prop::collection::vec(change(), 1..6);
            (prop::sample::select(real), changes)
                .prop_map(|(event, changes)| changes.into_iter().fold(event, mutate))
                .boxed()
        });
    }
}
