//! The connection to DynamoDB, which records and meters calls, and the log.

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

/// Returns the URL of the DynamoDB server to test with, from `ARM_TEST_DYNAMODB`.
#[expect(clippy::disallowed_methods, reason = "a suite sets the variable")]
pub(super) fn server() -> Option<String> {
    std::env::var("ARM_TEST_DYNAMODB").ok()
}

/// Returns the DynamoDB to test with: embedded unless a [`server`] is set.
pub(super) fn dynamodb(
    clock: &ManualClock,
) -> (Option<String>, SharedHttpConnector, Option<Embedded>) {
    if let Some(url) = server() {
        return (Some(url), SharedHttpConnector::new(Connector::builder().build_http()), None);
    }
    let embedded = Embedded::in_memory(Clock::Manual(clock.clone())).unwrap();
    (None, SharedHttpConnector::new(embedded.clone()), Some(embedded))
}

/// A call to DynamoDB.
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

/// Makes reads wait until all of them are done, so that their callers conflict no matter how fast
/// DynamoDB is.
#[derive(Clone, Debug, Default)]
pub(super) struct ReadBarrier(Arc<Mutex<Option<Waiting>>>);

/// The number of readers that have not arrived, and the barrier at which they wait.
#[derive(Debug)]
struct Waiting {
    readers: usize,
    barrier: Arc<Barrier>,
}

impl ReadBarrier {
    pub(super) fn set(&self, readers: usize) {
        let barrier = Arc::new(Barrier::new(readers));
        *self.0.lock().unwrap() = Some(Waiting { readers, barrier });
    }

    async fn wait(&self) {
        if let Some(barrier) = self.arrive() {
            barrier.wait().await;
        }
    }

    fn arrive(&self) -> Option<Arc<Barrier>> {
        let mut waiting = self.0.lock().unwrap();
        let state = waiting.as_mut()?;
        state.readers -= 1;
        let barrier = Arc::clone(&state.barrier);
        if state.readers == 0 {
            *waiting = None;
        }
        Some(barrier)
    }
}

/// Consumed capacity, in capacity units.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Units {
    pub(crate) read: f64,
    pub(crate) write: f64,
}

/// Measures consumed capacity after the first [`reset`](Self::reset).
#[derive(Clone, Debug, Default)]
pub(super) struct Meter(Arc<Mutex<Option<Units>>>);

impl Meter {
    pub(super) fn reset(&self) -> Units {
        self.0.lock().unwrap().replace(Units::default()).unwrap_or_default()
    }

    /// Asks DynamoDB to return the consumed capacity.
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

    /// Adds the consumed capacity in a response.
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

/// Records and meters the calls to `inner`.
#[derive(Debug)]
pub(super) struct RecordingConnector<C> {
    pub(super) inner: C,
    pub(super) calls: Calls,
    pub(super) read_barrier: ReadBarrier,
    pub(super) meter: Meter,
}

impl<C: HttpConnector + Clone + 'static> HttpConnector for RecordingConnector<C> {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        let body =
            serde_json::from_slice(request.body().bytes().unwrap_or_default()).unwrap_or_default();
        let operation = operation(&request);
        let at = tokio::time::Instant::now();
        self.calls.0.lock().unwrap().push(Call { operation: operation.clone(), body, at });
        let inner = self.inner.clone();
        let read_barrier = self.read_barrier.clone();
        let meter = self.meter.clone();
        meter.prepare(&mut request);
        // Lets other tasks run, as they do while a request is on its way.
        HttpConnectorFuture::new(async move {
            tokio::task::yield_now().await;
            let mut response = inner.call(request).await;
            if let Ok(response) = &mut response {
                meter.read(&operation, response).await;
            }
            if operation == "GetItem" {
                read_barrier.wait().await;
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
