//! Login attempts: logins that were started and are not complete.

use jiff::Timestamp;

use crate::{
    domain::{login::LoginAttempt, secret::Digest},
    store::{Record, Store, StoreError, key::Key},
};

impl Record for LoginAttempt {
    fn key(&self) -> Key {
        Key::login_attempt(&self.state)
    }

    fn ttl(&self) -> Option<Timestamp> {
        Some(self.expires_at())
    }
}

impl Store {
    /// Stores an attempt.
    ///
    /// Costs one `PutItem`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when DynamoDB fails.
    pub async fn begin_login(&self, attempt: &LoginAttempt) -> Result<(), StoreError> {
        self.insert(attempt).await
    }

    /// Deletes the attempt with this `state` and returns it. If several requests take the same
    /// attempt, only one gets it.
    ///
    /// Reads the attempt first, and then deletes it in a transaction. The SDK can repeat a
    /// transaction whose response was lost. A repeated `DeleteItem` would find nothing to return.
    ///
    /// Costs one `GetItem` and one `TransactWriteItems`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when DynamoDB fails.
    pub async fn take_login(&self, state: &Digest) -> Result<Option<LoginAttempt>, StoreError> {
        let key = Key::login_attempt(state);
        let Some(attempt) = self.get(&key).await? else { return Ok(None) };
        let delete = self.transaction().delete_where(&key, "attribute_exists(PK)", [])?;
        match delete.commit_without_audit().await {
            Ok(()) => Ok(Some(attempt)),
            Err(StoreError::Stale) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
