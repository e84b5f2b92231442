//! The routes, and the middleware that all requests pass. Lambda and local mode use the same
//! routers.

use std::{any::Any, sync::Arc, time::Duration};

use axum::{
    Extension, Router,
    body::Body,
    extract::{Path, State},
    middleware::{self, Next},
    response::{IntoResponse, Redirect, Response},
    routing::{any, get, post},
};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode,
    header::{
        ACCEPT, ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, COOKIE,
        ORIGIN, REFERRER_POLICY, RETRY_AFTER, STRICT_TRANSPORT_SECURITY, VARY, WWW_AUTHENTICATE,
        X_CONTENT_TYPE_OPTIONS,
    },
    request::Parts,
};
use tower_http::{catch_panic::CatchPanicLayer, compression::CompressionLayer, cors::CorsLayer};

use crate::{
    app::{App, WebApp},
    clock::Clock,
    error::{Error, RequestFault},
    graph::endpoint,
    http::{
        GatewayRequestId, REQUEST_ID, RequestContext, WarmUp, error_response,
        graphql::GraphqlRequest, negotiation, negotiation::ResponseMediaType,
    },
    telemetry,
    web::{
        assets,
        error_page::{self, PageError},
        home, ide, login, logout, organizations,
    },
};

/// The time limit of a request. It is below the timeouts of the functions (15 seconds) and of the
/// gateway (30 seconds), so that clients receive our error response.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// The error for a GET request to a path that accepts only POST.
const POST_ONLY: RequestFault = RequestFault::Method { allow: "POST" };

/// The error for a page that is requested with a method other than GET or HEAD.
const GET_ONLY: RequestFault = RequestFault::Method { allow: "GET, HEAD" };

/// The request headers that responses depend on.
const VARY_HEADERS: [HeaderName; 5] =
    [ACCEPT, ORIGIN, COOKIE, AUTHORIZATION, HeaderName::from_static("sec-fetch-site")];

/// The same headers as the value of `Vary`.
const VARY_VALUE: HeaderValue =
    HeaderValue::from_static("accept, origin, cookie, authorization, sec-fetch-site");

/// The default content security policy: pages load only files of this site, and run nothing inline.
const DEFAULT_CSP: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);

/// Security headers of every response. They also disable browser features that the product does not
/// use.
const FIXED_HEADERS: [(HeaderName, HeaderValue); 5] = [
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static(
            "accelerometer=(), camera=(), geolocation=(), gyroscope=(), magnetometer=(), \
             microphone=(), payment=(), usb=()",
        ),
    ),
];

/// Tells browsers to use only HTTPS.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000; includeSubDomains");

/// The routes of the `api` function.
pub fn api(app: App) -> Router {
    with_middleware(
        "api",
        app.clone(),
        api_routes(app).fallback(async || Error::from(RequestFault::UnknownPath)),
    )
}

/// The routes of the `web` function.
pub fn web(app: WebApp) -> Router {
    with_middleware("web", app.app.clone(), web_routes(app))
}

/// The GraphQL endpoint, and the form that creates a token. The form is here because only the `api`
/// function can sign tokens.
pub(crate) fn api_routes(app: App) -> Router {
    let cors = cors(&app);
    let form = token_form(&app);
    let routes = Router::new()
        .route("/api", any(endpoint))
        .route("/api/", any(endpoint))
        .route(
            "/api/schema.graphql",
            get(async |State(app): State<Arc<App>>, request: Parts| {
                app.endpoint.download_schema(&request)
            }),
        )
        .with_state(Arc::new(app));
    let routes = match cors {
        Some(layer) => routes.layer(layer),
        None => routes,
    };
    routes.merge(form)
}

/// `/home/token`, for browsers without JavaScript. Its response contains a token, so it is not
/// compressed: the length of a compressed response can reveal a secret (BREACH).
fn token_form(app: &App) -> Router {
    let site = Arc::new(app.site(Vec::new()));
    let create = post(home::create_token).fallback(async || Redirect::to("/home#api"));
    let create = create.layer(middleware::from_fn(render_errors_as_json));
    Router::new().route("/home/token", create).with_state(site)
}

/// The web application. Pages are compressed here, because HTTP APIs do not compress responses.
/// Assets are already compressed.
pub(crate) fn web_routes(app: WebApp) -> Router {
    Router::new()
        .route("/", get(login::show))
        .route("/home", get(home::show))
        .route("/orgs", get(organizations::show))
        .route("/login/{provider}", get(begin_login))
        .route("/callback", get(finish_login))
        .route("/callback/{provider}", get(finish_login))
        .route("/logout", post(logout::submit).fallback(async || PageError::from(POST_ONLY)))
        .route("/static/{name}", get(asset))
        .route("/.well-known/jwks.json", get(async |State(app): State<WebApp>| app.site.jwks()))
        .route("/healthz", get(async || "ok\n"))
        .fallback(async || error_page::not_found())
        .method_not_allowed_fallback(async || PageError::from(GET_ONLY))
        .layer(middleware::from_fn(render_errors_as_json))
        .layer(CompressionLayer::new())
        .with_state(app)
}

/// Renders errors as JSON instead of as a page, if the client prefers JSON.
async fn render_errors_as_json(request: Request<Body>, next: Next) -> Response {
    let wants_json = negotiation::wants_json(request.headers());
    let media_type = ResponseMediaType::negotiate(request.headers()).unwrap_or_default();
    let mut response = next.run(request).await;
    if wants_json && let Some(error) = response.extensions_mut().remove::<Error>() {
        error_response::set_body(&mut response, &error, media_type);
    }
    response
}

/// `/api`: the IDE for browsers, the GraphQL endpoint for everything else. HEAD returns the
/// headers of the IDE.
async fn endpoint(
    State(app): State<Arc<App>>,
    Extension(context): Extension<RequestContext>,
    request: Request<Body>,
) -> Response {
    let has_query = GraphqlRequest::is_in_query_string(request.uri());
    match *request.method() {
        Method::GET if !has_query && negotiation::wants_page(request.headers()) => {
            ide::show(&context).into_response()
        }
        Method::HEAD => ide::show(&context).into_response().map(|_| Body::empty()),
        Method::OPTIONS => (StatusCode::NO_CONTENT, [(ALLOW, endpoint::METHODS)]).into_response(),
        _ => app.endpoint.respond(request, &context).await,
    }
}

/// `GET /login/{provider}`: begins a login.
async fn begin_login(
    State(app): State<WebApp>,
    Path(provider): Path<String>,
    Extension(context): Extension<RequestContext>,
    request: Parts,
) -> Result<Response, PageError> {
    let next = login::next(&request.uri);
    Ok(app.identity.begin(&provider, next, &request, &context).await?)
}

/// `GET /callback` and `GET /callback/{provider}`: finishes a login.
async fn finish_login(
    State(app): State<WebApp>,
    Extension(context): Extension<RequestContext>,
    request: Parts,
) -> Result<Response, PageError> {
    Ok(app.identity.finish(&request, &context).await?)
}

/// `GET /static/{name}`: returns an asset.
async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    assets::response(&name, &headers).unwrap_or_else(error_page::not_found)
}

/// Adds the middleware of all requests. It reads the clock, enforces the deadline, logs the
/// request, converts a panic to a response, and sets the headers of the response.
pub(crate) fn with_middleware(name: &'static str, app: App, routes: Router) -> Router {
    let process = middleware::from_fn_with_state((name, Arc::new(app)), process_request);
    routes.layer((process, CatchPanicLayer::custom(respond_to_panic)))
}

async fn process_request(
    State((handler, app)): State<(&'static str, Arc<App>)>,
    mut request: Request<Body>,
    next: Next,
) -> Response {
    let now = app.clock.now();
    let stopwatch = Clock::stopwatch();
    let request_id = app.entropy.ulid(now).unwrap_or_default();
    let context = RequestContext::of(&request, now, request_id, Clock::deadline(REQUEST_TIMEOUT));
    request.extensions_mut().insert(context.clone());
    let is_warm_up = request.extensions().get::<WarmUp>().is_some();

    let function = app.function_name.as_deref().unwrap_or(handler);
    let (mut response, line) =
        telemetry::with_log_line(request_id.to_string(), enforce_deadline(request, context, next))
            .await;

    let header = HeaderValue::try_from(request_id.to_string());
    let header = header.unwrap_or(HeaderValue::from_static("-"));
    response.headers_mut().insert(REQUEST_ID, header);
    set_headers(response.headers_mut(), app.public_url.is_https());
    if !is_warm_up {
        line.write(handler, function, response.status().as_u16(), stopwatch, now);
    }
    response
}

/// Enforces the time limit of a request. Rejects Lambda events that are not valid requests.
async fn enforce_deadline(request: Request<Body>, context: RequestContext, next: Next) -> Response {
    let gateway_request_id = request.extensions().get::<GatewayRequestId>().map(|it| it.0.clone());
    telemetry::update_log_line(|line| {
        line.client_address = context.client_address;
        line.gateway_request_id = gateway_request_id;
    });
    if let Some(fault) = request.extensions().get::<RequestFault>() {
        return Error::from(fault.clone()).into_response();
    }
    let path = Some(request.uri().path().to_owned()).filter(|it| is_loggable(it));
    telemetry::update_log_line(|line| line.operation = path);
    match tokio::time::timeout_at(context.deadline, next.run(request)).await {
        Ok(response) => response,
        Err(too_late) => Error::unavailable(too_late).into_response(),
    }
}

/// Whether a path looks like one of ours. Other paths are not logged, because they can contain
/// anything, even secrets.
fn is_loggable(path: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "/.-_".contains(c);
    path.len() <= 64 && path.chars().all(is_plain)
}

/// Converts a panic to a response. A panic ends only its own request.
#[expect(clippy::needless_pass_by_value, reason = "`CatchPanicLayer` passes the panic by value")]
fn respond_to_panic(panic: Box<dyn Any + Send>) -> Response {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied());
    let cause = format!("panicked: {}", text.unwrap_or("no message"));
    error_response::render(&Error::internal(cause), ResponseMediaType::default())
}

/// Sets the headers of every response. A response can set its own content security policy and its
/// own cache control.
fn set_headers(headers: &mut HeaderMap, is_https: bool) {
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(DEFAULT_CSP);
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    for (name, value) in FIXED_HEADERS {
        headers.insert(name, value);
    }
    if is_https {
        headers.insert(STRICT_TRANSPORT_SECURITY, HSTS);
    }
    set_vary(headers);
}

/// Adds [`VARY_HEADERS`] to `Vary`. Immutable responses are the same for everybody, so they keep
/// their own `Vary`.
fn set_vary(headers: &mut HeaderMap) {
    let is_immutable =
        headers.get(CACHE_CONTROL).is_some_and(|it| it.as_bytes().ends_with(b"immutable"));
    if is_immutable {
        return;
    }
    let own = headers.get_all(VARY).iter().filter(|it| *it != VARY_VALUE);
    let all = std::iter::once(&VARY_VALUE)
        .chain(own)
        .map(HeaderValue::as_bytes)
        .collect::<Vec<_>>()
        .join(&b", "[..]);
    headers.insert(VARY, HeaderValue::from_bytes(&all).unwrap_or(VARY_VALUE));
}

/// Lets scripts of the configured origins call the API with a token. They cannot use a session,
/// because CORS requests with cookies are not allowed. By default, no origins are configured.
fn cors(app: &App) -> Option<CorsLayer> {
    let origins = Some(app.cors_origins.clone()).filter(|it| !it.is_empty())?;
    let layer = CorsLayer::new()
        .allow_origin(origins)
        .vary(VARY_HEADERS)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE])
        .expose_headers([REQUEST_ID, RETRY_AFTER, WWW_AUTHENTICATE]);
    Some(layer)
}
