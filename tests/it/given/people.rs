//! Clients of the product: a browser with a session, and a program with an API token.

use std::sync::Arc;

use arm_api::access::{
    actor::{Actor, Principal},
    claims::RawCredential,
};
use axum::body::Body;
use http::{HeaderMap, Request, header};

use super::{TestResponse, URL, World, body, post, update_access_token};

/// A browser with a session.
pub(crate) struct Browser<'a> {
    pub(crate) world: &'a World,
    pub(crate) cookie: String,
}

impl Browser<'_> {
    /// Sends a query as one of our own pages does.
    pub(crate) async fn query(&self, query: &str) -> TestResponse {
        let request =
            post().header(header::COOKIE, &self.cookie).header("sec-fetch-site", "same-origin");
        self.world.send(request.body(body(query)).unwrap()).await
    }

    /// Creates an API token that expires at `expiration_time`.
    pub(crate) async fn create_token(&self, expiration_time: i64) -> Program<'_> {
        let response = self.query(&update_access_token(expiration_time)).await;
        self.world.program(&response.new_token())
    }

    /// Opens one of our pages.
    pub(crate) async fn open(&self, path: &str) -> TestResponse {
        let request = Request::get(path)
            .header(header::COOKIE, &self.cookie)
            .header(header::ACCEPT, "text/html");
        self.world.send(request.body(Body::empty()).unwrap()).await
    }

    /// Logs out, as the button on our pages does.
    pub(crate) async fn log_out(&self) -> TestResponse {
        let request = Request::post("/logout")
            .header(header::COOKIE, &self.cookie)
            .header(header::ORIGIN, URL);
        self.world.send(request.body(Body::empty()).unwrap()).await
    }
}

/// A program with an API token.
pub(crate) struct Program<'a> {
    pub(crate) world: &'a World,
    pub(crate) token: String,
}

impl Program<'_> {
    /// Returns the authenticated actor, for tests that start after authentication.
    pub(crate) async fn authenticate(&self) -> Arc<Actor> {
        let access = &self.world.app.access;
        let now = self.world.app.clock.now();
        let bearer = format!("Bearer {}", self.token).try_into().unwrap();
        let credential = RawCredential::from_headers(
            &HeaderMap::from_iter([(header::AUTHORIZATION, bearer)]),
            access.cookies,
        );
        let claims = access.verify(&credential.unwrap(), now).unwrap();
        match access.authenticate(&claims, now).await.unwrap() {
            Principal::Authenticated(actor) => actor,
            Principal::Anonymous => panic!("not authenticated"),
        }
    }

    pub(crate) async fn query(&self, query: &str) -> TestResponse {
        let request = post().header(header::AUTHORIZATION, format!("Bearer {}", self.token));
        self.world.send(request.body(body(query)).unwrap()).await
    }
}
