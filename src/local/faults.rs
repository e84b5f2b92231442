//! Faults on demand, injected at the SDK's HTTP client.

use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture},
    orchestrator::HttpRequest,
    result::ConnectorError,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::local::dynamodb::{operation, response};

/// How DynamoDB can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// It throttles the call.
    Throttle,
    /// It does not answer in time.
    Timeout,
    /// It answers 500.
    Error,
    /// It answers a batch, and processes none of its keys or writes; other calls are throttled.
    Unprocessed,
    /// A write meets another transaction (`TransactionConflict`). Reads never do: they succeed.
    Conflict,
    /// A condition of a write does not hold, as if somebody else had changed the record first.
    /// Reads succeed.
    Changed,
    /// It makes the write, and the connection breaks before the answer. Reads succeed.
    LostAnswer,
    /// It does not permit the call.
    Denied,
    /// It finds the call invalid.
    Invalid,
    /// It has no such table.
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
    /// How many calls that the plan is for succeed before.
    pub after: u32,
    /// How many calls fail then.
    pub times: u32,
    /// The operation that the plan is for; all of them without it.
    pub operation: Option<&'static str>,
}

/// A connector whose calls can be made to fail.
#[derive(Clone, Debug)]
pub struct Faulty<C> {
    /// What answers when nothing fails.
    pub inner: C,
    /// What fails.
    pub faults: Faults,
}

impl Fault {
    /// Whether calls of an operation can fail so.
    fn is_of(self, operation: &str) -> bool {
        let is_read = matches!(operation, "GetItem" | "BatchGetItem" | "Query" | "Scan");
        !(is_read && matches!(self, Self::Conflict | Self::Changed | Self::LostAnswer))
    }
}

impl Faults {
    /// Makes the next `times` calls fail so; none where `fault` is.
    pub fn plan(&self, fault: Option<Fault>, times: u32) {
        self.set(fault.map(|fault| Plan { fault, after: 0, times, operation: None }));
    }

    /// Makes the next `times` calls of one operation fail so; others go on.
    pub fn plan_at(&self, operation: &'static str, fault: Fault, times: u32) {
        self.set(Some(Plan { fault, after: 0, times, operation: Some(operation) }));
    }

    /// Makes the calls of `plan` fail, and no others.
    pub fn set(&self, plan: Option<Plan>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = plan.filter(|it| it.times > 0);
    }

    /// Takes one of the planned faults, if the plan is for such calls.
    fn next(&self, operation: &str) -> Option<Fault> {
        let mut planned = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let plan =
            planned.as_mut().filter(|it| it.operation.is_none_or(|name| name == operation))?;
        if !plan.fault.is_of(operation) {
            return None;
        }
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
        let refused = |status, body| HttpConnectorFuture::ready(response(status, body));
        match fault {
            Fault::Timeout => HttpConnectorFuture::ready(Err(ConnectorError::timeout(
                "DynamoDB did not answer in time".into(),
            ))),
            Fault::LostAnswer => lost(self.inner.call(request)),
            Fault::Error => refused(500, failure("InternalServerError")),
            Fault::Unprocessed if operation == "BatchGetItem" => {
                refused(200, unprocessed(&request, "UnprocessedKeys"))
            }
            Fault::Unprocessed if operation == "BatchWriteItem" => {
                refused(200, unprocessed(&request, "UnprocessedItems"))
            }
            Fault::Throttle | Fault::Unprocessed => refused(400, failure("ThrottlingException")),
            Fault::Conflict if operation == "TransactWriteItems" => {
                refused(400, cancelled(&request, "TransactionConflict"))
            }
            Fault::Conflict => refused(400, failure("TransactionConflictException")),
            Fault::Changed if operation == "TransactWriteItems" => {
                refused(400, cancelled(&request, "ConditionalCheckFailed"))
            }
            Fault::Changed => refused(400, failure("ConditionalCheckFailedException")),
            Fault::Denied => refused(400, failure("AccessDeniedException")),
            Fault::Invalid => refused(400, failure("ValidationException")),
            Fault::Missing => refused(400, failure("ResourceNotFoundException")),
        }
    }
}

/// Waits for the answer of a call that is made, and loses it.
fn lost(call: HttpConnectorFuture) -> HttpConnectorFuture {
    HttpConnectorFuture::new(async {
        let _lost = call.await;
        Err(ConnectorError::io("the connection broke before the answer".into()))
    })
}

fn failure(name: &str) -> String {
    json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{name}"), "message": "injected" })
        .to_string()
}

/// A response in which all of a batch is left in the field `rest`.
fn unprocessed(request: &HttpRequest, rest: &str) -> String {
    json!({ "Responses": {}, rest: sent(request).get("RequestItems") }).to_string()
}

/// A transaction that is cancelled because of its last write.
fn cancelled(request: &HttpRequest, reason: &str) -> String {
    let writes = sent(request).get("TransactItems").and_then(Value::as_array).map_or(1, Vec::len);
    let mut reasons = vec![json!({ "Code": "None" }); writes.saturating_sub(1)];
    reasons.push(json!({ "Code": reason, "Message": "injected" }));
    let name = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
    json!({ "__type": name, "message": "injected", "CancellationReasons": reasons }).to_string()
}

fn sent(request: &HttpRequest) -> Value {
    serde_json::from_slice(request.body().bytes().unwrap_or_default()).unwrap_or_default()
}
