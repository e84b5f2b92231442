//! The routes of local mode.

use std::net::SocketAddr;

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    middleware::{self, Next},
    response::{IntoResponse, Redirect, Response},
};
use http::{Method, Request, header::HOST};

use crate::{
    app::WebApp,
    http::ClientAddress,
    local::{
        development::{self, TestControls},
        login,
    },
    routes,
};

/// Returns the routes of both functions, and the development login.
pub fn routes(app: WebApp) -> Router {
    routes_with(app, TestControls::default())
}

/// Returns the routes of [`routes()`] and those of the test controls.
pub(super) fn routes_with(web_app: WebApp, controls: TestControls) -> Router {
    let app = web_app.app.clone();
    let paths = routes::web_routes(web_app).merge(routes::api_routes(app.clone()));
    let paths = paths.merge(login::routes(app.clone())).merge(development::routes(controls));
    let localhost = middleware::from_fn(redirect_to_localhost);
    routes::with_middleware("local", app, paths)
        .layer(localhost)
        .layer(middleware::map_request(set_client_address))
}

/// Redirects a browser that opens a page as 127.0.0.1 to the same page on localhost, because
/// browsers treat them as two origins. The port stays: it may be a forwarded one.
async fn redirect_to_localhost(request: Request<Body>, next: Next) -> Response {
    let host = request.headers().get(HOST).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let navigates = request.headers().get("sec-fetch-mode").is_some_and(|it| it == "navigate");
    if navigates
        && request.method() == Method::GET
        && let Some(port) = host.strip_prefix("127.0.0.1")
    {
        let path = request.uri().path_and_query().map_or("/", |it| it.as_str());
        return Redirect::to(&format!("http://localhost{port}{path}")).into_response();
    }
    next.run(request).await
}

/// Adds the client's IP address to the request's extensions, as the Lambda handler does.
async fn set_client_address<B>(mut request: Request<B>) -> Request<B> {
    let address = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|it| it.0.ip());
    request.extensions_mut().insert(ClientAddress(address));
    request
}
