//! The one log line of a request. (Each world searches its log for secrets at its end.)

use rstest::rstest;
use serde_json::{Value, json};

use crate::given::{ME, START, World};

const FIELDS: [&str; 8] =
    ["requestId", "door", "operation", "credential", "status", "dynamodbCalls", "durationMs", "coldStart"];

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

    let request = crate::given::post().header("authorization", header).body(crate::given::body(ME)).unwrap();
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
        line["requestId"] == id && line["cause"].as_str().is_some_and(|it| it.contains("ThrottlingException"))
    };
    assert!(world.log().iter().any(told), "{:?}", world.log());
    assert!(!answer.text().contains("Throttling"));
}
