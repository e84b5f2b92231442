//! The one log line of a request. (Each world searches its log for secrets at its end.)

use arm_api::{http::handler, routes};
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
async fn a_request_is_one_line_with_the_agreed_fields() {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;
    let program = ana.makes_token(START + 86_400).await;
    program.asks(ME).await;
    let before = world.log().len();

    let answer = program.asks("query WhoAmI { me { userEmail } }").await;

    let lines = world.log().split_off(before);
    assert_eq!(lines.len(), 1, "{lines:?}");
    let line = lines[0].as_object().unwrap();
    for field in FIELDS {
        assert!(line.contains_key(field), "{field}: {line:?}");
    }
    assert_eq!(line["requestId"], answer.header("x-request-id").unwrap());
    assert_eq!(line["operation"], "WhoAmI");
    assert_eq!(
        (&line["credential"], &line["status"], &line["dynamodbCalls"]),
        (&json!("token"), &json!(200), &json!(1))
    );
    assert_eq!([&line["actor"], &line["tokenId"]].map(|it| it.as_str().unwrap().len()), [22, 22]);
}

#[rstest]
#[case::refused("Bearer abc.def.ghi", "UNAUTHENTICATED", "TOKEN_INVALID")]
#[case::malformed("Bearer", "UNAUTHENTICATED", "TOKEN_MALFORMED")]
#[tokio::test]
async fn a_refusal_is_logged_with_code_and_reason(
    #[case] header: &str,
    #[case] code: &str,
    #[case] reason: &str,
) {
    let world = World::new().await;

    let request =
        crate::given::post().header("authorization", header).body(crate::given::body(ME)).unwrap();
    world.send(request).await;

    let line = world.log().pop().unwrap();
    assert_eq!(
        (&line["code"], &line["reason"], &line["status"]),
        (&json!(code), &json!(reason), &json!(401))
    );
    assert_eq!((&line["actor"], &line["credential"]), (&Value::Null, &json!("none")));
}

#[tokio::test]
async fn what_dynamodb_failed_with_is_in_the_log_alone() {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;

    world.dynamodb_fails(arm_api::local::faults::Fault::Throttle, 1000);
    let answer = ana.asks(ME).await;

    let id = answer.header("x-request-id").unwrap();
    let told = |line: &Value| {
        line["requestId"] == id
            && line["cause"].as_str().is_some_and(|it| it.contains("ThrottlingException"))
    };
    assert!(world.log().iter().any(told), "{:?}", world.log());
    assert!(!answer.text().contains("Throttling"));
}

#[tokio::test]
async fn in_lambda_each_line_is_followed_by_its_metrics() {
    let world = World::with_metrics().await;
    let ana = world.signed_in("ana@acme.test").await;
    let program = ana.makes_token(START + 86_400).await;
    program.asks(INVALIDATE).await;
    program.asks(ME).await;

    let (metrics, lines): (Vec<_>, Vec<_>) =
        world.log().into_iter().partition(|it| it.get("_aws").is_some());

    assert_eq!((metrics.len(), lines.len()), (4, 4));
    let told = |name: &str| {
        metrics.iter().map(|it| it[name].as_f64().unwrap_or_default()).collect::<Vec<_>>()
    };
    assert_eq!(told("Requests"), [1.0; 4]);
    assert_eq!(told("TokensCreated"), [0.0, 1.0, 0.0, 0.0]);
    assert_eq!(told("TokensRevoked"), [0.0, 0.0, 1.0, 0.0]);
    assert_eq!(
        (told("Refused"), &metrics[3]["Reason"]),
        (vec![0.0, 0.0, 0.0, 1.0], &json!("TOKEN_REVOKED"))
    );
    assert!(told("DynamodbLatency").iter().all(|it| *it > 0.0), "{metrics:?}");
    assert_eq!(metrics[3]["_aws"]["Timestamp"], START * 1000);
    assert_eq!(metrics[3]["FunctionName"], "arm-api");
}

#[rstest]
#[case::good("GET", "/healthz", 200)]
#[case::unreadable("NO METHOD", "/healthz", 400)]
#[tokio::test]
async fn a_request_is_traced_by_its_address_and_by_the_id_of_the_gateway(
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
    handler::answer_event(router, &event.to_string()).await;

    let line = world.log().pop().unwrap();
    assert_eq!(line["status"], status);
    assert_eq!(line["gatewayRequestId"], "WJ4kXh2ZjoEEPzA=");
    assert_eq!(line["clientAddress"], "2001:db8::7");
}
