//! When an API token may end.

use jiff::{SignedDuration, Timestamp, ToSpan, tz::TimeZone};

use crate::domain::CLOCK_SKEW;

/// From this many seconds on a Unix time is surely one in milliseconds: as
/// seconds it would lie in the year 5138, as milliseconds in 1973.
const SURELY_MILLISECONDS: i64 = 100_000_000_000;

/// When a token made now may end: the one rule, for the server and for forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExpirationPolicy {
    /// The earliest: the next second.
    pub min: Timestamp,
    /// The latest: six calendar months from now in UTC, and never less than 26 weeks; earlier
    /// where a token renews itself and the time in which it can do so ends before.
    pub max: Timestamp,
    /// When tokens can renew themselves no longer, where that is what bounds `max`.
    pub renewal_ends_at: Option<Timestamp>,
}

/// A token may not end when it was asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Exception - Invalid Expiration Time")]
pub struct InvalidExpiration {
    /// What would have been accepted.
    pub policy: ExpirationPolicy,
    /// What was asked for, in Unix seconds.
    pub received: i64,
}

impl ExpirationPolicy {
    /// The policy at `now`.
    ///
    /// The original's form offered six calendar months and its server accepted 26
    /// weeks, so on 184 days of a year the last offered day was refused. Whatever
    /// is longer holds here.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        let months =
            now.to_zoned_datetime(TimeZone::UTC).checked_add(6.months()).map(|it| it.timestamp());
        let after = |duration| now.checked_add(duration).unwrap_or(Timestamp::MAX);
        let weeks = after(SignedDuration::from_hours(26 * 7 * 24));
        let max = months.unwrap_or(weeks).max(weeks);
        Self { min: after(SignedDuration::from_secs(1)), max, renewal_ends_at: None }
    }

    /// The policy for a token that renews itself, which it can do until `ends_at`.
    #[must_use]
    pub fn until(self, ends_at: Timestamp) -> Self {
        if ends_at < self.max {
            Self { max: ends_at, renewal_ends_at: Some(ends_at), ..self }
        } else {
            self
        }
    }

    /// Whether a token may end then, in Unix seconds; both ends of the policy are included.
    #[must_use]
    pub fn allows(self, expiration_time: i64) -> bool {
        (self.min.as_second()..=self.max.as_second()).contains(&expiration_time)
    }

    /// Parses an expiration time in Unix seconds. One that exceeds the maximum by no more than
    /// [`CLOCK_SKEW`] becomes the maximum: the client's clock may be ahead of ours.
    ///
    /// # Errors
    ///
    /// [`InvalidExpiration`] unless it lies within the policy.
    pub fn parse(self, received: i64) -> Result<Timestamp, InvalidExpiration> {
        let max = self.max.as_second();
        let is_cut = received > max && received <= max.saturating_add(CLOCK_SKEW.as_secs());
        let expiration_time = if is_cut { max } else { received };
        let parsed =
            Timestamp::from_second(expiration_time).ok().filter(|_| self.allows(expiration_time));
        parsed.ok_or(InvalidExpiration { policy: self, received })
    }
}

impl InvalidExpiration {
    /// The time in seconds that was surely meant, when milliseconds were sent.
    #[must_use]
    pub fn meant_seconds(&self) -> Option<i64> {
        (self.received >= SURELY_MILLISECONDS).then_some(self.received / 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[rstest]
    #[case::to_the_last_day_of_february("2026-08-31T10:00:00Z", "2027-03-01T10:00:00Z")]
    #[case::to_the_leap_day("2027-08-31T10:00:00Z", "2028-02-29T10:00:00Z")]
    #[case::a_long_half_year("2026-03-15T00:00:00Z", "2026-09-15T00:00:00Z")]
    #[case::a_short_half_year_is_26_weeks("2026-08-30T10:00:00Z", "2027-02-28T10:00:00Z")]
    fn the_latest_expiry_is_six_calendar_months_or_26_weeks(#[case] now: &str, #[case] max: &str) {
        assert_eq!(ExpirationPolicy::at(at(now)).max, at(max));
    }

    #[test]
    fn on_no_day_of_four_years_is_the_policy_below_either_rule() {
        let start = at("2026-01-01T15:00:00Z");
        for now in (0..4 * 366).map(|day| start + SignedDuration::from_hours(day * 24)) {
            let max = ExpirationPolicy::at(now).max;

            assert!(max >= now + SignedDuration::from_hours(26 * 7 * 24), "{now}");
            assert!(
                max >= now
                    .to_zoned_datetime(TimeZone::UTC)
                    .checked_add(6.months())
                    .unwrap()
                    .timestamp(),
                "{now}"
            );
        }
    }

    #[rstest]
    #[case::the_next_second(1, true)]
    #[case::now(0, false)]
    #[case::a_second_ago(-1, false)]
    #[case::the_maximum(15_724_800, true)]
    #[case::a_second_beyond(15_724_801 + 86_400, false)]
    fn both_ends_of_the_policy_are_allowed(#[case] seconds: i64, #[case] is_allowed: bool) {
        let now = at("2026-11-23T12:00:00Z");

        assert_eq!(ExpirationPolicy::at(now).parse(now.as_second() + seconds).is_ok(), is_allowed);
    }

    #[rstest]
    #[case::the_maximum(0, Some(0))]
    #[case::a_clock_a_second_fast(1, Some(0))]
    #[case::a_clock_a_minute_fast(60, Some(0))]
    #[case::a_clock_that_is_simply_wrong(61, None)]
    fn an_end_beyond_the_maximum_by_the_skew_of_clocks_is_cut(
        #[case] beyond: i64,
        #[case] expected: Option<i64>,
    ) {
        let policy = ExpirationPolicy::at(at("2026-11-23T12:00:00Z"));
        let max = policy.max.as_second();

        let parsed = policy.parse(max + beyond).ok();

        assert_eq!(parsed.map(|it| it.as_second() - max), expected);
    }

    #[rstest]
    #[case(1_893_456_000_000, Some(1_893_456_000))]
    #[case(1_577_854_799, None)]
    #[case(i64::MIN, None)]
    #[case(0, None)]
    fn milliseconds_are_recognised(#[case] received: i64, #[case] meant: Option<i64>) {
        let refused = ExpirationPolicy::at(at("2026-11-23T12:00:00Z")).parse(received).unwrap_err();

        assert_eq!(refused.meant_seconds(), meant);
    }
}
