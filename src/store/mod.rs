//! The one table. No other module sends requests to DynamoDB.
//!
//! [`Store`] is concrete: there is no store trait. Tests and local mode connect the same client
//! to an embedded DynamoDB, so they send the requests, expressions and conditions that the
//! functions send to AWS.
//!
//! Domain values are stored as they serialize; there are no other types of records. The verbs
//! work for every [`Record`]: [`get`](Store::get), [`batch`](Store::batch),
//! [`page`](Store::page), [`insert`](Store::insert), [`change`](Store::change),
//! [`remove`](Store::remove) and [`put_all`](Store::put_all). The modules above call named reads
//! and changes, in the file of each noun.

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

/// The one table.
#[derive(Clone, Debug)]
pub struct Store {
    client: Client,
    table: String,
    entropy: Entropy,
}

impl Store {
    /// Returns the table `table` behind `client`; `entropy` spreads out retries.
    #[must_use]
    pub fn new(client: Client, table: String, entropy: Entropy) -> Self {
        Self { client, table, entropy }
    }

    /// Makes one read as each authentication makes it, which also opens the connection: for
    /// start-up, where the processor is not yet throttled.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when DynamoDB does not respond.
    pub async fn warm_up(&self) -> Result<(), StoreError> {
        self.items(&[Key::warm_up()]).await.map(|_| ())
    }

    /// Gets the record at `key`, consistently.
    ///
    /// Costs one `GetItem`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when DynamoDB fails; [`StoreError::Corrupt`] when the item is
    /// no such record.
    pub async fn get<T: Record>(&self, key: &Key) -> Result<Option<T>, StoreError> {
        let get = self.client.get_item().table_name(&self.table).set_key(Some(key.attributes()));
        let response = get.consistent_read(true).send().await.map_err(classify)?;
        response.item.map(item::read).transpose()
    }
}
