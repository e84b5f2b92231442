//! Authentication and authorization, and the management of sessions, API tokens, signing keys and
//! organizations.
//!
//! A forged token is rejected without I/O. Authenticating a valid credential takes one
//! `BatchGetItem`, which reads the stakeholder, their memberships and the credential with strong
//! consistency. For a session, it also reads the slot of the default token, because the owner often
//! views or replaces that token. The use of a credential is recorded at most once every ten
//! minutes, so most requests write nothing.

pub mod access_tokens;
pub mod actor;
mod audit;
pub mod claims;
pub(crate) mod crypto;
mod jwk;
pub mod jwt;
mod key;
mod key_entry;
pub mod keys;
pub mod kms;
pub mod loader;
pub mod loaders;
pub mod organizations;
mod rate_limit;
mod renewal;
mod retry;
pub mod sessions;
pub mod stakeholders;

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};

use crate::{
    access::{
        actor::{Actor, Credential, Principal},
        claims::{RawCredential, SessionClaims, VerifiedClaims},
        jwt::{Jwt, TokenClaims},
    },
    domain::{id::UserId, refusal::Refusal, secret::Digest, stakeholder::Owner},
    entropy::Entropy,
    error::Result,
    http::cookies::Cookies,
    store::{Store, StoreError},
    telemetry::{self, Chain},
};

/// The maximum time that a response is delayed to record the use of its credential.
const MAX_RECORDING_TIME: Duration = Duration::from_secs(1);

/// Authenticates requests, and creates and revokes credentials.
pub struct Access {
    pub store: Store,
    pub jwt: Jwt,
    pub entropy: Entropy,
    pub cookies: Cookies,
    /// The operator's reason for disabling the creation of tokens. `None` if it is enabled.
    pub creation_disabled: Option<String>,
    /// How long tokens can renew themselves, counted from the last token that was created in a
    /// session.
    pub renewal_limit: SignedDuration,
}

impl Access {
    /// Performs all checks of a credential that need no I/O.
    ///
    /// # Errors
    ///
    /// `Refused` if the credential is invalid.
    pub fn verify(&self, raw_credential: &RawCredential, now: Timestamp) -> Result<VerifiedClaims> {
        match raw_credential {
            RawCredential::None => Ok(VerifiedClaims::None),
            RawCredential::Bearer(token) => {
                Ok(VerifiedClaims::AccessToken(self.jwt.verify(token, now)?))
            }
            RawCredential::Cookie(value) => {
                let claims = SessionClaims::parse(value).ok_or(Refusal::UnknownSession)?;
                Ok(VerifiedClaims::Session(claims))
            }
        }
    }

    /// Reads the records of a credential and its owner, and checks them.
    ///
    /// Takes one `BatchGetItem`.
    ///
    /// # Errors
    ///
    /// `Refused` if the credential is invalid; `Unavailable` if DynamoDB fails.
    pub async fn authenticate(&self, claims: &VerifiedClaims, now: Timestamp) -> Result<Principal> {
        let actor = match claims {
            VerifiedClaims::None => return Ok(Principal::Anonymous),
            VerifiedClaims::AccessToken(token) => self.authenticate_token(token, now).await?,
            VerifiedClaims::Session(SessionClaims { user, digest }) => {
                self.authenticate_session(user, digest, now).await?
            }
        };
        actor.add_to_log_line();
        Ok(Principal::Authenticated(Arc::new(actor)))
    }

    async fn authenticate_token(&self, claims: &TokenClaims, now: Timestamp) -> Result<Actor> {
        telemetry::update_log_line(|line| line.token_id = Some(claims.token.clone()));
        let found = self.store.access_token_and_owner(&claims.user, &claims.token).await?;
        let (Some(owner), Some(token)) = found else { return Err(Refusal::Invalid.into()) };
        token.check(&claims.digest, &owner.stakeholder, now)?;
        Ok(Actor::with_token(owner, token, claims))
    }

    async fn authenticate_session(
        &self,
        user: &UserId,
        digest: &Digest,
        now: Timestamp,
    ) -> Result<Actor> {
        let found = self.store.session_and_owner(user, digest).await?;
        let (Some(owner), Some(session), slot) = found else {
            return Err(Refusal::UnknownSession.into());
        };
        session.check(digest, &owner.stakeholder, now)?;
        let Owner { stakeholder, memberships } = owner;
        let credential = Credential::Session(session);
        Ok(Actor { stakeholder, memberships, credential, slot, renewal_key: None })
    }

    /// Authenticates the actor again, after a conflict with another request.
    ///
    /// # Errors
    ///
    /// `Refused` if the credential was revoked in the meantime; `Unavailable` if DynamoDB fails.
    async fn authenticate_again(&self, actor: &Actor, now: Timestamp) -> Result<Actor> {
        match &actor.credential {
            Credential::Session(it) => self.authenticate_session(&it.user, &it.digest, now).await,
            Credential::AccessToken(it) => {
                self.authenticate_token(&TokenClaims::from(it), now).await
            }
        }
    }

    /// Records the use of a credential, at most once every ten minutes.
    ///
    /// Await this before the response is sent, because Lambda freezes the process afterwards. A
    /// failure is logged and does not affect the response.
    pub async fn record_use(&self, credential: &Credential, now: Timestamp) {
        let recorded = async {
            match credential {
                Credential::Session(session) if session.should_record_use(now) => {
                    self.store.record_session_use(session, now).await
                }
                Credential::AccessToken(token) if token.should_record_use(now) => {
                    self.store.record_access_token_use(token, now).await
                }
                Credential::Session(_) | Credential::AccessToken(_) => Ok(()),
            }
        };
        let in_time = tokio::time::timeout(MAX_RECORDING_TIME, recorded).await;
        match in_time.unwrap_or_else(|late| Err(StoreError::Unavailable(Box::new(late)))) {
            Ok(()) | Err(StoreError::Stale) => {}
            Err(fault) => {
                let id = telemetry::request_id();
                tracing::warn!(requestId = id, cause = %Chain(&fault), "a use was not recorded");
            }
        }
    }

    /// Creates a random user id.
    fn user_id(&self) -> Result<UserId> {
        Ok(UserId::from_entropy(self.entropy.bytes()?))
    }
}
