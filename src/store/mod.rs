//! The one table: the only room that speaks to DynamoDB.
//!
//! [`Store`] is concrete: there is no store trait. Tests and local mode answer the
//! same client from an embedded DynamoDB, so the requests, expressions and failing
//! conditions that run there are the ones that run in AWS.
//!
//! Domain values go in and come out by serde; there are no row types. Rooms above
//! use the named reads and changes of the files beside this one.

pub mod access_tokens;
pub mod client;
mod events;
mod fault;
mod item;
pub mod key;
mod login_attempts;
mod race;
mod rate_limit;
pub mod sessions;
mod stakeholders;
mod subjects;
mod transaction;

use std::time::Duration;

use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, KeysAndAttributes},
};
use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};

use crate::entropy::Entropy;

use self::{
    fault::{failure, rejected},
    item::Item,
    key::Key,
};

pub use self::fault::StoreError;

/// How often the keys that DynamoDB left out of a batch are asked for again.
const BATCH_ATTEMPTS: u32 = 3;

/// How much longer is waited before each time.
const BATCH_PAUSE: Duration = Duration::from_millis(25);

/// The one table.
#[derive(Clone, Debug)]
pub struct Store {
    client: Client,
    table: String,
    entropy: Entropy,
}

/// Something that the table holds.
pub trait Record: Serialize + DeserializeOwned {
    /// Where it lies.
    fn key(&self) -> Key;

    /// When DynamoDB may delete it, which can happen days later: readers check the record's
    /// own life and never rely on its absence.
    fn ttl(&self) -> Option<Timestamp> {
        None
    }
}

impl Store {
    /// The table `table` behind `client`; `entropy` spreads out retries.
    #[must_use]
    pub fn new(client: Client, table: String, entropy: Entropy) -> Self {
        Self { client, table, entropy }
    }

    /// Makes one read as each authentication makes it, which also opens the connection: for
    /// start-up, where the processor is not yet throttled.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when DynamoDB does not answer.
    pub async fn warm_up(&self) -> Result<(), StoreError> {
        self.batch(vec![Key::warm_up().attributes()]).await.map(|_| ())
    }

    /// Gets the record at `key`, consistently.
    async fn get<T: Record>(&self, key: &Key) -> Result<Option<T>, StoreError> {
        self.item(key).await?.map(item::read).transpose()
    }

    async fn item(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        let get = self.client.get_item().table_name(&self.table).set_key(Some(key.attributes()));
        let answer = get.consistent_read(true).send().await.map_err(failure)?;
        Ok(answer.item)
    }

    /// Gets two records in one consistent round trip.
    async fn pair<A: Record, B: Record>(
        &self,
        a: &Key,
        b: &Key,
    ) -> Result<(Option<A>, Option<B>), StoreError> {
        let mut items = self.batch(vec![a.attributes(), b.attributes()]).await?;
        Ok((item::take(&mut items, a)?, item::take(&mut items, b)?))
    }

    /// Gets the items at `keys`, asking again for those that DynamoDB left out: an
    /// item that it left out is not one that does not exist.
    async fn batch(&self, mut keys: Vec<Item>) -> Result<Vec<Item>, StoreError> {
        let mut items = Vec::with_capacity(keys.len());
        for attempt in 1..=BATCH_ATTEMPTS {
            let asked = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true);
            let asked = asked.build().map_err(rejected)?;
            let answer =
                self.client.batch_get_item().request_items(&self.table, asked).send().await;
            let answer = answer.map_err(failure)?;
            items.extend(answer.responses.into_iter().flatten().flat_map(|(_, items)| items));
            keys =
                answer.unprocessed_keys.into_iter().flatten().flat_map(|(_, it)| it.keys).collect();
            if keys.is_empty() {
                return Ok(items);
            }
            tokio::time::sleep(BATCH_PAUSE * attempt).await;
        }
        Err(StoreError::Unavailable("DynamoDB kept leaving out keys of a batch".into()))
    }

    /// Sets attributes of the record at `key` where `condition` holds, such as
    /// "it exists": a late write never resurrects a record that was deleted.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] when the condition does not hold.
    async fn update(
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
        let send = || async { update.clone().send().await.map_err(failure) };
        self.retry_on_race(send).await.map(|_| ())
    }
}
