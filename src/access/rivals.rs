//! Changes that other requests try at the same time.

use std::time::Duration;

use crate::{
    access::Access,
    error::{Error, Result},
};

/// How often a change is tried that another request was faster with.
const ATTEMPTS: u32 = 8;
/// Half of the longest first pause between two tries, in milliseconds.
const FIRST_PAUSE: u64 = 10;

impl Access {
    /// Makes a change, reading anew and trying again where a rival was faster. It is told which
    /// attempt it is, from 1.
    ///
    /// # Errors
    ///
    /// `Conflict` when rivals were faster each time; else what the change fails with.
    pub(super) async fn against_rivals<F>(&self, change: impl Fn(u32) -> F) -> Result<()>
    where
        F: Future<Output = Result<()>>,
    {
        for attempt in 1..=ATTEMPTS {
            match change(attempt).await {
                Err(Error::Conflict) => self.step_back(attempt).await?,
                done => return done,
            }
        }
        Err(Error::Conflict)
    }

    /// Waits a moment of random length, twice as long each time, so that rivals spread
    /// out: 2.5 seconds at most after the eighth try.
    async fn step_back(&self, attempt: u32) -> Result<()> {
        let longest = FIRST_PAUSE << attempt;
        let random = u64::from(u32::from_be_bytes(self.entropy.bytes()?));
        tokio::time::sleep(Duration::from_millis(random % longest)).await;
        Ok(())
    }
}
