//! Protection from DNS rebinding: local mode rejects requests for other hosts.
//!
//! Another site can make its own name resolve to 127.0.0.1. A browser then treats local mode as
//! that site, so the pages of the site can read the responses of local mode. They cannot change
//! the `Host` header, which still contains the name of the site.

use std::net::IpAddr;

use axum::{
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header::HOST, uri::Authority};

/// The address that local mode listens on.
#[derive(Clone, Copy)]
pub(super) struct Listening(pub(super) IpAddr);

impl Listening {
    /// Whether `host` is `localhost`, a loopback address, or the address that local mode listens
    /// on. If it listens on all addresses, every IP address is accepted, because the attack needs
    /// a host name. Ports are not compared, because containers and tunnels map them.
    fn is_own(self, host: &str) -> bool {
        let Ok(authority) = Authority::try_from(host) else { return false };
        let name = authority.host();
        if name.eq_ignore_ascii_case("localhost") {
            return true;
        }
        let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        address.is_ok_and(|it| it.is_loopback() || self.0 == it || self.0.is_unspecified())
    }
}

/// Rejects a request for another host. A request without a host does not come from a browser.
pub(super) async fn reject_other_hosts(
    State(listening): State<Listening>,
    request: Request<Body>,
    next: Next,
) -> Response {
    let hosts =
        request.headers().get_all(HOST).into_iter().map(|it| it.to_str().unwrap_or_default());
    let mut named = hosts.chain(request.uri().authority().map(Authority::as_str));
    if named.all(|host| listening.is_own(host)) {
        return next.run(request).await;
    }
    let text = "Local mode answers only to its own hosts, such as localhost and 127.0.0.1. \
                Open it under one of these, or send one in the Host header.\n";
    (StatusCode::MISDIRECTED_REQUEST, text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("localhost", true)]
    #[case("LOCALHOST:8089", true)]
    #[case("127.0.0.1:3000", true)]
    #[case("[::1]:3000", true)]
    #[case("192.168.1.5:3000", false)]
    #[case("evil.test", false)]
    #[case("localhost.evil.test", false)]
    #[case("127.0.0.1.evil.test:3000", false)]
    #[case("evil.test@127.0.0.1", true)]
    #[case("", false)]
    fn on_a_loopback_address_only_loopback_addresses_are_own(
        #[case] host: &str,
        #[case] is_own: bool,
    ) {
        assert_eq!(Listening([127, 0, 0, 1].into()).is_own(host), is_own);
    }

    #[rstest]
    #[case("192.168.1.5:3000", true)]
    #[case("evil.test", false)]
    fn on_all_addresses_every_address_is_own_and_no_name_is(
        #[case] host: &str,
        #[case] is_own: bool,
    ) {
        assert_eq!(Listening([0, 0, 0, 0].into()).is_own(host), is_own);
    }

    #[test]
    fn on_an_address_of_the_network_only_that_address_is_own() {
        assert!(Listening([192, 168, 1, 5].into()).is_own("192.168.1.5:3000"));
        assert!(!Listening([192, 168, 1, 5].into()).is_own("192.168.1.6:3000"));
    }
}
