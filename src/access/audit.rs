//! Who makes the changes of a request, as the audit log records it.

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
    /// Creates the audit entry of a change that `actor` makes. `action` is the action's name, as
    /// in `permissions`.
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

    /// Creates the audit entry of a change that a login makes to the stakeholder who logs in.
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

    /// Creates the audit entry of an event of one of a user's credentials.
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
    /// Returns what audit entries say of the actor and their request.
    #[must_use]
    pub fn author(&self, context: &RequestContext) -> Author {
        let credential = match &self.credential {
            Credential::Session(session) => CredentialId::Session(session.id()),
            Credential::AccessToken(token) => CredentialId::Token(token.id.clone()),
        };
        author(&self.stakeholder, Some(credential), context)
    }
}

/// Returns what audit entries say of a stakeholder, their credential and their request.
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
