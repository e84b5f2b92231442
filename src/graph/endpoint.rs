//! The GraphQL endpoint over HTTP.
//!
//! Checks, in this order: the method, the origin (only for a session), the media types, the token's
//! signature, a small body, the credential's record, a large body, the document. Responds with the
//! first error. If there is none, executes the document.

use std::sync::Arc;

use axum::{body::Body, response::Response};
use futures_util::future::join;
use http::{HeaderMap, Request, header::SET_COOKIE, request::Parts};
use jiff::Timestamp;

use crate::{
    access::{
        Access,
        actor::Principal,
        claims::{RawCredential, VerifiedClaims},
    },
    domain::refusal::Refusal,
    error::{Error, Result},
    graph::{
        document::Document,
        execution::{Execution, Executor},
        request::{self, RequestBody},
        response,
        sdl::SchemaFile,
        warning::Warning,
    },
    http::{
        RequestContext,
        cookies::{CookieName, Cookies},
        csrf::OwnOrigins,
        graphql::GraphqlRequest,
        negotiation::ResponseMediaType,
    },
    telemetry,
};

/// The methods that `/api` allows.
pub const METHODS: &str = request::METHODS;

/// The GraphQL endpoint over HTTP.
pub struct Endpoint {
    /// Executes documents without HTTP.
    pub executor: Executor,
    access: Arc<Access>,
    own_origins: OwnOrigins,
    schema_file: SchemaFile,
}

impl Endpoint {
    /// Creates the endpoint. Requests are authenticated by `access`.
    #[must_use]
    pub fn new(access: Arc<Access>, own_origins: OwnOrigins) -> Self {
        let executor = Executor::new(Arc::clone(&access));
        Self { executor, access, own_origins, schema_file: SchemaFile::default() }
    }

    /// Responds to a request to `/api`.
    pub async fn respond(&self, request: Request<Body>, context: &RequestContext) -> Response {
        let (parts, body) = request.into_parts();
        match self.try_respond(&parts, body, context).await {
            Ok(response) => response,
            Err(error) => reject(&error, &parts.headers, self.access.cookies),
        }
    }

    /// Responds to `GET /api/schema.graphql` with the schema as text.
    pub fn download_schema(&self, request: &Parts) -> Response {
        self.schema_file.respond(&request.headers)
    }

    async fn try_respond(
        &self,
        parts: &Parts,
        body: Body,
        context: &RequestContext,
    ) -> Result<Response> {
        request::check_method(parts)?;
        let raw = request::read_credential(parts, self.access.cookies, &self.own_origins)?;
        let media_type = ResponseMediaType::negotiate(&parts.headers)?;
        let claims = self.access.verify(&raw, context.now)?;
        let mut body = RequestBody::new(body);
        let small_request = body.read_small(parts, &claims).await?;
        let principal = match (self.access.authenticate(&claims, context.now).await, &small_request)
        {
            (Err(error @ Error::Refused(Refusal::TokenReplaced { .. })), Some(request)) => {
                let execution = self.repeat_renewal(&claims, request, context).await?;
                return execution.map(|it| response::render(it, media_type)).ok_or(error);
            }
            (principal, _) => principal?,
        };
        let request = match small_request {
            Some(request) => request,
            None => body.read().await?,
        };
        let document = parse(request, context.now)?;
        let execution = self.execute(document, principal, context).await;
        Ok(response::render(execution, media_type))
    }

    /// Executes a document and records the use of the credential, both at the same time.
    async fn execute(
        &self,
        document: Document,
        principal: Principal,
        context: &RequestContext,
    ) -> Execution {
        let execute = self.executor.run(document, principal.clone(), context);
        let Principal::Authenticated(actor) = &principal else { return execute.await };
        let record_use = self.access.record_use(&actor.credential, context.now);
        let (mut execution, ()) = join(execute, record_use).await;
        let renewal_end = self.access.renewal_ending_soon(actor, context.now);
        execution.warnings.extend(renewal_end.map(Warning::renewal_ends));
        execution
    }

    /// Executes a mutation that was sent with a replaced token. A client that renewed its token but
    /// did not receive the response can repeat the mutation for one minute and gets the same
    /// response.
    ///
    /// Returns `None` for all other requests with a replaced token. If a service fails, returns the
    /// execution with that error, so that the client can retry.
    ///
    /// # Errors
    ///
    /// `Unavailable` if DynamoDB fails.
    async fn repeat_renewal(
        &self,
        claims: &VerifiedClaims,
        request: &GraphqlRequest,
        context: &RequestContext,
    ) -> Result<Option<Execution>> {
        if !Document::is_mutation(request) {
            return Ok(None);
        }
        let actor = self.access.authenticate_replaced_token(claims, context.now).await?;
        let (Some(actor), Ok(document)) = (actor, parse(request.clone(), context.now)) else {
            return Ok(None);
        };
        let principal = Principal::Authenticated(Arc::new(actor));
        let execution = self.executor.run(document, principal, context).await;
        let should_return = execution.has_succeeded() || execution.has_service_failure();
        Ok(should_return.then_some(execution))
    }
}

/// Renders the error of a request that was not executed. Deletes the session cookie if the session
/// was refused for a reason other than clock skew.
fn reject(error: &Error, headers: &HeaderMap, cookies: Cookies) -> Response {
    let mut response =
        response::reject(error, ResponseMediaType::negotiate(headers).unwrap_or_default());
    let credential = RawCredential::from_headers(headers, cookies);
    let is_session = matches!(credential, Ok(RawCredential::Cookie(_)));
    let is_clock_skew = matches!(error, Error::Refused(Refusal::NotYetValid { .. }));
    if is_session && matches!(error, Error::Refused(_)) && !is_clock_skew {
        response.headers_mut().append(SET_COOKIE, cookies.delete(CookieName::Session));
    }
    response
}

/// Parses a request, and adds the name of its operation to the request's log line.
fn parse(request: GraphqlRequest, now: Timestamp) -> Result<Document> {
    let document = Document::parse(request, now)?;
    if let Some(name) = document.name() {
        telemetry::update_log_line(|line| line.operation = Some(name));
    }
    Ok(document)
}
