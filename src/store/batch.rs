//! Many records at once.

use std::{collections::HashSet, time::Duration};

use aws_sdk_dynamodb::types::{KeysAndAttributes, PutRequest, WriteRequest};
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::store::{
    Record, Store, StoreError,
    error::{classify, rejected},
    item::{self, Item},
    key::Key,
};

/// How many keys DynamoDB accepts in one `BatchGetItem`.
pub(super) const MOST_KEYS: usize = 100;
/// How many records DynamoDB accepts in one `BatchWriteItem`.
const MOST_PUTS: usize = 25;
/// How many requests of one batch are on their way at the same time.
const CONCURRENT_REQUESTS: usize = 4;
/// How often the keys that DynamoDB did not process are sent.
const READS: u32 = 3;
/// How often the records that DynamoDB did not process are sent: 1.3 seconds of pauses at most.
const WRITES: u32 = 7;
/// How much longer a read waits before each time.
const PAUSE: Duration = Duration::from_millis(25);

impl Store {
    /// Gets the records at `keys`, consistently and in no particular order. Those that do not
    /// exist are left out; so are those that cannot be read, which are logged.
    ///
    /// Costs one `BatchGetItem` for each 100 keys. Keys that DynamoDB did not process are sent
    /// again.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when DynamoDB fails, or keeps leaving out keys.
    pub async fn batch<T: Record>(
        &self,
        keys: impl IntoIterator<Item = Key>,
    ) -> Result<Vec<T>, StoreError> {
        let mut seen = HashSet::new();
        let keys = keys.into_iter().filter(|key| seen.insert(key.clone()));
        let keys: Vec<Item> = keys.map(|key| key.attributes()).collect();
        let reads: Vec<_> =
            keys.chunks(MOST_KEYS).map(|chunk| self.read_chunk(chunk.to_vec())).collect();
        let items = stream::iter(reads).buffer_unordered(CONCURRENT_REQUESTS).try_concat();
        Ok(items.await?.into_iter().filter_map(item::read_or_log).collect())
    }

    /// Gets the items at `keys`, which are 100 at most and differ: one `BatchGetItem`.
    pub(super) async fn items(&self, keys: &[Key]) -> Result<Vec<Item>, StoreError> {
        self.read_chunk(keys.iter().map(Key::attributes).collect()).await
    }

    /// Sends keys that DynamoDB did not process again: their items may exist.
    async fn read_chunk(&self, mut keys: Vec<Item>) -> Result<Vec<Item>, StoreError> {
        let mut items = Vec::with_capacity(keys.len());
        for attempt in 1..=READS {
            let request = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true);
            let request = request.build().map_err(rejected)?;
            let response =
                self.client.batch_get_item().request_items(&self.table, request).send().await;
            let response = response.map_err(classify)?;
            items.extend(response.responses.into_iter().flatten().flat_map(|(_, items)| items));
            let unprocessed = response.unprocessed_keys.into_iter().flatten();
            keys = unprocessed.flat_map(|(_, it)| it.keys).collect();
            if keys.is_empty() {
                return Ok(items);
            }
            if attempt < READS {
                tokio::time::sleep(PAUSE * attempt).await;
            }
        }
        Err(StoreError::Unavailable("DynamoDB kept leaving out keys of a batch".into()))
    }

    /// Puts records, which must have different keys, without conditions: each replaces what is
    /// stored at its key. So it is only for records that nobody else writes. Where it fails, some
    /// of them are stored.
    ///
    /// Costs one `BatchWriteItem` for each 25 records: half of what a transaction consumes.
    /// Records that DynamoDB did not process are sent again.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when DynamoDB fails, or keeps leaving out records.
    pub async fn put_all<T: Record>(&self, records: &[T]) -> Result<(), StoreError> {
        let writes = records.iter().map(put_request).collect::<Result<Vec<_>, _>>()?;
        let puts: Vec<_> =
            writes.chunks(MOST_PUTS).map(|chunk| self.put_chunk(chunk.to_vec())).collect();
        stream::iter(puts).buffer_unordered(CONCURRENT_REQUESTS).try_collect().await
    }

    async fn put_chunk(&self, mut writes: Vec<WriteRequest>) -> Result<(), StoreError> {
        for attempt in 1..=WRITES {
            let request = self.client.batch_write_item().request_items(&self.table, writes);
            let send = || async { request.clone().send().await.map_err(classify) };
            let response = self.retry_on_race(send).await?;
            let unprocessed = response.unprocessed_items.into_iter().flatten();
            writes = unprocessed.flat_map(|(_, writes)| writes).collect();
            if writes.is_empty() {
                return Ok(());
            }
            if attempt < WRITES {
                self.back_off(attempt).await?;
            }
        }
        Err(StoreError::Unavailable("DynamoDB kept leaving out records of a batch".into()))
    }
}

fn put_request<T: Record>(record: &T) -> Result<WriteRequest, StoreError> {
    let put = PutRequest::builder().set_item(Some(item::write(record)?)).build();
    Ok(WriteRequest::builder().put_request(put.map_err(rejected)?).build())
}
