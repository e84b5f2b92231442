//! Subjects of identity providers, and the users that they log in as.

use aws_sdk_dynamodb::types::AttributeValue;

use crate::{
    domain::{
        audit::AuditEntry,
        stakeholder::Stakeholder,
        subject::{LinkedSubject, Subject},
    },
    store::{Record, Store, StoreError, key::Key, stakeholders::Address},
};

/// The condition that the subject is still not linked, or still linked to the user `:uid`.
const IS_UNCHANGED: &str = "attribute_not_exists(PK) OR uid = :uid";

/// The condition that the subject is still linked to the user `:uid`.
const IS_LINKED: &str = "uid = :uid";

/// Changes the address that the provider reports. Other attributes stay, even unknown ones.
const SET_ADDRESS: &str = "SET email = :email";

/// Returns the values of `:uid` and `:email`.
fn address_of(link: &LinkedSubject) -> [(&'static str, AttributeValue); 2] {
    let email = AttributeValue::S(link.email.as_str().to_owned());
    [user_of(Some(link)), (":email", email)]
}

/// Returns the value of `:uid`: the user of `stored`, or an id that no user has.
fn user_of(stored: Option<&LinkedSubject>) -> (&'static str, AttributeValue) {
    (":uid", AttributeValue::S(stored.map_or("-", |it| it.user.as_str()).to_owned()))
}

impl Record for LinkedSubject {
    fn key(&self) -> Key {
        Key::subject(&self.subject)
    }
}

impl Store {
    /// Gets a subject's record. It stays when the subject is unlinked from the stakeholder, so check
    /// [`Stakeholder::has_linked`] too.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when DynamoDB fails.
    pub async fn linked_subject(
        &self,
        subject: &Subject,
    ) -> Result<Option<LinkedSubject>, StoreError> {
        self.get(&Key::subject(subject)).await
    }

    /// Enrols a new stakeholder under their address, and links the subject to them. `stored` is the
    /// subject's record, as it was read.
    ///
    /// # Errors
    ///
    /// [`StoreError::Exists`] when the address already belongs to a stakeholder;
    /// [`StoreError::Stale`] when the subject is no longer linked as in `stored`.
    pub async fn enrol_subject(
        &self,
        stakeholder: &Stakeholder,
        link: &LinkedSubject,
        stored: Option<&LinkedSubject>,
        entry: &AuditEntry,
    ) -> Result<(), StoreError> {
        let address = Address { email: stakeholder.email.clone(), user: stakeholder.id.clone() };
        let writes = self.transaction().insert(&address)?.insert(stakeholder)?;
        writes.put_where(link, IS_UNCHANGED, [user_of(stored)])?.commit(entry).await
    }

    /// Links a subject to a stakeholder who was enrolled before. `linked` is the stakeholder with
    /// the subject added, and may have another epoch. `stored` is the subject's record, as it was
    /// read.
    ///
    /// # Errors
    ///
    /// [`StoreError::Stale`] when another request changed the stakeholder or linked the subject
    /// first.
    pub async fn link_subject(
        &self,
        before: &Stakeholder,
        linked: Stakeholder,
        link: &LinkedSubject,
        stored: Option<&LinkedSubject>,
        entry: &AuditEntry,
    ) -> Result<Stakeholder, StoreError> {
        let after = Stakeholder { version: before.version + 1, ..linked };
        let writes = self.transaction().put_where(link, IS_UNCHANGED, [user_of(stored)])?;
        writes.change(before, &after)?.commit(entry).await?;
        Ok(after)
    }

    /// Changes a stakeholder's address to the one that the provider of a linked subject now
    /// reports.
    ///
    /// # Errors
    ///
    /// [`StoreError::Exists`] when the address belongs to another stakeholder;
    /// [`StoreError::Stale`] when another request changed the stakeholder first.
    pub async fn change_address(
        &self,
        before: &Stakeholder,
        link: &LinkedSubject,
        entry: &AuditEntry,
    ) -> Result<Stakeholder, StoreError> {
        let mut after = before.clone();
        after.email = link.email.clone();
        after.version += 1;
        let address = Address { email: after.email.clone(), user: after.id.clone() };
        let writes = self.transaction();
        let writes = writes.update_where(&link.key(), SET_ADDRESS, IS_LINKED, address_of(link))?;
        let writes = writes.insert(&address)?.delete(&Key::email(&before.email))?;
        writes.change(before, &after)?.commit(entry).await?;
        Ok(after)
    }

    /// Records the address that the provider of a linked subject reports, if the stakeholder
    /// already has it.
    ///
    /// Costs one `UpdateItem`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Stale`] when the subject is no longer linked to them.
    pub async fn record_address(&self, link: &LinkedSubject) -> Result<(), StoreError> {
        self.update(&link.key(), SET_ADDRESS, IS_LINKED, address_of(link)).await
    }
}
