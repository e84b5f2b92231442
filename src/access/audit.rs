//! Audit entries for the changes that requests make.

use crate::{
    access::{
        Access,
        actor::{Actor, Credential},
    },
    domain::{
        audit::{AuditEntry, AuditSubject, Author, CredentialId, EventKind},
        id::UserId,
        stakeholder::Stakeholder,
    },
    error::Result,
    http::RequestContext,
};

impl Access {
    /// Creates the audit entry for a change by `actor`. `action` is the name of the action, as in
    /// the API's field `permissions`.
    ///
    /// # Errors
    ///
    /// `Internal` when the operating system provides no randomness.
    pub fn audit_entry(
        &self,
        actor: &Actor,
        subject: AuditSubject,
        action: &str,
        context: &RequestContext,
    ) -> Result<AuditEntry> {
        let id = self.entropy.ulid(context.now)?;
        Ok(AuditEntry::new(subject, id, context.now, actor.author(context), action))
    }

    /// Creates the audit entry for a change that a login makes to a stakeholder.
    pub(super) fn login_entry(
        &self,
        stakeholder: &Stakeholder,
        action: &str,
        context: &RequestContext,
    ) -> Result<AuditEntry> {
        let subject = AuditSubject::User(stakeholder.id.clone());
        let author = author(stakeholder, None, context);
        let id = self.entropy.ulid(context.now)?;
        Ok(AuditEntry::new(subject, id, context.now, author, action))
    }

    /// Creates the audit entry for an event of a user's credential.
    pub(super) fn credential_entry(
        &self,
        user: &UserId,
        author: Author,
        event: EventKind,
        context: &RequestContext,
    ) -> Result<AuditEntry> {
        let id = self.entropy.ulid(context.now)?;
        Ok(AuditEntry::of_credential(user.clone(), id, context.now, author, event))
    }
}

impl Actor {
    /// Returns the author that audit entries name: the actor, their credential and the request.
    #[must_use]
    pub fn author(&self, context: &RequestContext) -> Author {
        let credential = match &self.credential {
            Credential::Session(session) => CredentialId::Session(session.id()),
            Credential::AccessToken(token) => CredentialId::Token(token.id.clone()),
        };
        author(&self.stakeholder, Some(credential), context)
    }
}

/// Returns the author that audit entries name: a stakeholder, their credential and the request.
pub(super) fn author(
    stakeholder: &Stakeholder,
    credential: Option<CredentialId>,
    context: &RequestContext,
) -> Author {
    Author {
        user: stakeholder.id.clone(),
        email: stakeholder.email.clone(),
        credential,
        address: context.client_address,
        agent: context.user_agent.as_deref().map(str::to_owned),
        request_id: Some(context.request_id),
    }
}
