//! Logins that were begun and are not completed yet.

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
        Some(self.ends_at())
    }
}

impl Store {
    /// Keeps an attempt until it is taken.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when DynamoDB fails.
    pub async fn begin_login(&self, attempt: &LoginAttempt) -> Result<(), StoreError> {
        self.transaction().insert(attempt)?.commit().await
    }

    /// Takes the attempt of a `state` out of the table: it is completed once, or never.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when DynamoDB fails.
    pub async fn take_login(&self, state: &Digest) -> Result<Option<LoginAttempt>, StoreError> {
        self.take(&Key::login_attempt(state)).await
    }
}
