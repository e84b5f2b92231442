//! Transactions: several writes that succeed or fail together.

use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Delete, Put, TransactWriteItem, Update,
    builders::{ConditionCheckBuilder, DeleteBuilder, UpdateBuilder},
};

use jiff::Timestamp;

use crate::{
    domain::{
        audit::AuditEntry,
        rate_limit::{Counter, RateLimit},
        stakeholder::Stakeholder,
    },
    store::{
        Record, Store, StoreError, Versioned,
        difference::Difference,
        error::{Requirement, classify_transaction, rejected},
        item,
        key::{Key, TTL},
        rate_limit,
    },
};

/// The maximum number of writes in one transaction.
const MAX_WRITES: usize = 100;
/// The condition that the record does not exist.
pub(super) const NOT_EXISTS: &str = "attribute_not_exists(PK)";

/// Writes that succeed or fail together.
pub(super) struct Transaction<'a> {
    store: &'a Store,
    writes: Vec<TransactWriteItem>,
    /// The requirements of the writes, in the same order.
    requirements: Vec<Requirement>,
}

/// A placeholder, such as `:old`, and its value.
pub(super) type Value = (&'static str, AttributeValue);

impl Store {
    /// Creates an empty transaction.
    pub(super) fn transaction(&self) -> Transaction<'_> {
        Transaction { store: self, writes: Vec::new(), requirements: Vec::new() }
    }
}

impl Transaction<'_> {
    /// Requires that `owner` is active and in the same epoch. The transaction fails if the owner
    /// was disabled, or all their credentials were revoked, since it was read.
    pub(super) fn require_active(self, owner: &Stakeholder) -> Result<Self, StoreError> {
        let check = ConditionCheck::builder()
            .condition_expression("epoch = :epoch AND #status.#state = :active")
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":epoch", AttributeValue::N(owner.epoch.to_string()))
            .expression_attribute_values(":active", AttributeValue::S("active".to_owned()));
        self.require(check, &owner.key())
    }

    /// Requires that the record at `key` exists.
    pub(super) fn require_exists(self, key: &Key) -> Result<Self, StoreError> {
        self.require(ConditionCheck::builder().condition_expression("attribute_exists(PK)"), key)
    }

    fn require(self, check: ConditionCheckBuilder, key: &Key) -> Result<Self, StoreError> {
        let check = check.table_name(&self.store.table).set_key(Some(key.attributes()));
        let check = check.build().map_err(rejected)?;
        let write = TransactWriteItem::builder().condition_check(check).build();
        Ok(self.with(write, Requirement::Guard))
    }

    /// Inserts a record. The transaction fails if there is one with the same key.
    pub(super) fn insert<T: Record>(self, record: &T) -> Result<Self, StoreError> {
        self.put(record, NOT_EXISTS, [], Requirement::New)
    }

    /// Puts a record. The transaction fails unless `condition` holds. The condition must check that
    /// the stored record has not changed since it was read.
    pub(super) fn put_where<T: Record>(
        self,
        record: &T,
        condition: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Self, StoreError> {
        self.put(record, condition, values, Requirement::Unchanged)
    }

    fn put<T: Record>(
        self,
        record: &T,
        condition: &str,
        values: impl IntoIterator<Item = Value>,
        requirement: Requirement,
    ) -> Result<Self, StoreError> {
        let put = Put::builder().table_name(&self.store.table).set_item(Some(item::write(record)?));
        let put = put.condition_expression(condition);
        let put = values
            .into_iter()
            .fold(put, |put, (name, value)| put.expression_attribute_values(name, value));
        let put = put.build().map_err(rejected)?;
        Ok(self.with(TransactWriteItem::builder().put(put).build(), requirement))
    }

    /// Updates `before` to `after`, or inserts `after` if `before` is `None`. The transaction fails
    /// if the record was changed or inserted since it was read.
    pub(super) fn upsert<T: Versioned>(
        self,
        before: Option<&T>,
        after: &T,
    ) -> Result<Self, StoreError> {
        match before {
            Some(before) => self.change(before, after),
            None => self.put_where(after, NOT_EXISTS, []),
        }
    }

    /// Updates `before` to `after`: sets and removes the attributes that differ, and increments the
    /// version. The transaction fails if the record was changed since `before` was read.
    pub(super) fn change<T: Versioned>(self, before: &T, after: &T) -> Result<Self, StoreError> {
        self.apply(Difference::between(before, after)?, before)
    }

    /// Applies a difference to the record `before`, and increments the version. The transaction
    /// fails if the record was changed since `before` was read.
    pub(super) fn apply<T: Versioned>(
        self,
        difference: Difference,
        before: &T,
    ) -> Result<Self, StoreError> {
        let update = self.update_at(&before.key());
        self.update(difference.apply(update, before.version()), Requirement::Unchanged)
    }

    /// Increments `counter`. The transaction fails if the current window has reached `limit`.
    pub(super) fn count_within(
        self,
        counter: &Counter,
        limit: RateLimit,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let update = Update::builder().table_name(&self.store.table);
        let update = rate_limit::count(update, counter, limit, now);
        self.update(update, Requirement::BelowLimit { retry_after: limit.retry_after(now) })
    }

    /// Changes `state` of the record at `key` from `from` to `to`, and sets `ttl`, if one is given.
    /// The transaction fails if the state is not `from`.
    pub(super) fn change_state(
        self,
        key: &Key,
        (from, to): (AttributeValue, AttributeValue),
        ttl: Option<Timestamp>,
    ) -> Result<Self, StoreError> {
        let change =
            if ttl.is_some() { "SET #state = :to, #ttl = :ttl" } else { "SET #state = :to" };
        let update = self
            .update_at(key)
            .update_expression(change)
            .condition_expression("attribute_exists(PK) AND #state = :from")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":from", from)
            .expression_attribute_values(":to", to);
        let update = ttl.into_iter().fold(update, |update, ttl| {
            let update = update.expression_attribute_names("#ttl", TTL);
            update.expression_attribute_values(":ttl", item::seconds(ttl))
        });
        self.update(update, Requirement::Unchanged)
    }

    /// Applies the update expression `change` to the record at `key`. The transaction fails unless
    /// `condition` holds.
    pub(super) fn update_where(
        self,
        key: &Key,
        change: &str,
        condition: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Self, StoreError> {
        let update = self.update_at(key).update_expression(change).condition_expression(condition);
        let update = values
            .into_iter()
            .fold(update, |update, (name, value)| update.expression_attribute_values(name, value));
        self.update(update, Requirement::Unchanged)
    }

    fn update_at(&self, key: &Key) -> UpdateBuilder {
        Update::builder().table_name(&self.store.table).set_key(Some(key.attributes()))
    }

    fn update(self, update: UpdateBuilder, requirement: Requirement) -> Result<Self, StoreError> {
        let update = update.build().map_err(rejected)?;
        Ok(self.with(TransactWriteItem::builder().update(update).build(), requirement))
    }

    /// Deletes a record. The transaction fails if the record was changed or deleted since it was
    /// read.
    pub(super) fn delete_unchanged<T: Versioned>(self, record: &T) -> Result<Self, StoreError> {
        let version = AttributeValue::N(record.version().to_string());
        self.delete_where(&record.key(), "version = :version", [(":version", version)])
    }

    /// Deletes the record at `key`, if there is one.
    pub(super) fn delete(self, key: &Key) -> Result<Self, StoreError> {
        let delete =
            Delete::builder().table_name(&self.store.table).set_key(Some(key.attributes()));
        self.with_delete(delete)
    }

    /// Deletes the record at `key`. The transaction fails unless `condition` holds. The condition
    /// must check that the stored record has not changed since it was read.
    pub(super) fn delete_where(
        self,
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
        self.with_delete(delete)
    }

    fn with_delete(self, delete: DeleteBuilder) -> Result<Self, StoreError> {
        let delete = delete.build().map_err(rejected)?;
        let write = TransactWriteItem::builder().delete(delete).build();
        Ok(self.with(write, Requirement::Unchanged))
    }

    fn with(mut self, write: TransactWriteItem, requirement: Requirement) -> Self {
        self.writes.push(write);
        self.requirements.push(requirement);
        self
    }

    /// Adds the audit entry of the change and commits the writes.
    ///
    /// # Errors
    ///
    /// The same as [`commit_without_audit`](Self::commit_without_audit).
    pub(super) async fn commit(self, audit: &AuditEntry) -> Result<(), StoreError> {
        let mut transaction = self.store.transaction().insert(audit)?;
        transaction.writes.extend(self.writes);
        transaction.requirements.extend(self.requirements);
        transaction.commit_without_audit().await
    }

    /// Commits the writes. Use it only for records that are not audited. Retries if the writes
    /// conflict with another transaction.
    ///
    /// The SDK sends an idempotency token (`ClientRequestToken`), which its own retries repeat. So
    /// a retry succeeds if the transaction was committed and only its response was lost.
    ///
    /// Costs one `TransactWriteItems`, which consumes twice the capacity of single writes.
    ///
    /// # Errors
    ///
    /// [`StoreError::Exists`], [`StoreError::Stale`], [`StoreError::Guard`] or
    /// [`StoreError::LimitReached`], depending on the first write whose condition fails;
    /// [`StoreError::TooManyWrites`] for more than 100 writes.
    pub(super) async fn commit_without_audit(self) -> Result<(), StoreError> {
        let writes = self.writes.len();
        if writes > MAX_WRITES {
            return Err(StoreError::TooManyWrites { writes });
        }
        let request =
            self.store.client.transact_write_items().set_transact_items(Some(self.writes));
        let send = || async {
            let sent = request.clone().send().await;
            sent.map_err(|error| classify_transaction(error, &self.requirements))
        };
        self.store.retry_on_race(send).await.map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::Aws, domain::secret::Secret, entropy::Entropy, store::client};
    use aws_smithy_runtime_api::client::{
        http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn},
        orchestrator::HttpRequest,
        result::ConnectorError,
    };
    use rstest::rstest;

    /// A network that loses all requests.
    #[derive(Debug)]
    struct Offline;

    impl HttpConnector for Offline {
        fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
            HttpConnectorFuture::ready(Err(ConnectorError::io("offline".into())))
        }
    }

    fn store() -> Store {
        let aws = Aws {
            region: "eu-central-1".to_owned(),
            access_key_id: "id".to_owned(),
            secret_access_key: "secret".to_owned(),
            session_token: None,
            endpoint: None,
            dynamodb_endpoint: None,
        };
        let http = http_client_fn(|_, _| SharedHttpConnector::new(Offline));
        Store::new(client::client_on(&aws, http), "table".to_owned(), Entropy::System)
    }

    #[rstest]
    #[case::one_hundred(100, "DynamoDB is unavailable")]
    #[case::more(101, "a transaction has 101 writes, and DynamoDB accepts 100")]
    #[tokio::test(start_paused = true)]
    async fn a_transaction_of_more_than_a_hundred_writes_is_not_sent(
        #[case] writes: usize,
        #[case] expected: &str,
    ) {
        let store = store();
        let key = Key::login_attempt(&Secret::from_entropy([1; 32]).digest());

        let mut transaction = store.transaction();
        for _ in 0..writes {
            transaction = transaction.delete(&key).unwrap();
        }

        let committed = transaction.commit_without_audit().await;
        assert_eq!(committed.unwrap_err().to_string(), expected);
    }
}
