//! Changes to records with optimistic locking, since other instances may change them too.

use crate::{
    domain::audit::AuditEntry,
    store::{Store, StoreError, Versioned, difference::Difference, key::Key},
};

impl Store {
    /// Applies the pure function `step` to the record at `key`, and returns the changed record.
    /// Returns `None` if there is no such record. Writes the audit entry in the same transaction.
    ///
    /// Writes only the attributes that `step` changed. If it changed none, nothing is written, not
    /// even the audit entry. If another request changed the record after it was read, reads it
    /// and calls `step` again.
    ///
    /// Costs one `GetItem` and one `TransactWriteItems` for each attempt.
    ///
    /// # Errors
    ///
    /// The error of `step`; [`StoreError::Stale`] when other requests changed the record first in
    /// each attempt; the errors of [`Store::get`].
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

    /// Writes the attributes that differ between `before` and `after`, unless the record changed
    /// since `before` was read.
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

    /// Deletes the record at `key` if `check` allows it, and returns the deleted record. Returns
    /// `None` if there is no such record. Writes the audit entry in the same transaction.
    ///
    /// If another request changed the record after the check, reads and checks it again.
    ///
    /// Costs one `GetItem` and one `TransactWriteItems` for each attempt.
    ///
    /// # Errors
    ///
    /// The error of `check`; [`StoreError::Stale`] when other requests changed the record first in
    /// each attempt; the errors of [`Store::get`].
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
            self.transaction().delete_unchanged(&record)?.commit(audit).await?;
            Ok(Ok(Some(record)))
        };
        self.retry_when_stale(attempt).await?
    }
}
