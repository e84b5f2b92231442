//! Enforcement of rate limits.

use jiff::Timestamp;

use crate::{
    access::Access,
    domain::rate_limit::{Counter, RateLimit},
    error::{Error, Result},
};

impl Access {
    /// Counts an event of `counter`. Fails if the limit is already reached.
    ///
    /// Takes one write in either case.
    ///
    /// # Errors
    ///
    /// `RateLimited` if the limit is reached, with the number of seconds until the next window;
    /// `Unavailable` if DynamoDB fails.
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
