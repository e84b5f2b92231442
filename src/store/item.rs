//! Domain values as DynamoDB items, and back.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::Serialize;

use crate::store::{
    Record, StoreError,
    fault::corrupt,
    key::{Key, SK, TTL},
};
use crate::telemetry::{self, Chain};

/// An item, as the SDK has it.
pub(super) type Item = HashMap<String, AttributeValue>;

/// Reads an item as the record that it should be.
///
/// # Errors
///
/// [`StoreError::Corrupt`] when it is none.
pub(super) fn read<T: Record>(item: Item) -> Result<T, StoreError> {
    serde_dynamo::from_item(item).map_err(corrupt)
}

/// Reads the items of a list. One that cannot be read is logged and left out, so that it does not
/// hide the others.
pub(super) fn readable<T: Record>(items: impl IntoIterator<Item = Item>) -> Vec<T> {
    let read_or_log = |item: Item| {
        let key = item.get(SK).and_then(|it| it.as_s().ok()).cloned();
        let log = |fault: &StoreError| {
            let id = telemetry::request_id();
            tracing::error!(requestId = id, key, cause = %Chain(fault), "a record of a list was left out");
        };
        read(item).inspect_err(log).ok()
    };
    items.into_iter().filter_map(read_or_log).collect()
}

/// Takes the record at `key` out of the items of a batch, if it is among them.
///
/// # Errors
///
/// [`StoreError::Corrupt`] when its item is no such record.
pub(super) fn take<T: Record>(items: &mut Vec<Item>, key: &Key) -> Result<Option<T>, StoreError> {
    let at = items.iter().position(|item| key.is_of(item));
    at.map(|at| read(items.swap_remove(at))).transpose()
}

/// Writes a record as an item, with its key and its `ttl`.
///
/// # Errors
///
/// [`StoreError::Corrupt`] when the record cannot be written.
pub(super) fn write<T: Record>(record: &T) -> Result<Item, StoreError> {
    let mut item: Item = serde_dynamo::to_item(record).map_err(corrupt)?;
    item.extend(record.key().attributes());
    item.extend(record.ttl().map(|at| (TTL.to_owned(), seconds(at))));
    Ok(item)
}

/// Writes any value that has a serde form, such as a state, as an attribute.
///
/// # Errors
///
/// [`StoreError::Corrupt`] when the value cannot be written.
pub(super) fn attribute<T: Serialize>(value: &T) -> Result<AttributeValue, StoreError> {
    serde_dynamo::to_attribute_value(value).map_err(corrupt)
}

/// An instant as a Number of epoch seconds: the only form that DynamoDB deletes by.
pub(super) fn seconds(at: Timestamp) -> AttributeValue {
    AttributeValue::N(at.as_second().to_string())
}
