//! A browser session.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::{
    CLOCK_SKEW,
    id::{SessionId, UserId},
    is_use_worth_recording,
    refusal::Refusal,
    secret::Digest,
    stakeholder::Stakeholder,
};

/// How long a browser session lasts, counted from the login and never extended.
///
/// The document that the product implements says forty minutes.
pub const SESSION_LIFETIME: SignedDuration = SignedDuration::from_mins(40);

/// A browser session: opened by a login, over after forty minutes or when ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// Whose session it is.
    pub user: UserId,
    /// The digest of the secret in the cookie.
    pub digest: Digest,
    /// The owner's epoch at the login.
    pub epoch: u64,
    /// When the login was.
    #[serde(rename = "iat", with = "jiff::fmt::serde::timestamp::second::required")]
    pub opened_at: Timestamp,
    /// When a use of it was last recorded.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "jiff::fmt::serde::timestamp::second::optional"
    )]
    pub last_seen_at: Option<Timestamp>,
    /// Which program logged in, as it named itself.
    pub agent: Option<String>,
    /// From which address.
    pub address: Option<std::net::IpAddr>,
    /// Whether it was ended before its time.
    pub state: SessionState,
}

/// Whether a session was ended before its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "camelCase")]
pub enum SessionState {
    /// It was not; it still ends by itself.
    Open,
    /// It was.
    Ended {
        /// When.
        #[serde(with = "jiff::fmt::serde::timestamp::second::required")]
        at: Timestamp,
        /// By what.
        #[serde(default)]
        why: SessionEnd,
    },
}

/// What ended a session before its time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SessionEnd {
    /// A logout.
    #[default]
    Logout,
    /// A new login in the same browser.
    Replaced,
}

impl Session {
    /// The session's public id.
    #[must_use]
    pub fn id(&self) -> SessionId {
        SessionId::of(&self.digest)
    }

    /// When the session is over: forty minutes after the login.
    #[must_use]
    pub fn ends_at(&self) -> Timestamp {
        self.opened_at + SESSION_LIFETIME
    }

    /// Whether the session lasts at `now`: it begins when opened and is over at
    /// [`ends_at`](Self::ends_at), which is no longer part of it.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.opened_at <= now + CLOCK_SKEW && now < self.ends_at()
    }

    /// Whether the session still opens anything to who presents the
    /// digest of its secret.
    ///
    /// # Errors
    ///
    /// [`Refusal::UnknownSession`] unless the digest is the session's; then, in this order,
    /// that it was ended, that it is from the future, that it is over, that its owner is
    /// shut out.
    pub fn check(
        &self,
        presented: &Digest,
        owner: &Stakeholder,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        if !self.digest.matches(presented) {
            return Err(Refusal::UnknownSession);
        }
        match self.state {
            SessionState::Ended { why: SessionEnd::Logout, .. } => Err(Refusal::SessionEnded),
            SessionState::Ended { why: SessionEnd::Replaced, at } => {
                Err(Refusal::SessionReplaced { at })
            }
            SessionState::Open if self.is_live(now) => {
                owner.check(self.epoch, Refusal::SessionEnded)
            }
            SessionState::Open if now < self.ends_at() => {
                Err(Refusal::NotYetValid { issued_at: self.opened_at })
            }
            SessionState::Open => Err(Refusal::SessionExpired { at: self.ends_at() }),
        }
    }

    /// Whether a use at `now` is worth a write.
    #[must_use]
    pub fn is_use_worth_recording(&self, now: Timestamp) -> bool {
        is_use_worth_recording(Some(self.last_seen_at.unwrap_or(self.opened_at)), now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{email::Email, secret::Secret};
    use rstest::rstest;

    fn secret() -> Digest {
        Secret::from_entropy([3; 32]).digest()
    }

    fn ana() -> Stakeholder {
        let email = Email::try_from("ana@acme.test".to_owned()).unwrap();
        Stakeholder::enrol(UserId::from_entropy([1; 16]), email, "Ana", Timestamp::UNIX_EPOCH)
    }

    fn session() -> Session {
        Session {
            user: ana().id,
            digest: secret(),
            epoch: 0,
            opened_at: Timestamp::UNIX_EPOCH,
            last_seen_at: None,
            agent: None,
            address: None,
            state: SessionState::Open,
        }
    }

    fn after(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
    }

    #[rstest]
    #[case::when_opened(0, true)]
    #[case::at_39_59(2399, true)]
    #[case::at_40_00(2400, false)]
    #[case::an_instance_a_minute_behind(-60, true)]
    #[case::a_clock_that_is_simply_wrong(-61, false)]
    fn a_session_lasts_forty_minutes(#[case] seconds: i64, #[case] is_live: bool) {
        assert_eq!(session().is_live(after(seconds)), is_live);
    }

    #[test]
    fn a_wrong_secret_learns_nothing() {
        let ended = Session {
            state: SessionState::Ended { at: after(1), why: SessionEnd::Logout },
            ..session()
        };
        let wrong = Secret::from_entropy([4; 32]).digest();

        assert_eq!(ended.check(&wrong, &ana(), after(2)), Err(Refusal::UnknownSession));
        assert_eq!(ended.check(&secret(), &ana(), after(2)), Err(Refusal::SessionEnded));
    }

    #[test]
    fn a_session_over_by_time_says_when() {
        let over = Refusal::SessionExpired { at: after(2400) };

        assert_eq!(session().check(&secret(), &ana(), after(2400)), Err(over));
    }

    #[rstest]
    #[case(599, false)]
    #[case(600, true)]
    fn uses_are_recorded_every_ten_minutes(#[case] seconds: i64, #[case] is_worth_it: bool) {
        assert_eq!(session().is_use_worth_recording(after(seconds)), is_worth_it);
    }
}
