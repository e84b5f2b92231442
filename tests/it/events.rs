//! Lambda events: those in `events/`, and malformed ones.

#[path = "event_fixtures.rs"]
mod event_fixtures;
mod malformed;

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
use event_fixtures::{Credentials, Fixture, Verdict, body, fixtures};

/// Sends an event to a router, as Lambda does.
async fn send(router: Router, event: Value) -> Value {
    let response = handler::handle_event(router, &event.to_string()).await;
    serde_json::to_value(response).unwrap()
}

/// Sends the event of a fixture to its function.
async fn replay(world: &World, fixture: &Fixture) -> Value {
    let credentials = Credentials::create(&world.web_app, &world.clock, fixture.text()).await;
    credentials.secrets().for_each(|it| world.register_secret(it));
    let router = match fixture.handler() {
        "api" => routes::api(world.app.clone()),
        "web" => routes::web(world.web_app.clone()),
        other => panic!("{}: there is no function {other}", fixture.name),
    };
    send(router, fixture.event(&credentials)).await
}

/// Replays one file. Returns the response, and its body as JSON.
async fn replay_file(name: &str) -> (Value, Value) {
    let fixture = fixtures().into_iter().find(|it| it.name == format!("{name}.json")).unwrap();
    let response = replay(&World::new().await, &fixture).await;
    let json = serde_json::from_slice(&body(&response)).unwrap_or_default();
    (response, json)
}

#[tokio::test]
async fn every_event_gets_the_expected_response() {
    let fixtures = fixtures();
    assert!(fixtures.len() >= 20, "there are {} events", fixtures.len());

    let world = World::new().await;
    let mut wrong = Vec::new();
    for fixture in fixtures {
        let response = replay(&world, &fixture).await;
        if Verdict::of(&response) != fixture.expected {
            wrong
                .push(format!("{}: expected {:?}, got {response}", fixture.name, fixture.expected));
        }
    }

    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_event_contains_a_credential() {
    for fixture in fixtures() {
        let sessions = fixture.text().split("__Host-arm_session=").skip(1);

        assert!(sessions.into_iter().all(|it| it.starts_with("${")), "{}", fixture.name);
        assert!(!fixture.text().contains("eyJ0eXAiOiJhcm0"), "{} contains a token", fixture.name);
    }
}

#[rstest]
#[case::two_cookies("api-session-two-cookies", false)]
#[case::multi_value_headers("api-v1-session-query", false)]
#[case::the_header_takes_precedence("api-session-and-bearer", true)]
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
#[case::invalid_base64("api-bad-base64", "The request body is not valid base64")]
#[case::no_body(
    "api-body-missing",
    "The body is not valid JSON: EOF while parsing a value at line 1 column 0"
)]
#[case::a_null_body(
    "api-body-null",
    "The body is not valid JSON: EOF while parsing a value at line 1 column 0"
)]
#[case::an_empty_event("api-nothing", "The request has no method")]
#[tokio::test]
async fn an_invalid_event_has_an_error_message(#[case] name: &str, #[case] message: &str) {
    let (response, json) = replay_file(name).await;

    assert_eq!(response["statusCode"], 400);
    assert_eq!(json["errors"][0]["message"], message);
    assert_eq!(json["errors"][0]["extensions"]["code"], "BAD_REQUEST");
}

#[tokio::test]
async fn a_get_needs_no_body() {
    let (response, _) = replay_file("api-page-for-browsers").await;

    assert_eq!(response["statusCode"], 200);
    assert!(response["headers"]["content-type"].as_str().unwrap().starts_with("text/html"));
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

    let response_2 = send(router.clone(), payload_2("GET", "/")).await;
    assert_eq!(response_2["cookies"], both);
    assert!(response_2["headers"].get("set-cookie").is_none(), "{response_2}");
    assert!(response_2["multiValueHeaders"].get("set-cookie").is_none(), "{response_2}");

    let response_1 = send(router, payload_1("GET", "/")).await;
    assert_eq!(response_1["multiValueHeaders"]["set-cookie"], both);
    let single = response_1["headers"]["set-cookie"]
        .as_str()
        .unwrap_or("a=1; Expires=Mon, 23 Nov 2026 12:00:00 GMT");
    assert!(both.as_array().unwrap().contains(&json!(single)), "{response_1}");
}

#[rstest]
#[case::payload_2(payload_2("GET", "/"), "/requestContext/http")]
#[case::payload_1(payload_1("GET", "/"), "/requestContext/identity")]
#[tokio::test]
async fn the_client_address_is_the_one_that_the_gateway_saw(
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
#[case::too_large_when_escaped("\"".repeat(3_000_000), true)]
#[case::six_times_as_large_when_escaped("\u{1}".repeat(1_100_000), true)]
#[case::large("a".repeat(5_000_000), false)]
#[tokio::test]
async fn a_response_that_is_too_large_for_lambda_becomes_an_error(
    #[case] text: String,
    #[case] is_too_large: bool,
    #[values(payload_1("GET", "/"), payload_2("GET", "/"))] event: Value,
) {
    let router = Router::new().route("/", get(async move || ([("x-request-id", "01M8")], text)));

    let response = send(router, event).await;

    assert_eq!(response["statusCode"], if is_too_large { 413 } else { 200 });
    assert!(response.to_string().len() < 6 * 1024 * 1024);
    if is_too_large {
        let json: Value = serde_json::from_slice(&body(&response)).unwrap();
        assert_eq!(json["errors"][0]["extensions"]["code"], "BAD_REQUEST");
        let hint = json["errors"][0]["extensions"]["hint"].as_str().unwrap();
        assert!(hint.contains("a response"), "{hint}");
        assert_eq!(json["errors"][0]["extensions"]["requestId"], "01M8");
        assert!(response.to_string().contains("x-request-id"), "the headers stay");
    }
}

#[tokio::test]
async fn a_binary_body_is_encoded_as_base64() {
    let router = Router::new().route("/", get(async || vec![0xff, 0xfe, 0x00]));

    let response = send(router, payload_2("GET", "/")).await;

    assert_eq!(response["isBase64Encoded"], true);
    assert_eq!(body(&response), [0xff, 0xfe, 0x00]);
}

#[tokio::test]
async fn every_response_to_an_event_has_the_security_headers() {
    let world = World::new().await;
    for fixture in fixtures() {
        let response = replay(&world, &fixture).await;
        let header = |name: &str| {
            let places = [&response["headers"][name], &response["multiValueHeaders"][name][0]];
            places.into_iter().find_map(Value::as_str).unwrap_or_default().to_owned()
        };

        assert_eq!(header("x-content-type-options"), "nosniff", "{}", fixture.name);
        assert_eq!(header("referrer-policy"), "no-referrer", "{}", fixture.name);
        assert!(header("strict-transport-security").starts_with("max-age="), "{}", fixture.name);
        let is_public = header("cache-control").starts_with("public");
        assert!(is_public || header("cache-control") == "no-store", "{}: {response}", fixture.name);
        assert_eq!(header("x-request-id").len(), 26, "{}", fixture.name);
    }
}
