//! Reads of many values by their keys, for loaders that collect the keys first.

use std::{collections::HashMap, hash::Hash};

use crate::store::{Store, StoreError};

/// A key by which the store reads values in batches.
pub trait LoadKey: Clone + Eq + Hash + Send + Sync + 'static {
    /// The value that a key leads to.
    type Value: Clone + Send + Sync;

    /// Reads the values of `keys`. The result may have other keys, too.
    ///
    /// Costs one `BatchGetItem` for each 100 keys.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when DynamoDB fails.
    fn load(
        keys: &[Self],
        store: &Store,
    ) -> impl Future<Output = Result<HashMap<Self, Self::Value>, StoreError>> + Send;
}
