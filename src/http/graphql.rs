//! GraphQL over HTTP: how a request carries a query.

use http::Uri;
use serde_json::{Map, Value};
use url::form_urlencoded;

use crate::error::{RequestFault, Result};

/// The longest query that is read, in bytes.
pub const LONGEST_QUERY: usize = 100_000;

/// A query as the client sent it: well-formed JSON, not yet looked at as GraphQL.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GraphqlRequest {
    /// The GraphQL document.
    pub query: String,
    /// Which of its operations is meant.
    pub operation_name: Option<String>,
    /// The values of its variables.
    pub variables: Map<String, Value>,
}

impl GraphqlRequest {
    /// Reads the body of a POST. Members that GraphQL does not know are ignored.
    ///
    /// # Errors
    ///
    /// [`RequestFault`]: what is wrong with it.
    pub fn from_body(body: &[u8]) -> Result<Self> {
        let value = serde_json::from_slice(body)
            .map_err(|fault| malformed(&format!("The body is no JSON: {fault}")))?;
        match value {
            Value::Object(members) => Self::from_members(members),
            Value::Array(_) => Err(malformed("batching is not enabled").into()),
            _ => Err(malformed("The body must be a JSON object with a `query`").into()),
        }
    }

    /// Reads the query string of a GET; `None` when it carries no query.
    ///
    /// # Errors
    ///
    /// [`RequestFault`]: what is wrong with it.
    pub fn from_query_string(uri: &Uri) -> Result<Option<Self>> {
        let mut members = Map::new();
        for (name, value) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
            match name.as_ref() {
                "variables" | "extensions" if !value.is_empty() => {
                    let parsed = serde_json::from_str(&value);
                    members.insert(name.to_string(), parsed.map_err(|_| not_a(&name, "JSON object"))?);
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

    /// Whether a query string carries a query, good or bad.
    #[must_use]
    pub fn is_in_query_string(uri: &Uri) -> bool {
        form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).any(|(name, _)| name == "query")
    }

    fn from_members(mut members: Map<String, Value>) -> Result<Self> {
        let extensions = object(&mut members, "extensions")?;
        if extensions.contains_key("persistedQuery") {
            return Err(RequestFault::PersistedQuery.into());
        }
        let query = text(&mut members, "query")?.ok_or_else(|| malformed("The request has no `query`"))?;
        if query.len() > LONGEST_QUERY {
            return Err(RequestFault::TooLarge { limit: LONGEST_QUERY, part: "a query" }.into());
        }
        let operation_name = text(&mut members, "operationName")?.filter(|name| !name.is_empty());
        Ok(Self { query, operation_name, variables: object(&mut members, "variables")? })
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
    #[case::g08_nonsense("NONSENSE")]
    #[case::g08_cut_off("{\"query\":")]
    #[case::g08_empty("")]
    #[case::g09_no_query("{}")]
    #[case::g09_misspelt("{\"qeury\": \"{ me }\"}")]
    #[case::g09_number("{\"query\": 7}")]
    #[case::g09_null("{\"query\": null}")]
    #[case::g10_variables("{\"query\": \"{ me }\", \"variables\": [7]}")]
    #[case::g10_variables_text("{\"query\": \"{ me }\", \"variables\": \"{}\"}")]
    #[case::g10_operation("{\"query\": \"{ me }\", \"operationName\": 7}")]
    #[case::g10_extensions("{\"query\": \"{ me }\", \"extensions\": \"{}\"}")]
    #[case::g18_batch("[{\"query\": \"{ me }\"}]")]
    fn a_request_that_is_none_is_malformed(#[case] body: &str) {
        let refused = GraphqlRequest::from_body(body.as_bytes()).unwrap_err();

        assert_eq!((refused.status().as_u16(), refused.code()), (400, "BAD_REQUEST"), "{refused}");
    }

    #[test]
    fn g16_unknown_members_and_nulls_are_ignored() {
        let body = br#"{"query": "{ me }", "variables": null, "operationName": null, "id": 7}"#;

        let expected = GraphqlRequest { query: "{ me }".to_owned(), ..GraphqlRequest::default() };
        assert_eq!(GraphqlRequest::from_body(body).unwrap(), expected);
    }

    #[test]
    fn a_query_string_carries_the_same() {
        let uri = "/api?query=%7B+me+%7D&variables=%7B%22a%22%3A1%7D&operationName=".parse().unwrap();

        let request = GraphqlRequest::from_query_string(&uri).unwrap().unwrap();
        assert_eq!(
            (request.query.as_str(), request.variables.len(), request.operation_name),
            ("{ me }", 1, None)
        );
    }

    #[test]
    fn hostile_nesting_is_malformed_and_no_overflow() {
        let body = format!("{{\"query\":\"{{me}}\",\"variables\":{}}}", "[".repeat(100_000));

        assert_eq!(GraphqlRequest::from_body(body.as_bytes()).unwrap_err().code(), "BAD_REQUEST");
    }
}
