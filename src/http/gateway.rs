//! Responses in the format that API Gateway reads, with the types of `lambda_http`.
//!
//! The conversion of `lambda_http` itself is not used. It keeps only one value of each header, and
//! it decides by the content type whether a body is text, which needs a table of all character
//! encodings.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header::SET_COOKIE};
use lambda_http::{
    Body,
    aws_lambda_events::apigw::{ApiGatewayProxyResponse, ApiGatewayV2httpResponse},
};
use serde::Serialize;

use crate::http::event::PayloadVersion;

/// A response to an event, in the payload version of the event.
#[derive(Serialize)]
#[serde(untagged)]
pub enum GatewayResponse {
    /// Payload 1.0: each header has a list of values.
    V1(ApiGatewayProxyResponse),
    /// Payload 2.0: each header has one value, and cookies are a separate list.
    V2(ApiGatewayV2httpResponse),
}

impl GatewayResponse {
    /// Converts a response.
    #[must_use]
    pub fn new(response: http::Response<Body>, version: PayloadVersion) -> Self {
        let (parts, body) = response.into_parts();
        let status = parts.status.as_u16().into();
        match version {
            PayloadVersion::V1 => Self::V1(v1(status, parts.headers, body)),
            PayloadVersion::V2 => Self::V2(v2(status, parts.headers, body)),
        }
    }
}

fn v1(status: i64, headers: HeaderMap, body: Body) -> ApiGatewayProxyResponse {
    let mut response = ApiGatewayProxyResponse::default();
    response.status_code = status;
    response.multi_value_headers = headers;
    response.is_base64_encoded = matches!(body, Body::Binary(_));
    response.body = Some(body);
    response
}

fn v2(status: i64, mut headers: HeaderMap, body: Body) -> ApiGatewayV2httpResponse {
    let mut response = ApiGatewayV2httpResponse::default();
    response.status_code = status;
    response.cookies = texts(&headers, &SET_COOKIE).map(str::to_owned).collect();
    headers.remove(SET_COOKIE);
    join_values(&mut headers);
    response.headers = headers;
    response.is_base64_encoded = matches!(body, Body::Binary(_));
    response.body = Some(body);
    response
}

/// Joins the values of each header that has several (RFC 9110, section 5.3).
fn join_values(headers: &mut HeaderMap) {
    if headers.len() == headers.keys_len() {
        return;
    }
    for name in headers.keys().cloned().collect::<Vec<_>>() {
        let joined = texts(headers, &name).collect::<Vec<_>>().join(", ");
        if let Ok(value) = HeaderValue::try_from(joined) {
            headers.insert(name, value);
        }
    }
}

/// Returns the values of a header, without those that are not text.
fn texts<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    headers.get_all(name).iter().filter_map(|it| it.to_str().ok())
}

/// Converts a body. UTF-8 becomes text; anything else is serialized as base64.
#[must_use]
pub fn body(bytes: Bytes) -> Body {
    match String::from_utf8(bytes.into()) {
        Ok(text) => Body::Text(text),
        Err(bytes) => Body::Binary(bytes.into_bytes()),
    }
}

/// Returns the length of a body as a JSON string, in bytes.
#[must_use]
pub fn len_in_json(body: &Body) -> usize {
    match body {
        Body::Text(text) => text.bytes().map(escaped_len).sum(),
        Body::Binary(bytes) => bytes.len().div_ceil(3) * 4,
        _ => 0,
    }
}

/// Returns the length of a character in a JSON string, in bytes (RFC 8259, section 7).
fn escaped_len(byte: u8) -> usize {
    match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
        0..0x20 => 6,
        _ => 1,
    }
}
