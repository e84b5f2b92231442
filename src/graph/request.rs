//! Reads a GraphQL request from HTTP: its method, its credential and its body.

use axum::body::Body;
use http::{Method, request::Parts};

use crate::{
    access::claims::{RawCredential, VerifiedClaims},
    error::{RequestFault, Result},
    graph::document::Document,
    http::{
        body::BodyReader,
        cookies::Cookies,
        csrf::{self, OwnOrigins},
        graphql::GraphqlRequest,
        negotiation,
    },
};

/// The maximum length of a body, in bytes.
const MAX_BODY: usize = 4 * 1024 * 1024;
/// The maximum length of a body that is read before the request is authenticated, in bytes.
const MAX_ANONYMOUS_BODY: usize = 256_000;
/// The methods that `/api` allows.
pub(super) const METHODS: &str = "GET, HEAD, POST, OPTIONS";

/// Checks that the method is GET or POST, and that a GET does not contain a mutation.
///
/// # Errors
///
/// [`RequestFault::Method`] if the method is not allowed.
pub(super) fn check_method(parts: &Parts) -> Result<()> {
    match parts.method {
        Method::GET => {
            let request = GraphqlRequest::from_query_string(&parts.uri).ok().flatten();
            let is_mutation = request.as_ref().is_some_and(Document::is_mutation);
            if is_mutation { Err(RequestFault::Method { allow: "POST" }.into()) } else { Ok(()) }
        }
        Method::POST => Ok(()),
        _ => Err(RequestFault::Method { allow: METHODS }.into()),
    }
}

/// Reads the credential, and checks the media type of the body. A session is accepted only if one
/// of our own pages sent the request.
///
/// A browser that sends `Sec-Fetch-Site` gets the cross-site error before any other. Without that
/// header, the media type is checked first, so that a program that does not send `Content-Type` is
/// told so.
///
/// # Errors
///
/// `CrossSite` if another site sent the request; [`RequestFault::MediaType`] if the body is not
/// JSON; as [`RawCredential::from_headers`].
pub(super) fn read_credential(
    parts: &Parts,
    cookies: Cookies,
    own_origins: &OwnOrigins,
) -> Result<RawCredential> {
    let credential = RawCredential::from_headers(&parts.headers, cookies);
    let is_session = matches!(credential, Ok(RawCredential::Cookie(_)));
    if is_session && csrf::has_fetch_site(&parts.headers) {
        own_origins.check(&parts.method, &parts.headers)?;
    }
    if parts.method == Method::POST {
        negotiation::check_json_body(&parts.headers)?;
    }
    if is_session {
        own_origins.check(&parts.method, &parts.headers)?;
    }
    credential
}

/// The body of a request. It is read in two steps, so that a large body is read only after the
/// request has been authenticated.
pub(super) struct RequestBody(BodyReader);

impl RequestBody {
    pub(super) fn new(body: Body) -> Self {
        Self(BodyReader::new(body))
    }

    /// Reads the request from the URL of a GET or from a small body. Returns `None` if the body is
    /// larger and the request has a credential.
    ///
    /// # Errors
    ///
    /// [`RequestFault`] if the request is malformed or too large.
    pub(super) async fn read_small(
        &mut self,
        parts: &Parts,
        claims: &VerifiedClaims,
    ) -> Result<Option<GraphqlRequest>> {
        if parts.method == Method::GET {
            let request = GraphqlRequest::from_query_string(&parts.uri)?;
            let missing = || RequestFault::Malformed("The request has no `query`".to_owned());
            return Ok(Some(request.ok_or_else(missing)?));
        }
        let is_anonymous = matches!(claims, VerifiedClaims::None);
        match self.0.read(MAX_ANONYMOUS_BODY).await {
            Ok(bytes) => GraphqlRequest::from_body(bytes).map(Some),
            Err(RequestFault::TooLarge { .. }) if !is_anonymous => Ok(None),
            Err(fault) => Err(fault.into()),
        }
    }

    /// Reads the request from a body of any allowed size.
    ///
    /// # Errors
    ///
    /// [`RequestFault`] if the request is malformed or too large.
    pub(super) async fn read(&mut self) -> Result<GraphqlRequest> {
        GraphqlRequest::from_body(self.0.read(MAX_BODY).await?)
    }
}
