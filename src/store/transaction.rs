//! Several writes that happen together or not at all.

use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Delete, Put, TransactWriteItem, Update,
    builders::{ConditionCheckBuilder, UpdateBuilder},
};

use jiff::Timestamp;

use crate::{
    domain::{
        rate_limit::{Counter, RateLimit},
        stakeholder::Stakeholder,
    },
    store::{
        Record, Store, StoreError,
        fault::{rejected, transaction_failure},
        item,
        key::{Key, TTL},
        rate_limit,
    },
};

/// Writes that happen together or not at all.
pub(super) struct Transaction<'a> {
    store: &'a Store,
    writes: Vec<TransactWriteItem>,
    /// Which write counts against a limit, and in how many seconds the next window begins.
    limit: Option<(usize, u32)>,
}

/// A value that an expression names.
pub(super) type Value = (&'static str, AttributeValue);

impl Store {
    /// Begins to collect writes.
    pub(super) fn transaction(&self) -> Transaction<'_> {
        Transaction { store: self, writes: Vec::new(), limit: None }
    }
}

impl Transaction<'_> {
    /// Only if `owner` is still active and in the same epoch: a revoke-all or a
    /// disabling that happens meanwhile wins.
    pub(super) fn require_active(self, owner: &Stakeholder) -> Result<Self, StoreError> {
        let check = ConditionCheck::builder()
            .condition_expression("epoch = :epoch AND #status.#state = :active")
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":epoch", AttributeValue::N(owner.epoch.to_string()))
            .expression_attribute_values(":active", AttributeValue::S("active".to_owned()));
        self.check(&owner.key(), check)
    }

    fn check(mut self, key: &Key, check: ConditionCheckBuilder) -> Result<Self, StoreError> {
        let check = check.table_name(&self.store.table).set_key(Some(key.attributes()));
        let check = check.build().map_err(rejected)?;
        self.writes.push(TransactWriteItem::builder().condition_check(check).build());
        Ok(self)
    }

    /// Puts a record that does not exist yet.
    pub(super) fn insert<T: Record>(self, record: &T) -> Result<Self, StoreError> {
        self.put_where(record, "attribute_not_exists(PK)", [])
    }

    /// Puts a record where `condition` holds for what is there.
    pub(super) fn put_where<T: Record>(
        mut self,
        record: &T,
        condition: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Self, StoreError> {
        let put = Put::builder().table_name(&self.store.table).set_item(Some(item::write(record)?));
        let put = put.condition_expression(condition);
        let put = values
            .into_iter()
            .fold(put, |put, (name, value)| put.expression_attribute_values(name, value));
        let put = put.build().map_err(rejected)?;
        self.writes.push(TransactWriteItem::builder().put(put).build());
        Ok(self)
    }

    /// Counts an event of `counter`, if the present window has had fewer than `limit` of them.
    pub(super) fn count_within(
        mut self,
        counter: &Counter,
        limit: RateLimit,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        self.limit = Some((self.writes.len(), limit.retry_after(now)));
        let update = Update::builder().table_name(&self.store.table);
        self.update(rate_limit::count(update, counter, limit, now))
    }

    /// Sets `state` of the record at `key` where it is still `from`; also its `ttl`, if one is
    /// given.
    pub(super) fn change_state(
        self,
        key: &Key,
        (from, to): (AttributeValue, AttributeValue),
        ttl: Option<Timestamp>,
    ) -> Result<Self, StoreError> {
        let change =
            if ttl.is_some() { "SET #state = :to, #ttl = :ttl" } else { "SET #state = :to" };
        let update = Update::builder()
            .table_name(&self.store.table)
            .set_key(Some(key.attributes()))
            .update_expression(change)
            .condition_expression("attribute_exists(PK) AND #state = :from")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":from", from)
            .expression_attribute_values(":to", to);
        self.update(ttl.into_iter().fold(update, |update, ttl| {
            let update = update.expression_attribute_names("#ttl", TTL);
            update.expression_attribute_values(":ttl", item::seconds(ttl))
        }))
    }

    fn update(mut self, update: UpdateBuilder) -> Result<Self, StoreError> {
        let update = update.build().map_err(rejected)?;
        self.writes.push(TransactWriteItem::builder().update(update).build());
        Ok(self)
    }

    /// Sets attributes of a stakeholder, if nobody changed them since `before` was read;
    /// `change` is such as `email = :email`.
    pub(super) fn change_stakeholder(
        self,
        before: &Stakeholder,
        change: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Self, StoreError> {
        let number = |it: u64| AttributeValue::N(it.to_string());
        let update = Update::builder()
            .table_name(&self.store.table)
            .set_key(Some(before.key().attributes()))
            .update_expression(format!("SET {change}, version = :next"))
            .condition_expression("version = :version")
            .expression_attribute_values(":version", number(before.version))
            .expression_attribute_values(":next", number(before.version + 1));
        let values = values.into_iter();
        self.update(
            values.fold(update, |it, (name, value)| it.expression_attribute_values(name, value)),
        )
    }

    /// Deletes the record at `key`.
    pub(super) fn delete(mut self, key: &Key) -> Result<Self, StoreError> {
        let delete =
            Delete::builder().table_name(&self.store.table).set_key(Some(key.attributes()));
        let delete = delete.build().map_err(rejected)?;
        self.writes.push(TransactWriteItem::builder().delete(delete).build());
        Ok(self)
    }

    /// Deletes the record at `key` where `condition` holds.
    pub(super) fn delete_where(
        mut self,
        key: &Key,
        condition: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Self, StoreError> {
        let delete =
            Delete::builder().table_name(&self.store.table).set_key(Some(key.attributes()));
        let delete = delete.condition_expression(condition);
        let delete = values
            .into_iter()
            .fold(delete, |it, (name, value)| it.expression_attribute_values(name, value));
        let delete = delete.build().map_err(rejected)?;
        self.writes.push(TransactWriteItem::builder().delete(delete).build());
        Ok(self)
    }

    /// Makes all the writes happen, or none. Writes that meet another transaction are retried.
    ///
    /// The SDK gives each request an idempotency token (`ClientRequestToken`), which its own
    /// retries repeat: a transaction that was committed and whose answer was lost succeeds when
    /// it is sent again.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] when a condition does not hold; [`StoreError::LimitReached`].
    pub(super) async fn commit(self) -> Result<(), StoreError> {
        let request =
            self.store.client.transact_write_items().set_transact_items(Some(self.writes));
        let send = || async {
            request.clone().send().await.map_err(|error| transaction_failure(error, self.limit))
        };
        self.store.retry_on_race(send).await.map(|_| ())
    }
}
