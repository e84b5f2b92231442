//! Changes of records that other instances may change at the same time.

use crate::{
    domain::audit::AuditEntry,
    store::{Store, StoreError, Versioned, difference::Difference, key::Key},
};

impl Store {
    /// Changes the record at `key` by a pure step, and returns it as it is then; `None` where
    /// there is no such record. Writes the audit entry in the same transaction.
    ///
    /// Only the attributes that the step changed are written. A step that changes nothing writes
    /// nothing, no audit entry either. Where somebody else changed the record after it was read,
    /// it is read again and the step is repeated.
    ///
    /// Costs one `GetItem` and one `TransactWriteItems`, for each attempt.
    ///
    /// # Errors
    ///
    /// What the step fails with; [`StoreError::Stale`] when others changed the record first at
    /// each attempt; else as [`Store::get`].
    pub async fn change<T, E>(
        &self,
        key: &Key,
        audit: &AuditEntry,
        step: impl Fn(&T) -> Result<T, E>,
    ) -> Result<Option<T>, E>
    where
        T: Versioned,
        E: From<StoreError>,
    {
        let attempt = || async {
            let Some(before) = self.get::<T>(key).await? else { return Ok(Ok(None)) };
            match step(&before) {
                Ok(after) => self.replace(&before, after, audit).await.map(|it| Ok(Some(it))),
                Err(refusal) => Ok(Err(refusal)),
            }
        };
        self.retry_when_stale(attempt).await?
    }

    /// Replaces a record that was read by a changed one.
    async fn replace<T: Versioned>(
        &self,
        before: &T,
        mut after: T,
        audit: &AuditEntry,
    ) -> Result<T, StoreError> {
        after.set_version(before.version());
        let difference = Difference::between(before, &after)?;
        if !difference.is_empty() {
            let transaction = self.transaction().apply(difference, before)?;
            transaction.commit(audit).await?;
            after.set_version(before.version() + 1);
        }
        Ok(after)
    }

    /// Deletes the record at `key` if `check` allows it, and returns it; `None` where there is no
    /// such record. Writes the audit entry in the same transaction.
    ///
    /// Where somebody else changed the record after it was checked, it is read and checked again.
    ///
    /// Costs one `GetItem` and one `TransactWriteItems`, for each attempt.
    ///
    /// # Errors
    ///
    /// What `check` fails with; [`StoreError::Stale`] when others changed the record first at
    /// each attempt; else as [`Store::get`].
    pub async fn remove<T, E>(
        &self,
        key: &Key,
        audit: &AuditEntry,
        check: impl Fn(&T) -> Result<(), E>,
    ) -> Result<Option<T>, E>
    where
        T: Versioned,
        E: From<StoreError>,
    {
        let attempt = || async {
            let Some(record) = self.get::<T>(key).await? else { return Ok(Ok(None)) };
            if let Err(refusal) = check(&record) {
                return Ok(Err(refusal));
            }
            self.transaction().remove(&record)?.commit(audit).await?;
            Ok(Ok(Some(record)))
        };
        self.retry_when_stale(attempt).await?
    }
}
