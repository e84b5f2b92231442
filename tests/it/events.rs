//! Lambda events through the handler: those in `events/`, and hostile ones.

mod hostile;
#[path = "story_events.rs"]
mod story_events;

use std::net::Ipv6Addr;

use arm_api::{
    http::{ClientAddress, handler},
    routes,
};
use axum::{
    Extension, Router,
    response::AppendHeaders,
    routing::{any, get},
};
use http::header::SET_COOKIE;
use rstest::rstest;
use serde_json::{Value, json};

use crate::given::World;
use story_events::{Credentials, Story, Verdict, body, stories};

/// Sends an event to a router, as Lambda does.
async fn send(router: Router, event: Value) -> Value {
    let answer = handler::handle_event(router, &event.to_string()).await;
    serde_json::to_value(answer).unwrap()
}

/// Sends the event of a story to its function.
async fn replay(world: &World, story: &Story) -> Value {
    let credentials = Credentials::create(&world.web_app, &world.clock, story.text()).await;
    credentials.secrets().for_each(|it| world.keep_secret(it));
    let router = match story.handler() {
        "api" => routes::api(world.app.clone()),
        "web" => routes::web(world.web_app.clone()),
        other => panic!("{}: there is no function {other}", story.name),
    };
    send(router, story.event(&credentials)).await
}

/// Replays one file. Returns the response, and its body as JSON.
async fn replay_file(name: &str) -> (Value, Value) {
    let story = stories().into_iter().find(|it| it.name == format!("{name}.json")).unwrap();
    let answer = replay(&World::new().await, &story).await;
    let json = serde_json::from_slice(&body(&answer)).unwrap_or_default();
    (answer, json)
}

#[tokio::test]
async fn every_event_gets_the_expected_response() {
    let stories = stories();
    assert!(stories.len() >= 20, "there are {} events", stories.len());

    let world = World::new().await;
    let mut wrong = Vec::new();
    for story in stories {
        let answer = replay(&world, &story).await;
        if Verdict::of(&answer) != story.expected {
            wrong.push(format!("{}: expected {:?}, got {answer}", story.name, story.expected));
        }
    }

    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_event_contains_a_credential() {
    for story in stories() {
        let sessions = story.text().split("__Host-arm_session=").skip(1);

        assert!(sessions.into_iter().all(|it| it.starts_with("${")), "{}", story.name);
        assert!(!story.text().contains("eyJ0eXAiOiJhcm0"), "{} contains a token", story.name);
    }
}

#[rstest]
#[case::a_list_of_two("api-session-two-cookies", false)]
#[case::lists_of_payload_1("api-v1-session-query", false)]
#[case::the_header_beats_the_cookie("api-session-and-bearer", true)]
#[case::a_base64_body("api-base64-body", true)]
#[case::a_stage_in_the_path_of_payload_1("api-v1-stage-in-path", true)]
#[case::a_stage_in_the_path_of_payload_2("api-stage-in-path", true)]
#[case::a_rest_stage("api-v1-rest-stage", true)]
#[tokio::test]
async fn an_authenticated_request_gets_its_data(#[case] name: &str, #[case] has_token: bool) {
    let (_, json) = replay_file(name).await;

    let text = json["data"]["me"]["accessToken"].as_str().unwrap();
    assert!(text.starts_with(&format!("{{\"hasAccessToken\": {has_token}")), "{text}");
}

#[rstest]
#[case::bad_base64("api-bad-base64", "The event's body is not valid base64")]
#[case::no_body(
    "api-body-missing",
    "The body is no JSON: EOF while parsing a value at line 1 column 0"
)]
#[case::body_null(
    "api-body-null",
    "The body is no JSON: EOF while parsing a value at line 1 column 0"
)]
#[case::an_empty_event("api-nothing", "The event has no method")]
#[tokio::test]
async fn an_invalid_event_has_an_error_message(#[case] name: &str, #[case] message: &str) {
    let (answer, json) = replay_file(name).await;

    assert_eq!(answer["statusCode"], 400);
    assert_eq!(json["errors"][0]["message"], message);
    assert_eq!(json["errors"][0]["extensions"]["code"], "BAD_REQUEST");
}

#[tokio::test]
async fn a_get_needs_no_body() {
    let (answer, _) = replay_file("api-page-for-browsers").await;

    assert_eq!(answer["statusCode"], 200);
    assert!(answer["headers"]["content-type"].as_str().unwrap().starts_with("text/html"));
}

fn payload_2(method: &str, path: &str) -> Value {
    let http = json!({ "method": method, "sourceIp": "203.0.113.7" });
    json!({
        "version": "2.0", "rawPath": path, "rawQueryString": "",
        "headers": { "x-forwarded-for": "198.51.100.66, 203.0.113.7" },
        "requestContext": { "stage": "$default", "http": http },
    })
}

fn payload_1(method: &str, path: &str) -> Value {
    json!({
        "httpMethod": method, "path": path,
        "headers": { "X-Forwarded-For": "198.51.100.66, 203.0.113.7" },
        "requestContext": { "stage": "prod", "identity": { "sourceIp": "203.0.113.7" } },
    })
}

#[tokio::test]
async fn two_cookies_are_two_headers() {
    let cookies = || {
        let two = [
            (SET_COOKIE, "a=1; Expires=Mon, 23 Nov 2026 12:00:00 GMT"),
            (SET_COOKIE, "b=2; Path=/"),
        ];
        get(async move || AppendHeaders(two))
    };
    let router = Router::new().route("/", cookies());
    let both = json!(["a=1; Expires=Mon, 23 Nov 2026 12:00:00 GMT", "b=2; Path=/"]);

    let of_2 = send(router.clone(), payload_2("GET", "/")).await;
    assert_eq!(of_2["cookies"], both);
    assert!(of_2["headers"].get("set-cookie").is_none(), "{of_2}");
    assert!(of_2["multiValueHeaders"].get("set-cookie").is_none(), "{of_2}");

    let of_1 = send(router, payload_1("GET", "/")).await;
    assert_eq!(of_1["multiValueHeaders"]["set-cookie"], both);
    let single = of_1["headers"]["set-cookie"]
        .as_str()
        .unwrap_or("a=1; Expires=Mon, 23 Nov 2026 12:00:00 GMT");
    assert!(both.as_array().unwrap().contains(&json!(single)), "{of_1}");
}

#[rstest]
#[case::of_payload_2(payload_2("GET", "/"), "/requestContext/http")]
#[case::of_payload_1(payload_1("GET", "/"), "/requestContext/identity")]
#[tokio::test]
async fn the_caller_has_the_address_that_the_gateway_saw(
    #[case] event: Value,
    #[case] place: &str,
) {
    let echo = any(async |Extension(caller): Extension<ClientAddress>| format!("{:?}", caller.0));
    let router = Router::new().route("/", echo);
    let caller = async |address: Value| {
        let mut event = event.clone();
        event.pointer_mut(place).unwrap()["sourceIp"] = address;
        send(router.clone(), event).await["body"].clone()
    };

    assert_eq!(caller(json!("203.0.113.7")).await, "Some(203.0.113.7)");
    assert_eq!(caller(json!(Ipv6Addr::LOCALHOST.to_string())).await, "Some(::1)");
    assert_eq!(caller(json!("198.51.100.66, 203.0.113.7")).await, "None");
    assert_eq!(caller(Value::Null).await, "None");
}

#[rstest]
#[case::plain("a".repeat(6_000_000), true)]
#[case::escaped_it_is_too_large("\"".repeat(3_000_000), true)]
#[case::escaped_sixfold("\u{1}".repeat(1_100_000), true)]
#[case::large("a".repeat(5_000_000), false)]
#[tokio::test]
async fn a_response_that_is_too_large_for_lambda_becomes_an_error(
    #[case] text: String,
    #[case] is_too_large: bool,
    #[values(payload_1("GET", "/"), payload_2("GET", "/"))] event: Value,
) {
    let router = Router::new().route("/", get(async move || ([("x-request-id", "01M8")], text)));

    let answer = send(router, event).await;

    assert_eq!(answer["statusCode"], if is_too_large { 413 } else { 200 });
    assert!(answer.to_string().len() < 6 * 1024 * 1024);
    if is_too_large {
        let json: Value = serde_json::from_slice(&body(&answer)).unwrap();
        assert_eq!(json["errors"][0]["extensions"]["code"], "BAD_REQUEST");
        let hint = json["errors"][0]["extensions"]["hint"].as_str().unwrap();
        assert!(hint.contains("an answer"), "{hint}");
        assert_eq!(json["errors"][0]["extensions"]["requestId"], "01M8");
        assert!(answer.to_string().contains("x-request-id"), "the headers stay");
    }
}

#[tokio::test]
async fn a_binary_body_is_encoded_as_base64() {
    let router = Router::new().route("/", get(async || vec![0xff, 0xfe, 0x00]));

    let answer = send(router, payload_2("GET", "/")).await;

    assert_eq!(answer["isBase64Encoded"], true);
    assert_eq!(body(&answer), [0xff, 0xfe, 0x00]);
}

#[tokio::test]
async fn every_response_to_an_event_has_the_security_headers() {
    let world = World::new().await;
    for story in stories() {
        let answer = replay(&world, &story).await;
        let header = |name: &str| {
            let places = [&answer["headers"][name], &answer["multiValueHeaders"][name][0]];
            places.into_iter().find_map(Value::as_str).unwrap_or_default().to_owned()
        };

        assert_eq!(header("x-content-type-options"), "nosniff", "{}", story.name);
        assert_eq!(header("referrer-policy"), "no-referrer", "{}", story.name);
        assert!(header("strict-transport-security").starts_with("max-age="), "{}", story.name);
        let is_public = header("cache-control").starts_with("public");
        assert!(is_public || header("cache-control") == "no-store", "{}: {answer}", story.name);
        assert_eq!(header("x-request-id").len(), 26, "{}", story.name);
    }
}
