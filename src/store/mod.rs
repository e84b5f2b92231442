//! The DynamoDB table that has all records. No other module sends requests to DynamoDB.
//!
//! [`Store`] is concrete: there is no store trait. Tests and local mode connect the same client
//! to an embedded DynamoDB, so they send the same requests as the Lambda functions.
//!
//! Domain types are serialized directly; there are no separate types for storage. The generic
//! functions work for every [`Record`]: [`get`](Store::get), [`batch`](Store::batch),
//! [`page`](Store::page), [`insert`](Store::insert), [`change`](Store::change),
//! [`remove`](Store::remove) and [`put_all`](Store::put_all). The functions for one type, such as
//! [`open_session`](Store::open_session), are in a file for each type.

pub mod access_tokens;
mod audit;
mod batch;
mod change;
pub mod client;
pub mod cursor;
mod difference;
mod error;
mod item;
pub mod key;
pub mod load;
mod login_attempts;
mod organizations;
pub mod page;
mod rate_limit;
mod record;
mod retry;
pub mod sessions;
mod stakeholders;
mod subjects;
mod transaction;
mod write;

use aws_sdk_dynamodb::Client;

use crate::entropy::Entropy;

use self::{error::classify, key::Key};

pub use self::{
    error::StoreError,
    record::{Record, Versioned},
};

/// The table.
#[derive(Clone, Debug)]
pub struct Store {
    client: Client,
    table: String,
    entropy: Entropy,
}

impl Store {
    /// Creates a store for the table `table`. `entropy` randomizes the pauses between retries.
    #[must_use]
    pub fn new(client: Client, table: String, entropy: Entropy) -> Self {
        Self { client, table, entropy }
    }

    /// Gets the record at `key` with a consistent read.
    ///
    /// Costs one `GetItem`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when DynamoDB fails; [`StoreError::Corrupt`] when the item is
    /// not a valid `T`.
    pub async fn get<T: Record>(&self, key: &Key) -> Result<Option<T>, StoreError> {
        let get = self.client.get_item().table_name(&self.table).set_key(Some(key.attributes()));
        let response = get.consistent_read(true).send().await.map_err(classify)?;
        response.item.map(item::read).transpose()
    }
}
