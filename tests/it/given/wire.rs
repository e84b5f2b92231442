//! What goes over the wire to DynamoDB, and into the log.

use std::{
    io,
    sync::{Arc, Mutex},
};

use arm_api::{
    clock::{Clock, ManualClock},
    local::dynamodb::{Embedded, operation},
};
use aws_smithy_http_client::Connector;
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector},
    orchestrator::{HttpRequest, HttpResponse},
};
use aws_smithy_types::body::SdkBody;
use http_body_util::BodyExt;
use serde_json::Value;
use tokio::sync::Barrier;

/// The URL of the DynamoDB server that the stories use, from `ARM_TEST_DYNAMODB`.
#[expect(clippy::disallowed_methods, reason = "a suite says by it which DynamoDB is meant")]
pub(super) fn server() -> Option<String> {
    std::env::var("ARM_TEST_DYNAMODB").ok()
}

/// The DynamoDB of the stories: embedded unless a [`server`] is named.
pub(super) fn dynamodb(
    clock: &ManualClock,
) -> (Option<String>, SharedHttpConnector, Option<Embedded>) {
    if let Some(url) = server() {
        return (Some(url), SharedHttpConnector::new(Connector::builder().build_http()), None);
    }
    let embedded = Embedded::in_memory(Clock::Manual(clock.clone())).unwrap();
    (None, SharedHttpConnector::new(embedded.clone()), Some(embedded))
}

/// A request to DynamoDB.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) operation: String,
    pub(crate) body: Value,
    pub(crate) at: tokio::time::Instant,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Calls(Arc<Mutex<Vec<Call>>>);

impl Calls {
    pub(super) fn take(&self) -> Vec<Call> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// Where reads wait for each other, so that all of them have happened before the first
/// of their readers goes on: rivals meet, however fast DynamoDB is.
#[derive(Clone, Debug, Default)]
pub(super) struct Meeting(Arc<Mutex<Option<Expected>>>);

/// The readers who are still to come, and where they wait.
#[derive(Debug)]
struct Expected {
    readers: usize,
    barrier: Arc<Barrier>,
}

impl Meeting {
    pub(super) fn of(&self, readers: usize) {
        let barrier = Arc::new(Barrier::new(readers));
        *self.0.lock().unwrap() = Some(Expected { readers, barrier });
    }

    async fn attend(&self) {
        if let Some(barrier) = self.arrive() {
            barrier.wait().await;
        }
    }

    fn arrive(&self) -> Option<Arc<Barrier>> {
        let mut expected = self.0.lock().unwrap();
        let meeting = expected.as_mut()?;
        meeting.readers -= 1;
        let barrier = Arc::clone(&meeting.barrier);
        if meeting.readers == 0 {
            *expected = None;
        }
        Some(barrier)
    }
}

/// What calls consumed, in units of capacity.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Units {
    pub(crate) read: f64,
    pub(crate) write: f64,
}

/// Counts what calls consume, once somebody asked for it.
#[derive(Clone, Debug, Default)]
pub(super) struct Meter(Arc<Mutex<Option<Units>>>);

impl Meter {
    pub(super) fn reset(&self) -> Units {
        self.0.lock().unwrap().replace(Units::default()).unwrap_or_default()
    }

    /// Lets DynamoDB say what a request consumes.
    fn prepare(&self, request: &mut HttpRequest) {
        if self.0.lock().unwrap().is_none() {
            return;
        }
        let mut body: Value =
            serde_json::from_slice(request.body().bytes().unwrap_or_default()).unwrap();
        body["ReturnConsumedCapacity"] = "TOTAL".into();
        let body = body.to_string();
        request.headers_mut().insert("content-length", body.len().to_string());
        *request.body_mut() = SdkBody::from(body);
    }

    /// Counts what a response says.
    async fn read(&self, operation: &str, response: &mut HttpResponse) {
        if self.0.lock().unwrap().is_none() {
            return;
        }
        let body = std::mem::replace(response.body_mut(), SdkBody::taken());
        let body = body.collect().await.unwrap().to_bytes();
        let json: Value = serde_json::from_slice(&body).unwrap();
        *response.body_mut() = SdkBody::from(body);
        let consumed = match &json["ConsumedCapacity"] {
            Value::Array(tables) => tables.iter().map(units).sum(),
            table => units(table),
        };
        if let Some(total) = self.0.lock().unwrap().as_mut() {
            let is_read = matches!(operation, "GetItem" | "BatchGetItem" | "Query");
            *(if is_read { &mut total.read } else { &mut total.write }) += consumed;
        }
    }
}

fn units(consumed: &Value) -> f64 {
    consumed["CapacityUnits"].as_f64().unwrap_or_default()
}

#[derive(Debug)]
pub(super) struct Recorded<C> {
    pub(super) inner: C,
    pub(super) calls: Calls,
    pub(super) meeting: Meeting,
    pub(super) meter: Meter,
}

impl<C: HttpConnector + Clone + 'static> HttpConnector for Recorded<C> {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        let body =
            serde_json::from_slice(request.body().bytes().unwrap_or_default()).unwrap_or_default();
        let operation = operation(&request);
        let at = tokio::time::Instant::now();
        self.calls.0.lock().unwrap().push(Call { operation: operation.clone(), body, at });
        let Self { inner, meeting, meter, .. } = self;
        let (inner, meeting, meter) = (inner.clone(), meeting.clone(), meter.clone());
        meter.prepare(&mut request);
        // Rivals get their turn here, as they do while a request is on its way.
        HttpConnectorFuture::new(async move {
            tokio::task::yield_now().await;
            let mut response = inner.call(request).await;
            if let Ok(response) = &mut response {
                meter.read(&operation, response).await;
            }
            if operation == "GetItem" {
                meeting.attend().await;
            }
            response
        })
    }
}

#[derive(Clone, Default)]
pub(super) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl tracing_subscriber::fmt::MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
