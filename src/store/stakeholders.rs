//! Stakeholders, and the email addresses that they own.

use serde::{Deserialize, Serialize};

use crate::{
    domain::{
        audit::AuditEntry,
        email::Email,
        id::UserId,
        memberships::Memberships,
        stakeholder::{Owner, Stakeholder},
    },
    store::{
        Record, Store, StoreError,
        item::{self, Item},
        key::Key,
        record::versioned,
    },
};

/// The record that maps an email address to its user.
#[derive(Serialize, Deserialize)]
pub(super) struct Address {
    pub(super) email: Email,
    pub(super) user: UserId,
}

/// Takes an owner out of the items of a batch. Returns empty memberships if they have no record.
pub(super) fn take_owner(
    items: &mut Vec<Item>,
    stakeholder: &Key,
    memberships: &Key,
) -> Result<Option<Owner>, StoreError> {
    let Some(stakeholder) = item::take::<Stakeholder>(items, stakeholder)? else {
        return Ok(None);
    };
    let memberships = item::take(items, memberships)?;
    let memberships = memberships.unwrap_or_else(|| Memberships::none(stakeholder.id.clone()));
    Ok(Some(Owner { stakeholder, memberships }))
}

impl Record for Memberships {
    fn key(&self) -> Key {
        Key::memberships(&self.user)
    }
}

impl Record for Stakeholder {
    fn key(&self) -> Key {
        Key::stakeholder(&self.id)
    }
}

versioned!(Memberships, Stakeholder);

impl Record for Address {
    fn key(&self) -> Key {
        Key::email(&self.email)
    }
}

impl Store {
    /// Gets a stakeholder.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when DynamoDB fails.
    pub async fn stakeholder(&self, user: &UserId) -> Result<Option<Stakeholder>, StoreError> {
        self.get(&Key::stakeholder(user)).await
    }

    /// Gets the stakeholder with this email address.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when DynamoDB fails.
    pub async fn stakeholder_at(&self, email: &Email) -> Result<Option<Stakeholder>, StoreError> {
        match self.get::<Address>(&Key::email(email)).await? {
            Some(address) => self.stakeholder(&address.user).await,
            None => Ok(None),
        }
    }

    /// Enrols a new stakeholder under their address.
    ///
    /// # Errors
    ///
    /// [`StoreError::Exists`] when the address already belongs to a stakeholder.
    pub async fn enrol(
        &self,
        stakeholder: &Stakeholder,
        entry: &AuditEntry,
    ) -> Result<(), StoreError> {
        let address = Address { email: stakeholder.email.clone(), user: stakeholder.id.clone() };
        self.transaction().insert(&address)?.insert(stakeholder)?.commit(entry).await
    }

    /// Gets the memberships of a stakeholder. They are empty if there is no record.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when DynamoDB fails.
    pub async fn memberships(&self, user: &UserId) -> Result<Memberships, StoreError> {
        let found = self.get(&Key::memberships(user)).await?;
        Ok(found.unwrap_or_else(|| Memberships::none(user.clone())))
    }
}
