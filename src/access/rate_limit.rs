//! Bounds on how often somebody does something.

use jiff::Timestamp;

use crate::{
    access::Access,
    domain::rate_limit::{Counter, RateLimit},
    error::{Error, Result},
};

impl Access {
    /// Counts one event of `counter`, and refuses it where the limit is reached.
    ///
    /// This costs one write, also where it refuses.
    ///
    /// # Errors
    ///
    /// `RateLimited`, with the seconds until the next window; `Unavailable` when DynamoDB
    /// fails.
    pub async fn count_within(
        &self,
        counter: &Counter,
        limit: RateLimit,
        now: Timestamp,
    ) -> Result<()> {
        if self.store.count_within(counter, limit, now).await? {
            Ok(())
        } else {
            Err(Error::RateLimited { retry_after: limit.retry_after(now) })
        }
    }
}
