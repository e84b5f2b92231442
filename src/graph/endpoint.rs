//! The door of the graph: an HTTP request in, an HTTP answer out, in the order of the
//! design: form, credential, query, execution.

use std::sync::{Arc, OnceLock};

use async_graphql::ServerError;
use axum::{body::Body, response::Response};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::future::join;
use http::{
    HeaderMap, HeaderValue, Method, Request, StatusCode,
    header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH, SET_COOKIE},
    request::Parts,
};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::{
    access::{
        Access,
        actor::Principal,
        claims::{RawCredential, VerifiedClaims},
    },
    domain::refusal::Refusal,
    error::{Error, RequestFault, Result},
    graph::{
        self, Schema, answer,
        document::Document,
        phase::{Phase, ValidateOnly},
    },
    http::negotiation::AnswerType,
    http::{
        RequestContext,
        body::BodyReader,
        cookies::{CookieName, Cookies},
        csrf::{self, OwnOrigins},
        graphql::GraphqlRequest,
        negotiation,
    },
    telemetry,
};

/// The largest body that is read, in bytes.
const LARGEST_BODY: usize = 4 * 1024 * 1024;
/// The largest body that is read before a credential is known to be good, in bytes.
const LARGEST_ANONYMOUS_BODY: usize = 256_000;
/// What `/api` allows.
pub const METHODS: &str = "GET, HEAD, POST, OPTIONS";

/// The graph behind HTTP.
pub struct Endpoint {
    schema: Schema,
    access: Arc<Access>,
    own_origins: OwnOrigins,
    sdl: OnceLock<(String, HeaderValue)>,
}

impl Endpoint {
    /// The graph, for the users of `access`.
    #[must_use]
    pub fn new(access: Arc<Access>, own_origins: OwnOrigins) -> Self {
        Self {
            schema: graph::schema(Some(Arc::clone(&access))),
            access,
            own_origins,
            sdl: OnceLock::new(),
        }
    }

    /// Answers a request to `/api` that carries a query, or should.
    pub async fn answer(&self, request: Request<Body>, context: &RequestContext) -> Response {
        let (parts, body) = request.into_parts();
        match self.answered(&parts, body, context).await {
            Ok(response) => response,
            Err(error) => refused(&error, &parts.headers, self.access.cookies),
        }
    }

    async fn answered(
        &self,
        parts: &Parts,
        body: Body,
        context: &RequestContext,
    ) -> Result<Response> {
        is_of_method(parts)?;
        let raw_credential = self.raw_credential(parts)?;
        let answer_type = AnswerType::negotiate(&parts.headers)?;
        let claims = self.access.verify(&raw_credential, context.now)?;
        let mut body = BodyReader::new(body);
        let small = small(parts, &mut body, &claims).await?;
        let visitor = match (self.access.authenticate(&claims, context.now).await, small.as_ref()) {
            (Err(refused @ Error::Refused(Refusal::TokenReplaced { .. })), Some(sent)) => {
                return self
                    .repeat_renewal(&claims, sent.clone(), context, answer_type, refused)
                    .await;
            }
            (visitor, _) => visitor?,
        };
        let sent = match small {
            Some(sent) => sent,
            None => GraphqlRequest::from_body(body.read(LARGEST_BODY).await?)?,
        };
        let document = parse(sent, context.now)?;
        Ok(self.executed(document, visitor, context, answer_type).await)
    }

    /// Answers a token that was replaced: where it did so itself a moment ago, and did not get the
    /// answer, it may repeat that call. Everything else is `refused`.
    async fn repeat_renewal(
        &self,
        claims: &VerifiedClaims,
        sent: GraphqlRequest,
        context: &RequestContext,
        answer_type: AnswerType,
        refused: Error,
    ) -> Result<Response> {
        if !Document::is_change(&sent) {
            return Err(refused);
        }
        let actor = self.access.predecessor(claims, context.now).await?;
        let (Some(actor), Ok(document)) = (actor, parse(sent, context.now)) else {
            return Err(refused);
        };
        let phase = Phase::default();
        let visitor = Principal::Authenticated(Arc::new(actor));
        let response = self.run(document, visitor, context, phase.clone()).await;
        let is_failure =
            |it: &ServerError| it.source::<Error>().is_some_and(|it| it.status().is_server_error());
        if is_repeated(&response) || response.errors.iter().any(is_failure) {
            return Ok(answer::answer(response, phase.is_executed(), answer_type, None));
        }
        Err(refused)
    }

    /// What is presented, in a request that our own pages sent where it is a session.
    ///
    /// Where the browser says that another site sent it, that is the answer, whatever
    /// else is wrong; where it says nothing, the body's type is judged first: programs
    /// that forgot it learn what they forgot.
    fn raw_credential(&self, parts: &Parts) -> Result<RawCredential> {
        let raw_credential = RawCredential::in_headers(&parts.headers, self.access.cookies);
        let is_session = matches!(raw_credential, Ok(RawCredential::Cookie(_)));
        if is_session && csrf::has_fetch_site(&parts.headers) {
            self.own_origins.check(&parts.method, &parts.headers)?;
        }
        is_of_media_type(parts)?;
        if is_session {
            self.own_origins.check(&parts.method, &parts.headers)?;
        }
        raw_credential
    }

    /// Executes a query in process, for somebody who is known already.
    ///
    /// # Errors
    ///
    /// `Request` when the query is no GraphQL, or beyond the limits.
    pub async fn execute(
        &self,
        sent: GraphqlRequest,
        visitor: Principal,
        context: &RequestContext,
    ) -> Result<Response> {
        Ok(self
            .executed(Document::parse(sent, context.now)?, visitor, context, AnswerType::default())
            .await)
    }

    async fn executed(
        &self,
        document: Document,
        visitor: Principal,
        context: &RequestContext,
        answer_type: AnswerType,
    ) -> Response {
        let phase = Phase::default();
        let executed = self.run(document, visitor.clone(), context, phase.clone());
        let recorded = async {
            if let Principal::Authenticated(actor) = &visitor {
                self.access.record_use(&actor.credential, context.now).await;
            }
        };
        let (response, ()) = join(executed, recorded).await;
        let warning = match &visitor {
            Principal::Authenticated(actor) => self.access.renewal_ending_soon(actor, context.now),
            Principal::Anonymous => None,
        };
        answer::answer(
            response,
            phase.is_executed(),
            answer_type,
            warning.map(answer::Warning::renewal_ends),
        )
    }

    /// Executes a query. One whose fields are merged is first validated as it was sent.
    async fn run(
        &self,
        document: Document,
        visitor: Principal,
        context: &RequestContext,
        phase: Phase,
    ) -> async_graphql::Response {
        let (mut request, merged) = document.into_requests();
        if let Some(merged) = merged {
            let validated = self.schema.execute(request.data(ValidateOnly)).await;
            if validated.is_err() {
                return validated;
            }
            request = merged;
        }
        self.schema.execute(request.data(visitor).data(context.clone()).data(phase)).await
    }

    /// Answers `GET /api/schema.graphql`: the schema as text.
    pub fn schema(&self, request: &Parts) -> Response {
        let (text, etag) = self.sdl.get_or_init(|| {
            let text = graph::sdl();
            let etag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(Sha256::digest(&text)));
            (text, HeaderValue::try_from(etag).unwrap_or(HeaderValue::from_static("\"\"")))
        });
        let is_known = is_known(&request.headers, etag);
        let mut response =
            Response::new(if is_known { Body::empty() } else { Body::from(text.clone()) });
        *response.status_mut() = if is_known { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
        response.headers_mut().insert(ETAG, etag.clone());
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        response
    }
}

/// Answers what was refused; a session that does not hold is taken from the browser.
fn refused(error: &Error, headers: &HeaderMap, cookies: Cookies) -> Response {
    let mut response = answer::refusal(error, AnswerType::negotiate(headers).unwrap_or_default());
    let is_session =
        matches!(RawCredential::in_headers(headers, cookies), Ok(RawCredential::Cookie(_)));
    let is_clocks = matches!(error, Error::Refused(Refusal::NotYetValid { .. }));
    if is_session && matches!(error, Error::Refused(_)) && !is_clocks {
        response.headers_mut().append(SET_COOKIE, cookies.delete(CookieName::Session));
    }
    response
}

/// Parses a query, and notes the name of its operation for the log.
fn parse(sent: GraphqlRequest, now: Timestamp) -> Result<Document> {
    let document = Document::parse(sent, now)?;
    if let Some(name) = document.name() {
        telemetry::note(|line| line.operation = Some(name));
    }
    Ok(document)
}

/// Whether a change was made without errors, so that there is more than `__typename`.
fn is_repeated(response: &async_graphql::Response) -> bool {
    let async_graphql::Value::Object(fields) = &response.data else { return false };
    response.is_ok() && fields.values().any(|it| matches!(it, async_graphql::Value::Object(_)))
}

/// Whether the client has what `etag` names: also as one of several, or weakened by
/// a cache on the way (RFC 9110, section 13.1.2).
fn is_known(headers: &HeaderMap, etag: &HeaderValue) -> bool {
    let texts = headers.get_all(IF_NONE_MATCH).iter().filter_map(|it| it.to_str().ok());
    let mut tags = texts.flat_map(|it| it.split(',')).map(str::trim);
    tags.any(|it| it == "*" || it.strip_prefix("W/").unwrap_or(it) == etag)
}

/// Whether the method is one that carries a query, and may carry this one: by GET
/// nothing is changed, whoever asks and from wherever.
fn is_of_method(parts: &Parts) -> Result<()> {
    match parts.method {
        Method::GET => {
            let sent = GraphqlRequest::from_query_string(&parts.uri).ok().flatten();
            let is_change = sent.as_ref().is_some_and(Document::is_change);
            if is_change { Err(RequestFault::Method { allow: "POST" }.into()) } else { Ok(()) }
        }
        Method::POST => Ok(()),
        _ => Err(RequestFault::Method { allow: METHODS }.into()),
    }
}

/// Whether the body is one that is read.
fn is_of_media_type(parts: &Parts) -> Result<()> {
    if parts.method == Method::POST {
        Ok(negotiation::check_json_body(&parts.headers)?)
    } else {
        Ok(())
    }
}

/// The query that was sent; `None` when its body is larger than anybody may send, and is
/// read on when the credential is known to be good.
async fn small(
    parts: &Parts,
    body: &mut BodyReader,
    claims: &VerifiedClaims,
) -> Result<Option<GraphqlRequest>> {
    if parts.method == Method::GET {
        let sent = GraphqlRequest::from_query_string(&parts.uri)?;
        return Ok(Some(
            sent.ok_or_else(|| RequestFault::Malformed("The request has no `query`".to_owned()))?,
        ));
    }
    match body.read(LARGEST_ANONYMOUS_BODY).await {
        Ok(bytes) => GraphqlRequest::from_body(bytes).map(Some),
        Err(RequestFault::TooLarge { .. }) if !matches!(claims, VerifiedClaims::None) => Ok(None),
        Err(fault) => Err(fault.into()),
    }
}
