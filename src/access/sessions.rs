//! Browser sessions, which begin with a login and end with a logout.

use http::HeaderValue;

use crate::{
    access::{
        Access,
        actor::{Actor, Credential},
        audit::author,
        claims::SessionClaims,
    },
    domain::{
        audit::{CredentialId, EventKind},
        id::UserId,
        refusal::Refusal,
        secret::{Digest, Secret},
        session::{SESSION_LIFETIME, Session, SessionState},
        stakeholder::Stakeholder,
    },
    error::{Error, Result},
    http::{RequestContext, cookies::CookieName},
    store::{StoreError, sessions::ReplacedSession},
};

impl Access {
    /// Opens a session with a new secret, and returns the cookie that contains it. Ends the
    /// previous session of the browser in the same transaction. If the owner's record changes in
    /// the meantime, it is read again.
    ///
    /// # Errors
    ///
    /// `Refused` for a disabled stakeholder; `Conflict` if every attempt conflicts with another
    /// request; `Unavailable` when DynamoDB fails.
    pub async fn open_session(
        &self,
        owner: &Stakeholder,
        previous: Option<&SessionClaims>,
        context: &RequestContext,
    ) -> Result<HeaderValue> {
        let secret = Secret::from_entropy(self.entropy.bytes()?);
        let session = &new_session(owner, secret.digest(), context);
        let replaced = self.replaced_session(owner, session, previous, context)?;
        let replaced = replaced.as_ref();
        self.retry_on_conflict(move |attempt| async move {
            let reread =
                if attempt == 1 { None } else { self.store.stakeholder(&owner.id).await? };
            let owner = reread.as_ref().unwrap_or(owner);
            owner.check(owner.epoch, Refusal::UserDisabled)?;
            let session = Session { epoch: owner.epoch, ..session.clone() };
            let author = author(owner, Some(CredentialId::Session(session.id())), context);
            let entry =
                self.credential_entry(&owner.id, author, EventKind::SessionOpened, context)?;
            match self.store.open_session(owner, &session, &entry, replaced).await {
                // The previous session has already ended.
                Err(StoreError::Stale) => {
                    Ok(self.store.open_session(owner, &session, &entry, None).await?)
                }
                done => Ok(done?),
            }
        })
        .await?;
        let value = format!("{}.{}", owner.id, secret.reveal());
        self.cookies.set(CookieName::Session, &value, SESSION_LIFETIME).map_err(Error::internal)
    }

    /// Returns the session that the login replaces: the one in the browser's cookie. It may belong
    /// to another user, because the cookie's secret is sufficient to end a session.
    fn replaced_session(
        &self,
        owner: &Stakeholder,
        session: &Session,
        previous: Option<&SessionClaims>,
        context: &RequestContext,
    ) -> Result<Option<ReplacedSession>> {
        let Some(SessionClaims { user, digest }) = previous.cloned() else { return Ok(None) };
        let author = author(owner, Some(CredentialId::Session(session.id())), context);
        let entry = self.credential_entry(&user, author, EventKind::SessionReplaced, context)?;
        Ok(Some(ReplacedSession { user, digest, entry }))
    }

    /// Ends the actor's session. Succeeds if the session has already ended, and does nothing if the
    /// credential is a token.
    ///
    /// # Errors
    ///
    /// `Conflict` if every attempt conflicts with another request; `Unavailable` when DynamoDB
    /// fails.
    pub async fn end_session(&self, actor: &Actor, context: &RequestContext) -> Result<()> {
        let Credential::Session(session) = &actor.credential else { return Ok(()) };
        self.retry_on_conflict(move |_| async move {
            let author = actor.author(context);
            let entry =
                self.credential_entry(&session.user, author, EventKind::SessionEnded, context)?;
            match self.store.end_session(session, &entry).await {
                Err(StoreError::Stale) if !self.is_open(&session.user, &session.digest).await? => {
                    Ok(())
                }
                done => Ok(done?),
            }
        })
        .await
    }

    /// Whether a session is still open. A conflict alone does not mean that the session has ended,
    /// because another record of the transaction may have changed.
    async fn is_open(&self, user: &UserId, digest: &Digest) -> Result<bool> {
        let (_, found, _) = self.store.session_and_owner(user, digest).await?;
        Ok(found.is_some_and(|it| it.state == SessionState::Open))
    }
}

fn new_session(owner: &Stakeholder, digest: Digest, context: &RequestContext) -> Session {
    Session {
        user: owner.id.clone(),
        digest,
        epoch: owner.epoch,
        opened_at: context.now,
        last_seen_at: None,
        agent: context.user_agent.as_deref().map(str::to_owned),
        address: context.client_address,
        state: SessionState::Open,
    }
}
