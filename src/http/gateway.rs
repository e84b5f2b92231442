//! Responses as API Gateway reads them.

use std::borrow::Cow;

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, header::SET_COOKIE};
use serde::{Serialize, Serializer};

use crate::http::event::Payload;

/// A response to an event, in the version of the event's payload.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayResponse {
    status_code: u16,
    #[serde(flatten)]
    headers: GatewayHeaders,
    #[serde(flatten)]
    body: GatewayBody,
}

/// A body, ready for JSON.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayBody {
    body: String,
    is_base64_encoded: bool,
}

/// Payload 1.0 has lists of values. In payload 2.0 a name has one value, and cookies are apart.
#[derive(Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
enum GatewayHeaders {
    V1 {
        #[serde(serialize_with = "lists")]
        multi_value_headers: HeaderMap,
    },
    V2 {
        #[serde(serialize_with = "joined")]
        headers: HeaderMap,
        cookies: Vec<String>,
    },
}

impl GatewayResponse {
    /// Converts a response.
    #[must_use]
    pub fn new(response: http::Response<GatewayBody>, payload: Payload) -> Self {
        let (parts, body) = response.into_parts();
        Self {
            status_code: parts.status.as_u16(),
            headers: GatewayHeaders::new(parts.headers, payload),
            body,
        }
    }
}

impl GatewayHeaders {
    fn new(mut headers: HeaderMap, payload: Payload) -> Self {
        if payload == Payload::V1 {
            return Self::V1 { multi_value_headers: headers };
        }
        let cookies = texts(&headers, &SET_COOKIE).map(str::to_owned).collect();
        headers.remove(SET_COOKIE);
        Self::V2 { headers, cookies }
    }
}

impl GatewayBody {
    /// Returns how many bytes the body takes inside of JSON.
    #[must_use]
    pub fn len_in_json(&self) -> usize {
        if self.is_base64_encoded { self.body.len() } else { self.body.bytes().map(escaped_len).sum() }
    }
}

impl From<Bytes> for GatewayBody {
    /// Text stays as it is, anything else becomes base64.
    fn from(bytes: Bytes) -> Self {
        match String::from_utf8(bytes.into()) {
            Ok(body) => Self { body, is_base64_encoded: false },
            Err(bytes) => Self { body: STANDARD.encode(bytes.as_bytes()), is_base64_encoded: true },
        }
    }
}

/// Returns how many bytes one byte of a text takes in JSON (RFC 8259, section 7).
fn escaped_len(byte: u8) -> usize {
    match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
        0..0x20 => 6,
        _ => 1,
    }
}

fn lists<S: Serializer>(headers: &HeaderMap, serializer: S) -> Result<S::Ok, S::Error> {
    let list = |name: &HeaderName| texts(headers, name).collect::<Vec<_>>();
    serializer.collect_map(headers.keys().map(|name| (name.as_str(), list(name))))
}

fn joined<S: Serializer>(headers: &HeaderMap, serializer: S) -> Result<S::Ok, S::Error> {
    let value = |name| {
        let mut texts = texts(headers, name);
        let first = Cow::Borrowed(texts.next().unwrap_or_default());
        texts.fold(first, |value, text| Cow::Owned(format!("{value}, {text}")))
    };
    serializer.collect_map(headers.keys().map(|name| (name.as_str(), value(name))))
}

/// Returns the values of a header that are text.
fn texts<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    headers.get_all(name).iter().filter_map(|it| it.to_str().ok())
}
