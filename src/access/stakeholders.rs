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
        subject::{PinnedSubject, Subject},
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

/// Which identity providers own e-mail domains, from the perspective of one login.
#[derive(Clone, Copy, Debug)]
pub struct DomainOwnership<'a> {
    /// Who owns the domain of the user's address.
    pub owner: DomainOwner,
    /// All owners of domains.
    pub owners: &'a DomainOwners,
}

impl Access {
    /// Logs in the stakeholder to whom the identity's subject is pinned: opens a session. The first
    /// login pins the subject.
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

    /// Finds the stakeholder with an identity, or enrols them at the first login.
    async fn find_or_enrol_by_subject(
        &self,
        identity: &VerifiedIdentity,
        ownership: DomainOwnership<'_>,
        context: &RequestContext,
    ) -> Result<Stakeholder> {
        let found = self.store.pinned_subject(&identity.subject).await?;
        if let Some(pin) = &found
            && let Some(known) = self.store.stakeholder(&pin.user).await?
            && known.is(&identity.subject)
        {
            return self.update_address(known, identity, pin, ownership, context).await;
        }
        if ownership.owner == DomainOwner::OtherProvider {
            return Err(LoginFault::AddressOfOtherProvider.into());
        }
        let pin = |known: &Stakeholder| PinnedSubject {
            subject: identity.subject.clone(),
            user: known.id.clone(),
            email: identity.email.clone(),
            pinned_at: context.now,
        };
        match self.store.stakeholder_at(&identity.email).await? {
            None => {
                let id = self.user_id()?;
                let email = identity.email.clone();
                let mut new = Stakeholder::enrol(id, email, &identity.name, context.now);
                new.link(&identity.subject);
                let entry = self.login_entry(&new, ENROL, context)?;
                self.store.enrol_subject(&new, &pin(&new), found.as_ref(), &entry).await?;
                Ok(new)
            }
            // A concurrent login of the same user enrolled them after the pin was read.
            Some(known) if known.is(&identity.subject) => Ok(known),
            Some(known) if is_unlinked(found.as_ref(), &known) => {
                let id = telemetry::request_id();
                let event = "a removed login was used";
                tracing::warn!(requestId = id, actor = %known.id, "{event}");
                Err(LoginFault::AddressOfAnother.into())
            }
            Some(known) if known.may_link(&identity.subject, ownership.owner) => {
                let mut linked = known.clone();
                linked.link(&identity.subject);
                if ownership.owner == DomainOwner::ThisProvider {
                    linked.unlink_non_owners(&identity.subject, ownership.owners);
                }
                let issuer = Change::new("login", None, Some(identity.subject.issuer()));
                let entry = self.login_entry(&known, LINK_LOGIN, context)?.with_changes([issuer]);
                let pin = pin(&known);
                Ok(self.store.pin_subject(&known, linked, &pin, found.as_ref(), &entry).await?)
            }
            Some(_) => Err(LoginFault::AddressOfAnother.into()),
        }
    }

    /// Updates a stakeholder's address if it changed at the provider, unless another stakeholder
    /// has it or another provider owns its domain.
    async fn update_address(
        &self,
        known: Stakeholder,
        identity: &VerifiedIdentity,
        pin: &PinnedSubject,
        DomainOwnership { owner, owners }: DomainOwnership<'_>,
        context: &RequestContext,
    ) -> Result<Stakeholder> {
        if pin.email == identity.email {
            return Ok(known);
        }
        let pin = PinnedSubject { email: identity.email.clone(), ..pin.clone() };
        if known.email == identity.email {
            self.store.note_address(&pin).await?;
            return Ok(known);
        }
        let id = telemetry::request_id();
        if !known.may_move(&identity.subject, owner, owners) {
            let event = "a changed address belongs to another provider";
            tracing::warn!(requestId = id, actor = %known.id, "{event}");
        } else if self.store.stakeholder_at(&identity.email).await?.is_none() {
            let change =
                Change::new("email", Some(known.email.as_str()), Some(identity.email.as_str()));
            let entry = self.login_entry(&known, CHANGE_EMAIL, context)?.with_changes([change]);
            return Ok(self.store.move_address(&known, &pin, &entry).await?);
        } else {
            let event = "a changed address belongs to another stakeholder";
            tracing::warn!(requestId = id, actor = %known.id, "{event}");
        }
        Ok(known)
    }

    /// Logs in with an e-mail address and without a password: the development login of local mode.
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

    /// Finds the stakeholder with an e-mail address, or enrols one.
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

/// Whether a subject was linked to a stakeholder, and the link was removed. Such a subject is never
/// linked to the same stakeholder again.
fn is_unlinked(found: Option<&PinnedSubject>, known: &Stakeholder) -> bool {
    found.is_some_and(|pin| pin.user == known.id)
}

/// Converts a conflict to `Unavailable`, because the request of a login cannot be repeated: the
/// user must log in again.
fn conflict_to_unavailable(error: Error) -> Error {
    match error {
        Error::Conflict => Error::unavailable(StoreError::Stale),
        other => other,
    }
}
