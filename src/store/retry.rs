//! Retries of writes that conflict with other writes to the same records.

use std::time::Duration;

use crate::store::{Store, StoreError};

/// The maximum number of attempts of a write that conflicts with other transactions, with pauses
/// of at most 620 milliseconds in total.
const RACES: u32 = 6;
/// The maximum number of attempts of a change whose record others changed first, with pauses of
/// at most 2.5 seconds in total.
const CHANGES: u32 = 8;
/// Half of the first pause's upper bound, in milliseconds. The upper bound doubles with each
/// pause.
const PAUSE: u64 = 10;

impl Store {
    /// Calls `write`, and retries it while other transactions write to the same records.
    ///
    /// # Errors
    ///
    /// [`StoreError::Raced`] when the last attempt conflicts, too; any other error of `write`.
    pub(super) async fn retry_on_race<T, F>(&self, write: impl Fn() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        self.retry(RACES, |error| matches!(error, StoreError::Raced), write).await
    }

    /// Calls `change`, which reads the records that it changes, and retries it if another request
    /// changed them in between.
    ///
    /// # Errors
    ///
    /// [`StoreError::Stale`] when that happened in each attempt; any other error of `change`.
    pub(super) async fn retry_when_stale<T, F>(
        &self,
        change: impl Fn() -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        self.retry(CHANGES, |error| matches!(error, StoreError::Stale), change).await
    }

    async fn retry<T, F>(
        &self,
        attempts: u32,
        is_temporary: impl Fn(&StoreError) -> bool,
        write: impl Fn() -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        for attempt in 1..attempts {
            match write().await {
                Err(error) if is_temporary(&error) => self.back_off(attempt).await?,
                done => return done,
            }
        }
        write().await
    }

    /// Waits for a random time after an attempt, so that concurrent writers spread out. Attempts
    /// are counted from 1.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when the source of randomness fails.
    pub async fn back_off(&self, attempt: u32) -> Result<(), StoreError> {
        let random =
            self.entropy.bytes().map_err(|error| StoreError::Unavailable(Box::new(error)))?;
        let milliseconds = u64::from(u32::from_be_bytes(random)) % (PAUSE << attempt);
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        Ok(())
    }
}
