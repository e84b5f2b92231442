//! The log line of a request. At the end of every test, the log is searched for secrets.

use std::sync::Arc;

use arm_api::{domain::email::Email, http::handler, routes, telemetry};
use rstest::rstest;
use serde_json::{Value, json};

use crate::given::{INVALIDATE, ME, START, World};

const FIELDS: [&str; 8] = [
    "requestId",
    "handler",
    "operation",
    "credential",
    "status",
    "dynamodbCalls",
    "durationMs",
    "coldStart",
];

#[tokio::test]
async fn a_request_is_logged_as_one_line_with_all_fields() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    let program = ana.create_token(START + 86_400).await;
    program.query(ME).await;
    let before = world.log().len();

    let response = program.query("query WhoAmI { me { userEmail } }").await;

    let lines = world.log().split_off(before);
    assert_eq!(lines.len(), 1, "{lines:?}");
    let line = lines[0].as_object().unwrap();
    for field in FIELDS {
        assert!(line.contains_key(field), "{field}: {line:?}");
    }
    assert_eq!(line["requestId"], response.header("x-request-id").unwrap());
    assert_eq!(line["operation"], "WhoAmI");
    assert_eq!(line["credential"], "token");
    assert_eq!(line["status"], 200);
    assert_eq!(line["dynamodbCalls"], 1);
    assert_eq!(line["actor"].as_str().unwrap().len(), 22);
    assert_eq!(line["tokenId"].as_str().unwrap().len(), 22);
}

#[tokio::test]
async fn reads_of_a_spawned_task_are_counted_for_its_request() {
    let world = World::new().await;
    let access = Arc::clone(&world.app.access);
    let email = Email::try_from("ana@acme.test".to_owned()).unwrap();

    let request = async {
        let load = telemetry::spawn(async move {
            access.store.stakeholder_at(&email).await.unwrap();
            telemetry::request_id()
        });
        load.await.unwrap()
    };
    let (id_in_the_task, line) = telemetry::with_log_line("01JD0".to_owned(), request).await;

    assert_eq!(id_in_the_task, "01JD0");
    assert_eq!(line.dynamodb_calls, 1);
    assert!(!line.dynamodb_time.is_zero());
}

#[rstest]
#[case::invalid("Bearer abc.def.ghi", "UNAUTHENTICATED", "TOKEN_INVALID")]
#[case::malformed("Bearer", "UNAUTHENTICATED", "TOKEN_MALFORMED")]
#[tokio::test]
async fn a_rejection_is_logged_with_code_and_reason(
    #[case] header: &str,
    #[case] code: &str,
    #[case] reason: &str,
) {
    let world = World::new().await;

    let request =
        crate::given::post().header("authorization", header).body(crate::given::body(ME)).unwrap();
    world.send(request).await;

    let line = world.log().pop().unwrap();
    assert_eq!(line["code"], code);
    assert_eq!(line["reason"], reason);
    assert_eq!(line["status"], 401);
    assert_eq!(line["actor"], Value::Null);
    assert_eq!(line["credential"], "none");
}

#[tokio::test]
async fn a_failure_of_dynamodb_is_logged_and_not_returned() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;

    world.fail_dynamodb(arm_api::local::faults::Fault::Throttle, 1000);
    let response = ana.query(ME).await;

    let id = response.header("x-request-id").unwrap();
    let has_cause = |line: &Value| {
        line["requestId"] == id
            && line["cause"].as_str().is_some_and(|it| it.contains("ThrottlingException"))
    };
    assert!(world.log().iter().any(has_cause), "{:?}", world.log());
    assert!(!response.text().contains("Throttling"));
}

#[tokio::test]
async fn in_lambda_each_line_is_followed_by_its_metrics() {
    let world = World::with_metrics().await;
    let ana = world.log_in("ana@acme.test").await;
    let program = ana.create_token(START + 86_400).await;
    program.query(INVALIDATE).await;
    program.query(ME).await;

    let (metrics, lines): (Vec<_>, Vec<_>) =
        world.log().into_iter().partition(|it| it.get("_aws").is_some());

    assert_eq!(metrics.len(), 4);
    assert_eq!(lines.len(), 4);
    let values = |name: &str| {
        metrics.iter().map(|it| it[name].as_f64().unwrap_or_default()).collect::<Vec<_>>()
    };
    assert_eq!(values("Requests"), [1.0; 4]);
    assert_eq!(values("TokensCreated"), [0.0, 1.0, 0.0, 0.0]);
    assert_eq!(values("TokensRevoked"), [0.0, 0.0, 1.0, 0.0]);
    assert_eq!(values("Refused"), [0.0, 0.0, 0.0, 1.0]);
    assert_eq!(metrics[3]["Reason"], "TOKEN_REVOKED");
    assert!(values("DynamodbLatency").iter().all(|it| *it > 0.0), "{metrics:?}");
    assert_eq!(metrics[3]["_aws"]["Timestamp"], START * 1000);
    assert_eq!(metrics[3]["FunctionName"], "arm-api");
}

#[rstest]
#[case::valid("GET", "/healthz", 200)]
#[case::invalid("NO METHOD", "/healthz", 400)]
#[tokio::test]
async fn the_log_line_has_the_client_address_and_the_request_id_of_the_gateway(
    #[case] method: &str,
    #[case] path: &str,
    #[case] status: u16,
) {
    let world = World::new().await;
    let http = json!({ "method": method, "sourceIp": "2001:db8::7" });
    let event = json!({
        "version": "2.0", "rawPath": path, "rawQueryString": "", "headers": {},
        "requestContext": { "stage": "$default", "requestId": "WJ4kXh2ZjoEEPzA=", "http": http },
    });

    let router = routes::web(world.web_app.clone());
    handler::handle_event(router, &event.to_string()).await;

    let line = world.log().pop().unwrap();
    assert_eq!(line["status"], status);
    assert_eq!(line["gatewayRequestId"], "WJ4kXh2ZjoEEPzA=");
    assert_eq!(line["clientAddress"], "2001:db8::7");
}
