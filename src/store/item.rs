//! Converts records to DynamoDB items, and back.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::Serialize;

use crate::store::{
    Record, StoreError,
    error::corrupt,
    key::{Key, SK, TTL},
};
use crate::telemetry::{self, Chain};

/// An item, as the SDK represents it.
pub(super) type Item = HashMap<String, AttributeValue>;

/// Deserializes an item as a record.
///
/// # Errors
///
/// [`StoreError::Corrupt`] when the item is not a valid `T`.
pub(super) fn read<T: Record>(item: Item) -> Result<T, StoreError> {
    serde_dynamo::from_item(item).map_err(corrupt)
}

/// Deserializes an item of a list. Logs an item that is not a valid `T` and returns `None`, so
/// that the rest of the list can still be read.
pub(super) fn read_or_log<T: Record>(item: Item) -> Option<T> {
    let key = item.get(SK).and_then(|it| it.as_s().ok()).cloned();
    let log = |error: &StoreError| {
        let id = telemetry::request_id();
        let cause = Chain(error);
        tracing::error!(requestId = id, key, %cause, "a record of a list was left out");
    };
    read(item).inspect_err(log).ok()
}

/// Takes the record at `key` out of the items of a batch, if it is among them.
///
/// # Errors
///
/// [`StoreError::Corrupt`] when the item is not a valid `T`.
pub(super) fn take<T: Record>(items: &mut Vec<Item>, key: &Key) -> Result<Option<T>, StoreError> {
    let at = items.iter().position(|item| key.is_of(item));
    at.map(|at| read(items.swap_remove(at))).transpose()
}

/// Serializes a record as an item, with its key and its `ttl`.
///
/// # Errors
///
/// [`StoreError::Corrupt`] when the record cannot be serialized.
pub(super) fn write<T: Record>(record: &T) -> Result<Item, StoreError> {
    let mut item: Item = serde_dynamo::to_item(record).map_err(corrupt)?;
    item.extend(record.key().attributes());
    item.extend(record.ttl().map(|at| (TTL.to_owned(), seconds(at))));
    Ok(item)
}

/// Serializes a value, such as a state, as an attribute.
///
/// # Errors
///
/// [`StoreError::Corrupt`] when the value cannot be serialized.
pub(super) fn attribute<T: Serialize>(value: &T) -> Result<AttributeValue, StoreError> {
    serde_dynamo::to_attribute_value(value).map_err(corrupt)
}

/// Converts an instant to a Number of epoch seconds, the only format that DynamoDB accepts for
/// `ttl`.
pub(super) fn seconds(at: Timestamp) -> AttributeValue {
    AttributeValue::N(at.as_second().to_string())
}
