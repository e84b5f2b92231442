//! Counters that bound how often something happens.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};

use crate::{
    domain::rate_limit::{Counter, RateLimit},
    store::{Store, StoreError, fault::failure, item, key, key::Key},
};

/// How long the row of a window outlives it, so that the clock of another instance may be
/// behind.
const REMEMBERED: SignedDuration = SignedDuration::from_mins(5);

impl Store {
    /// Counts one event, unless the present window has had `limit.limit` of them already.
    /// Says whether it was counted.
    ///
    /// This is one conditional `ADD`, so callers that race are counted one by one. Each
    /// window has a row of its own, which DynamoDB deletes by `ttl`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when DynamoDB fails.
    pub async fn count_within(
        &self,
        counter: &Counter,
        limit: RateLimit,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let key = Key::counter(counter, limit.window_start(now));
        let number = |it: u32| AttributeValue::N(it.to_string());
        let update = self.client.update_item().table_name(&self.table).set_key(Some(key.attributes()));
        let update = update
            .update_expression("ADD #count :one SET #ttl = :ttl")
            .condition_expression("attribute_not_exists(#count) OR #count < :limit")
            .expression_attribute_names("#count", "count")
            .expression_attribute_names("#ttl", key::TTL)
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":limit", number(limit.limit))
            .expression_attribute_values(":ttl", item::seconds(limit.window_end(now) + REMEMBERED));
        let send = || async { update.clone().send().await.map_err(failure) };
        match self.retry_on_race(send).await {
            Ok(_) => Ok(true),
            Err(StoreError::Conflict) => Ok(false),
            Err(fault) => Err(fault),
        }
    }
}
