//! Finding or enrolling who has just proved an e-mail address to be theirs.

use jiff::Timestamp;

use crate::{
    access::Access,
    domain::{email::Email, stakeholder::Stakeholder},
    error::Result,
    store::StoreError,
};

impl Access {
    /// The stakeholder of an address, enrolled if this is their first login.
    ///
    /// # Errors
    ///
    /// `Unavailable` when DynamoDB fails.
    pub async fn find_or_enrol(&self, email: &Email, name: &str, now: Timestamp) -> Result<Stakeholder> {
        if let Some(known) = self.store.stakeholder_at(email).await? {
            return Ok(known);
        }
        let new = Stakeholder::enrol(self.user_id()?, email.clone(), name, now);
        match self.store.enrol(&new).await {
            Ok(()) => Ok(new),
            Err(StoreError::Conflict) => self.enrolled_meanwhile(email).await,
            Err(fault) => Err(fault.into()),
        }
    }

    /// Two first logins at once enrol one stakeholder: the slower one finds it.
    async fn enrolled_meanwhile(&self, email: &Email) -> Result<Stakeholder> {
        Ok(self.store.stakeholder_at(email).await?.ok_or(StoreError::Conflict)?)
    }
}
