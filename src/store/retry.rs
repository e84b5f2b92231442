//! Writes that are tried again because others write to the same records.

use std::time::Duration;

use crate::store::{Store, StoreError};

/// How often a write is tried that meets other transactions: 620 milliseconds of pauses at most.
const RACES: u32 = 6;
/// How often a change is tried whose record others changed first: 2.5 seconds of pauses at most.
const CHANGES: u32 = 8;
/// The first pause is shorter than twice this many milliseconds, each later one than twice as
/// long as the one before.
const PAUSE: u64 = 10;

impl Store {
    /// Makes a write, and makes it again while other transactions are at the same records.
    ///
    /// # Errors
    ///
    /// [`StoreError::Raced`] when they still are at the last attempt; else what the write fails
    /// with.
    pub(super) async fn retry_on_race<T, F>(&self, write: impl Fn() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        self.retry(RACES, |error| matches!(error, StoreError::Raced), write).await
    }

    /// Makes a change that reads what it changes, and makes it again where somebody else changed
    /// the same records after it read them.
    ///
    /// # Errors
    ///
    /// [`StoreError::Stale`] when somebody did at each attempt; else what the change fails with.
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

    /// Waits for a random time after an attempt, counted from 1, so that rivals spread out.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when there is no randomness.
    pub async fn back_off(&self, attempt: u32) -> Result<(), StoreError> {
        let random =
            self.entropy.bytes().map_err(|error| StoreError::Unavailable(Box::new(error)))?;
        let milliseconds = u64::from(u32::from_be_bytes(random)) % (PAUSE << attempt);
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        Ok(())
    }
}
