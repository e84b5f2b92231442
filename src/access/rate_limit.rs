//! Rate limits.

use jiff::Timestamp;

use crate::{
    access::Access,
    domain::rate_limit::{Counter, RateLimit},
    error::{Error, Result},
};

impl Access {
    /// Counts one event of `counter`, unless the limit is reached.
    ///
    /// Costs one write, also if the limit is reached.
    ///
    /// # Errors
    ///
    /// `RateLimited` if the limit is reached, with the seconds until the next window;
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
