//! API tokens: credentials for programs, valid for up to six months.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::{
    id::{TokenId, TokenName, UserId},
    refusal::{Refusal, Revoker},
    rule::{BrokenRule, Rule, RuleCode},
    secret::Digest,
    should_record_use,
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
        "API tokens could renew themselves until {ended_at}. Log in with a browser and create a \
         new one."
    ))
}

/// The record of an API token. It does not contain the token.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessToken {
    pub user: UserId,
    pub id: TokenId,
    /// The slot that the token was created for.
    pub name: TokenName,
    /// The digest of the token's secret, the claim `jti`.
    #[serde(rename = "h")]
    pub digest: Digest,
    /// The owner's epoch when the token was created.
    pub epoch: u64,
    #[serde(rename = "iat", with = "jiff::fmt::serde::timestamp::second::required")]
    pub issued_at: Timestamp,
    /// The token is invalid from this instant on.
    #[serde(rename = "exp", with = "jiff::fmt::serde::timestamp::second::required")]
    pub expires_at: Timestamp,
    /// When a session created the first token of the chain. A token that renews itself passes this
    /// time on to the new token. `None` for a token that a session created.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "jiff::fmt::serde::timestamp::second::optional"
    )]
    pub chain_started_at: Option<Timestamp>,
    pub state: RecordedState,
    /// The exact time of the first use.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "jiff::fmt::serde::timestamp::second::optional"
    )]
    pub first_used_at: Option<Timestamp>,
    /// The time of the last recorded use.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "jiff::fmt::serde::timestamp::second::optional"
    )]
    pub last_used_at: Option<Timestamp>,
}

/// The recorded state: whether a token was revoked or replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "camelCase")]
pub enum RecordedState {
    /// Neither revoked nor replaced. The token can be expired.
    Active,
    Revoked {
        #[serde(with = "jiff::fmt::serde::timestamp::second::required")]
        at: Timestamp,
        by: Revoker,
    },
    /// A newer token is in its slot.
    Replaced {
        #[serde(with = "jiff::fmt::serde::timestamp::second::required")]
        at: Timestamp,
        successor: TokenId,
    },
}

/// The state of a token, as its owner sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenState {
    Active,
    Expired,
    Revoked {
        /// `None` if all tokens were revoked at once.
        at: Option<Timestamp>,
        by: Revoker,
    },
    /// A newer token is in its slot.
    Replaced,
}

impl TokenState {
    /// Returns the state of a token at `now`. A token that was revoked or replaced after it
    /// expired stays expired, even if the clock jumps back.
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
    /// Whether the token is active at `now`: not revoked, not replaced, not expired, and created
    /// in its owner's current epoch.
    #[must_use]
    pub fn is_valid(&self, owner: &Stakeholder, now: Timestamp) -> bool {
        TokenState::at(self, owner, now) == TokenState::Active
    }

    /// Checks that the token is valid at `now`, given the digest of the secret that a client sent.
    ///
    /// # Errors
    ///
    /// [`Refusal::Invalid`] for a wrong digest. Otherwise the first of these reasons that applies:
    /// the token was revoked or replaced, it expired, its owner is disabled, or its owner revoked
    /// all tokens.
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

    /// Returns when a session created the first token of this token's chain.
    #[must_use]
    pub fn chain_started_at(&self) -> Timestamp {
        self.chain_started_at.unwrap_or(self.issued_at)
    }

    /// Whether a use at `now` should be recorded. The first use is always recorded.
    #[must_use]
    pub fn should_record_use(&self, now: Timestamp) -> bool {
        should_record_use(self.last_used_at, now)
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
    #[case::at_its_expiry(
        "1970-01-01T01:00:00Z",
        Err(Refusal::TokenExpired { at: at("1970-01-01T01:00:00Z") })
    )]
    fn a_token_expires_at_its_expiration_time(
        #[case] now: &str,
        #[case] expected: Result<(), Refusal>,
    ) {
        assert_eq!(
            token().check(&Secret::from_entropy([3; 32]).digest(), &owner(), at(now)),
            expected
        );
    }

    #[test]
    fn a_wrong_secret_is_refused_without_the_state_of_the_token() {
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

        assert!(token().should_record_use(now));
        assert!(!used.should_record_use(now));
    }
}
