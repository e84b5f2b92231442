//! The handler of the Lambda functions: passes events to a router.
//!
//! [`Event`] parses the requests. [`gateway`] renders the responses.

use std::convert::Infallible;

use axum::{Router, body::Body, response::Response};
use bytes::Bytes;
use http::{
    HeaderMap, Request,
    header::{CONTENT_ENCODING, ETAG},
};
use http_body_util::{BodyExt, Collected};
use lambda_http::{LambdaEvent, lambda_runtime, service_fn};
use serde_json::value::RawValue;
use tower::ServiceExt;

use crate::{
    error::{Error, RequestFault},
    http::{
        REQUEST_ID, WarmUp, error_response,
        event::{Event, PayloadVersion},
        gateway::{self, GatewayResponse},
        negotiation::ResponseMediaType,
    },
    telemetry,
};

/// The maximum length of a response body, in bytes of JSON. Lambda's limit is 6 MB including
/// headers (AWS Lambda quotas, "Invocation payload").
const MAX_RESPONSE: usize = 5_500_000;

/// The event that [`warm_up`] handles.
const WARM_UP_EVENT: &str = r#"{
    "version": "2.0", "rawPath": "/api", "rawQueryString": "",
    "headers": { "content-type": "application/json", "accept": "*/*" },
    "requestContext": { "stage": "$default", "http": { "method": "POST", "sourceIp": "127.0.0.1" } },
    "body": "{\"query\":\"{ me { userEmail } }\"}"
}"#;

/// Handles one event, given as JSON.
///
/// The router also gets invalid events, as an empty request with the fault in its extensions. So
/// they are logged and get a response like any other event.
pub async fn handle_event(router: Router, event: &str) -> GatewayResponse {
    let event = Event::parse(event);
    deliver(router, to_request(&event), event.payload_version()).await
}

/// Handles events until Lambda stops the instance.
///
/// # Errors
///
/// When Lambda's runtime API cannot be reached.
pub async fn run(router: Router) -> Result<(), lambda_http::Error> {
    // Only `Event` parses the JSON. `lambda_runtime` would be slow, because it tracks the path of
    // each value for its error messages.
    let respond = move |event: LambdaEvent<Box<RawValue>>| {
        let router = router.clone();
        async move { Ok::<_, Infallible>(handle_event(router, event.payload.get()).await) }
    };
    lambda_runtime::run(service_fn(respond)).await
}

/// Handles a synthetic event, without logging it.
///
/// This loads the code that handles requests during init, when Lambda does not throttle the CPU
/// yet.
pub async fn warm_up(router: &Router) {
    let event = Event::parse(WARM_UP_EVENT);
    let mut request = to_request(&event);
    request.extensions_mut().insert(WarmUp);
    let response = deliver(router.clone(), request, event.payload_version()).await;
    // Only loads the code. The result does not matter.
    let _ = serde_json::to_vec(&response);
}

/// Converts an event. An invalid one becomes an empty request with the fault.
fn to_request(event: &Event<'_>) -> Request<Bytes> {
    event.to_request().unwrap_or_else(|fault| {
        let mut request = Request::new(Bytes::new());
        event.add_extensions(&mut request);
        request.extensions_mut().insert(fault);
        request
    })
}

async fn deliver(
    router: Router,
    request: Request<Bytes>,
    version: PayloadVersion,
) -> GatewayResponse {
    let Ok(response) = router.oneshot(request.map(Body::from)).await;
    GatewayResponse::new(limit_size(response).await, version)
}

/// Reads the response, and replaces it with an error if it is too large for Lambda.
async fn limit_size(response: Response) -> http::Response<lambda_http::Body> {
    let response = read_body(response).await;
    if gateway::len_in_json(response.body()) <= MAX_RESPONSE {
        return response;
    }
    let (parts, _) = response.into_parts();
    read_body(render_too_large(parts.headers).await).await
}

/// Renders the error that replaces a too large response. Keeps most of the response's `headers`.
async fn render_too_large(mut headers: HeaderMap) -> Response {
    let id = headers.get(REQUEST_ID).and_then(|it| it.to_str().ok()).unwrap_or_default().to_owned();
    let error = Error::from(RequestFault::TooLarge { limit: MAX_RESPONSE, part: "a response" });
    let rendered = async { error_response::render(&error, ResponseMediaType::Json) };
    let (mut response, _) = telemetry::with_log_line(id, rendered).await;
    for of_replaced_body in [CONTENT_ENCODING, ETAG] {
        headers.remove(of_replaced_body);
    }
    headers.extend(std::mem::take(response.headers_mut()));
    *response.headers_mut() = headers;
    response
}

async fn read_body(response: Response) -> http::Response<lambda_http::Body> {
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.map(Collected::to_bytes).unwrap_or_default();
    http::Response::from_parts(parts, gateway::body(bytes))
}
