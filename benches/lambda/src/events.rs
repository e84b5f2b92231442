//! What API Gateway sends: payload 2.0 of an HTTP API.

use serde_json::{Value, json};

use crate::account::{Account, URL};

const ME: &str = "{ me { userEmail role accessToken } }";

/// An event, and what its answer must hold.
#[derive(Clone)]
pub(crate) struct Event {
    pub(crate) text: String,
    pub(crate) answered_by: &'static str,
}

/// `me`, by the token of this number.
pub(crate) fn me(account: &Account, token: usize) -> Event {
    let token = &account.tokens[token % account.tokens.len()];
    let headers = json!({ "authorization": format!("Bearer {token}") });
    Event { text: event(headers, ME), answered_by: "ana@acme.test" }
}

/// `updateAccessToken`, by a token.
pub(crate) fn update_by_token(account: &Account) -> Event {
    let headers = json!({ "authorization": format!("Bearer {}", account.tokens[0]) });
    Event { text: event(headers, &update(account)), answered_by: "sessionJwt" }
}

/// `updateAccessToken`, by a session.
pub(crate) fn update_by_session(account: &Account) -> Event {
    let cookie = format!("__Host-arm_session={}", account.session);
    let headers = json!({ "cookie": cookie, "origin": URL });
    Event { text: event(headers, &update(account)), answered_by: "sessionJwt" }
}

/// Whatever `hello` is sent, it answers the same.
pub(crate) fn hello(account: &Account) -> Event {
    Event { answered_by: "hello", ..me(account, 0) }
}

fn update(account: &Account) -> String {
    format!(
        "mutation {{ updateAccessToken(expirationTime: {}) {{ sessionJwt success }} }}",
        account.tomorrow()
    )
}

fn event(mut headers: Value, query: &str) -> String {
    let body = json!({ "query": query }).to_string();
    let usual = [
        ("accept", "application/json"),
        ("content-type", "application/json"),
        ("host", "arm.test"),
        ("user-agent", "curl/8.14.1"),
        ("x-amzn-trace-id", "Root=1-6ba1d3c0-5759e988bd862e3fe1be46a9"),
        ("x-forwarded-for", "203.0.113.7"),
        ("x-forwarded-port", "443"),
        ("x-forwarded-proto", "https"),
    ];
    for (name, value) in usual {
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
