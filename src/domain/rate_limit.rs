//! Rate limits: how often something may happen within a window of time.

use std::net::{IpAddr, Ipv6Addr};

use jiff::{SignedDuration, Timestamp};

use crate::domain::id::UserId;

/// A counter of events. Each counter has one record for each window.
#[derive(Clone, Debug)]
pub enum Counter {
    /// Logins started from one network.
    LoginsFrom(Network),
    /// Redirects from identity providers to the callback, from one network.
    CallbacksFrom(Network),
    /// API tokens created by one user.
    TokensOf(UserId),
}

/// The maximum number of events in each window. Windows begin at multiples of their length,
/// counted from the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// The maximum number of events in a window.
    pub limit: u32,
    /// The length of a window: whole seconds, at least one.
    pub window: SignedDuration,
}

/// The network of a client: an IPv4 address, or the first 64 bits of an IPv6 address, since
/// clients usually control all addresses with the same 64 bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network(String);

impl RateLimit {
    /// Creates a limit of `limit` events per minute.
    #[must_use]
    pub const fn per_minute(limit: u32) -> Self {
        Self { limit, window: SignedDuration::from_mins(1) }
    }

    /// Returns when the window that contains `now` began.
    #[must_use]
    pub fn window_start(&self, now: Timestamp) -> Timestamp {
        let length = self.window.as_secs().max(1);
        now - SignedDuration::from_nanos(i64::from(now.subsec_nanosecond()))
            - SignedDuration::from_secs(now.as_second().rem_euclid(length))
    }

    /// Returns when the window that contains `now` ends.
    #[must_use]
    pub fn window_end(&self, now: Timestamp) -> Timestamp {
        self.window_start(now) + self.window
    }

    /// Returns the number of seconds until the next window: at least one.
    #[must_use]
    pub fn retry_after(&self, now: Timestamp) -> u32 {
        let left = self.window_end(now).duration_since(now);
        u32::try_from(left.as_secs()).unwrap_or(u32::MAX).max(1)
    }
}

impl Network {
    /// Returns the network of an address.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self(address.to_string()),
            IpAddr::V6(address) => {
                Self(format!("{}/64", Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))))
            }
        }
    }

    /// The network as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("203.0.113.7", "203.0.113.7")]
    #[case("::ffff:203.0.113.7", "203.0.113.7")]
    #[case("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64")]
    #[case("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64")]
    #[case("2001:db8:1:3::1", "2001:db8:1:3::/64")]
    fn an_ipv6_address_counts_by_its_first_64_bits(#[case] address: IpAddr, #[case] network: &str) {
        assert_eq!(Network::of(address).as_str(), network);
    }

    #[rstest]
    #[case(120, 120, 60)]
    #[case(121, 120, 59)]
    #[case(179, 120, 1)]
    #[case(180, 180, 60)]
    fn a_window_begins_at_the_minute(
        #[case] now: i64,
        #[case] start: i64,
        #[case] retry_after: u32,
    ) {
        let (now, limit) = (Timestamp::from_second(now).unwrap(), RateLimit::per_minute(30));

        assert_eq!(limit.window_start(now).as_second(), start);
        assert_eq!(limit.retry_after(now), retry_after);
    }

    #[test]
    fn the_wait_in_the_last_second_of_a_window_is_a_second() {
        let now = Timestamp::from_millisecond(179_999).unwrap();

        assert_eq!(RateLimit::per_minute(30).window_start(now).as_second(), 120);
        assert_eq!(RateLimit::per_minute(30).retry_after(now), 1);
    }
}
