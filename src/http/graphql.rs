//! GraphQL over HTTP: reads the query of a request.

use http::Uri;
use serde_json::{Map, Value};
use url::form_urlencoded;

use crate::error::{RequestFault, Result};

/// The maximum length of a query, in bytes.
pub const MAX_QUERY_LENGTH: usize = 100_000;
/// The maximum number of JSON values in a request. A value of five bytes, such as `{"":`, can
/// take more than 600 bytes of memory. `serde_json` limits the nesting to 128.
const MAX_VALUES: usize = 20_000;
/// The largest integer up to which a double represents every integer exactly. Many clients use
/// doubles for JSON numbers (RFC 8259, section 6).
const MAX_EXACT_INTEGER: f64 = 9_007_199_254_740_991.0;

/// A GraphQL request: well-formed JSON, whose `query` is not parsed yet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GraphqlRequest {
    /// The GraphQL document.
    pub query: String,
    /// The operation of the document to execute.
    pub operation_name: Option<String>,
    pub variables: Map<String, Value>,
}

impl GraphqlRequest {
    /// Parses the body of a POST. Ignores unknown members.
    ///
    /// # Errors
    ///
    /// [`RequestFault`] if the body is invalid.
    pub fn from_body(body: &[u8]) -> Result<Self> {
        let value = parse(body, "body")?
            .map_err(|fault| malformed(&format!("The body is not valid JSON: {fault}")))?;
        match value {
            Value::Object(members) => Self::from_members(members),
            Value::Array(_) => Err(malformed("batching is not enabled").into()),
            _ => Err(malformed("The body must be a JSON object with a `query`").into()),
        }
    }

    /// Parses the query string of a GET. Returns `None` if it does not contain a query.
    ///
    /// # Errors
    ///
    /// [`RequestFault`] if the query string is invalid.
    pub fn from_query_string(uri: &Uri) -> Result<Option<Self>> {
        let mut members = Map::new();
        for (name, value) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
            match name.as_ref() {
                "variables" | "extensions" if !value.is_empty() => {
                    let parsed = parse(value.as_bytes(), &name)?;
                    members
                        .insert(name.to_string(), parsed.map_err(|_| not_a(&name, "JSON object"))?);
                }
                "query" | "operationName" => {
                    members.insert(name.into_owned(), Value::String(value.into_owned()));
                }
                _ => {}
            }
        }
        let is_one = members.contains_key("query") || members.contains_key("extensions");
        if is_one { Self::from_members(members).map(Some) } else { Ok(None) }
    }

    /// Whether a query string contains a query, valid or not.
    #[must_use]
    pub fn is_in_query_string(uri: &Uri) -> bool {
        form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
            .any(|(name, _)| name == "query")
    }

    fn from_members(mut members: Map<String, Value>) -> Result<Self> {
        let extensions = object(&mut members, "extensions")?;
        if extensions.contains_key("persistedQuery") {
            return Err(RequestFault::PersistedQuery.into());
        }
        let query =
            text(&mut members, "query")?.ok_or_else(|| malformed("The request has no `query`"))?;
        if query.len() > MAX_QUERY_LENGTH {
            return Err(RequestFault::TooLarge { limit: MAX_QUERY_LENGTH, part: "a query" }.into());
        }
        let operation_name = text(&mut members, "operationName")?.filter(|name| !name.is_empty());
        let mut variables = object(&mut members, "variables")?;
        variables.values_mut().for_each(normalize_numbers);
        Ok(Self { query, operation_name, variables })
    }
}

/// Parses JSON. Counts its values first, before it allocates memory for them.
fn parse(json: &[u8], part: &str) -> Result<serde_json::Result<Value>, RequestFault> {
    if value_count(json) > MAX_VALUES {
        return Err(malformed(&format!(
            "The {part} has too many values: at most {MAX_VALUES} are read"
        )));
    }
    Ok(serde_json::from_slice(json))
}

/// Returns an upper bound of the number of values in JSON: one, plus one for each comma and
/// opening bracket outside of strings.
fn value_count(json: &[u8]) -> usize {
    let (mut count, mut is_in_string, mut is_escaped) = (1, false, false);
    for byte in json {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = is_in_string,
            b'"' => is_in_string = !is_in_string,
            b',' | b'[' | b'{' if !is_in_string => count += 1,
            _ => {}
        }
    }
    count
}

/// Converts numbers such as `10.0` to integers, because JSON does not distinguish them.
#[expect(clippy::cast_possible_truncation, reason = "whole numbers of this size fit")]
pub fn normalize_numbers(value: &mut Value) {
    match value {
        Value::Number(number) => {
            let float = number.as_f64().filter(|it| number.is_f64() && it.fract() == 0.0);
            if let Some(whole) = float.filter(|it| it.abs() <= MAX_EXACT_INTEGER) {
                *value = Value::from(whole as i64);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(normalize_numbers),
        Value::Object(members) => members.values_mut().for_each(normalize_numbers),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

fn text(members: &mut Map<String, Value>, name: &str) -> Result<Option<String>> {
    match members.remove(name) {
        Some(Value::String(text)) => Ok(Some(text)),
        Some(Value::Null) | None => Ok(None),
        Some(_) => Err(not_a(name, "string").into()),
    }
}

fn object(members: &mut Map<String, Value>, name: &str) -> Result<Map<String, Value>> {
    match members.remove(name) {
        Some(Value::Object(object)) => Ok(object),
        Some(Value::Null) | None => Ok(Map::new()),
        Some(_) => Err(not_a(name, "JSON object").into()),
    }
}

fn not_a(name: &str, expected: &str) -> RequestFault {
    malformed(&format!("`{name}` must be a {expected}"))
}

fn malformed(text: &str) -> RequestFault {
    RequestFault::Malformed(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::nonsense("NONSENSE")]
    #[case::cut_off("{\"query\":")]
    #[case::empty("")]
    #[case::no_query("{}")]
    #[case::misspelt("{\"qeury\": \"{ me }\"}")]
    #[case::number("{\"query\": 7}")]
    #[case::null("{\"query\": null}")]
    #[case::variables("{\"query\": \"{ me }\", \"variables\": [7]}")]
    #[case::variables_text("{\"query\": \"{ me }\", \"variables\": \"{}\"}")]
    #[case::operation("{\"query\": \"{ me }\", \"operationName\": 7}")]
    #[case::extensions("{\"query\": \"{ me }\", \"extensions\": \"{}\"}")]
    #[case::batch("[{\"query\": \"{ me }\"}]")]
    fn a_request_that_is_none_is_malformed(#[case] body: &str) {
        let refused = GraphqlRequest::from_body(body.as_bytes()).unwrap_err();

        assert_eq!(
            (refused.status().as_u16(), refused.describe().code),
            (400, "BAD_REQUEST"),
            "{refused}"
        );
    }

    #[test]
    fn unknown_members_and_nulls_are_ignored() {
        let body = br#"{"query": "{ me }", "variables": null, "operationName": null, "id": 7}"#;

        let expected = GraphqlRequest { query: "{ me }".to_owned(), ..GraphqlRequest::default() };
        assert_eq!(GraphqlRequest::from_body(body).unwrap(), expected);
    }

    #[test]
    fn a_query_string_carries_the_same() {
        let uri =
            "/api?query=%7B+me+%7D&variables=%7B%22a%22%3A1%7D&operationName=".parse().unwrap();

        let request = GraphqlRequest::from_query_string(&uri).unwrap().unwrap();
        assert_eq!(
            (request.query.as_str(), request.variables.len(), request.operation_name),
            ("{ me }", 1, None)
        );
    }

    #[rstest]
    #[case::a_scalar("1", 1)]
    #[case::empty("{}", 2)]
    #[case::a_list("[1,[2,3]]", 5)]
    #[case::brackets_in_a_string(r#"{"a[,{\\\"[":"[\\\\"}"#, 2)]
    fn values_are_counted_before_they_are_read(#[case] json: &str, #[case] count: usize) {
        assert_eq!(value_count(json.as_bytes()), count);
    }

    #[test]
    fn a_request_has_twenty_thousand_values_at_most() {
        let body = |count| {
            format!("{{\"query\":\"{{me}}\",\"variables\":{{\"a\":[{}0]}}}}", "0,".repeat(count))
        };

        assert!(GraphqlRequest::from_body(body(MAX_VALUES - 5).as_bytes()).is_ok());
        assert_eq!(
            GraphqlRequest::from_body(body(MAX_VALUES).as_bytes()).unwrap_err().describe().code,
            "BAD_REQUEST"
        );
    }

    #[rstest]
    #[case("10.0", "10")]
    #[case("1e3", "1000")]
    #[case("[-0.0, {\"b\": 2.0}]", "[0,{\"b\":2}]")]
    #[case("1.5", "1.5")]
    #[case("1e300", "1e+300")]
    #[case("9223372036854775808", "9223372036854775808")]
    fn a_whole_number_is_one_however_it_is_written(#[case] sent: &str, #[case] read: &str) {
        let body = format!("{{\"query\":\"{{me}}\",\"variables\":{{\"a\":{sent}}}}}");

        let request = GraphqlRequest::from_body(body.as_bytes()).unwrap();
        assert_eq!(request.variables["a"].to_string(), read);
    }

    #[test]
    fn hostile_nesting_is_malformed_and_no_overflow() {
        let body = format!("{{\"query\":\"{{me}}\",\"variables\":{}}}", "[".repeat(100_000));

        assert_eq!(
            GraphqlRequest::from_body(body.as_bytes()).unwrap_err().describe().code,
            "BAD_REQUEST"
        );
    }
}
