//! The embedded database, called with the protocol of DynamoDB.

use arm_api::{
    clock::{Clock, ManualClock},
    local::dynamodb::Embedded,
};
use rstest::rstest;
use serde_json::{Value, json};

use crate::given::start;

/// Returns a database with the table `arm` and its index `severity`, whose keys are `GPK` and
/// `GSK`.
fn database() -> Embedded {
    let embedded = Embedded::in_memory(Clock::Manual(ManualClock::at(start()))).unwrap();
    let attributes = ["PK", "SK", "GPK", "GSK"]
        .map(|name| json!({ "AttributeName": name, "AttributeType": "S" }));
    let keys = |partition, sort| {
        json!([
            { "AttributeName": partition, "KeyType": "HASH" },
            { "AttributeName": sort, "KeyType": "RANGE" },
        ])
    };
    let table = json!({
        "TableName": "arm", "BillingMode": "PAY_PER_REQUEST", "AttributeDefinitions": attributes,
        "KeySchema": keys("PK", "SK"),
        "GlobalSecondaryIndexes": [{
            "IndexName": "severity", "KeySchema": keys("GPK", "GSK"),
            "Projection": { "ProjectionType": "KEYS_ONLY" },
        }],
    });
    call(&embedded, "CreateTable", &table);
    embedded
}

fn call(embedded: &Embedded, operation: &str, body: &Value) -> Value {
    let (status, json) = embedded.respond(operation, body.to_string().as_bytes());
    assert_eq!(status, 200, "{operation}: {json}");
    serde_json::from_str(&json).unwrap()
}

fn item(key: &str, severity: &str) -> Value {
    json!({
        "PK": { "S": "F#1" }, "SK": { "S": key },
        "GPK": { "S": "G#1" }, "GSK": { "S": severity },
    })
}

#[test]
fn a_query_of_an_index_uses_the_keys_of_the_index() {
    let embedded = database();
    call(&embedded, "PutItem", &json!({ "TableName": "arm", "Item": item("V#1", "10") }));
    let puts =
        [item("V#2", "30"), item("V#3", "20")].map(|it| json!({ "PutRequest": { "Item": it } }));
    call(&embedded, "BatchWriteItem", &json!({ "RequestItems": { "arm": puts } }));

    let query = json!({
        "TableName": "arm", "IndexName": "severity", "ScanIndexForward": false, "Limit": 2,
        "KeyConditionExpression": "GPK = :pk",
        "ExpressionAttributeValues": { ":pk": { "S": "G#1" } },
    });
    let first = call(&embedded, "Query", &query);
    let mut next = query.clone();
    next["ExclusiveStartKey"] = first["LastEvaluatedKey"].clone();
    let rest = call(&embedded, "Query", &next);

    let keys = |page: &Value| -> Vec<String> {
        let items = page["Items"].as_array().unwrap();
        items.iter().map(|it| it["SK"]["S"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(keys(&first), ["V#2", "V#3"]);
    assert_eq!(keys(&rest), ["V#1"]);
}

#[rstest]
fn each_operation_of_the_store_is_supported(
    #[values(
        "BatchGetItem",
        "BatchWriteItem",
        "DeleteItem",
        "GetItem",
        "PutItem",
        "Query",
        "TransactWriteItems",
        "UpdateItem"
    )]
    operation: &str,
) {
    let (_, response) = database().respond(operation, b"{}");

    assert!(!response.contains("is not embedded"), "{response}");
}
