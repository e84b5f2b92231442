//! HTTP: headers, cookies, media types, Lambda events, and errors as responses.
//!
//! This module finds the credential of a request. `access` verifies it.

pub mod authorization;
pub mod body;
pub mod cookies;
pub mod csrf;
pub mod error_response;
pub mod event;
pub mod form;
pub mod gateway;
pub mod graphql;
pub mod handler;
pub mod negotiation;
pub mod session_marker;

use std::{net::IpAddr, sync::Arc};

use http::{HeaderMap, HeaderName, Request, header::USER_AGENT};
use jiff::Timestamp;
use tokio::time::Instant;
use ulid::Ulid;

/// The header that carries the request's id.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The maximum length of a `User-Agent` header, in characters. The rest is cut off.
const MAX_USER_AGENT: usize = 200;

/// The facts about a request that do not depend on its credential. It is created once, when the
/// request arrives, and passed on as data. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct RequestContext {
    /// When the request arrived, in whole seconds.
    pub now: Timestamp,
    /// The id of the request in the response, the log and the audit log.
    pub request_id: Ulid,
    /// The client's IP address as the gateway saw it. It never comes from a header.
    pub client_address: Option<IpAddr>,
    /// The `User-Agent` header: at most 200 characters, none of them a control character.
    pub user_agent: Option<Arc<str>>,
    /// When a request that takes too long is cancelled and the client gets an error.
    pub deadline: Instant,
}

impl RequestContext {
    /// Creates the context of a request that arrived at `now`.
    #[must_use]
    pub fn of<B>(
        request: &Request<B>,
        now: Timestamp,
        request_id: Ulid,
        deadline: Instant,
    ) -> Self {
        let client_address = request.extensions().get::<ClientAddress>().and_then(|it| it.0);
        let user_agent = user_agent(request.headers());
        Self { now, request_id, client_address, user_agent, deadline }
    }
}

/// Marks a request of [`handler::warm_up`], so that it is neither logged nor counted.
#[derive(Clone, Copy, Debug)]
pub struct WarmUp;

/// The client's IP address as the gateway saw it, in the extensions of a request. Only
/// [`RequestContext`] reads it there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClientAddress(pub Option<IpAddr>);

/// The gateway's id of the request, which its access log contains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayRequestId(pub String);

fn user_agent(headers: &HeaderMap) -> Option<Arc<str>> {
    let text = headers.get(USER_AGENT)?.to_str().ok()?;
    let kept: String = text.chars().filter(|it| !it.is_control()).take(MAX_USER_AGENT).collect();
    Some(kept.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_agent_is_kept_in_200_characters_without_control_characters() {
        let text = format!("curl/8\t{}", "x".repeat(300));
        let headers = HeaderMap::from_iter([(USER_AGENT, text.parse().unwrap())]);

        let kept = user_agent(&headers).unwrap();

        assert_eq!(*kept, format!("curl/8{}", "x".repeat(194)));
    }
}
