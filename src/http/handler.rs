//! The entry of the Lambda functions: answers events through a router.
//!
//! [`Event`] reads the requests, [`gateway`] writes the responses.

use std::convert::Infallible;

use axum::{Router, body::Body, response::Response};
use bytes::Bytes;
use http::{
    HeaderMap, Request,
    header::{CONTENT_ENCODING, ETAG},
};
use http_body_util::BodyExt;
use lambda_http::{LambdaEvent, lambda_runtime, service_fn};
use serde_json::value::RawValue;
use tower::ServiceExt;

use crate::{
    error::{Error, RequestFault},
    http::{
        REQUEST_ID, WarmUp, answer,
        event::{Event, Payload},
        gateway::{self, GatewayResponse},
        negotiation::AnswerType,
    },
    telemetry,
};

/// The largest answer, in bytes as it is written. Lambda passes on 6 MB of JSON (AWS Lambda
/// quotas, "Invocation payload"), headers included.
const LARGEST_ANSWER: usize = 5_500_000;

/// The event that [`warm_up`] answers.
const WARM_UP_EVENT: &str = r#"{
    "version": "2.0", "rawPath": "/api", "rawQueryString": "",
    "headers": { "content-type": "application/json", "accept": "*/*" },
    "requestContext": { "stage": "$default", "http": { "method": "POST", "sourceIp": "127.0.0.1" } },
    "body": "{\"query\":\"{ me { userEmail } }\"}"
}"#;

/// Answers one event, given as JSON.
///
/// An event that is no valid request goes to the router too, as an empty request with the
/// fault in its extensions: so it is logged and answered like any other.
pub async fn answer_event(router: Router, event: &str) -> GatewayResponse {
    let event = Event::parse(event);
    deliver(router, request(&event), event.payload()).await
}

/// Answers events until Lambda stops the instance.
///
/// # Errors
///
/// When the runtime of Lambda cannot be reached.
pub async fn run(router: Router) -> Result<(), lambda_http::Error> {
    // Only `Event` parses the JSON: `lambda_runtime` parses slowly, since it keeps the path to
    // each value for its error messages.
    let answer = move |event: LambdaEvent<Box<RawValue>>| {
        let router = router.clone();
        async move { Ok::<_, Infallible>(answer_event(router, event.payload.get()).await) }
    };
    lambda_runtime::run(service_fn(answer)).await
}

/// Answers an event that nobody sent, without logging it.
///
/// This warms up the code of a request during init, when the processor is not yet throttled.
pub async fn warm_up(router: &Router) {
    let event = Event::parse(WARM_UP_EVENT);
    let mut request = request(&event);
    request.extensions_mut().insert(WarmUp);
    let response = deliver(router.clone(), request, event.payload()).await;
    let _nobody_reads_it = serde_json::to_vec(&response);
}

fn request(event: &Event<'_>) -> Request<Bytes> {
    event.request().unwrap_or_else(|fault| {
        let mut request = Request::new(Bytes::new());
        event.note_origin(&mut request);
        request.extensions_mut().insert(fault);
        request
    })
}

async fn deliver(router: Router, request: Request<Bytes>, payload: Payload) -> GatewayResponse {
    let Ok(response) = router.oneshot(request.map(Body::from)).await;
    GatewayResponse::new(bounded(response).await, payload)
}

/// Reads the answer, and replaces one that is larger than the gateway passes on.
async fn bounded(response: Response) -> http::Response<lambda_http::Body> {
    let whole = whole(response).await;
    if gateway::len_in_json(whole.body()) <= LARGEST_ANSWER {
        return whole;
    }
    let (parts, _) = whole.into_parts();
    self::whole(too_large(parts.headers).await).await
}

/// The error in the place of an answer that is too large, with that answer's headers.
async fn too_large(mut headers: HeaderMap) -> Response {
    let id = headers.get(REQUEST_ID).and_then(|it| it.to_str().ok()).unwrap_or_default().to_owned();
    let fault = Error::from(RequestFault::TooLarge { limit: LARGEST_ANSWER, part: "an answer" });
    let told = async { answer::failure(&fault, AnswerType::Json) };
    let (mut response, _) = telemetry::with_line(id, told).await;
    for of_that_answer in [CONTENT_ENCODING, ETAG] {
        headers.remove(of_that_answer);
    }
    headers.extend(std::mem::take(response.headers_mut()));
    *response.headers_mut() = headers;
    response
}

async fn whole(response: Response) -> http::Response<lambda_http::Body> {
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    http::Response::from_parts(parts, gateway::body(bytes))
}
