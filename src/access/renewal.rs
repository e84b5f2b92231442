//! API tokens that replace themselves: for how long, and what happens when an answer is lost.
//!
//! The secret of a successor is derived from the old token, which only its holder has. So the
//! holder of a token that replaced itself without getting the answer can repeat the call: the
//! successor is derived again, and nothing that opens anything is ever stored.

use jiff::{SignedDuration, Timestamp};

use crate::{
    access::{
        Access,
        actor::{Actor, Credential},
        claims::VerifiedClaims,
        jwt::Verified,
    },
    domain::{
        access_token::{AccessToken, ExpirationPolicy, RecordedState},
        id::TokenId,
        refusal::Refusal,
        secret::Secret,
    },
    error::{Error, Result},
    telemetry,
};

/// For how long a token that replaced itself can repeat the call.
const REPEATABLE: SignedDuration = SignedDuration::from_mins(1);
/// How long before tokens can renew themselves no longer a warning is given.
const WARNING: SignedDuration = SignedDuration::from_hours(14 * 24);
/// What the secret of a successor is derived for.
const SUCCESSOR: &[u8] = b"arm-api: secret of a successor";

impl Access {
    /// Within which times a token may end that is made now by who asks.
    #[must_use]
    pub fn expiration_policy(&self, actor: &Actor, now: Timestamp) -> ExpirationPolicy {
        let policy = ExpirationPolicy::at(now);
        actor
            .credential
            .access_token()
            .map_or(policy, |own| policy.until(self.renewal_ends_at(own)))
    }

    /// When a token and its successors can renew themselves no longer, in the 14 days before.
    #[must_use]
    pub fn renewal_ending_soon(&self, actor: &Actor, now: Timestamp) -> Option<Timestamp> {
        let ends_at = self.renewal_ends_at(actor.credential.access_token()?);
        (now + WARNING >= ends_at).then_some(ends_at)
    }

    fn renewal_ends_at(&self, token: &AccessToken) -> Timestamp {
        token.chain_started_at().checked_add(self.renewal_limit).unwrap_or(Timestamp::MAX)
    }

    /// The secret of a new token: that of a successor is derived, every other one is random.
    pub(super) fn secret_of_new(
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

    /// The holder of a token that replaced itself within the last minute. They may repeat that
    /// call, and nothing else.
    ///
    /// # Errors
    ///
    /// `Unavailable` when DynamoDB fails.
    pub async fn predecessor(
        &self,
        claims: &VerifiedClaims,
        now: Timestamp,
    ) -> Result<Option<Actor>> {
        let VerifiedClaims::AccessToken(verified) = claims else { return Ok(None) };
        let found = self.store.access_token_and_owner(&verified.user, &verified.token).await?;
        let (Some(stakeholder), Some(token)) = found else { return Ok(None) };
        let RecordedState::Replaced { at, .. } = token.state else { return Ok(None) };
        // Everything but the replacement must still hold.
        let before = AccessToken { state: RecordedState::Active, ..token.clone() };
        let is_repeatable = now.duration_since(at) <= REPEATABLE;
        if !is_repeatable || before.check(&verified.digest, &stakeholder, now).is_err() {
            return Ok(None);
        }
        let renewal_key = verified.renewal_key.clone();
        let actor = Actor {
            stakeholder,
            credential: Credential::AccessToken(token),
            slot: None,
            renewal_key,
        };
        actor.note();
        Ok(Some(actor))
    }

    /// Makes again the token with which `actor`'s token replaced itself, if the call is the same
    /// and the successor was neither used nor ended. The answer is the same, byte for byte.
    ///
    /// # Errors
    ///
    /// `Refused` otherwise; `Unavailable` when signing or DynamoDB fails.
    pub(super) async fn repeat_renewal(
        &self,
        actor: &Actor,
        own: &AccessToken,
        expiration_time: i64,
        now: Timestamp,
    ) -> Result<(Secret, AccessToken)> {
        let RecordedState::Replaced { at, successor } = &own.state else {
            return Err(Error::Refused(Refusal::Invalid));
        };
        let refused = || Error::Refused(Refusal::TokenReplaced { at: *at });
        let secret = successor_secret(actor, successor, expiration_time).ok_or_else(refused)?;
        let (_, token) = self.store.access_token_and_owner(&own.user, successor).await?;
        let token = token.filter(|it| it.first_used_at.is_none()).ok_or_else(refused)?;
        token.check(&secret.digest(), &actor.stakeholder, now).map_err(|_| refused())?;
        let shown = self.jwt.write(&Verified::from(&token), &secret).await?;
        telemetry::note(|line| line.is_repeated_renewal = true);
        Ok((shown, token))
    }
}

/// The secret of the successor that `actor`'s token makes for itself, where it is a token.
fn successor_secret(actor: &Actor, successor: &TokenId, expiration_time: i64) -> Option<Secret> {
    let (own, key) = (actor.credential.access_token()?, actor.renewal_key.as_ref()?);
    let (own, successor) = (own.id.as_str().as_bytes(), successor.as_str().as_bytes());
    Some(key.derive(&[SUCCESSOR, own, successor, &expiration_time.to_be_bytes()]))
}
