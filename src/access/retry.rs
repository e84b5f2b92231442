//! Changes that other requests try at the same time.

use crate::{
    access::Access,
    error::{Error, Result},
};

/// How often a change is tried that others were faster with: 2.5 seconds of pauses at most.
const ATTEMPTS: u32 = 8;

impl Access {
    /// Makes a change. Where another request changed the same records first, it reads them
    /// again and retries. `change` receives the number of the attempt, from 1.
    ///
    /// # Errors
    ///
    /// `Conflict` when others were faster each time; else what the change fails with.
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
