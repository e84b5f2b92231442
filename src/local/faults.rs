//! Faults of DynamoDB on demand, injected at the HTTP client of the SDK.

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
    /// A batch is processed, but none of its keys or records; other calls are throttled.
    Unprocessed,
    /// A write meets another transaction (`TransactionConflict`). Reads succeed, as they do then.
    Conflict,
    /// A condition of a write does not hold, as if somebody else had changed the record first.
    /// Reads succeed.
    Changed,
    /// The write is made, and the connection breaks before the response. Reads succeed.
    LostAnswer,
    /// The call is not permitted.
    Denied,
    /// The call is invalid.
    Invalid,
    /// There is no such table.
    Missing,
}

/// Which fault the next calls meet, and how many of them.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<Option<Plan>>>);

/// Which calls fail, and how.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// How they fail.
    pub fault: Fault,
    /// Which calls the plan is for. Others succeed and are not counted.
    pub calls: Calls,
    /// How many of them succeed before.
    pub after: u32,
    /// How many of them fail then.
    pub times: u32,
}

/// Some of the calls of DynamoDB.
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
    /// What responds where no fault is planned.
    pub inner: C,
    /// The faults that are planned.
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
    /// Whether calls of an operation can fail so.
    fn is_possible(self, operation: &str) -> bool {
        let is_of_writes = matches!(self, Self::Conflict | Self::Changed | Self::LostAnswer);
        !(is_of_writes && is_read(operation))
    }
}

impl Faults {
    /// Makes the next `times` calls fail so; none where `fault` is `None`.
    pub fn plan(&self, fault: Option<Fault>, times: u32) {
        self.set(fault.map(|fault| Plan { fault, calls: Calls::All, after: 0, times }));
    }

    /// Makes the next `times` calls of one operation fail so; others succeed.
    pub fn plan_at(&self, operation: &'static str, fault: Fault, times: u32) {
        self.set(Some(Plan { fault, calls: Calls::Of(operation), after: 0, times }));
    }

    /// Makes the calls of `plan` fail, and no others.
    pub fn set(&self, plan: Option<Plan>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = plan.filter(|it| it.times > 0);
    }

    /// Takes one of the planned faults, if the plan is for such calls.
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

/// Makes a call, and loses its response.
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

/// The response for a batch of which all is left, in the field `rest`.
fn unprocessed(request: &HttpRequest, rest: &str) -> String {
    json!({ "Responses": {}, rest: read_body(request).get("RequestItems") }).to_string()
}

/// The response for a transaction that is cancelled because of its last write.
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
