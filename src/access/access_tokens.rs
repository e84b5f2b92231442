//! Creates, replaces, revokes and lists API tokens.
//!
//! Each token has a named slot, and a slot holds at most one active token. The API uses only the
//! slot `default`.

use jiff::Timestamp;
use ulid::Ulid;

use crate::{
    access::{Access, actor::Actor, jwt::TokenClaims},
    domain::{
        access_token::{
            AccessToken, CREATION_DISABLED, RecordedState, SESSION_REQUIRED, reject_renewal,
        },
        audit::EventKind,
        id::{TokenId, TokenName},
        refusal::Revoker,
        secret::Secret,
    },
    error::{Error, Result},
    http::RequestContext,
    store::{access_tokens::CurrentToken, page::Page},
    telemetry,
};

/// Which token must be in the slot for the new one to be stored.
#[derive(Clone, Copy, Debug)]
pub enum ExpectedToken<'a> {
    /// Any token, or none.
    Any,
    /// The valid token with this id. `None` if the slot must have no valid token.
    Exactly(Option<&'a TokenId>),
}

impl ExpectedToken<'_> {
    fn matches(self, in_slot: Option<&CurrentToken>, now: Timestamp) -> bool {
        match self {
            Self::Any => true,
            Self::Exactly(id) => id == in_slot.filter(|it| it.is_valid(now)).map(|it| &it.token),
        }
    }
}

impl Access {
    /// Returns the active token in the default slot, if any.
    ///
    /// # Errors
    ///
    /// `Unavailable` when DynamoDB fails.
    pub async fn access_token(&self, actor: &Actor, now: Timestamp) -> Result<Option<AccessToken>> {
        let caller_token = actor.credential.access_token();
        if let Some(token) = caller_token.filter(|it| it.name == TokenName::default()) {
            return Ok(Some(token.clone()));
        }
        let token =
            self.store.access_token_in(&actor.stakeholder.id, &TokenName::default()).await?;
        Ok(token.filter(|it| it.is_valid(&actor.stakeholder, now)))
    }

    /// Lists up to `first` of the actor's tokens that `wanted` accepts, newest first, after the
    /// position `after`. A page can be short even if more tokens follow: see
    /// [`Page::read_filtered`].
    ///
    /// # Errors
    ///
    /// `SESSION_REQUIRED` if the credential is a token; `Unavailable` if DynamoDB fails.
    pub async fn access_tokens(
        &self,
        actor: &Actor,
        first: usize,
        after: Option<Ulid>,
        wanted: impl Fn(&AccessToken) -> bool,
        now: Timestamp,
    ) -> Result<Page<AccessToken, Ulid>> {
        if actor.credential.access_token().is_some() {
            return Err(SESSION_REQUIRED.broken().into());
        }
        let owner = &actor.stakeholder.id;
        let read = |after, limit| self.store.access_tokens_of(owner, after, limit, now);
        Ok(Page::read_filtered(first, after, read, wanted).await?)
    }

    /// Creates a token in the default slot. If the slot has a token, replaces it in the same
    /// transaction. The new token is signed before anything is written, so a failure to sign
    /// changes nothing.
    ///
    /// If the actor's token has already been replaced, repeats the renewal and returns its
    /// successor.
    ///
    /// # Errors
    ///
    /// - `CREATION_DISABLED` if the operator disabled the creation of tokens.
    /// - `INVALID_EXPIRATION_TIME` if the expiration time is not allowed.
    /// - `SESSION_REQUIRED` if the credential is a token that is not in the default slot, or that
    ///   can no longer renew itself.
    /// - `Refused` if the credential was revoked in the meantime, or the renewal cannot be
    ///   repeated.
    /// - `RateLimited` if the user creates too many tokens.
    /// - `Conflict` if the token in the slot is not the expected one, or if every attempt conflicts
    ///   with another request.
    /// - `Unavailable` if signing or DynamoDB fails.
    /// - `Internal` if KMS rejects the request.
    pub async fn update_access_token(
        &self,
        actor: &Actor,
        expected: ExpectedToken<'_>,
        expiration_time: i64,
        context: &RequestContext,
    ) -> Result<(Secret, AccessToken)> {
        let now = context.now;
        if let Some(why) = &self.creation_disabled {
            return Err(CREATION_DISABLED.broken().with_hint(why.clone()).into());
        }
        let caller_token = actor.credential.access_token();
        if let Some(replaced) = caller_token.filter(|it| it.state != RecordedState::Active) {
            return self.repeat_renewal(actor, replaced, expiration_time, now).await;
        }
        let name = TokenName::default();
        if caller_token.is_some_and(|it| it.name != name) {
            return Err(SESSION_REQUIRED.broken().into());
        }
        let policy = self.expiration_policy(actor, now);
        if let Some(at) = policy.renewal_ends_at.filter(|at| *at < policy.min) {
            return Err(reject_renewal(at).into());
        }
        let expires_at = policy.parse(expiration_time)?;
        let id = TokenId::from_entropy(self.entropy.bytes()?);
        let secret = self.new_secret(actor, &id, expiration_time)?;
        let token = new_token(actor, id, name, &secret, expires_at, now);
        let signed = self.jwt.sign(&TokenClaims::from(&token), &secret).await?;
        self.replace(actor, &token, expected, context).await?;
        telemetry::update_log_line(|line| line.tokens_created += 1);
        Ok((signed, token))
    }

    /// Stores a token in its slot.
    ///
    /// The first attempt reuses the records that authentication read, if they are sufficient. If
    /// the token in the slot is not the expected one, this fails at once, without a retry.
    async fn replace(
        &self,
        actor: &Actor,
        token: &AccessToken,
        expected: ExpectedToken<'_>,
        context: &RequestContext,
    ) -> Result<()> {
        let now = context.now;
        let stored = self.retry_on_conflict(move |attempt| async move {
            let fresh_actor =
                if attempt == 1 { None } else { Some(self.authenticate_again(actor, now).await?) };
            let Actor { stakeholder: owner, credential, slot, .. } =
                fresh_actor.as_ref().unwrap_or(actor);
            let in_slot = match (credential.access_token(), slot, attempt) {
                (Some(caller_token), ..) => Some(CurrentToken::of(caller_token, owner)),
                (None, None, _) => None,
                (None, Some(slot), 1) if matches!(expected, ExpectedToken::Any) => {
                    Some(slot.token(owner, now))
                }
                (None, Some(slot), _) => Some(self.store.current_token(owner, slot).await?),
            };
            if !expected.matches(in_slot.as_ref(), now) {
                return Ok(false);
            }
            let replaced = in_slot.as_ref().map(|it| it.token.clone());
            let event = EventKind::TokenCreated { token: token.id.clone(), replaced };
            let author = actor.author(context);
            let entry = self.credential_entry(&token.user, author, event, context)?;
            self.store.issue_access_token(owner, token, in_slot.as_ref(), &entry).await?;
            Ok(true)
        });
        if stored.await? { Ok(()) } else { Err(Error::Conflict) }
    }

    /// Revokes the token that authenticated the request or, for a session, the token in the default
    /// slot. Succeeds if there is none, or if it has already been revoked. An expired token can be
    /// revoked too.
    ///
    /// # Errors
    ///
    /// `Conflict` if every attempt conflicts with another request; `Unavailable` if DynamoDB fails.
    pub async fn invalidate_access_token(
        &self,
        actor: &Actor,
        context: &RequestContext,
    ) -> Result<()> {
        let now = context.now;
        let caller_token = actor.credential.access_token();
        let owner = &actor.stakeholder;
        let by = if caller_token.is_some() { Revoker::Holder } else { Revoker::Owner };
        self.retry_on_conflict(move |attempt| async move {
            let token = match (caller_token, attempt) {
                (Some(token), 1) => Some(token.clone()),
                (Some(_), _) => match self.authenticate_again(actor, now).await {
                    Err(Error::Refused(_)) => None,
                    read => read?.credential.access_token().cloned(),
                },
                (None, _) => self.store.access_token_in(&owner.id, &TokenName::default()).await?,
            };
            let Some(token) = token.filter(|it| it.state == RecordedState::Active) else {
                return Ok(());
            };
            let event = EventKind::TokenRevoked { token: token.id.clone() };
            let author = actor.author(context);
            let entry = self.credential_entry(&token.user, author, event, context)?;
            let state = RecordedState::Revoked { at: now, by };
            self.store.revoke_access_token(&token, &state, &entry).await?;
            telemetry::update_log_line(|line| line.tokens_revoked += 1);
            Ok(())
        })
        .await
    }
}

fn new_token(
    actor: &Actor,
    id: TokenId,
    name: TokenName,
    secret: &Secret,
    expires_at: Timestamp,
    now: Timestamp,
) -> AccessToken {
    AccessToken {
        user: actor.stakeholder.id.clone(),
        id,
        name,
        digest: secret.digest(),
        epoch: actor.stakeholder.epoch,
        issued_at: now,
        expires_at,
        chain_started_at: actor.credential.access_token().map(AccessToken::chain_started_at),
        state: RecordedState::Active,
        first_used_at: None,
        last_used_at: None,
    }
}
