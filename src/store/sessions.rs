//! Browser sessions.

use jiff::{SignedDuration, Timestamp};

use crate::{
    domain::{
        audit::AuditEntry,
        id::{TokenName, UserId},
        secret::Digest,
        session::{Session, SessionEnd, SessionState},
        stakeholder::{Owner, Stakeholder},
    },
    store::{
        Record, Store, StoreError, access_tokens::Slot, item, key::Key, stakeholders::take_owner,
    },
};

/// How long the record of a session is kept after the session expired. Until then, a request with
/// the session gets the exact reason why it is rejected.
const RETENTION: SignedDuration = SignedDuration::from_hours(24);

impl Record for Session {
    fn key(&self) -> Key {
        Key::session(&self.user, &self.digest)
    }

    fn ttl(&self) -> Option<Timestamp> {
        Some(self.expires_at() + RETENTION)
    }
}

/// A session that a new login ends.
pub struct ReplacedSession {
    pub user: UserId,
    /// The digest of the session's secret.
    pub digest: Digest,
    /// The entry for the audit log of the session's owner.
    pub entry: AuditEntry,
}

impl Store {
    /// Gets a session, its owner, and the slot of the owner's default token.
    ///
    /// Costs one `BatchGetItem`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when DynamoDB fails.
    pub async fn session_and_owner(
        &self,
        user: &UserId,
        digest: &Digest,
    ) -> Result<(Option<Owner>, Option<Session>, Option<Slot>), StoreError> {
        let (stakeholder, memberships) = (Key::stakeholder(user), Key::memberships(user));
        let slot = Key::slot(user, &TokenName::default());
        let keys = [stakeholder, memberships, Key::session(user, digest), slot];
        let mut items = self.items(&keys).await?;
        let [stakeholder, memberships, session, slot] = &keys;
        Ok((
            take_owner(&mut items, stakeholder, memberships)?,
            item::take(&mut items, session)?,
            item::take(&mut items, slot)?,
        ))
    }

    /// Opens a session for an active user, and ends the session that it replaces.
    ///
    /// Costs one `TransactWriteItems`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Guard`] when the owner was disabled or revoked all credentials in the
    /// meantime; [`StoreError::Stale`] when the session to be replaced is not open.
    pub async fn open_session(
        &self,
        owner: &Stakeholder,
        session: &Session,
        entry: &AuditEntry,
        replaced: Option<&ReplacedSession>,
    ) -> Result<(), StoreError> {
        let mut writes = self.transaction().require_active(owner)?.insert(session)?;
        if let Some(ReplacedSession { user, digest, entry }) = replaced {
            let to = SessionState::Ended { at: entry.at, why: SessionEnd::Replaced };
            let (from, to) = (item::attribute(&SessionState::Open)?, item::attribute(&to)?);
            let key = Key::session(user, digest);
            writes = writes.insert(entry)?.change_state(&key, (from, to), None)?;
        }
        writes.commit(entry).await
    }

    /// Ends a session before it expires.
    ///
    /// Costs one `TransactWriteItems`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Stale`] when the session has already been ended.
    pub async fn end_session(
        &self,
        session: &Session,
        entry: &AuditEntry,
    ) -> Result<(), StoreError> {
        let (from, to) =
            (SessionState::Open, SessionState::Ended { at: entry.at, why: SessionEnd::Logout });
        let (from, to) = (item::attribute(&from)?, item::attribute(&to)?);
        let writes = self.transaction().change_state(&session.key(), (from, to), None)?;
        writes.commit(entry).await
    }

    /// Records that a session was used.
    ///
    /// Costs one `UpdateItem`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Stale`] when there is no such record.
    pub async fn record_session_use(
        &self,
        session: &Session,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let change = "SET lastSeenAt = :now";
        self.update(&session.key(), change, "attribute_exists(PK)", [(":now", item::seconds(now))])
            .await
    }
}
