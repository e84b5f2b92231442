//! Lambda events, hostile until parsed.
//!
//! API Gateway's payloads 1.0 (REST) and 2.0 (HTTP API, function URL) become plain
//! requests here. `lambda_http`'s own conversion panics on a strange `Host`, on raw
//! blanks in a query string and on bad base64, so it is not asked: whatever can be
//! read is read, and the rest is a [`RequestFault`], never a panic.

use std::fmt::Write as _;

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, header::COOKIE};
use serde_json::{Map, Value};
use url::form_urlencoded;

use crate::{
    error::RequestFault,
    http::{Caller, GatewayRequestId},
};

/// The longest id of the gateway that is kept, in characters; its own have 16.
const LONGEST_ID: usize = 64;

/// Which shape of answer the gateway expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload {
    /// Version 1.0: REST APIs.
    V1,
    /// Version 2.0: HTTP APIs and function URLs.
    V2,
}

impl Payload {
    /// The version of an event; what names neither is answered as the newer one.
    #[must_use]
    pub fn of(event: &Value) -> Self {
        let is_v1 = event.get("httpMethod").is_some() && event.pointer("/requestContext/http").is_none();
        if is_v1 { Self::V1 } else { Self::V2 }
    }
}

/// Reads an event as a request, with its [`Caller`] beside it.
///
/// # Errors
///
/// [`RequestFault::Malformed`] when the event has no method or path of the form that
/// they have in HTTP, or a body that is not what it says.
pub fn request(event: &Value) -> Result<Request<Bytes>, RequestFault> {
    let payload = Payload::of(event);
    let mut request = Request::new(body(event)?);
    *request.method_mut() = method(event, payload)?;
    *request.uri_mut() = uri(event, payload)?;
    *request.headers_mut() = headers(event);
    note_origin(event, &mut request);
    Ok(request)
}

/// Puts beside a request who sent it, and what the gateway calls it.
pub fn note_origin<B>(event: &Value, request: &mut Request<B>) {
    request.extensions_mut().insert(caller(event, Payload::of(event)));
    if let Some(id) = gateway_request_id(event) {
        request.extensions_mut().insert(id);
    }
}

fn gateway_request_id(event: &Value) -> Option<GatewayRequestId> {
    let id = text(event, "/requestContext/requestId")?;
    let is_id = id.len() <= LONGEST_ID && id.chars().all(|c| c.is_ascii_graphic());
    is_id.then(|| GatewayRequestId(id.to_owned()))
}

fn method(event: &Value, payload: Payload) -> Result<Method, RequestFault> {
    let place = match payload {
        Payload::V1 => "/httpMethod",
        Payload::V2 => "/requestContext/http/method",
    };
    let text = text(event, place).ok_or_else(|| malformed("The event has no method"))?;
    text.parse().map_err(|_| malformed("The event's method is none"))
}

fn uri(event: &Value, payload: Payload) -> Result<Uri, RequestFault> {
    let (path, query) = match payload {
        Payload::V1 => (text(event, "/path"), v1_query(event)),
        Payload::V2 => (text(event, "/rawPath"), clean(text(event, "/rawQueryString").unwrap_or_default())),
    };
    let path = path.filter(|it| it.starts_with('/')).ok_or_else(|| malformed("The event has no path"))?;
    let mut target = clean(without_stage(event, path));
    if !query.is_empty() {
        target = format!("{target}?{query}");
    }
    target.parse().map_err(|_| malformed("The event's path is none"))
}

/// The path without the stage, so that `/prod/api` is `/api`.
fn without_stage<'a>(event: &Value, path: &'a str) -> &'a str {
    let stage = text(event, "/requestContext/stage").filter(|it| *it != "$default");
    let rest = stage.and_then(|stage| path.strip_prefix('/')?.strip_prefix(stage));
    match rest {
        Some("") => "/",
        Some(rest) if rest.starts_with('/') => rest,
        _ => path,
    }
}

/// Percent-encodes what no URI may contain (RFC 3986, section 2), and a `#` or, in a
/// path, nothing else: what is encoded already stays as it is.
fn clean(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut cleaned, byte| {
        if byte.is_ascii_graphic() && !b"\"<>\\^`{|}#".contains(&byte) {
            cleaned.push(char::from(byte));
        } else {
            let _writing_to_a_string_succeeds = write!(cleaned, "%{byte:02X}");
        }
        cleaned
    })
}

/// Payload 1.0 has the query's parameters decoded, in one map or in two.
fn v1_query(event: &Value) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in pairs(event, "/multiValueQueryStringParameters", "/queryStringParameters") {
        query.append_pair(name, value);
    }
    query.finish()
}

/// The headers that HTTP allows; a cookie list is joined as browsers do it.
fn headers(event: &Value) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs(event, "/multiValueHeaders", "/headers") {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.append(name, value);
        }
    }
    let cookies =
        event.get("cookies").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    for cookie in cookies.filter_map(|it| HeaderValue::try_from(it).ok()) {
        headers.append(COOKIE, cookie);
    }
    headers
}

/// The entries of the map of lists where there is one, else of the plain map.
fn pairs<'a>(event: &'a Value, lists: &str, plain: &str) -> Vec<(&'a str, &'a str)> {
    let members = |place| event.pointer(place).and_then(Value::as_object).filter(|it| !it.is_empty());
    match (members(lists), members(plain)) {
        (Some(lists), _) => flattened(lists),
        (None, Some(plain)) => {
            plain.iter().filter_map(|(name, value)| Some((name.as_str(), value.as_str()?))).collect()
        }
        (None, None) => Vec::new(),
    }
}

fn flattened(lists: &Map<String, Value>) -> Vec<(&str, &str)> {
    let entries = lists.iter().flat_map(|(name, values)| {
        values
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(move |value| Some((name.as_str(), value.as_str()?)))
    });
    entries.collect()
}

fn body(event: &Value) -> Result<Bytes, RequestFault> {
    let text = text(event, "/body").unwrap_or_default();
    if event.get("isBase64Encoded").and_then(Value::as_bool) == Some(true) {
        let bytes = STANDARD
            .decode(text)
            .map_err(|_| malformed("The event's body is not the base64 that it says"))?;
        return Ok(Bytes::from(bytes));
    }
    Ok(Bytes::copy_from_slice(text.as_bytes()))
}

fn caller(event: &Value, payload: Payload) -> Caller {
    let place = match payload {
        Payload::V1 => "/requestContext/identity/sourceIp",
        Payload::V2 => "/requestContext/http/sourceIp",
    };
    Caller(text(event, place).and_then(|it| it.parse().ok()))
}

fn text<'a>(event: &'a Value, place: &str) -> Option<&'a str> {
    event.pointer(place).and_then(Value::as_str)
}

fn malformed(text: &str) -> RequestFault {
    RequestFault::Malformed(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::json;

    fn v2(change: impl FnOnce(&mut Value)) -> Value {
        let mut event = json!({
            "version": "2.0", "rawPath": "/api", "rawQueryString": "", "headers": {},
            "requestContext": { "stage": "$default", "http": { "method": "GET", "sourceIp": "2001:db8::1" } },
        });
        change(&mut event);
        event
    }

    #[test]
    fn k01_cookies_of_a_list_are_all_seen() {
        let request = request(&v2(|it| it["cookies"] = json!(["a=1", "b=2"]))).unwrap();

        assert_eq!(request.headers().get_all(COOKIE).iter().count(), 2);
    }

    #[rstest]
    #[case("/prod/api", "prod", "/api")]
    #[case("/prod", "prod", "/")]
    #[case("/production/api", "prod", "/production/api")]
    #[case("/api", "$default", "/api")]
    fn k11_the_stage_is_taken_off_the_path(#[case] raw: &str, #[case] stage: &str, #[case] path: &str) {
        let event = v2(|it| {
            it["rawPath"] = json!(raw);
            it["requestContext"]["stage"] = json!(stage);
        });

        assert_eq!(request(&event).unwrap().uri().path(), path);
    }

    #[rstest]
    #[case("a b", "a%20b")]
    #[case("query={me{role}}", "query=%7Bme%7Brole%7D%7D")]
    #[case("q=\"<>\"", "q=%22%3C%3E%22")]
    #[case("q=%7B&x#y", "q=%7B&x%23y")]
    fn raw_characters_in_a_query_string_are_encoded(#[case] raw: &str, #[case] query: &str) {
        let event = v2(|it| it["rawQueryString"] = json!(raw));

        assert_eq!(request(&event).unwrap().uri().query(), Some(query));
    }

    #[test]
    fn k12_a_caller_without_address_is_unknown() {
        let known = request(&v2(|_| ())).unwrap();
        let unknown = request(&v2(|it| it["requestContext"]["http"]["sourceIp"] = json!("unknown"))).unwrap();

        assert_eq!(known.extensions().get::<Caller>(), Some(&Caller("2001:db8::1".parse().ok())));
        assert_eq!(unknown.extensions().get::<Caller>(), Some(&Caller(None)));
    }

    proptest! {
        #[test]
        fn no_text_in_an_event_makes_us_panic(path: String, query: String, host: String, proto: String, body: String) {
            let event = v2(|it| {
                it["rawPath"] = json!(format!("/{path}"));
                it["rawQueryString"] = json!(query);
                it["headers"] = json!({ "host": host, "x-forwarded-proto": proto });
                it["body"] = json!(body);
            });

            prop_assert!(request(&event).is_ok());
        }
    }
}
