//! Browser sessions: opened by a login, ended by logout.

use std::net::IpAddr;

use http::{HeaderMap, HeaderValue};
use jiff::Timestamp;

use crate::{
    access::Access,
    domain::{
        event::{Event, EventKind},
        id::UserId,
        refusal::Refusal,
        secret::{Digest, Secret},
        session::{SESSION_LIFETIME, Session, SessionState},
        stakeholder::Stakeholder,
    },
    error::{Error, Result},
    http::{
        RequestContext,
        cookies::{CookieName, Cookies},
    },
    store::{StoreError, sessions::ReplacedSession},
};

/// From where somebody logs in.
#[derive(Clone, Debug, Default)]
pub struct ClientInfo {
    /// Which program, as it names itself.
    pub agent: Option<String>,
    /// From which address.
    pub address: Option<IpAddr>,
    /// The session that the browser has so far, which may be nobody's.
    pub session: Option<(UserId, Digest)>,
}

impl ClientInfo {
    /// From where a request comes.
    #[must_use]
    pub fn of(headers: &HeaderMap, cookies: Cookies, context: &RequestContext) -> Self {
        let session = cookies.get(CookieName::Session, headers).ok().flatten();
        Self {
            agent: context.user_agent.as_deref().map(str::to_owned),
            address: context.client_address,
            session: session.as_ref().and_then(parse),
        }
    }
}

/// Reads a cookie's value, `<uid>.<secret>`: whose session, and the secret's digest.
#[must_use]
pub fn parse(value: &Secret) -> Option<(UserId, Digest)> {
    let (user, secret) = value.inspect(|it| {
        it.split_once('.').map(|(user, secret)| (user.to_owned(), Secret::from(secret.to_owned())))
    })?;
    let user = UserId::try_from(user).ok()?;
    (secret.len() == 43).then(|| (user, secret.digest()))
}

impl Access {
    /// Opens a session, always with a new secret, and makes the cookie that holds it. The
    /// session that the browser had so far is ended in the same transaction. Where the owner is
    /// changed meanwhile, they are read again.
    ///
    /// # Errors
    ///
    /// `Refused` for a disabled stakeholder; `Conflict` when their record changed each time;
    /// `Unavailable` when DynamoDB fails.
    pub async fn open_session(
        &self,
        owner: &Stakeholder,
        client: &ClientInfo,
        now: Timestamp,
    ) -> Result<HeaderValue> {
        let secret = Secret::from_entropy(self.entropy.bytes()?);
        let session = Session {
            user: owner.id.clone(),
            digest: secret.digest(),
            epoch: owner.epoch,
            opened_at: now,
            last_seen_at: None,
            agent: client.agent.clone(),
            address: client.address,
            state: SessionState::Open,
        };
        let (session, replaced) = (&session, self.replaced(client, now)?);
        let replaced = replaced.as_ref();
        self.retry_on_conflict(move |attempt| async move {
            let reread =
                if attempt == 1 { None } else { self.store.stakeholder(&owner.id).await? };
            let owner = reread.as_ref().unwrap_or(owner);
            owner.check(owner.epoch, Refusal::UserDisabled)?;
            let session = Session { epoch: owner.epoch, ..session.clone() };
            let event = self.event(&owner.id, EventKind::SessionOpened, now)?;
            match self.store.open_session(owner, &session, &event, replaced).await {
                // The session to be replaced is not open.
                Err(StoreError::Stale) => {
                    Ok(self.store.open_session(owner, &session, &event, None).await?)
                }
                done => Ok(done?),
            }
        })
        .await?;
        let value = format!("{}.{}", owner.id, secret.reveal());
        self.cookies.set(CookieName::Session, &value, SESSION_LIFETIME).map_err(Error::internal)
    }

    /// The session that a login from `place` ends, taken from the browser's cookie: whoever
    /// has the secret of a session may end it.
    fn replaced(&self, client: &ClientInfo, now: Timestamp) -> Result<Option<ReplacedSession>> {
        let Some((user, digest)) = &client.session else { return Ok(None) };
        let event = self.event(user, EventKind::SessionReplaced, now)?;
        Ok(Some(ReplacedSession { digest: digest.clone(), event }))
    }

    /// Ends a session before its time. One that is ended already stays so.
    ///
    /// # Errors
    ///
    /// `Conflict` when other requests were faster each time; `Unavailable` when
    /// DynamoDB fails.
    pub async fn end_session(&self, session: &Session, now: Timestamp) -> Result<()> {
        self.retry_on_conflict(move |_| async move {
            let event = self.event(&session.user, EventKind::SessionEnded, now)?;
            match self.store.end_session(session, &event).await {
                Err(StoreError::Stale) if !self.is_open(&session.user, &session.digest).await? => {
                    Ok(())
                }
                done => Ok(done?),
            }
        })
        .await
    }

    /// Whether a session that could not be ended is open still: a rival at the same
    /// record proves nothing.
    async fn is_open(&self, user: &UserId, digest: &Digest) -> Result<bool> {
        let (_, found, _) = self.store.session_and_owner(user, digest).await?;
        Ok(found.is_some_and(|it| it.state == SessionState::Open))
    }

    /// An entry for the history of credentials.
    pub(super) fn event(&self, user: &UserId, what: EventKind, now: Timestamp) -> Result<Event> {
        Ok(Event { user: user.clone(), id: self.entropy.ulid(now)?, at: now, what })
    }
}
