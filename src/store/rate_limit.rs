//! Counters that bound how often something happens.

use aws_sdk_dynamodb::types::{AttributeValue, builders::UpdateBuilder};
use jiff::{SignedDuration, Timestamp};

use crate::{
    domain::rate_limit::{Counter, RateLimit},
    store::{Store, StoreError, error::Requirement, item, key, key::Key},
};

/// How long the record of a window is kept after its end, because the clock of another instance
/// may be behind.
const REMEMBERED: SignedDuration = SignedDuration::from_mins(5);
/// The expression that counts one event.
const COUNT: &str = "ADD #count :one SET #ttl = :ttl";
/// The condition that the limit is not reached.
const IS_BELOW_LIMIT: &str = "attribute_not_exists(#count) OR #count < :limit";
/// The names of attributes in the expressions.
const NAMES: [(&str, &str); 2] = [("#count", "count"), ("#ttl", key::TTL)];

impl Store {
    /// Counts one event, unless the present window has had `limit.limit` of them already.
    /// Returns whether it was counted.
    ///
    /// Callers that race are counted one by one. Each window has a record of its own, which
    /// DynamoDB deletes by `ttl`.
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

/// Adds the same to an update that is part of a transaction.
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
