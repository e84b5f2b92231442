//! Subjects of identity providers, and the users that they log in as.

use aws_sdk_dynamodb::types::AttributeValue;

use crate::{
    domain::{
        audit::AuditEntry,
        stakeholder::Stakeholder,
        subject::{PinnedSubject, Subject},
    },
    store::{Record, Store, StoreError, key::Key, stakeholders::Address},
};

/// The condition that the subject is still not pinned, or still pinned to the user `:uid`.
const PIN_IS_AS_FOUND: &str = "attribute_not_exists(PK) OR uid = :uid";

/// Returns the value of `:uid`: the user of `found`, or an id that no user has.
fn as_found(found: Option<&PinnedSubject>) -> (&'static str, AttributeValue) {
    (":uid", AttributeValue::S(found.map_or("-", |it| it.user.as_str()).to_owned()))
}

impl Record for PinnedSubject {
    fn key(&self) -> Key {
        Key::subject(&self.subject)
    }
}

impl Store {
    /// Gets the user that a subject logs in as.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when DynamoDB fails.
    pub async fn pinned_subject(
        &self,
        subject: &Subject,
    ) -> Result<Option<PinnedSubject>, StoreError> {
        self.get(&Key::subject(subject)).await
    }

    /// Enrols a new stakeholder under their address, and pins the subject that logs in as them.
    ///
    /// # Errors
    ///
    /// [`StoreError::Exists`] when the address already belongs to a stakeholder;
    /// [`StoreError::Stale`] when the subject is no longer pinned as in `found`.
    pub async fn enrol_subject(
        &self,
        stakeholder: &Stakeholder,
        pin: &PinnedSubject,
        found: Option<&PinnedSubject>,
        entry: &AuditEntry,
    ) -> Result<(), StoreError> {
        let address = Address { email: stakeholder.email.clone(), user: stakeholder.id.clone() };
        let writes = self.transaction().insert(&address)?.insert(stakeholder)?;
        writes.put_where(pin, PIN_IS_AS_FOUND, [as_found(found)])?.commit(entry).await
    }

    /// Pins a subject to a stakeholder who was enrolled before. `linked` is the stakeholder with
    /// the subject added, and may have another epoch.
    ///
    /// # Errors
    ///
    /// [`StoreError::Stale`] when another request changed the stakeholder or pinned the subject
    /// first.
    pub async fn pin_subject(
        &self,
        before: &Stakeholder,
        linked: Stakeholder,
        pin: &PinnedSubject,
        found: Option<&PinnedSubject>,
        entry: &AuditEntry,
    ) -> Result<Stakeholder, StoreError> {
        let after = Stakeholder { version: before.version + 1, ..linked };
        let writes = self.transaction().put_where(pin, PIN_IS_AS_FOUND, [as_found(found)])?;
        writes.change(before, &after)?.commit(entry).await?;
        Ok(after)
    }

    /// Changes a stakeholder's address to the one that the provider of a pinned subject now
    /// reports.
    ///
    /// # Errors
    ///
    /// [`StoreError::Exists`] when the address belongs to another stakeholder;
    /// [`StoreError::Stale`] when another request changed the stakeholder first.
    pub async fn move_address(
        &self,
        before: &Stakeholder,
        pin: &PinnedSubject,
        entry: &AuditEntry,
    ) -> Result<Stakeholder, StoreError> {
        let mut after = before.clone();
        after.email = pin.email.clone();
        after.version += 1;
        let address = Address { email: after.email.clone(), user: after.id.clone() };
        let writes = self.transaction().put_where(pin, PIN_IS_AS_FOUND, [as_found(Some(pin))])?;
        let writes = writes.insert(&address)?.delete(&Key::email(&before.email))?;
        writes.change(before, &after)?.commit(entry).await?;
        Ok(after)
    }

    /// Records the address that the provider of a pinned subject reports, if the stakeholder
    /// already has it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Stale`] when the subject is no longer pinned to them.
    pub async fn note_address(&self, pin: &PinnedSubject) -> Result<(), StoreError> {
        self.transaction()
            .put_where(pin, PIN_IS_AS_FOUND, [as_found(Some(pin))])?
            .commit_without_audit()
            .await
    }
}
