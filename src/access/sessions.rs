//! Browser sessions: opened by a login, ended by a logout.

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
    /// Opens a session with a new secret, and creates the cookie that holds it. The session that
    /// the browser had before is ended in the same transaction. If the owner's record changes
    /// meanwhile, it is read again.
    ///
    /// # Errors
    ///
    /// `Refused` for a disabled stakeholder; `Conflict` when their record changed each time;
    /// `Unavailable` when DynamoDB fails.
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
                // The session to be replaced is not open.
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

    /// Returns the session that a login ends: the one in the browser's cookie. Anybody who has
    /// the secret of a session may end it.
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

    /// Ends the session of `actor`. Succeeds if it is already ended, and does nothing for a
    /// token.
    ///
    /// # Errors
    ///
    /// `Conflict` when other requests were faster each time; `Unavailable` when
    /// DynamoDB fails.
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

    /// Whether a session that could not be ended is still open. A conflict alone does not say
    /// so: it can be about another record.
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
