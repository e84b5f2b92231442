//! Batches the reads of one request, like a `DataLoader`.
//!
//! Resolvers run concurrently, and each requests one value. A loader collects the keys of all
//! waiting resolvers and reads them in one batch. The `DataLoader` of async-graphql does the same,
//! but it delays each batch by a millisecond and needs a thread for its timer.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::{
    access::Access,
    error::{Error, Result},
    store::load::LoadKey,
    telemetry,
};

/// Loads values by key, for one request. Does not cache them.
#[derive(Clone)]
pub struct Loader<K: LoadKey> {
    access: Arc<Access>,
    /// The loads of the next batch.
    pending: Arc<Mutex<Vec<PendingLoad<K>>>>,
}

/// A key, with the sender to the task that waits for its value.
struct PendingLoad<K: LoadKey> {
    key: K,
    sender: oneshot::Sender<Result<Option<K::Value>>>,
}

impl<K: LoadKey> Loader<K> {
    /// Creates a loader for one request.
    #[must_use]
    pub fn new(access: Arc<Access>) -> Self {
        Self { access, pending: Arc::default() }
    }

    /// Loads the value of a key. Returns `None` if the key has no value.
    ///
    /// # Errors
    ///
    /// `Unavailable` when DynamoDB fails.
    pub async fn load(&self, key: K) -> Result<Option<K::Value>> {
        let (sender, receiver) = oneshot::channel();
        if self.enqueue(PendingLoad { key, sender }) {
            telemetry::spawn(self.clone().load_batch());
        }
        receiver.await.map_err(Error::internal)?
    }

    /// Adds a load to the next batch. Returns whether it is the first of the batch.
    fn enqueue(&self, load: PendingLoad<K>) -> bool {
        let mut pending = self.pending();
        pending.push(load);
        pending.len() == 1
    }

    fn pending(&self) -> MutexGuard<'_, Vec<PendingLoad<K>>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Loads the next batch. This runs in its own task. All our binaries run on one thread, so it
    /// starts after all resolvers that are ready have added their keys.
    async fn load_batch(self) {
        let batch = std::mem::take(&mut *self.pending());
        let keys: Vec<K> = batch.iter().map(|it| it.key.clone()).collect();
        let values = K::load(&keys, &self.access.store).await.map_err(Error::from);
        for PendingLoad { key, sender } in batch {
            let value = values.as_ref().map(|it| it.get(&key).cloned()).map_err(Error::clone);
            // Fails only if the request has ended.
            let _ = sender.send(value);
        }
    }
}
