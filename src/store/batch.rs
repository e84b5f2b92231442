//! Reads and writes of many records at once.

use std::{collections::HashSet, time::Duration};

use aws_sdk_dynamodb::types::{KeysAndAttributes, PutRequest, WriteRequest};
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::store::{
    Record, Store, StoreError,
    error::{classify, rejected},
    item::{self, Item},
    key::Key,
};

/// The maximum number of keys in one `BatchGetItem`.
pub(super) const MAX_KEYS: usize = 100;
/// The maximum number of records in one `BatchWriteItem`.
const MAX_PUTS: usize = 25;
/// The maximum number of concurrent requests of one batch.
const CONCURRENT_REQUESTS: usize = 4;
/// The maximum number of times that a key is sent.
const READS: u32 = 3;
/// The maximum number of times that a record is sent, with at most 1.3 seconds of pauses.
const WRITES: u32 = 7;
/// How much longer each pause of a read is than the one before it.
const PAUSE: Duration = Duration::from_millis(25);

impl Store {
    /// Makes a read like that of an authentication, which also opens the connection. Call it at
    /// startup, when Lambda does not throttle the CPU yet.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when DynamoDB does not respond.
    pub async fn warm_up(&self) -> Result<(), StoreError> {
        self.items(&[Key::warm_up()]).await.map(|_| ())
    }

    /// Gets the records at `keys` with consistent reads, in no particular order. Omits records that
    /// do not exist. Logs and omits records that cannot be read.
    ///
    /// Costs one `BatchGetItem` for each 100 keys. Keys that DynamoDB did not process are sent
    /// again.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when DynamoDB fails, or repeatedly leaves keys unprocessed.
    pub async fn batch<T: Record>(
        &self,
        keys: impl IntoIterator<Item = Key>,
    ) -> Result<Vec<T>, StoreError> {
        let mut seen = HashSet::new();
        let keys = keys.into_iter().filter(|key| seen.insert(key.clone()));
        let keys: Vec<Item> = keys.map(|key| key.attributes()).collect();
        let reads: Vec<_> =
            keys.chunks(MAX_KEYS).map(|chunk| self.read_chunk(chunk.to_vec())).collect();
        let items = stream::iter(reads).buffer_unordered(CONCURRENT_REQUESTS).try_concat();
        Ok(items.await?.into_iter().filter_map(item::read_or_log).collect())
    }

    /// Gets the items at `keys`, with one `BatchGetItem`. Takes at most 100 keys, without
    /// duplicates.
    pub(super) async fn items(&self, keys: &[Key]) -> Result<Vec<Item>, StoreError> {
        self.read_chunk(keys.iter().map(Key::attributes).collect()).await
    }

    /// Reads a chunk of keys. Sends the keys that DynamoDB did not process again.
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

    /// Puts records unconditionally: each replaces what is stored at its key. The keys must differ.
    /// Use it only for records that no other code writes. If it fails, some of the records may be
    /// stored.
    ///
    /// Costs one `BatchWriteItem` for each 25 records, half the capacity of a transaction.
    /// Records that DynamoDB did not process are sent again.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when DynamoDB fails, or repeatedly leaves records unprocessed.
    pub async fn put_all<T: Record>(&self, records: &[T]) -> Result<(), StoreError> {
        let writes = records.iter().map(put_request).collect::<Result<Vec<_>, _>>()?;
        let puts: Vec<_> =
            writes.chunks(MAX_PUTS).map(|chunk| self.put_chunk(chunk.to_vec())).collect();
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
