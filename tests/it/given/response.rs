//! Responses, as tests inspect them.

use axum::body::Body;
use http::{HeaderMap, Response};
use http_body_util::BodyExt;
use serde_json::Value;

/// A response with its whole body.
#[derive(Debug)]
pub(crate) struct TestResponse {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl TestResponse {
    pub(crate) async fn read(response: Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes().to_vec();
        Self { status: parts.status.as_u16(), headers: parts.headers, bytes }
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|_| panic!("not JSON: {}", self.text()))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|it| it.to_str().unwrap())
    }

    /// Returns the status, and the code and reason of the first error, such as `401 UNAUTHENTICATED
    /// TOKEN_INVALID`.
    pub(crate) fn verdict(&self) -> String {
        let part =
            |name| self.extension(name).as_str().map(|it| format!(" {it}")).unwrap_or_default();
        format!("{}{}{}", self.status, part("code"), part("reason"))
    }

    /// Returns a member of the first error's extensions.
    pub(crate) fn extension(&self, name: &str) -> Value {
        serde_json::from_slice::<Value>(&self.bytes).unwrap_or_default()["errors"][0]["extensions"]
            [name]
            .clone()
    }

    pub(crate) fn message(&self) -> String {
        self.json()["errors"][0]["message"].as_str().unwrap().to_owned()
    }

    /// Returns the cookie that the response sets, as `name=value`.
    pub(crate) fn session_cookie(&self) -> Option<String> {
        let cookie = self.header("set-cookie")?;
        Some(cookie.split(';').next()?.to_owned())
    }

    /// Returns the created API token.
    pub(crate) fn new_token(&self) -> String {
        let token = &self.json()["data"]["updateAccessToken"]["sessionJwt"];
        token.as_str().unwrap_or_else(|| panic!("no token: {}", self.text())).to_owned()
    }
}
