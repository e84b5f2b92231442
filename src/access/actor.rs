//! Who asks, and how they proved it.

use std::sync::Arc;

use jiff::Timestamp;

use crate::{
    domain::{
        access_token::{AccessToken, RecordedState},
        id::OrganizationName,
        permitted::{AccessDenied, Permitted, Platform},
        policy::{OrganizationAction, UserAction},
        secret::Secret,
        session::Session,
        stakeholder::Stakeholder,
    },
    store::access_tokens::Slot,
    telemetry,
};

/// Who asks: the outcome of authentication that did not fail.
#[derive(Clone, Debug)]
pub enum Visitor {
    /// Nobody: no credential was presented. That is no failure.
    Nobody,
    /// Somebody who proved who they are.
    Somebody(Box<Actor>),
}

/// Somebody who proved who they are. From here on, authorization is pure.
#[derive(Clone, Debug)]
pub struct Actor {
    /// Who it is, with all their roles.
    pub stakeholder: Stakeholder,
    /// How they proved it.
    pub credential: Credential,
    /// The slot of their default token, which is read along with a session. A token does not
    /// need it: it can replace only itself.
    pub slot: Option<Slot>,
    /// From what the secret of a token's successor is derived.
    pub renewal_key: Option<Arc<Secret>>,
}

/// How somebody proved who they are.
#[derive(Clone, Debug)]
pub enum Credential {
    /// By the session of a browser.
    Session(Session),
    /// By an API token.
    AccessToken(AccessToken),
}

impl Actor {
    /// Notes for the log who asks, and how they proved it.
    pub(super) fn note(&self) {
        telemetry::note(|line| {
            line.actor = Some(self.stakeholder.id.clone());
            line.credential = Some(self.credential.kind());
        });
    }

    /// Checks that the user may perform an action on the platform. A token may do what its owner
    /// may. A token that has just replaced itself can only repeat that call.
    ///
    /// # Errors
    ///
    /// `AccessDenied` unless the policy allows it.
    pub fn permit(&self, action: UserAction) -> Result<Permitted<Platform>, AccessDenied> {
        if self.is_replaced() && action != UserAction::UpdateAccessToken {
            return Err(AccessDenied);
        }
        self.stakeholder.permit(action)
    }

    /// Checks that the user may perform an action in an organization.
    ///
    /// # Errors
    ///
    /// `AccessDenied` unless the policy allows it. An organization that is hidden from the user
    /// and one that does not exist are the same.
    pub fn permit_in(
        &self,
        organization: &OrganizationName,
        action: OrganizationAction,
    ) -> Result<Permitted<OrganizationName>, AccessDenied> {
        if self.is_replaced() {
            return Err(AccessDenied);
        }
        self.stakeholder.permit_in(organization, action)
    }

    /// Whether the credential is a token that has replaced itself.
    fn is_replaced(&self) -> bool {
        self.credential.access_token().is_some_and(|it| it.state != RecordedState::Active)
    }
}

impl Credential {
    /// When the credential is over by itself.
    #[must_use]
    pub fn ends_at(&self) -> Timestamp {
        match self {
            Self::Session(session) => session.ends_at(),
            Self::AccessToken(token) => token.expires_at,
        }
    }

    /// The API token, where it is one.
    #[must_use]
    pub fn access_token(&self) -> Option<&AccessToken> {
        match self {
            Self::Session(_) => None,
            Self::AccessToken(token) => Some(token),
        }
    }

    /// The kind's name in the log.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Session(_) => "session",
            Self::AccessToken(_) => "token",
        }
    }
}
