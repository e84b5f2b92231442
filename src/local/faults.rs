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
#[serde(rename_all = "lowercase")]
pub enum Fault {
    /// It refuses for its limits.
    Throttle,
    /// It does not answer in time.
    Timeout,
    /// It answers 500.
    Error,
    /// It answers a batch, and leaves out all keys; other calls are throttled.
    Unprocessed,
}

/// Which fault the next calls meet, and how many of them.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<Option<Plan>>>);

#[derive(Clone, Copy, Debug)]
struct Plan {
    fault: Fault,
    left: u32,
    operation: Option<&'static str>,
}

/// A connector whose calls can be made to fail.
#[derive(Clone, Debug)]
pub struct Faulty<C> {
    /// What answers when nothing fails.
    pub inner: C,
    /// What fails.
    pub faults: Faults,
}

impl Faults {
    /// Makes the next `times` calls fail so; none where `fault` is.
    pub fn plan(&self, fault: Option<Fault>, times: u32) {
        self.set(fault.map(|fault| Plan { fault, left: times, operation: None }));
    }

    /// Makes the next `times` calls of one operation fail so; others go on.
    pub fn plan_at(&self, operation: &'static str, fault: Fault, times: u32) {
        self.set(Some(Plan { fault, left: times, operation: Some(operation) }));
    }

    fn set(&self, plan: Option<Plan>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = plan.filter(|it| it.left > 0);
    }

    /// Takes one of the planned faults, if the plan is for such calls.
    fn next(&self, operation: &str) -> Option<Fault> {
        let mut planned = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let plan = planned.filter(|it| it.operation.is_none_or(|name| name == operation))?;
        *planned = (plan.left > 1).then(|| Plan { left: plan.left - 1, ..plan });
        Some(plan.fault)
    }
}

impl<C: HttpConnector> HttpConnector for Faulty<C> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        match self.faults.next(&operation(&request)) {
            None => self.inner.call(request),
            Some(Fault::Timeout) => HttpConnectorFuture::ready(Err(ConnectorError::timeout(
                "DynamoDB did not answer in time".into(),
            ))),
            Some(Fault::Error) => HttpConnectorFuture::ready(response(500, failure("InternalServerError"))),
            Some(Fault::Unprocessed) if operation(&request) == "BatchGetItem" => {
                HttpConnectorFuture::ready(response(200, unprocessed(&request)))
            }
            Some(Fault::Throttle | Fault::Unprocessed) => {
                HttpConnectorFuture::ready(response(400, failure("ThrottlingException")))
            }
        }
    }
}

fn failure(name: &str) -> String {
    json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{name}"), "message": "injected" }).to_string()
}

fn unprocessed(request: &HttpRequest) -> String {
    let asked: Value = serde_json::from_slice(request.body().bytes().unwrap_or_default()).unwrap_or_default();
    json!({ "Responses": {}, "UnprocessedKeys": asked.get("RequestItems") }).to_string()
}
