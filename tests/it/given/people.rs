//! The users of the product: a browser with a session, and a program with an API token.

use std::sync::Arc;

use arm_api::access::{
    actor::{Actor, Principal},
    claims::RawCredential,
};
use axum::body::Body;
use http::{HeaderMap, Request, header};

use super::{Answer, URL, World, body, post, update_access_token};

/// A browser with a session.
pub(crate) struct Browser<'a> {
    pub(crate) world: &'a World,
    pub(crate) cookie: String,
}

impl Browser<'_> {
    /// Sends a query from one of our own pages.
    pub(crate) async fn asks(&self, query: &str) -> Answer {
        let request =
            post().header(header::COOKIE, &self.cookie).header("sec-fetch-site", "same-origin");
        self.world.send(request.body(body(query)).unwrap()).await
    }

    /// Creates an API token that expires at `expiration_time`.
    pub(crate) async fn makes_token(&self, expiration_time: i64) -> Program<'_> {
        let answer = self.asks(&update_access_token(expiration_time)).await;
        self.world.program(&answer.new_token())
    }

    /// Opens one of our pages.
    pub(crate) async fn opens(&self, path: &str) -> Answer {
        let request = Request::get(path)
            .header(header::COOKIE, &self.cookie)
            .header(header::ACCEPT, "text/html");
        self.world.send(request.body(Body::empty()).unwrap()).await
    }

    /// Logs out with the button of our page.
    pub(crate) async fn logs_out(&self) -> Answer {
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
    /// Returns the authenticated actor, for tests of what happens after the authentication.
    pub(crate) async fn authenticated(&self) -> Arc<Actor> {
        let (access, now) = (&self.world.app.access, self.world.app.clock.now());
        let bearer = format!("Bearer {}", self.token).try_into().unwrap();
        let presented = RawCredential::in_headers(
            &HeaderMap::from_iter([(header::AUTHORIZATION, bearer)]),
            access.cookies,
        );
        let claims = access.verify(&presented.unwrap(), now).unwrap();
        match access.authenticate(&claims, now).await.unwrap() {
            Principal::Authenticated(actor) => actor,
            Principal::Anonymous => panic!("a token is somebody's"),
        }
    }

    pub(crate) async fn asks(&self, query: &str) -> Answer {
        let request = post().header(header::AUTHORIZATION, format!("Bearer {}", self.token));
        self.world.send(request.body(body(query)).unwrap()).await
    }
}
