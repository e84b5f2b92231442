//! Logins: finds or enrols the stakeholder with a verified identity.

use http::HeaderValue;

use crate::{
    access::{Access, claims::SessionClaims},
    domain::{
        audit::Change,
        email::Email,
        issuer::{DomainOwner, DomainOwners},
        login::LoginFault,
        stakeholder::Stakeholder,
        subject::{LinkedSubject, Subject},
    },
    error::{Error, Result},
    http::RequestContext,
    store::StoreError,
    telemetry,
};

/// The audit log's action for the first login of a new stakeholder.
const ENROL: &str = "enrol";
/// The audit log's action for a login method that is added to a stakeholder.
const LINK_LOGIN: &str = "linkLogin";
/// The audit log's action for an address that changed at the identity provider.
const CHANGE_EMAIL: &str = "changeEmail";

/// A user, as an identity provider identified them.
#[derive(Debug)]
pub struct VerifiedIdentity {
    /// The provider's issuer, and the user's id at the provider.
    pub subject: Subject,
    /// The address, which the provider verified.
    pub email: Email,
    /// The user's name; can be empty.
    pub name: String,
    /// Google's claim `hd`: the domain of the organization that manages the account.
    pub hosted_domain: Option<String>,
}

/// Who owns the domain of the user's address, and all domain owners.
#[derive(Clone, Copy, Debug)]
pub struct DomainOwnership<'a> {
    pub domain_owner: DomainOwner,
    pub domain_owners: &'a DomainOwners,
}

impl VerifiedIdentity {
    fn link_to(&self, stakeholder: &Stakeholder, context: &RequestContext) -> LinkedSubject {
        LinkedSubject {
            subject: self.subject.clone(),
            user: stakeholder.id.clone(),
            email: self.email.clone(),
            linked_at: context.now,
        }
    }
}

impl Access {
    /// Logs in the stakeholder to whom the identity's subject is linked: opens a session. The first
    /// login links the subject.
    ///
    /// A login that conflicts with another transaction is retried here, because the browser cannot
    /// repeat it: the authorization code and the login attempt are single-use.
    ///
    /// # Errors
    ///
    /// `Login` if the address belongs to another provider, or to a stakeholder with another login;
    /// `Refused` for a disabled stakeholder; `Unavailable` when DynamoDB fails, or when every
    /// attempt conflicts with another transaction.
    pub async fn log_in(
        &self,
        identity: &VerifiedIdentity,
        ownership: DomainOwnership<'_>,
        previous: Option<&SessionClaims>,
        context: &RequestContext,
    ) -> Result<HeaderValue> {
        let found =
            self.retry_on_conflict(|_| self.find_or_enrol_by_subject(identity, ownership, context));
        let stakeholder = found.await.map_err(conflict_to_unavailable)?;
        telemetry::update_log_line(|line| line.actor = Some(stakeholder.id.clone()));
        self.open_session(&stakeholder, previous, context).await.map_err(conflict_to_unavailable)
    }

    /// Returns the stakeholder that the identity is linked to, and updates their address. If there
    /// is none, links the identity to the stakeholder with the same address, or creates one.
    async fn find_or_enrol_by_subject(
        &self,
        identity: &VerifiedIdentity,
        ownership: DomainOwnership<'_>,
        context: &RequestContext,
    ) -> Result<Stakeholder> {
        let stored = self.store.linked_subject(&identity.subject).await?;
        if let Some(link) = &stored
            && let Some(known) = self.store.stakeholder(&link.user).await?
            && known.has_linked(&identity.subject)
        {
            return self.update_address(known, identity, link, ownership, context).await;
        }
        if ownership.domain_owner == DomainOwner::OtherProvider {
            return Err(LoginFault::AddressOfOtherProvider.into());
        }
        match self.store.stakeholder_at(&identity.email).await? {
            None => self.enrol_identity(identity, stored.as_ref(), context).await,
            // A concurrent login of the same user enrolled them after the link was read.
            Some(known) if known.has_linked(&identity.subject) => Ok(known),
            Some(known) if was_linked(stored.as_ref(), &known) => {
                let id = telemetry::request_id();
                let event =
                    "rejected a login with an identity that was unlinked from the stakeholder";
                tracing::warn!(requestId = id, actor = %known.id, "{event}");
                Err(LoginFault::AddressOfAnother.into())
            }
            Some(known) if known.may_link(&identity.subject, ownership.domain_owner) => {
                self.link_identity(&known, identity, ownership, stored.as_ref(), context).await
            }
            Some(_) => Err(LoginFault::AddressOfAnother.into()),
        }
    }

    /// Creates a stakeholder with an identity. `stored` is the record of its subject, if there is
    /// one.
    async fn enrol_identity(
        &self,
        identity: &VerifiedIdentity,
        stored: Option<&LinkedSubject>,
        context: &RequestContext,
    ) -> Result<Stakeholder> {
        let id = self.user_id()?;
        let email = identity.email.clone();
        let mut new = Stakeholder::enrol(id, email, &identity.name, context.now);
        new.link(&identity.subject);
        let entry = self.login_entry(&new, ENROL, context)?;
        let link = identity.link_to(&new, context);
        self.store.enrol_subject(&new, &link, stored, &entry).await?;
        Ok(new)
    }

    /// Links an identity to a stakeholder. Unlinks the providers that do not own the domain of the
    /// address, if this one does. `stored` is the record of the subject, if there is one.
    async fn link_identity(
        &self,
        known: &Stakeholder,
        identity: &VerifiedIdentity,
        ownership: DomainOwnership<'_>,
        stored: Option<&LinkedSubject>,
        context: &RequestContext,
    ) -> Result<Stakeholder> {
        let mut linked = known.clone();
        linked.link(&identity.subject);
        if ownership.domain_owner == DomainOwner::ThisProvider {
            linked.unlink_non_owners(&identity.subject, ownership.domain_owners);
        }
        let issuer = Change::new("login", None, Some(identity.subject.issuer()));
        let entry = self.login_entry(known, LINK_LOGIN, context)?.with_changes([issuer]);
        let link = identity.link_to(known, context);
        Ok(self.store.link_subject(known, linked, &link, stored, &entry).await?)
    }

    /// Updates a stakeholder's address if it changed at the provider, unless another stakeholder
    /// has it or another provider owns its domain.
    async fn update_address(
        &self,
        known: Stakeholder,
        identity: &VerifiedIdentity,
        stored: &LinkedSubject,
        DomainOwnership { domain_owner, domain_owners }: DomainOwnership<'_>,
        context: &RequestContext,
    ) -> Result<Stakeholder> {
        if stored.email == identity.email {
            return Ok(known);
        }
        let link = LinkedSubject { email: identity.email.clone(), ..stored.clone() };
        if known.email == identity.email {
            self.store.record_address(&link).await?;
            return Ok(known);
        }
        let id = telemetry::request_id();
        if !known.may_change_address(&identity.subject, domain_owner, domain_owners) {
            let event = "address not updated: another provider owns the old or the new domain";
            tracing::warn!(requestId = id, actor = %known.id, "{event}");
        } else if self.store.stakeholder_at(&identity.email).await?.is_none() {
            let change =
                Change::new("email", Some(known.email.as_str()), Some(identity.email.as_str()));
            let entry = self.login_entry(&known, CHANGE_EMAIL, context)?.with_changes([change]);
            return Ok(self.store.change_address(&known, &link, &entry).await?);
        } else {
            let event = "address not updated: it belongs to another stakeholder";
            tracing::warn!(requestId = id, actor = %known.id, "{event}");
        }
        Ok(known)
    }

    /// Logs in with an email address and without a password: the development login of local mode.
    ///
    /// # Errors
    ///
    /// `Refused` for a disabled stakeholder; `Unavailable` when DynamoDB fails.
    #[cfg(feature = "local")]
    pub async fn log_in_with_email(
        &self,
        email: &Email,
        previous: Option<&SessionClaims>,
        context: &RequestContext,
    ) -> Result<HeaderValue> {
        let stakeholder = self.find_or_enrol(email, email.local_part(), context).await?;
        self.open_session(&stakeholder, previous, context).await.map_err(conflict_to_unavailable)
    }

    /// Finds the stakeholder with an email address, or enrols one.
    ///
    /// # Errors
    ///
    /// `Unavailable` when DynamoDB fails.
    #[cfg(feature = "local")]
    pub async fn find_or_enrol(
        &self,
        email: &Email,
        name: &str,
        context: &RequestContext,
    ) -> Result<Stakeholder> {
        if let Some(known) = self.store.stakeholder_at(email).await? {
            return Ok(known);
        }
        let new = Stakeholder::enrol(self.user_id()?, email.clone(), name, context.now);
        let entry = self.login_entry(&new, ENROL, context)?;
        match self.store.enrol(&new, &entry).await {
            Ok(()) => Ok(new),
            // A concurrent login enrolled them.
            Err(StoreError::Exists) => {
                Ok(self.store.stakeholder_at(email).await?.ok_or(StoreError::Stale)?)
            }
            Err(fault) => Err(fault.into()),
        }
    }
}

/// Whether the subject's last link was to this stakeholder. If it is not linked now, the link was
/// removed, and the subject is not linked to them again.
fn was_linked(stored: Option<&LinkedSubject>, known: &Stakeholder) -> bool {
    stored.is_some_and(|it| it.user == known.id)
}

/// Converts a conflict to `Unavailable`, because the request of a login cannot be repeated: the
/// user must log in again.
fn conflict_to_unavailable(error: Error) -> Error {
    match error {
        Error::Conflict => Error::unavailable(StoreError::Stale),
        other => other,
    }
}
