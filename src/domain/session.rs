//! Browser sessions.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::{
    CLOCK_SKEW,
    id::{SessionId, UserId},
    refusal::Refusal,
    secret::Digest,
    should_record_use,
    stakeholder::Stakeholder,
};

/// How long a session lasts, counted from the login. It is never extended.
pub const SESSION_LIFETIME: SignedDuration = SignedDuration::from_mins(40);

/// The record of a browser session.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    pub user: UserId,
    /// The digest of the secret in the cookie.
    pub digest: Digest,
    /// The owner's epoch when the session was opened.
    pub epoch: u64,
    #[serde(rename = "iat", with = "jiff::fmt::serde::timestamp::second::required")]
    pub opened_at: Timestamp,
    /// The time of the last recorded use.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "jiff::fmt::serde::timestamp::second::optional"
    )]
    pub last_seen_at: Option<Timestamp>,
    /// The browser's `User-Agent` at the login.
    pub agent: Option<String>,
    /// The client IP address of the login.
    pub address: Option<std::net::IpAddr>,
    pub state: SessionState,
}

/// Whether a session was ended before it expired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "camelCase")]
pub enum SessionState {
    /// Not ended. The session can be expired.
    Open,
    Ended {
        #[serde(with = "jiff::fmt::serde::timestamp::second::required")]
        at: Timestamp,
        #[serde(default)]
        why: SessionEnd,
    },
}

/// Why a session was ended before it expired.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SessionEnd {
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

    /// Returns when the session expires.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.opened_at + SESSION_LIFETIME
    }

    /// Whether the session has begun and has not expired at `now`. It expires exactly at
    /// [`expires_at`](Self::expires_at).
    #[must_use]
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.opened_at <= now + CLOCK_SKEW && now < self.expires_at()
    }

    /// Checks that the session is valid at `now`, given the digest of the secret that a client
    /// sent.
    ///
    /// # Errors
    ///
    /// [`Refusal::UnknownSession`] for a wrong digest. Otherwise the first of these reasons that
    /// applies: the session was ended, it was opened in the future, it expired, its owner is
    /// disabled, or its owner revoked all credentials.
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
            SessionState::Open if self.is_valid(now) => {
                owner.check(self.epoch, Refusal::SessionEnded)
            }
            SessionState::Open if now < self.expires_at() => {
                Err(Refusal::NotYetValid { issued_at: self.opened_at })
            }
            SessionState::Open => Err(Refusal::SessionExpired { at: self.expires_at() }),
        }
    }

    /// Whether a use at `now` should be recorded.
    #[must_use]
    pub fn should_record_use(&self, now: Timestamp) -> bool {
        should_record_use(Some(self.last_seen_at.unwrap_or(self.opened_at)), now)
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
    #[case::a_clock_that_is_wrong(-61, false)]
    fn a_session_lasts_forty_minutes(#[case] seconds: i64, #[case] is_valid: bool) {
        assert_eq!(session().is_valid(after(seconds)), is_valid);
    }

    #[test]
    fn a_wrong_secret_is_refused_without_the_state_of_the_session() {
        let ended = Session {
            state: SessionState::Ended { at: after(1), why: SessionEnd::Logout },
            ..session()
        };
        let wrong = Secret::from_entropy([4; 32]).digest();

        assert_eq!(ended.check(&wrong, &ana(), after(2)), Err(Refusal::UnknownSession));
        assert_eq!(ended.check(&secret(), &ana(), after(2)), Err(Refusal::SessionEnded));
    }

    #[test]
    fn an_expired_session_is_refused_with_the_time() {
        let over = Refusal::SessionExpired { at: after(2400) };

        assert_eq!(session().check(&secret(), &ana(), after(2400)), Err(over));
    }

    #[rstest]
    #[case(599, false)]
    #[case(600, true)]
    fn uses_are_recorded_every_ten_minutes(#[case] seconds: i64, #[case] is_worth_it: bool) {
        assert_eq!(session().should_record_use(after(seconds)), is_worth_it);
    }
}
