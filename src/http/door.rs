//! The door between Lambda and the routers: an event in, an answer of its shape out.
//!
//! `lambda_http` shapes the answers (cookies, payload versions); requests are read by
//! [`event`], which tells why.

use std::{convert::Infallible, future::ready, pin::Pin};

use axum::{Router, body::Body, response::Response};
use bytes::Bytes;
use http::{
    HeaderMap, Request,
    header::{CONTENT_ENCODING, ETAG},
};
use http_body_util::BodyExt;
use lambda_http::{
    Adapter, Context, IntoResponse, LambdaEvent, Service,
    aws_lambda_events::apigw::{ApiGatewayProxyRequest, ApiGatewayV2httpRequest},
    request::LambdaRequest,
    service_fn,
};
use serde::Serialize;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::{
    error::{Error, RequestFault},
    http::{
        REQUEST_ID, Rehearsal, answer,
        event::{self, Payload},
        negotiation::AnswerType,
    },
    telemetry,
};

/// The largest answer that Lambda passes on is 6 MB of JSON (AWS Lambda quotas,
/// "Invocation payload"); what is left is for headers and for escaping.
const LARGEST_ANSWER: usize = 5_500_000;

/// Answers one event. What cannot be read as a request is handed to the router too,
/// as a request to nowhere with the fault beside it, so that it is logged and
/// answered like any other.
///
/// # Errors
///
/// None: every event is answered.
pub async fn answer_event(router: Router, event: LambdaEvent<Value>) -> Result<impl Serialize, Infallible> {
    let request = event::request(&event.payload).unwrap_or_else(|fault| unreadable(fault, &event.payload));
    answered(router, request, event).await
}

/// Answers a request in the shape that the event wants, which it came by.
async fn answered(
    router: Router,
    request: Request<Bytes>,
    LambdaEvent { payload, context }: LambdaEvent<Value>,
) -> Result<impl Serialize, Infallible> {
    let origin = match Payload::of(&payload) {
        Payload::V1 => LambdaRequest::ApiGatewayV1(ApiGatewayProxyRequest::default()),
        Payload::V2 => LambdaRequest::ApiGatewayV2(ApiGatewayV2httpRequest::default()),
    };
    let service = service_fn(move |_| deliver(router.clone(), request.clone()));
    Adapter::from(service).call(LambdaEvent::new(origin, context)).await
}

/// Answers events until Lambda stops the instance.
///
/// # Errors
///
/// When the runtime of Lambda cannot be reached.
pub async fn run(router: Router) -> Result<(), lambda_runtime::Error> {
    lambda_runtime::run(service_fn(move |event| answer_event(router.clone(), event))).await
}

/// Answers an event that nobody sent, and logs nothing: for start-up, where the processor is
/// not yet throttled. The first real event then finds the code of most of its way warm.
pub async fn rehearse(router: &Router) {
    let payload = json!({
        "version": "2.0", "rawPath": "/api", "rawQueryString": "",
        "headers": { "content-type": "application/json", "accept": "*/*" },
        "requestContext": { "stage": "$default", "http": { "method": "POST", "sourceIp": "127.0.0.1" } },
        "body": r#"{"query":"{ me { userEmail } }"}"#,
    });
    let mut request = event::request(&payload).unwrap_or_else(|fault| unreadable(fault, &payload));
    request.extensions_mut().insert(Rehearsal);
    let event = LambdaEvent::new(payload, Context::default());
    let _nobody_reads_it = answered(router.clone(), request, event).await;
}

fn unreadable(fault: RequestFault, event: &Value) -> Request<Bytes> {
    let mut request = Request::new(Bytes::new());
    event::note_origin(event, &mut request);
    request.extensions_mut().insert(fault);
    request
}

/// An answer whose body is as it goes out: `lambda_http` would decide between text and base64
/// anew by the headers, with tables of every character encoding there is.
struct Shaped(http::Response<lambda_http::Body>);

impl IntoResponse for Shaped {
    fn into_response(self) -> Pin<Box<dyn Future<Output = http::Response<lambda_http::Body>> + Send>> {
        Box::pin(ready(self.0))
    }
}

async fn deliver(router: Router, request: Request<Bytes>) -> Result<Shaped, Infallible> {
    let Ok(response) = router.oneshot(request.map(Body::from)).await;
    Ok(Shaped(bounded(response).await))
}

/// Reads the answer, and replaces it where the gateway would not pass it on.
async fn bounded(response: Response) -> http::Response<lambda_http::Body> {
    let whole = whole(response).await;
    if escaped_len(whole.body()) <= LARGEST_ANSWER {
        return whole.map(|bytes| lambda_body(&bytes));
    }
    let (parts, _) = whole.into_parts();
    self::whole(too_large(parts.headers).await).await.map(|bytes| lambda_body(&bytes))
}

/// The error in the place of an answer that is too large, with that answer's headers.
async fn too_large(mut headers: HeaderMap) -> Response {
    let id = headers.get(REQUEST_ID).and_then(|it| it.to_str().ok()).unwrap_or_default().to_owned();
    let fault = Error::from(RequestFault::TooLarge { limit: LARGEST_ANSWER, part: "an answer" });
    let told = async { answer::failure(&fault, AnswerType::Json) };
    let (mut response, _) = telemetry::observed(id, told).await;
    for of_that_answer in [CONTENT_ENCODING, ETAG] {
        headers.remove(of_that_answer);
    }
    headers.extend(std::mem::take(response.headers_mut()));
    *response.headers_mut() = headers;
    response
}

async fn whole(response: Response) -> http::Response<Bytes> {
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    http::Response::from_parts(parts, bytes)
}

/// Text goes as it is, anything else as base64.
fn lambda_body(bytes: &Bytes) -> lambda_http::Body {
    match std::str::from_utf8(bytes) {
        Ok("") => lambda_http::Body::Empty,
        Ok(text) => lambda_http::Body::Text(text.to_owned()),
        Err(_) => lambda_http::Body::Binary(bytes.to_vec()),
    }
}

/// How long the answer is inside of Lambda's JSON: text is escaped, bytes are base64.
fn escaped_len(bytes: &Bytes) -> usize {
    let is_text = std::str::from_utf8(bytes).is_ok();
    if is_text { bytes.iter().copied().map(escaped).sum() } else { bytes.len().div_ceil(3) * 4 }
}

/// How long one byte of a text is in JSON (RFC 8259, section 7).
fn escaped(byte: u8) -> usize {
    match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
        0..0x20 => 6,
        _ => 1,
    }
}
