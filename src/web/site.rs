//! What the pages share: sessions, the address of the product, and the ways to log in.

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
    http::{RequestContext, cookies::CookieName, csrf::OwnOrigins},
};

/// A way to log in: a button on the login page.
#[derive(Clone, Debug)]
pub struct SignIn {
    /// The text of the button.
    pub label: String,
    /// The path that the button leads to.
    pub path: String,
    /// Which logo it has: `google`, `microsoft`, `bitbucket`, `oidc` or `development`.
    pub brand: &'static str,
}

/// The web application.
pub struct Site {
    pub(super) access: Arc<Access>,
    pub(super) own_origins: OwnOrigins,
    pub(super) public_url: PublicUrl,
    pub(super) sign_ins: Vec<SignIn>,
}

impl Site {
    /// The web application for the users of `access`.
    #[must_use]
    pub fn new(
        access: Arc<Access>,
        own_origins: OwnOrigins,
        public_url: PublicUrl,
        sign_ins: Vec<SignIn>,
    ) -> Self {
        Self { access, own_origins, public_url, sign_ins }
    }

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

    /// `GET /.well-known/jwks.json`: returns the public keys, with which anybody can verify API
    /// tokens.
    #[must_use]
    pub fn jwks(&self) -> Response {
        let keys: Vec<_> = self.access.jwt.keys().public().collect();
        ([(CACHE_CONTROL, "public, max-age=3600")], Json(json!({ "keys": keys }))).into_response()
    }
}
