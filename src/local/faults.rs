//! Injects faults into calls of DynamoDB, at the HTTP client of the SDK.

use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture},
    orchestrator::HttpRequest,
    result::ConnectorError,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::local::dynamodb::{operation, response};

/// How a call of DynamoDB fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// The call is throttled.
    Throttle,
    /// There is no response in time.
    Timeout,
    /// The response has status 500.
    Error,
    /// A batch succeeds, but all of its keys or records stay unprocessed. Other calls are
    /// throttled.
    Unprocessed,
    /// A write conflicts with another transaction (`TransactionConflict`). Reads succeed, as they
    /// do in DynamoDB.
    Conflict,
    /// A condition of a write fails, as if another request had changed the record first. Reads
    /// succeed.
    Changed,
    /// The write succeeds, but the connection breaks before the response. Reads succeed.
    LostAnswer,
    /// The call is not permitted.
    Denied,
    /// The call is invalid.
    Invalid,
    /// There is no such table.
    Missing,
}

/// The planned faults of the next calls.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<Option<Plan>>>);

/// Which calls fail, and how.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub fault: Fault,
    /// The calls that the plan applies to. Others succeed and are not counted.
    pub calls: Calls,
    /// The number of these calls that succeed before the first one fails.
    pub after: u32,
    /// The number of these calls that fail.
    pub times: u32,
}

/// A set of DynamoDB calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calls {
    /// All calls.
    All,
    /// Calls that write.
    Writes,
    /// Calls of one operation, such as `GetItem`.
    Of(&'static str),
}

/// A connector whose calls can be made to fail.
#[derive(Clone, Debug)]
pub struct Faulty<C> {
    /// The connector that makes the calls.
    pub inner: C,
    pub faults: Faults,
}

fn is_read(operation: &str) -> bool {
    matches!(operation, "GetItem" | "BatchGetItem" | "Query" | "Scan")
}

impl Calls {
    fn include(self, operation: &str) -> bool {
        match self {
            Self::All => true,
            Self::Writes => !is_read(operation),
            Self::Of(name) => name == operation,
        }
    }
}

impl Fault {
    /// Whether calls of an operation can have this fault.
    fn is_possible(self, operation: &str) -> bool {
        let is_of_writes = matches!(self, Self::Conflict | Self::Changed | Self::LostAnswer);
        !(is_of_writes && is_read(operation))
    }
}

impl Faults {
    /// Makes the next `times` calls fail with `fault`. Removes the plan if `fault` is `None`.
    pub fn plan(&self, fault: Option<Fault>, times: u32) {
        self.set(fault.map(|fault| Plan { fault, calls: Calls::All, after: 0, times }));
    }

    /// Makes the next `times` calls of one operation fail with `fault`. Others succeed.
    pub fn plan_at(&self, operation: &'static str, fault: Fault, times: u32) {
        self.set(Some(Plan { fault, calls: Calls::Of(operation), after: 0, times }));
    }

    /// Makes the calls of `plan` fail, and no others.
    pub fn set(&self, plan: Option<Plan>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = plan.filter(|it| it.times > 0);
    }

    /// Takes one of the planned faults, if the plan applies to the operation.
    fn next(&self, operation: &str) -> Option<Fault> {
        let mut planned = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_meant =
            |it: &&mut Plan| it.calls.include(operation) && it.fault.is_possible(operation);
        let plan = planned.as_mut().filter(is_meant)?;
        if let Some(after) = plan.after.checked_sub(1) {
            plan.after = after;
            return None;
        }
        let fault = plan.fault;
        plan.times -= 1;
        *planned = planned.filter(|it| it.times > 0);
        Some(fault)
    }
}

impl<C: HttpConnector> HttpConnector for Faulty<C> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let operation = operation(&request);
        let Some(fault) = self.faults.next(&operation) else { return self.inner.call(request) };
        let reject = |status, body| HttpConnectorFuture::ready(response(status, body));
        match fault {
            Fault::Timeout => HttpConnectorFuture::ready(Err(ConnectorError::timeout(
                "DynamoDB did not respond in time".into(),
            ))),
            Fault::LostAnswer => lose_response(self.inner.call(request)),
            Fault::Error => reject(500, failure("InternalServerError")),
            Fault::Unprocessed if operation == "BatchGetItem" => {
                reject(200, unprocessed(&request, "UnprocessedKeys"))
            }
            Fault::Unprocessed if operation == "BatchWriteItem" => {
                reject(200, unprocessed(&request, "UnprocessedItems"))
            }
            Fault::Throttle | Fault::Unprocessed => reject(400, failure("ThrottlingException")),
            Fault::Conflict if operation == "TransactWriteItems" => {
                reject(400, cancellation(&request, "TransactionConflict"))
            }
            Fault::Conflict => reject(400, failure("TransactionConflictException")),
            Fault::Changed if operation == "TransactWriteItems" => {
                reject(400, cancellation(&request, "ConditionalCheckFailed"))
            }
            Fault::Changed => reject(400, failure("ConditionalCheckFailedException")),
            Fault::Denied => reject(400, failure("AccessDeniedException")),
            Fault::Invalid => reject(400, failure("ValidationException")),
            Fault::Missing => reject(400, failure("ResourceNotFoundException")),
        }
    }
}

/// Makes a call, and returns an error instead of its response.
fn lose_response(call: HttpConnectorFuture) -> HttpConnectorFuture {
    HttpConnectorFuture::new(async {
        let _lost = call.await;
        Err(ConnectorError::io("the connection broke before the response".into()))
    })
}

fn failure(name: &str) -> String {
    json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{name}"), "message": "injected" })
        .to_string()
}

/// Creates the response to a batch whose entries are all unprocessed. `rest` is the field that
/// contains them.
fn unprocessed(request: &HttpRequest, rest: &str) -> String {
    json!({ "Responses": {}, rest: read_body(request).get("RequestItems") }).to_string()
}

/// Creates the response to a transaction that is cancelled because of its last write.
fn cancellation(request: &HttpRequest, reason: &str) -> String {
    let writes =
        read_body(request).get("TransactItems").and_then(Value::as_array).map_or(1, Vec::len);
    let mut reasons = vec![json!({ "Code": "None" }); writes.saturating_sub(1)];
    reasons.push(json!({ "Code": reason, "Message": "injected" }));
    let name = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
    json!({ "__type": name, "message": "injected", "CancellationReasons": reasons }).to_string()
}

fn read_body(request: &HttpRequest) -> Value {
    serde_json::from_slice(request.body().bytes().unwrap_or_default()).unwrap_or_default()
}
