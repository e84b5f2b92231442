//! Retries of changes that conflict with other requests.

use crate::{
    access::Access,
    error::{Error, Result},
};

/// The maximum number of attempts. The pauses between them take at most 2.5 seconds in total.
const MAX_ATTEMPTS: u32 = 8;

impl Access {
    /// Retries a change while it conflicts with other requests. `change` receives the number of the
    /// attempt, starting at 1, and must read its records again from the second attempt on.
    ///
    /// # Errors
    ///
    /// `Conflict` if every attempt conflicts with another request; otherwise the error of the
    /// change.
    pub(super) async fn retry_on_conflict<T, F>(&self, change: impl Fn(u32) -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        for attempt in 1..MAX_ATTEMPTS {
            match change(attempt).await {
                Err(Error::Conflict) => self.store.back_off(attempt).await?,
                done => return done,
            }
        }
        change(MAX_ATTEMPTS).await
    }
}
