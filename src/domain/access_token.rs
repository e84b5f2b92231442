//! An API token: a credential for programs, made by its owner, up to six months long.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::{
    id::{TokenId, TokenName, UserId},
    is_use_worth_recording,
    refusal::{Refusal, Revoker},
    rule::{BrokenRule, Rule, RuleCode},
    secret::Digest,
    stakeholder::Stakeholder,
};

pub use crate::domain::expiration::ExpirationPolicy;

/// The operator has switched off the creation of tokens. The hint is the operator's text.
pub const CREATION_DISABLED: Rule = Rule {
    reason: "CREATION_DISABLED",
    code: RuleCode::Forbidden,
    message: "Access denied",
    hint: "API tokens cannot be created at present.",
};

/// A token was sent where a session is required.
pub const SESSION_REQUIRED: Rule = Rule {
    reason: "SESSION_REQUIRED",
    code: RuleCode::Forbidden,
    message: "Access denied",
    hint: "This requires a session: log in with a browser.",
};

/// Rejects a token that could renew itself only until `ended_at`.
#[must_use]
pub fn reject_renewal(ended_at: Timestamp) -> BrokenRule {
    SESSION_REQUIRED.broken().with_hint(format!(
        "API tokens could renew themselves until {ended_at}. Log in with a browser and make a new \
         one."
    ))
}

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
    /// When the first token of its chain was made, by a session. Each token that renews itself
    /// passes it on; a token that a session made has none.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "jiff::fmt::serde::timestamp::second::optional"
    )]
    pub chain_started_at: Option<Timestamp>,
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
            RecordedState::Revoked { at, by } if at < token.expires_at => {
                Self::Revoked { at: Some(at), by }
            }
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
    pub fn check(
        &self,
        presented: &Digest,
        owner: &Stakeholder,
        now: Timestamp,
    ) -> Result<(), Refusal> {
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
                owner.check(self.epoch, Refusal::TokenRevoked { at: None, by: Revoker::Owner })
            }
        }
    }

    /// When the chain of tokens started that this one belongs to: the last time that a session
    /// made one of them.
    #[must_use]
    pub fn chain_started_at(&self) -> Timestamp {
        self.chain_started_at.unwrap_or(self.issued_at)
    }

    /// Whether a use at `now` is worth a write. The first one always is.
    #[must_use]
    pub fn is_use_worth_recording(&self, now: Timestamp) -> bool {
        is_use_worth_recording(self.last_used_at, now)
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

    fn token() -> AccessToken {
        AccessToken {
            user: UserId::from_entropy([1; 16]),
            id: TokenId::from_entropy([2; 16]),
            name: TokenName::default(),
            digest: Secret::from_entropy([3; 32]).digest(),
            epoch: 0,
            issued_at: Timestamp::UNIX_EPOCH,
            expires_at: at("1970-01-01T01:00:00Z"),
            chain_started_at: None,
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
        assert_eq!(
            token().check(&Secret::from_entropy([3; 32]).digest(), &owner(), at(now)),
            expected
        );
    }

    #[test]
    fn who_does_not_hold_the_secret_learns_nothing_of_the_state() {
        let state = RecordedState::Revoked { at: Timestamp::UNIX_EPOCH, by: Revoker::Owner };
        let revoked = AccessToken { state, ..token() };

        let refusal =
            revoked.check(&Secret::from_entropy([4; 32]).digest(), &owner(), Timestamp::UNIX_EPOCH);
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
