//! HTTP's vocabulary: headers, cookies, media types, events of Lambda. Who a credential
//! belongs to, and what may be done with it, is not known here.

pub mod answer;
pub mod authorization;
pub mod body;
pub mod cookies;
pub mod csrf;
pub mod event;
pub mod form;
pub mod gateway;
pub mod graphql;
pub mod handler;
pub mod negotiation;
pub mod visit;

use std::net::IpAddr;

use http::{HeaderMap, HeaderName, header::USER_AGENT};
use jiff::Timestamp;

/// The header that carries the request's id.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest name of a program that is kept, in characters.
const LONGEST_AGENT: usize = 200;

/// What the handler knows of every request: the clock is read here, once.
#[derive(Clone, Copy, Debug)]
pub struct RequestContext {
    /// When the request came.
    pub now: Timestamp,
}

/// Marks a request that nobody sent, so that it is neither logged nor counted.
#[derive(Clone, Copy, Debug)]
pub struct WarmUp;

/// The address that a request came from, as the gateway saw it; never what a header
/// claims. Unknown where the event does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Caller(pub Option<IpAddr>);

/// The id that the gateway gave the request, as its access log has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayRequestId(pub String);

/// How the asking program names itself, shortened, without control characters.
#[must_use]
pub fn agent(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(USER_AGENT)?.to_str().ok()?;
    Some(text.chars().filter(|it| !it.is_control()).take(LONGEST_AGENT).collect())
}
