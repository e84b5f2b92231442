//! Retries of changes that conflict with other requests.

use crate::{
    access::Access,
    error::{Error, Result},
};

/// The maximum number of attempts: at most 2.5 seconds of pauses.
const ATTEMPTS: u32 = 8;

impl Access {
    /// Tries a change until it does not conflict with another request. `change` gets the number of
    /// the attempt, from 1, and reads the records again from the second attempt on.
    ///
    /// # Errors
    ///
    /// `Conflict` if other requests were faster each time; otherwise the error of the change.
    pub(super) async fn retry_on_conflict<T, F>(&self, change: impl Fn(u32) -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        for attempt in 1..ATTEMPTS {
            match change(attempt).await {
                Err(Error::Conflict) => self.store.back_off(attempt).await?,
                done => return done,
            }
        }
        change(ATTEMPTS).await
    }
}
