//! The expiration times that API tokens may have.

use jiff::{SignedDuration, Timestamp, ToSpan, tz::TimeZone};
use serde_json::Value;

use crate::domain::{
    CLOCK_SKEW,
    rule::{BrokenRule, Rule, RuleCode},
};

/// The expiration time is outside the policy, or is not an integer. The error also has the
/// members `min`, `max` and `received`.
pub const INVALID_EXPIRATION_TIME: Rule = Rule {
    reason: "INVALID_EXPIRATION_TIME",
    code: RuleCode::BadUserInput,
    message: "Exception - Invalid Expiration Time",
    hint: "a Unix timestamp in seconds is expected",
};

/// The smallest number that is assumed to be milliseconds by mistake. In seconds, it is a time in
/// the year 5138; in milliseconds, one in 1973.
const MIN_MILLISECONDS: i64 = 100_000_000_000;

/// The range of expiration times that a new token may have, in the API and in forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExpirationPolicy {
    /// The next second.
    pub min: Timestamp,
    /// Six calendar months from now in UTC, and at least 26 weeks; for a token that renews itself,
    /// at most `renewal_ends_at`.
    pub max: Timestamp,
    /// When tokens can no longer renew themselves, if this bounds `max`.
    pub renewal_ends_at: Option<Timestamp>,
}

impl ExpirationPolicy {
    /// The policy at `now`.
    ///
    /// Six calendar months can be longer or shorter than 26 weeks, so the maximum is the longer of
    /// the two.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        let months =
            now.to_zoned_datetime(TimeZone::UTC).checked_add(6.months()).map(|it| it.timestamp());
        let after = |duration| now.checked_add(duration).unwrap_or(Timestamp::MAX);
        let weeks = after(SignedDuration::from_hours(26 * 7 * 24));
        let max = months.unwrap_or(weeks).max(weeks);
        Self { min: after(SignedDuration::from_secs(1)), max, renewal_ends_at: None }
    }

    /// The policy for a token that can renew itself until `ends_at`.
    #[must_use]
    pub fn until(self, ends_at: Timestamp) -> Self {
        if ends_at < self.max {
            Self { max: ends_at, renewal_ends_at: Some(ends_at), ..self }
        } else {
            self
        }
    }

    /// Whether a token may expire at a time in Unix seconds. `min` and `max` are allowed.
    #[must_use]
    pub fn allows(self, expiration_time: i64) -> bool {
        (self.min.as_second()..=self.max.as_second()).contains(&expiration_time)
    }

    /// Parses an expiration time in Unix seconds. One that exceeds the maximum by no more than
    /// [`CLOCK_SKEW`] becomes the maximum: the client's clock may be ahead of the server's.
    ///
    /// # Errors
    ///
    /// [`INVALID_EXPIRATION_TIME`] unless the policy allows it.
    pub fn parse(self, received: i64) -> Result<Timestamp, BrokenRule> {
        let max = self.max.as_second();
        let is_cut = received > max && received <= max.saturating_add(CLOCK_SKEW.as_secs());
        let expiration_time = if is_cut { max } else { received };
        let parsed =
            Timestamp::from_second(expiration_time).ok().filter(|_| self.allows(expiration_time));
        parsed.ok_or_else(|| self.reject(received.into(), self.hint(received)))
    }

    /// Rejects an expiration time that is not an integer. `received` is the value from the client.
    #[must_use]
    pub fn reject_type(self, received: Value) -> BrokenRule {
        let number = received.as_str().filter(|it| it.parse::<i64>().is_ok());
        let first =
            number.map(|it| format!("send {it} as a number, without quotes; ")).unwrap_or_default();
        let (min, max) = (self.min.as_second(), self.max.as_second());
        let hint = format!(
            "{first}an integer is expected: a Unix timestamp in seconds, from {min} to {max} (six \
             months ahead)"
        );
        self.reject(received, hint)
    }

    fn reject(self, received: Value, hint: String) -> BrokenRule {
        let broken = INVALID_EXPIRATION_TIME.broken().with_hint(hint);
        let broken = broken.with("min", self.min.as_second()).with("max", self.max.as_second());
        broken.with("received", received)
    }

    fn hint(self, received: i64) -> String {
        let (min, max) = (self.min.as_second(), self.max.as_second());
        if received >= MIN_MILLISECONDS {
            let seconds = received / 1000;
            format!(
                "looks like milliseconds: use {seconds}; allowed are {min} to {max}, in seconds"
            )
        } else if self.renewal_ends_at.is_some() {
            format!(
                "a Unix timestamp in seconds, from {min} to {max}, is expected: API tokens can \
                 renew themselves until then. To get a later one, log in with a browser and make \
                 a new token"
            )
        } else {
            format!(
                "a Unix timestamp in seconds, from {min} to {max} (six months ahead), is expected"
            )
        }
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
    #[case::milliseconds(1_893_456_000_000, "looks like milliseconds: use 1893456000;")]
    #[case::the_past(1_577_854_799, "a Unix timestamp in seconds,")]
    #[case::the_smallest_number(i64::MIN, "a Unix timestamp in seconds,")]
    #[case::zero(0, "a Unix timestamp in seconds,")]
    fn the_hint_recognizes_milliseconds(#[case] received: i64, #[case] start: &str) {
        let broken = ExpirationPolicy::at(at("2026-11-23T12:00:00Z")).parse(received).unwrap_err();

        assert!(broken.hint.starts_with(start), "{}", broken.hint);
    }
}
