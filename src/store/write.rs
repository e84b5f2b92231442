//! Writes of one record without a transaction, which consume half the capacity.

use aws_sdk_dynamodb::{
    operation::{put_item::PutItemError, update_item::builders::UpdateItemFluentBuilder},
    types::{AttributeValue, ReturnValuesOnConditionCheckFailure},
};

use crate::store::{
    Record, Store, StoreError,
    error::{Requirement, classify_write},
    item::{self, Item},
    key::Key,
    transaction::NOT_EXISTS,
};

impl Store {
    /// Inserts a record that does not exist yet. Use it only for records that are not audited.
    ///
    /// The SDK repeats a request whose response was lost. So the insert also succeeds if the
    /// stored record has exactly the same attributes.
    ///
    /// Costs one `PutItem`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Exists`] when a different record has the same key.
    pub async fn insert<T: Record>(&self, record: &T) -> Result<(), StoreError> {
        let item = item::write(record)?;
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item.clone()));
        let put = put
            .condition_expression(NOT_EXISTS)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let send = || async {
            match put.clone().send().await {
                Err(error) if stored(error.as_service_error()) == Some(&item) => Ok(()),
                sent => sent.map(|_| ()).map_err(|error| classify_write(error, Requirement::New)),
            }
        };
        self.retry_on_race(send).await
    }

    /// Sets attributes of the record at `key` if `condition` holds. The condition must require that
    /// the record exists, so that a late write does not create a deleted record again.
    ///
    /// Costs one `UpdateItem`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Stale`] when the condition does not hold.
    pub(super) async fn update(
        &self,
        key: &Key,
        change: &str,
        condition: &str,
        values: impl IntoIterator<Item = (&'static str, AttributeValue)>,
    ) -> Result<(), StoreError> {
        let values = values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let update =
            self.client.update_item().table_name(&self.table).set_key(Some(key.attributes()));
        let update = update.update_expression(change).condition_expression(condition);
        let update = update.set_expression_attribute_values(Some(values));
        self.send_update(update, Requirement::Unchanged).await
    }

    /// Sends an update. `requirement` determines the error if its condition fails.
    pub(super) async fn send_update(
        &self,
        update: UpdateItemFluentBuilder,
        requirement: Requirement,
    ) -> Result<(), StoreError> {
        let send = || async {
            let sent = update.clone().send().await;
            sent.map(|_| ()).map_err(|error| classify_write(error, requirement))
        };
        self.retry_on_race(send).await
    }
}

/// Returns the stored item that made an insert fail.
fn stored(error: Option<&PutItemError>) -> Option<&Item> {
    match error {
        Some(PutItemError::ConditionalCheckFailedException(failed)) => failed.item(),
        _ => None,
    }
}
