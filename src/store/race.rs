//! Writes that meet other transactions at the same records.

use std::time::Duration;

use crate::store::{Store, StoreError};

/// How often a write is tried that meets other transactions: 620 milliseconds of pauses at most.
const ATTEMPTS: u32 = 6;
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
        for attempt in 1..ATTEMPTS {
            match write().await {
                Err(StoreError::Raced) => self.back_off(attempt).await?,
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
            self.entropy.bytes().map_err(|fault| StoreError::Unavailable(Box::new(fault)))?;
        let milliseconds = u64::from(u32::from_be_bytes(random)) % (PAUSE << attempt);
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        Ok(())
    }
}
