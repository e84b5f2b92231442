//! Browser sessions: opened by a login, ended by logout.

use std::net::IpAddr;

use http::{HeaderValue, request::Parts};
use jiff::Timestamp;

use crate::{
    access::Access,
    domain::{
        event::{Event, Happening},
        id::UserId,
        refusal::Refusal,
        secret::{Digest, Secret},
        session::{SESSION_LIFETIME, Session, SessionState},
        stakeholder::Stakeholder,
    },
    error::{Error, Result},
    http::{Caller, agent},
    store::StoreError,
};

/// From where somebody logs in.
#[derive(Clone, Debug, Default)]
pub struct Place {
    /// Which program, as it names itself.
    pub agent: Option<String>,
    /// From which address.
    pub address: Option<IpAddr>,
}

impl Place {
    /// From where a request comes.
    #[must_use]
    pub fn of(request: &Parts) -> Self {
        let address = request.extensions.get::<Caller>().and_then(|it| it.0);
        Self { agent: agent(&request.headers), address }
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
    /// Opens a session, always with a new secret, and makes the cookie that holds it. Where the
    /// owner is changed meanwhile, they are read again.
    ///
    /// # Errors
    ///
    /// `Refused` for a disabled stakeholder; `Unavailable` when DynamoDB fails.
    pub async fn open_session(
        &self,
        owner: &Stakeholder,
        place: Place,
        now: Timestamp,
    ) -> Result<HeaderValue> {
        let secret = Secret::from_entropy(self.entropy.bytes()?);
        let session = Session {
            user: owner.id.clone(),
            digest: secret.digest(),
            epoch: owner.epoch,
            opened_at: now,
            last_seen_at: None,
            agent: place.agent,
            address: place.address,
            state: SessionState::Open,
        };
        let session = &session;
        self.retry_on_conflict(move |attempt| async move {
            let reread = if attempt == 1 { None } else { self.store.stakeholder(&owner.id).await? };
            let owner = reread.as_ref().unwrap_or(owner);
            owner.admits(owner.epoch, Refusal::UserDisabled)?;
            let session = Session { epoch: owner.epoch, ..session.clone() };
            let event = self.event(&owner.id, Happening::SessionOpened, now)?;
            Ok(self.store.open_session(owner, &session, &event).await?)
        })
        .await?;
        let value = format!("{}.{}", owner.id, secret.reveal());
        self.cookies.give_session(&value, SESSION_LIFETIME).map_err(Error::internal)
    }

    /// Ends a session before its time. One that is ended already stays so.
    ///
    /// # Errors
    ///
    /// `Conflict` when other requests were faster each time; `Unavailable` when
    /// DynamoDB fails.
    pub async fn end_session(&self, session: &Session, now: Timestamp) -> Result<()> {
        self.retry_on_conflict(move |_| async move {
            let event = self.event(&session.user, Happening::SessionEnded, now)?;
            match self.store.end_session(session, &event).await {
                Err(StoreError::Conflict) if !self.is_open(session).await? => Ok(()),
                done => Ok(done?),
            }
        })
        .await
    }

    /// Whether a session that could not be ended is open still: a rival at the same
    /// record proves nothing.
    async fn is_open(&self, session: &Session) -> Result<bool> {
        let (_, found) = self.store.session_and_owner(&session.user, &session.digest).await?;
        Ok(found.is_some_and(|it| it.state == SessionState::Open))
    }

    /// An entry for the history of credentials.
    pub(super) fn event(&self, user: &UserId, what: Happening, now: Timestamp) -> Result<Event> {
        Ok(Event { user: user.clone(), id: self.entropy.ulid(now)?, at: now, what })
    }
}
