//! Counters that bound how often something happens.

use aws_sdk_dynamodb::types::{AttributeValue, builders::UpdateBuilder};
use jiff::{SignedDuration, Timestamp};

use crate::{
    domain::rate_limit::{Counter, RateLimit},
    store::{Store, StoreError, fault::failure, item, key, key::Key},
};

/// How long the row of a window outlives it, so that the clock of another instance may be
/// behind.
const REMEMBERED: SignedDuration = SignedDuration::from_mins(5);
/// Counts one event.
const COUNT: &str = "ADD #count :one SET #ttl = :ttl";
/// Whether there is room for one.
const IS_BELOW_LIMIT: &str = "attribute_not_exists(#count) OR #count < :limit";
/// What the expressions call the attributes.
const NAMES: [(&str, &str); 2] = [("#count", "count"), ("#ttl", key::TTL)];

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
        let update =
            self.client.update_item().table_name(&self.table).set_key(Some(key.attributes()));
        let update = update.update_expression(COUNT).condition_expression(IS_BELOW_LIMIT);
        let update =
            NAMES.iter().fold(update, |it, (name, of)| it.expression_attribute_names(*name, *of));
        let update = values(limit, now)
            .into_iter()
            .fold(update, |it, (name, of)| it.expression_attribute_values(name, of));
        let send = || async { update.clone().send().await.map_err(failure) };
        match self.retry_on_race(send).await {
            Ok(_) => Ok(true),
            Err(StoreError::Conflict) => Ok(false),
            Err(fault) => Err(fault),
        }
    }
}

/// The same as a part of a transaction.
pub(super) fn count(
    update: UpdateBuilder,
    counter: &Counter,
    limit: RateLimit,
    now: Timestamp,
) -> UpdateBuilder {
    let key = Key::counter(counter, limit.window_start(now));
    let update = update.set_key(Some(key.attributes()));
    let update = update.update_expression(COUNT).condition_expression(IS_BELOW_LIMIT);
    let update =
        NAMES.iter().fold(update, |it, (name, of)| it.expression_attribute_names(*name, *of));
    values(limit, now)
        .into_iter()
        .fold(update, |it, (name, of)| it.expression_attribute_values(name, of))
}

fn values(limit: RateLimit, now: Timestamp) -> [(&'static str, AttributeValue); 3] {
    let number = |it: u32| AttributeValue::N(it.to_string());
    let ttl = item::seconds(limit.window_end(now) + REMEMBERED);
    [(":one", number(1)), (":limit", number(limit.limit)), (":ttl", ttl)]
}
