//! API tokens that renew themselves: for how long, and how a renewal is repeated after a lost
//! response.
//!
//! A renewal creates the successor of a token. The successor's secret is derived from the old
//! token, so a program that did not receive the response can repeat the call with the old token and
//! gets the same successor. No secret needs to be stored for this.

use jiff::{SignedDuration, Timestamp};

use crate::{
    access::{Access, actor::Actor, claims::VerifiedClaims, jwt::TokenClaims},
    domain::{
        access_token::{AccessToken, ExpirationPolicy, RecordedState},
        id::TokenId,
        refusal::Refusal,
        secret::Secret,
    },
    error::{Error, Result},
    telemetry,
};

/// How long after a renewal the old token can repeat it.
const REPEAT_WINDOW: SignedDuration = SignedDuration::from_mins(1);
/// Responses warn during this period before the token can no longer renew itself.
const WARNING_PERIOD: SignedDuration = SignedDuration::from_hours(14 * 24);
/// The domain separation label for deriving the secrets of successors.
const SUCCESSOR_LABEL: &[u8] = b"arm-api: secret of a successor";

impl Access {
    /// Returns which expiration times are allowed for a token that the actor creates now.
    #[must_use]
    pub fn expiration_policy(&self, actor: &Actor, now: Timestamp) -> ExpirationPolicy {
        let policy = ExpirationPolicy::at(now);
        actor.credential.access_token().map_or(policy, |it| policy.until(self.renewal_ends_at(it)))
    }

    /// Returns the time at which renewals of the actor's token end, if it is at most 14 days away.
    #[must_use]
    pub fn renewal_ending_soon(&self, actor: &Actor, now: Timestamp) -> Option<Timestamp> {
        let ends_at = self.renewal_ends_at(actor.credential.access_token()?);
        (now + WARNING_PERIOD >= ends_at).then_some(ends_at)
    }

    fn renewal_ends_at(&self, token: &AccessToken) -> Timestamp {
        token.chain_started_at().checked_add(self.renewal_limit).unwrap_or(Timestamp::MAX)
    }

    /// Returns the secret for a new token: derived from the current token if that token renews
    /// itself, random otherwise.
    pub(super) fn new_secret(
        &self,
        actor: &Actor,
        token: &TokenId,
        expiration_time: i64,
    ) -> Result<Secret> {
        match successor_secret(actor, token, expiration_time) {
            Some(secret) => Ok(secret),
            None => Ok(Secret::from_entropy(self.entropy.bytes()?)),
        }
    }

    /// Authenticates a token that was replaced within the last minute. The actor can only repeat
    /// the renewal. Returns `None` for any other credential.
    ///
    /// # Errors
    ///
    /// `Unavailable` if DynamoDB fails.
    pub async fn authenticate_replaced_token(
        &self,
        claims: &VerifiedClaims,
        now: Timestamp,
    ) -> Result<Option<Actor>> {
        let VerifiedClaims::AccessToken(claims) = claims else { return Ok(None) };
        let found = self.store.access_token_and_owner(&claims.user, &claims.token).await?;
        let (Some(owner), Some(token)) = found else { return Ok(None) };
        let RecordedState::Replaced { at, .. } = token.state else { return Ok(None) };
        // The token must be valid, except that it was replaced.
        let unreplaced = AccessToken { state: RecordedState::Active, ..token.clone() };
        let is_repeatable = now.duration_since(at) <= REPEAT_WINDOW;
        if !is_repeatable || unreplaced.check(&claims.digest, &owner.stakeholder, now).is_err() {
            return Ok(None);
        }
        let actor = Actor::with_token(owner, token, claims);
        actor.add_to_log_line();
        Ok(Some(actor))
    }

    /// Repeats the renewal of `caller_token`, the actor's token. Returns the same successor, byte
    /// for byte, if the expiration time is the same and the successor has been neither used nor
    /// revoked.
    ///
    /// # Errors
    ///
    /// `Refused` otherwise; `Unavailable` if signing or DynamoDB fails.
    pub(super) async fn repeat_renewal(
        &self,
        actor: &Actor,
        caller_token: &AccessToken,
        expiration_time: i64,
        now: Timestamp,
    ) -> Result<(Secret, AccessToken)> {
        let RecordedState::Replaced { at, successor } = &caller_token.state else {
            return Err(Error::Refused(Refusal::Invalid));
        };
        let replaced = || Error::Refused(Refusal::TokenReplaced { at: *at });
        let secret = successor_secret(actor, successor, expiration_time).ok_or_else(replaced)?;
        let (_, token) = self.store.access_token_and_owner(&caller_token.user, successor).await?;
        let token = token.filter(|it| it.first_used_at.is_none()).ok_or_else(replaced)?;
        token.check(&secret.digest(), &actor.stakeholder, now).map_err(|_| replaced())?;
        let signed = self.jwt.sign(&TokenClaims::from(&token), &secret).await?;
        telemetry::update_log_line(|line| line.is_repeated_renewal = true);
        Ok((signed, token))
    }
}

/// Derives the secret of a successor of the actor's token. Returns `None` for a session.
fn successor_secret(actor: &Actor, successor: &TokenId, expiration_time: i64) -> Option<Secret> {
    let caller_token = actor.credential.access_token()?;
    let key = actor.renewal_key.as_ref()?;
    Some(key.derive(&[
        SUCCESSOR_LABEL,
        caller_token.id.as_str().as_bytes(),
        successor.as_str().as_bytes(),
        &expiration_time.to_be_bytes(),
    ]))
}
