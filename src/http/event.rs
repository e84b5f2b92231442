//! Converts Lambda events into requests.
//!
//! Supports API Gateway's payload 1.0 (REST API) and 2.0 (HTTP API, function URL). An invalid
//! event is a [`RequestFault`], never a panic: the conversion of `lambda_http` panics for an
//! invalid `Host`, for blanks in a query string, and for invalid base64.

use std::fmt::Write as _;

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, header::COOKIE};
use serde_json_borrow::{ObjectAsVec, Value};
use url::form_urlencoded;

use crate::{
    error::RequestFault,
    http::{ClientAddress, GatewayRequestId},
};

/// The maximum length of a gateway's request id, in characters. HTTP APIs use ids of 16 characters;
/// REST APIs and function URLs use UUIDs of 36 characters.
const MAX_REQUEST_ID: usize = 64;

/// The version of an event's payload. The response has the same version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayloadVersion {
    /// Version 1.0: REST APIs.
    V1,
    /// Version 2.0: HTTP APIs and function URLs.
    V2,
}

/// An event, which borrows its strings from the JSON.
pub struct Event<'a>(Value<'a>);

impl<'a> Event<'a> {
    /// Parses an event. JSON that is nested too deeply becomes an event without a method.
    #[must_use]
    pub fn parse(json: &'a str) -> Self {
        Self(serde_json::from_str(json).unwrap_or_default())
    }

    /// Returns the version of the payload, which is 2.0 if the event could be either.
    #[must_use]
    pub fn payload_version(&self) -> PayloadVersion {
        let is_v1 =
            self.at(&["httpMethod"]).is_some() && self.at(&["requestContext", "http"]).is_none();
        if is_v1 { PayloadVersion::V1 } else { PayloadVersion::V2 }
    }

    /// Converts the event into a request with its [`ClientAddress`] and [`GatewayRequestId`] as
    /// extensions.
    ///
    /// # Errors
    ///
    /// [`RequestFault::Malformed`] if the method, the path or the base64 of the body is invalid,
    /// or if there are more headers than a request can have.
    pub fn to_request(&self) -> Result<Request<Bytes>, RequestFault> {
        let mut request = Request::new(self.body()?);
        *request.method_mut() = self.method()?;
        *request.uri_mut() = self.uri()?;
        *request.headers_mut() = self.headers()?;
        self.add_extensions(&mut request);
        Ok(request)
    }

    /// Adds the [`ClientAddress`] and the [`GatewayRequestId`] to the extensions of a request.
    pub fn add_extensions<B>(&self, request: &mut Request<B>) {
        request.extensions_mut().insert(self.client_address());
        if let Some(id) = self.gateway_request_id() {
            request.extensions_mut().insert(id);
        }
    }

    fn gateway_request_id(&self) -> Option<GatewayRequestId> {
        let id = self.text(&["requestContext", "requestId"])?;
        let is_id = id.len() <= MAX_REQUEST_ID && id.chars().all(|c| c.is_ascii_graphic());
        is_id.then(|| GatewayRequestId(id.to_owned()))
    }

    fn method(&self) -> Result<Method, RequestFault> {
        let method = match self.payload_version() {
            PayloadVersion::V1 => self.text(&["httpMethod"]),
            PayloadVersion::V2 => self.text(&["requestContext", "http", "method"]),
        };
        let method = method.ok_or_else(|| malformed("The request has no method"))?;
        method.parse().map_err(|_| malformed("The request method is invalid"))
    }

    fn uri(&self) -> Result<Uri, RequestFault> {
        let (path, query) = match self.payload_version() {
            PayloadVersion::V1 => (self.text(&["path"]), self.v1_query()),
            PayloadVersion::V2 => (
                self.text(&["rawPath"]),
                encode(self.text(&["rawQueryString"]).unwrap_or_default()),
            ),
        };
        let path = path
            .filter(|it| it.starts_with('/'))
            .ok_or_else(|| malformed("The request has no path"))?;
        let mut target = encode(self.without_stage(path));
        if !query.is_empty() {
            target = format!("{target}?{query}");
        }
        target.parse().map_err(|_| malformed("The request path is invalid"))
    }

    /// Removes the stage from a path: `/prod/api` becomes `/api`.
    fn without_stage<'p>(&self, path: &'p str) -> &'p str {
        let stage = self.text(&["requestContext", "stage"]).filter(|it| *it != "$default");
        let rest = stage.and_then(|stage| path.strip_prefix('/')?.strip_prefix(stage));
        match rest {
            Some("") => "/",
            Some(rest) if rest.starts_with('/') => rest,
            _ => path,
        }
    }

    /// Encodes the query of payload 1.0, which contains decoded parameters.
    fn v1_query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in self.pairs("multiValueQueryStringParameters", "queryStringParameters")
        {
            query.append_pair(name, value);
        }
        query.finish()
    }

    /// Returns the valid headers, including the cookies. Function URLs send cookies both in a list
    /// and in a header; the list takes precedence.
    fn headers(&self) -> Result<HeaderMap, RequestFault> {
        let too_many = |_| malformed("The request has too many headers");
        let pairs = self.pairs("multiValueHeaders", "headers");
        let mut headers = HeaderMap::try_with_capacity(pairs.len()).map_err(too_many)?;
        for (name, value) in pairs {
            if let (Ok(name), Ok(value)) =
                (HeaderName::try_from(name), HeaderValue::try_from(value))
            {
                headers.try_append(name, value).map_err(too_many)?;
            }
        }
        let cookies = self.at(&["cookies"]).and_then(Value::as_array).unwrap_or_default();
        if !cookies.is_empty() {
            headers.remove(COOKIE);
        }
        for cookie in
            cookies.iter().filter_map(Value::as_str).filter_map(|it| HeaderValue::try_from(it).ok())
        {
            headers.try_append(COOKIE, cookie).map_err(too_many)?;
        }
        Ok(headers)
    }

    /// Returns the entries of the multi-value map `lists` or, if there is none, of the map `plain`.
    fn pairs(&self, lists: &str, plain: &str) -> Vec<(&str, &str)> {
        let members =
            |name| self.at(&[name]).and_then(Value::as_object).filter(|it| !it.is_empty());
        match (members(lists), members(plain)) {
            (Some(lists), _) => flatten(lists),
            (None, Some(plain)) => {
                plain.iter().filter_map(|(name, value)| Some((name, value.as_str()?))).collect()
            }
            (None, None) => Vec::new(),
        }
    }

    fn body(&self) -> Result<Bytes, RequestFault> {
        let text = self.text(&["body"]).unwrap_or_default();
        if self.at(&["isBase64Encoded"]).and_then(Value::as_bool) == Some(true) {
            let bytes = STANDARD
                .decode(text)
                .map_err(|_| malformed("The request body is not valid base64"))?;
            return Ok(Bytes::from(bytes));
        }
        Ok(Bytes::copy_from_slice(text.as_bytes()))
    }

    fn client_address(&self) -> ClientAddress {
        let address = match self.payload_version() {
            PayloadVersion::V1 => self.text(&["requestContext", "identity", "sourceIp"]),
            PayloadVersion::V2 => self.text(&["requestContext", "http", "sourceIp"]),
        };
        ClientAddress(address.and_then(|it| it.parse().ok()))
    }

    fn text(&self, path: &[&str]) -> Option<&str> {
        self.at(path).and_then(Value::as_str)
    }

    /// Finds the value at a path of member names.
    fn at(&self, path: &[&str]) -> Option<&Value<'a>> {
        path.iter().try_fold(&self.0, |value, name| value.as_object()?.get(name))
    }
}

/// Percent-encodes non-ASCII, space, control characters and ``"<>\^`{|}#``, which paths and queries
/// cannot contain (RFC 3986, sections 3.3 and 3.4). Leaves existing percent-encodings alone.
fn encode(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut encoded, byte| {
        if byte.is_ascii_graphic() && !b"\"<>\\^`{|}#".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a `String` cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

fn flatten<'e>(lists: &'e ObjectAsVec<'_>) -> Vec<(&'e str, &'e str)> {
    let entries = lists.iter().flat_map(|(name, values)| {
        let texts = values.as_array().into_iter().flatten().filter_map(Value::as_str);
        texts.map(move |value| (name, value))
    });
    entries.collect()
}

fn malformed(text: &str) -> RequestFault {
    RequestFault::Malformed(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::{Value, json};

    fn request(event: &Value) -> Result<Request<Bytes>, RequestFault> {
        Event::parse(&event.to_string()).to_request()
    }

    fn v2(change: impl FnOnce(&mut Value)) -> Value {
        let http = json!({ "method": "GET", "sourceIp": "2001:db8::1" });
        let mut event = json!({
            "version": "2.0", "rawPath": "/api", "rawQueryString": "", "headers": {},
            "requestContext": { "stage": "$default", "http": http },
        });
        change(&mut event);
        event
    }

    #[test]
    fn a_request_has_all_cookies_of_the_list() {
        let request = request(&v2(|it| it["cookies"] = json!(["a=1", "b=2"]))).unwrap();

        assert_eq!(request.headers().get_all(COOKIE).iter().count(), 2);
    }

    #[test]
    fn the_list_of_cookies_replaces_the_header() {
        let event = v2(|it| {
            it["headers"] = json!({ "cookie": "a=1; b=2" });
            it["cookies"] = json!(["a=1", "b=2"]);
        });

        let request = request(&event).unwrap();
        let cookies: Vec<_> = request.headers().get_all(COOKIE).iter().collect();
        assert_eq!(cookies, ["a=1", "b=2"]);
    }

    #[rstest]
    #[case("/prod/api", "prod", "/api")]
    #[case("/prod", "prod", "/")]
    #[case("/production/api", "prod", "/production/api")]
    #[case("/api", "$default", "/api")]
    fn the_stage_is_removed_from_the_path(
        #[case] raw: &str,
        #[case] stage: &str,
        #[case] path: &str,
    ) {
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

    #[rstest]
    #[case::values_of_one_header(json!({ "multiValueHeaders": { "x-a": vec!["1"; 40_000] } }))]
    #[case::headers(json!({ "headers": many_headers() }))]
    fn more_headers_than_a_request_can_have_are_refused(#[case] members: Value) {
        let event =
            v2(|it| it.as_object_mut().unwrap().extend(members.as_object().unwrap().clone()));

        assert!(matches!(request(&event), Err(RequestFault::Malformed(_))));
    }

    fn many_headers() -> serde_json::Map<String, Value> {
        (0..40_000).map(|it| (format!("x-{it}"), json!("1"))).collect()
    }

    #[rstest]
    #[case::an_address("2001:db8::1", Some("2001:db8::1"))]
    #[case::no_address("unknown", None)]
    fn the_client_address_comes_from_the_event(#[case] sent: &str, #[case] expected: Option<&str>) {
        let event = v2(|it| it["requestContext"]["http"]["sourceIp"] = json!(sent));

        let request = request(&event).unwrap();
        let address = expected.map(|it| it.parse().unwrap());
        assert_eq!(request.extensions().get::<ClientAddress>(), Some(&ClientAddress(address)));
    }

    proptest! {
        #[test]
        fn any_text_in_an_event_can_be_converted(
            path: String,
            query: String,
            host: String,
            proto: String,
            body: String,
        ) {
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
