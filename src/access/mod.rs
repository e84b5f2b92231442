//! Who is asking: from a credential to an [`Actor`].
//!
//! A forged token costs no I/O. A good credential costs one `BatchGetItem` and no write when
//! its last use is on record. It reads two items consistently; three for a session, whose
//! owner is likely to look at their token or to replace it.

pub mod access_tokens;
pub mod actor;
mod audit;
pub mod claims;
pub(crate) mod crypto;
pub mod jwt;
mod key;
pub mod keys;
pub mod kms;
mod rate_limit;
mod renewal;
mod retry;
pub mod sessions;
pub mod stakeholders;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::{
    access::{
        actor::{Actor, Credential, Visitor},
        claims::{RawCredential, SessionClaims, VerifiedClaims},
        jwt::{Jwt, Verified},
    },
    domain::{id::UserId, refusal::Refusal, secret::Digest},
    entropy::Entropy,
    error::Result,
    http::cookies::Cookies,
    store::{Store, StoreError},
    telemetry::{self, Chain},
};

/// How long an answer waits for its use to be recorded.
const LONGEST_RECORDING: Duration = Duration::from_secs(1);

/// All that is needed to tell who asks, and to hand out credentials.
pub struct Access {
    /// Where sessions and tokens are kept.
    pub store: Store,
    /// How tokens are written and verified.
    pub jwt: Jwt,
    /// Where ids and secrets come from.
    pub entropy: Entropy,
    /// How the product's cookies are named and set.
    pub cookies: Cookies,
    /// Why no tokens are made at present.
    pub creation_disabled: Option<String>,
    /// For how long tokens can renew themselves, counted from the last that a session made.
    pub renewal_limit: SignedDuration,
}

impl Access {
    /// Looks at a credential as far as that costs no I/O: steps 1 to 5.
    ///
    /// # Errors
    ///
    /// `Refused` when the credential does not hold.
    pub fn verify(&self, raw_credential: &RawCredential, now: Timestamp) -> Result<VerifiedClaims> {
        match raw_credential {
            RawCredential::Nothing => Ok(VerifiedClaims::Nothing),
            RawCredential::Bearer(token) => {
                Ok(VerifiedClaims::AccessToken(self.jwt.verify(token, now)?))
            }
            RawCredential::Cookie(value) => {
                let claims = SessionClaims::parse(value).ok_or(Refusal::UnknownSession)?;
                Ok(VerifiedClaims::Session(claims))
            }
        }
    }

    /// Finds out who asks, in one round trip.
    ///
    /// # Errors
    ///
    /// `Refused` when the credential does not hold; `Unavailable` when DynamoDB
    /// fails: that is never taken for either answer.
    pub async fn authenticate(&self, claims: &VerifiedClaims, now: Timestamp) -> Result<Visitor> {
        let actor = match claims {
            VerifiedClaims::Nothing => return Ok(Visitor::Nobody),
            VerifiedClaims::AccessToken(verified) => self.by_access_token(verified, now).await?,
            VerifiedClaims::Session(SessionClaims { user, digest }) => {
                self.by_session(user, digest, now).await?
            }
        };
        actor.note();
        Ok(Visitor::Somebody(Box::new(actor)))
    }

    async fn by_access_token(&self, verified: &Verified, now: Timestamp) -> Result<Actor> {
        telemetry::note(|line| line.token_id = Some(verified.token.clone()));
        let found = self.store.access_token_and_owner(&verified.user, &verified.token).await?;
        let (Some(stakeholder), Some(token)) = found else { return Err(Refusal::Invalid.into()) };
        token.check(&verified.digest, &stakeholder, now)?;
        let renewal_key = verified.renewal_key.clone();
        Ok(Actor {
            stakeholder,
            credential: Credential::AccessToken(token),
            slot: None,
            renewal_key,
        })
    }

    async fn by_session(&self, user: &UserId, digest: &Digest, now: Timestamp) -> Result<Actor> {
        let found = self.store.session_and_owner(user, digest).await?;
        let (Some(stakeholder), Some(session), slot) = found else {
            return Err(Refusal::UnknownSession.into());
        };
        session.check(digest, &stakeholder, now)?;
        Ok(Actor { stakeholder, credential: Credential::Session(session), slot, renewal_key: None })
    }

    /// Reads again who asks, after a change met another one.
    ///
    /// # Errors
    ///
    /// `Refused` when the credential was ended meanwhile; `Unavailable` when DynamoDB fails.
    async fn reread(&self, actor: &Actor, now: Timestamp) -> Result<Actor> {
        match &actor.credential {
            Credential::Session(it) => self.by_session(&it.user, &it.digest, now).await,
            Credential::AccessToken(it) => self.by_access_token(&Verified::from(it), now).await,
        }
    }

    /// Records that a credential is used, at most every ten minutes.
    ///
    /// It is awaited before the answer, since a frozen instance finishes nothing. The
    /// answer does not depend on it: a use that could not be recorded is logged.
    pub async fn record_use(&self, credential: &Credential, now: Timestamp) {
        let recorded = async {
            match credential {
                Credential::Session(session) if session.is_use_worth_recording(now) => {
                    self.store.record_session_use(session, now).await
                }
                Credential::AccessToken(token) if token.is_use_worth_recording(now) => {
                    self.store.record_access_token_use(token, now).await
                }
                Credential::Session(_) | Credential::AccessToken(_) => Ok(()),
            }
        };
        let in_time = tokio::time::timeout(LONGEST_RECORDING, recorded).await;
        match in_time.unwrap_or_else(|late| Err(StoreError::Unavailable(Box::new(late)))) {
            Ok(()) | Err(StoreError::Stale) => {}
            Err(fault) => {
                tracing::warn!(requestId = telemetry::request_id(), cause = %Chain(&fault), "a use was not recorded");
            }
        }
    }

    /// Draws a user's id.
    fn user_id(&self) -> Result<UserId> {
        Ok(UserId::from_entropy(self.entropy.bytes()?))
    }
}
