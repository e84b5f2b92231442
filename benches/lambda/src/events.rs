//! Events of an HTTP API in API Gateway, payload version 2.0.

use serde_json::{Value, json};

use crate::account::{Account, URL};

const ME: &str = "{ me { userEmail role accessToken } }";

/// An event, and a string that the response must contain.
#[derive(Clone)]
pub(crate) struct Event {
    pub(crate) text: String,
    pub(crate) expected: &'static str,
}

/// Returns a query of `me` with a token.
pub(crate) fn me(account: &Account, token: usize) -> Event {
    let token = &account.tokens[token % account.tokens.len()];
    let headers = json!({ "authorization": format!("Bearer {token}") });
    Event { text: event(headers, ME), expected: "ana@acme.test" }
}

/// Returns the mutation `updateAccessToken` with a token.
pub(crate) fn update_by_token(account: &Account) -> Event {
    let headers = json!({ "authorization": format!("Bearer {}", account.tokens[0]) });
    Event { text: event(headers, &update(account)), expected: "sessionJwt" }
}

/// Returns the mutation `updateAccessToken` with a session.
pub(crate) fn update_by_session(account: &Account) -> Event {
    let cookie = format!("__Host-arm_session={}", account.session);
    let headers = json!({ "cookie": cookie, "origin": URL });
    Event { text: event(headers, &update(account)), expected: "sessionJwt" }
}

/// Returns an event for `hello`, whose response is constant.
pub(crate) fn hello(account: &Account) -> Event {
    Event { expected: "hello", ..me(account, 0) }
}

fn update(account: &Account) -> String {
    format!(
        "mutation {{ updateAccessToken(expirationTime: {}) {{ sessionJwt success }} }}",
        account.tomorrow()
    )
}

fn event(mut headers: Value, query: &str) -> String {
    let body = json!({ "query": query }).to_string();
    let common = [
        ("accept", "application/json"),
        ("content-type", "application/json"),
        ("host", "arm.test"),
        ("user-agent", "curl/8.14.1"),
        ("x-amzn-trace-id", "Root=1-6ba1d3c0-5759e988bd862e3fe1be46a9"),
        ("x-forwarded-for", "203.0.113.7"),
        ("x-forwarded-port", "443"),
        ("x-forwarded-proto", "https"),
    ];
    for (name, value) in common {
        headers[name] = json!(value);
    }
    headers["content-length"] = json!(body.len().to_string());
    json!({
        "version": "2.0", "routeKey": "ANY /api", "rawPath": "/api", "rawQueryString": "",
        "headers": headers,
        "requestContext": {
            "accountId": "123456789012", "apiId": "a1b2c3d4e5",
            "domainName": "arm.test", "domainPrefix": "arm",
            "http": {
                "method": "POST", "path": "/api", "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7",
                "userAgent": "curl/8.14.1",
            },
            "requestId": "WJ4kXh2ZjoEEPzA=", "routeKey": "ANY /api", "stage": "$default",
            "time": "23/Nov/2026:12:00:00 +0000", "timeEpoch": 1_795_435_200_000_u64,
        },
        "body": body, "isBase64Encoded": false,
    })
    .to_string()
}
