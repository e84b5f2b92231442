//! An embedded DynamoDB behind the SDK's HTTP client.
//!
//! The SDK creates the requests that it would send to AWS. dynoxide responds to them from `SQLite`,
//! in this process and without a socket. Only the operations that the product uses are supported,
//! and `Scan`, with which tests read the table.

use std::{fmt, sync::Arc};

use aws_sdk_dynamodb::config::SharedHttpClient;
use aws_smithy_runtime_api::{
    client::{
        http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn},
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use dynoxide::{Database, DynoxideError, storage_backend};
use serde::{Serialize, de::DeserializeOwned};

use crate::clock::Clock;

/// The header in which the SDK names the operation, as `DynamoDB_20120810.GetItem`.
const TARGET: &str = "x-amz-target";

/// An embedded DynamoDB.
#[derive(Clone)]
pub struct Embedded(Database);

impl Embedded {
    /// Creates a database in memory, which reads the time from `clock`.
    ///
    /// # Errors
    ///
    /// When `SQLite` does not start.
    pub fn in_memory(clock: Clock) -> Result<Self, DynoxideError> {
        Database::memory_with_clock(Arc::new(Time(clock))).map(Self)
    }

    /// Opens a database in a file, or creates it.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened.
    pub fn in_file(path: &str) -> Result<Self, DynoxideError> {
        Database::new(path).map(Self)
    }

    /// Deletes the records whose `ttl` has passed, and returns their number. DynamoDB does this
    /// some time later.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub fn delete_expired(&self) -> Result<usize, DynoxideError> {
        self.0.sweep_ttl()
    }

    /// Responds to a request of the wire protocol: with a status and JSON.
    #[must_use]
    pub fn respond(&self, operation: &str, body: &[u8]) -> (u16, String) {
        let db = &self.0;
        let response = match operation {
            "BatchGetItem" => dispatch(body, |it| db.batch_get_item(it)),
            "BatchWriteItem" => dispatch(body, |it| db.batch_write_item(it)),
            "CreateTable" => dispatch(body, |it| db.create_table(it)),
            "DeleteItem" => dispatch(body, |it| db.delete_item(it)),
            "DescribeTable" => dispatch(body, |it| db.describe_table(it)),
            "GetItem" => dispatch(body, |it| db.get_item(it)),
            "PutItem" => dispatch(body, |it| db.put_item(it)),
            "Query" => dispatch(body, |it| db.query(it)),
            "Scan" => dispatch(body, |it| db.scan(it)),
            "TransactWriteItems" => dispatch(body, |it| db.transact_write_items(it)),
            "UpdateItem" => dispatch(body, |it| db.update_item(it)),
            "UpdateTimeToLive" => dispatch(body, |it| db.update_time_to_live(it)),
            other => Err(DynoxideError::ValidationException(format!("{other} is not embedded"))),
        };
        response.map_or_else(|error| (error.status_code(), error.to_json()), |json| (200, json))
    }
}

fn dispatch<I: DeserializeOwned, O: Serialize>(
    body: &[u8],
    operation: impl FnOnce(I) -> Result<O, DynoxideError>,
) -> Result<String, DynoxideError> {
    let input = serde_json::from_slice(body)
        .map_err(|fault| DynoxideError::SerializationException(fault.to_string()))?;
    let output = operation(input)?;
    serde_json::to_string(&output)
        .map_err(|fault| DynoxideError::InternalServerError(fault.to_string()))
}

impl HttpConnector for Embedded {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let operation = operation(&request);
        let (status, json) = self.respond(&operation, request.body().bytes().unwrap_or_default());
        HttpConnectorFuture::ready(response(status, json))
    }
}

/// Returns the operation of a request of the wire protocol.
#[must_use]
pub fn operation(request: &HttpRequest) -> String {
    let target = request.headers().get(TARGET).unwrap_or_default();
    target.rsplit('.').next().unwrap_or_default().to_owned()
}

/// Creates a response of the wire protocol.
///
/// # Errors
///
/// When `status` is not a valid HTTP status.
pub fn response(status: u16, json: String) -> Result<HttpResponse, ConnectorError> {
    let status = StatusCode::try_from(status)
        .map_err(|fault| ConnectorError::other(Box::new(fault), None))?;
    let mut response = HttpResponse::new(status, SdkBody::from(json));
    response.headers_mut().insert("content-type", "application/x-amz-json-1.0");
    Ok(response)
}

/// Creates an HTTP client that sends everything through `connector`.
#[must_use]
pub fn http_client(connector: impl HttpConnector + 'static) -> SharedHttpClient {
    let connector = SharedHttpConnector::new(connector);
    http_client_fn(move |_, _| connector.clone())
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Embedded")
    }
}

/// Adapts the clock for dynoxide.
struct Time(Clock);

impl storage_backend::Clock for Time {
    fn now_unix_secs(&self) -> u64 {
        u64::try_from(self.0.now().as_second()).unwrap_or_default()
    }

    #[expect(clippy::cast_precision_loss, reason = "seconds of this millennium fit")]
    fn now_unix_secs_f64(&self) -> f64 {
        self.now_unix_secs() as f64
    }
}
