//! The state that all pages share: sessions, the API, and the ways to log in.

use std::sync::Arc;

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, header::CACHE_CONTROL};
use serde_json::json;

use crate::{
    access::{Access, actor::Principal, claims::RawCredential},
    config::PublicUrl,
    error::Result,
    graph::endpoint::Endpoint,
    http::{RequestContext, cookies::CookieName, csrf::OwnOrigins},
};

/// A way to log in. The login page shows it as a button.
#[derive(Clone, Debug)]
pub struct LoginMethod {
    /// The text of the button.
    pub label: String,
    /// The path that the button links to.
    pub path: String,
    /// The logo of the button: `google`, `microsoft`, `bitbucket`, `oidc` or `development`.
    pub brand: &'static str,
}

/// The state of the web application.
pub struct Site {
    /// Authenticates visitors, and creates and revokes credentials.
    pub access: Arc<Access>,
    /// The API, which pages query without HTTP.
    pub endpoint: Arc<Endpoint>,
    /// The origins from which our own pages send requests.
    pub own_origins: OwnOrigins,
    /// The public address of the product.
    pub public_url: PublicUrl,
    /// The ways to log in. Only the login page uses them.
    pub login_methods: Vec<LoginMethod>,
}

impl Site {
    /// Authenticates the visitor by the session cookie. Pages do not accept API tokens.
    ///
    /// # Errors
    ///
    /// `Refused` if the session is not valid; `Request` if there are two session cookies;
    /// `Unavailable` if DynamoDB fails.
    pub(super) async fn authenticate(
        &self,
        headers: &HeaderMap,
        context: &RequestContext,
    ) -> Result<Principal> {
        let cookie = self.access.cookies.get(CookieName::Session, headers)?;
        let credential = cookie.map_or(RawCredential::None, RawCredential::Cookie);
        let claims = self.access.verify(&credential, context.now)?;
        self.access.authenticate(&claims, context.now).await
    }

    /// `GET /.well-known/jwks.json`: returns the public keys, so that anybody can verify API
    /// tokens.
    #[must_use]
    pub fn jwks(&self) -> Response {
        let keys: Vec<_> = self.access.jwt.keys().public().collect();
        ([(CACHE_CONTROL, "public, max-age=3600")], Json(json!({ "keys": keys }))).into_response()
    }
}
