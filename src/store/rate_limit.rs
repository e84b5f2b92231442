//! Counters for rate limits.

use aws_sdk_dynamodb::types::{AttributeValue, builders::UpdateBuilder};
use jiff::{SignedDuration, Timestamp};

use crate::{
    domain::rate_limit::{Counter, RateLimit},
    store::{Store, StoreError, error::Requirement, item, key, key::Key},
};

/// How long the record of a window is kept after the window ends, because the clock of another
/// instance may be behind.
const RETENTION: SignedDuration = SignedDuration::from_mins(5);
/// The expression that counts one event.
const COUNT: &str = "ADD #count :one SET #ttl = :ttl";
/// The condition that the limit is not reached.
const IS_BELOW_LIMIT: &str = "attribute_not_exists(#count) OR #count < :limit";
/// The names of attributes in the expressions.
const NAMES: [(&str, &str); 2] = [("#count", "count"), ("#ttl", key::TTL)];

impl Store {
    /// Counts one event, unless the current window already has `limit.limit` of them. Returns
    /// whether the event was counted.
    ///
    /// Concurrent requests cannot exceed the limit. Each window has its own record, which
    /// DynamoDB deletes by its `ttl`.
    ///
    /// Costs one `UpdateItem`.
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
        let requirement = Requirement::BelowLimit { retry_after: limit.retry_after(now) };
        match self.send_update(update, requirement).await {
            Ok(()) => Ok(true),
            Err(StoreError::LimitReached { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Makes an update of a transaction count one event, as [`Store::count_within`] does.
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
    let ttl = item::seconds(limit.window_end(now) + RETENTION);
    [(":one", number(1)), (":limit", number(limit.limit)), (":ttl", ttl)]
}
