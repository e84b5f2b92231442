//! An API token: a credential for programs, made by its owner, up to six months long.

use jiff::{SignedDuration, Timestamp, ToSpan, tz::TimeZone};
use serde::{Deserialize, Serialize};

use crate::domain::{
    id::{TokenId, TokenName, UserId},
    is_use_worth_recording,
    refusal::{Refusal, Revoker},
    secret::Digest,
    stakeholder::Stakeholder,
};

/// From this many seconds on a Unix time is surely one in milliseconds: as
/// seconds it would lie in the year 5138, as milliseconds in 1973.
const SURELY_MILLISECONDS: i64 = 100_000_000_000;

/// What the table holds of an API token. The token itself it does not hold.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessToken {
    /// Whose token it is.
    pub user: UserId,
    /// Its public id.
    pub id: TokenId,
    /// The slot that it was made for.
    pub name: TokenName,
    /// The digest of its secret, the claim `jti`.
    #[serde(rename = "h")]
    pub digest: Digest,
    /// The owner's epoch when it was made.
    pub epoch: u64,
    /// When it was made.
    #[serde(rename = "iat", with = "jiff::fmt::serde::timestamp::second::required")]
    pub issued_at: Timestamp,
    /// When it is over; this instant is no longer part of its life.
    #[serde(rename = "exp", with = "jiff::fmt::serde::timestamp::second::required")]
    pub expires_at: Timestamp,
    /// Whether it was ended before it expired.
    pub state: RecordedState,
    /// When it was first used, exactly.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "jiff::fmt::serde::timestamp::second::optional"
    )]
    pub first_used_at: Option<Timestamp>,
    /// When a use of it was last recorded.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "jiff::fmt::serde::timestamp::second::optional"
    )]
    pub last_used_at: Option<Timestamp>,
}

/// The state that the table holds: whether a token was ended before it expired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "camelCase")]
pub enum RecordedState {
    /// It was not ended. It can be expired.
    Active,
    /// Somebody revoked it.
    Revoked {
        /// When.
        #[serde(with = "jiff::fmt::serde::timestamp::second::required")]
        at: Timestamp,
        /// Who.
        by: Revoker,
    },
    /// A newer token took its slot.
    Replaced {
        /// When.
        #[serde(with = "jiff::fmt::serde::timestamp::second::required")]
        at: Timestamp,
        /// Which one.
        successor: TokenId,
    },
}

/// The state of a token, for its owner to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenState {
    /// It can be used.
    Active,
    /// It has expired.
    Expired,
    /// It was revoked before its time.
    Revoked {
        /// When; unknown where all tokens were revoked at once.
        at: Option<Timestamp>,
        /// By whom.
        by: Revoker,
    },
    /// A newer token took its slot.
    Replaced,
}

impl TokenState {
    /// The state of a token at `now`: what ended it first. A token that was revoked or replaced
    /// after it expired stays expired, also when a clock jumps back.
    #[must_use]
    pub fn at(token: &AccessToken, owner: &Stakeholder, now: Timestamp) -> Self {
        match token.state {
            RecordedState::Revoked { at, by } if at < token.expires_at => Self::Revoked { at: Some(at), by },
            RecordedState::Replaced { at, .. } if at < token.expires_at => Self::Replaced,
            RecordedState::Revoked { .. } | RecordedState::Replaced { .. } => Self::Expired,
            RecordedState::Active if now >= token.expires_at => Self::Expired,
            RecordedState::Active if token.epoch != owner.epoch => {
                Self::Revoked { at: None, by: Revoker::Owner }
            }
            RecordedState::Active => Self::Active,
        }
    }
}

impl AccessToken {
    /// Whether the token lasts at `now`: active, not yet at its expiry, and made in its
    /// owner's present epoch.
    #[must_use]
    pub fn is_live(&self, owner: &Stakeholder, now: Timestamp) -> bool {
        TokenState::at(self, owner, now) == TokenState::Active
    }

    /// Checks whether the token can be used at `now` by someone who presents the digest of its
    /// secret.
    ///
    /// # Errors
    ///
    /// [`Refusal::Invalid`] unless the digest is the token's; then, in this
    /// order, what ended it, that it is over, that its owner is shut out.
    pub fn check(&self, presented: &Digest, owner: &Stakeholder, now: Timestamp) -> Result<(), Refusal> {
        if !self.digest.matches(presented) {
            return Err(Refusal::Invalid);
        }
        match self.state {
            RecordedState::Revoked { at, by } => Err(Refusal::TokenRevoked { at: Some(at), by }),
            RecordedState::Replaced { at, .. } => Err(Refusal::TokenReplaced { at }),
            RecordedState::Active if now >= self.expires_at => {
                Err(Refusal::TokenExpired { at: self.expires_at })
            }
            RecordedState::Active => {
                owner.admits(self.epoch, Refusal::TokenRevoked { at: None, by: Revoker::Owner })
            }
        }
    }

    /// Whether a use at `now` is worth a write. The first one always is.
    #[must_use]
    pub fn is_use_worth_recording(&self, now: Timestamp) -> bool {
        is_use_worth_recording(self.last_used_at, now)
    }
}

/// When a token made now may end: the one rule, for the server and for forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExpirationPolicy {
    /// The earliest: the next second.
    pub min: Timestamp,
    /// The latest: six calendar months from now in UTC, and never less than 26 weeks.
    pub max: Timestamp,
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
        let months = now.to_zoned_datetime(TimeZone::UTC).checked_add(6.months()).map(|it| it.timestamp());
        let after = |duration| now.checked_add(duration).unwrap_or(Timestamp::MAX);
        let weeks = after(SignedDuration::from_hours(26 * 7 * 24));
        Self { min: after(SignedDuration::from_secs(1)), max: months.unwrap_or(weeks).max(weeks) }
    }

    /// Takes an expiration time in Unix seconds.
    ///
    /// # Errors
    ///
    /// [`InvalidExpiration`] unless it lies within the policy, both ends included.
    pub fn parse(self, received: i64) -> Result<Timestamp, InvalidExpiration> {
        let is_within = (self.min.as_second()..=self.max.as_second()).contains(&received);
        let parsed = Timestamp::from_second(received).ok().filter(|_| is_within);
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
    use crate::domain::{email::Email, secret::Secret};
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
                max >= now.to_zoned_datetime(TimeZone::UTC).checked_add(6.months()).unwrap().timestamp(),
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
    #[case(1_893_456_000_000, Some(1_893_456_000))]
    #[case(1_577_854_799, None)]
    #[case(i64::MIN, None)]
    #[case(0, None)]
    fn milliseconds_are_recognised(#[case] received: i64, #[case] meant: Option<i64>) {
        let refused = ExpirationPolicy::at(at("2026-11-23T12:00:00Z")).parse(received).unwrap_err();

        assert_eq!(refused.meant_seconds(), meant);
    }

    fn token() -> AccessToken {
        AccessToken {
            user: UserId::from_entropy([1; 16]),
            id: TokenId::from_entropy([2; 16]),
            name: TokenName::default(),
            digest: Secret::from_entropy([3; 32]).digest(),
            epoch: 0,
            issued_at: Timestamp::UNIX_EPOCH,
            expires_at: at("1970-01-01T01:00:00Z"),
            state: RecordedState::Active,
            first_used_at: None,
            last_used_at: None,
        }
    }

    fn owner() -> Stakeholder {
        let email = Email::try_from("ana@acme.test".to_owned()).unwrap();
        Stakeholder::enrol(UserId::from_entropy([1; 16]), email, "Ana", Timestamp::UNIX_EPOCH)
    }

    #[rstest]
    #[case::a_second_before("1970-01-01T00:59:59Z", Ok(()))]
    #[case::at_its_expiry("1970-01-01T01:00:00Z", Err(Refusal::TokenExpired { at: at("1970-01-01T01:00:00Z") }))]
    fn a_token_is_over_at_its_expiry(#[case] now: &str, #[case] expected: Result<(), Refusal>) {
        assert_eq!(token().check(&Secret::from_entropy([3; 32]).digest(), &owner(), at(now)), expected);
    }

    #[test]
    fn who_does_not_hold_the_secret_learns_nothing_of_the_state() {
        let state = RecordedState::Revoked { at: Timestamp::UNIX_EPOCH, by: Revoker::Owner };
        let revoked = AccessToken { state, ..token() };

        let refusal = revoked.check(&Secret::from_entropy([4; 32]).digest(), &owner(), Timestamp::UNIX_EPOCH);
        assert_eq!(refusal, Err(Refusal::Invalid));
    }

    #[test]
    fn the_first_use_is_always_worth_recording() {
        let now = at("1970-01-01T00:30:00Z");
        let used = AccessToken { last_used_at: Some(at("1970-01-01T00:20:01Z")), ..token() };

        assert!(token().is_use_worth_recording(now));
        assert!(!used.is_use_worth_recording(now));
    }
}
