//! The user who makes a request, and their credential.

use std::sync::Arc;

use jiff::Timestamp;

use crate::{
    access::jwt::TokenClaims,
    domain::{
        access_token::{AccessToken, RecordedState},
        memberships::Memberships,
        organization::OrganizationRef,
        permitted::{AccessDenied, Permitted, Platform},
        policy::{ActionType, OrganizationAction, UserAction},
        secret::Secret,
        session::Session,
        stakeholder::{Owner, Stakeholder},
    },
    store::access_tokens::Slot,
    telemetry,
};

/// Who makes a request, after authentication.
#[derive(Clone, Debug)]
pub enum Principal {
    /// The request has no credential.
    Anonymous,
    Authenticated(Arc<Actor>),
}

/// An authenticated user, with the records that authorization needs.
#[derive(Clone, Debug)]
pub struct Actor {
    pub stakeholder: Stakeholder,
    pub memberships: Memberships,
    pub credential: Credential,
    /// The slot of the user's default token. `None` if the slot is empty, and for a request with a
    /// token: a token can replace only itself, so the slot is not read.
    pub slot: Option<Slot>,
    /// The key that derives the secret of a token's successor.
    pub renewal_key: Option<Arc<Secret>>,
}

/// The credential of a request.
#[derive(Clone, Debug)]
pub enum Credential {
    Session(Session),
    AccessToken(AccessToken),
}

impl Actor {
    /// Creates the actor of a request with a token.
    pub(super) fn with_token(owner: Owner, token: AccessToken, claims: &TokenClaims) -> Self {
        let Owner { stakeholder, memberships } = owner;
        let renewal_key = claims.renewal_key.clone();
        let credential = Credential::AccessToken(token);
        Self { stakeholder, memberships, credential, slot: None, renewal_key }
    }

    /// Adds the user and the kind of the credential to the log line.
    pub(super) fn add_to_log_line(&self) {
        telemetry::update_log_line(|line| {
            line.actor = Some(self.stakeholder.id.clone());
            line.credential = Some(self.credential.kind());
        });
    }

    /// Checks that the user may perform an action on the platform. A token has the permissions of
    /// its owner. A token that has just renewed itself can only repeat the renewal.
    ///
    /// # Errors
    ///
    /// `AccessDenied` unless the policy allows it.
    pub fn permit<A>(&self, action: A) -> Result<Permitted<Platform, A>, AccessDenied>
    where
        A: ActionType<Level = UserAction>,
    {
        if self.is_replaced() && A::ACTION != UserAction::UpdateAccessToken {
            return Err(AccessDenied);
        }
        self.stakeholder.permit(action)
    }

    /// Checks that the user may perform an action in an organization.
    ///
    /// # Errors
    ///
    /// `AccessDenied` unless the policy allows it. The error is the same for an organization that
    /// the user cannot see and for one that does not exist.
    pub fn permit_in<A>(
        &self,
        organization: OrganizationRef,
        action: A,
    ) -> Result<Permitted<OrganizationRef, A>, AccessDenied>
    where
        A: ActionType<Level = OrganizationAction>,
    {
        if self.is_replaced() {
            return Err(AccessDenied);
        }
        self.stakeholder.permit_in(organization, &self.memberships, action)
    }

    /// Whether the credential is a token that has been replaced by its successor.
    fn is_replaced(&self) -> bool {
        self.credential.access_token().is_some_and(|it| it.state != RecordedState::Active)
    }
}

impl Credential {
    /// Returns when the credential expires.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        match self {
            Self::Session(session) => session.expires_at(),
            Self::AccessToken(token) => token.expires_at,
        }
    }

    /// Returns the API token, if the credential is one.
    #[must_use]
    pub fn access_token(&self) -> Option<&AccessToken> {
        match self {
            Self::Session(_) => None,
            Self::AccessToken(token) => Some(token),
        }
    }

    /// Returns the kind of the credential, as it is logged.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Session(_) => "session",
            Self::AccessToken(_) => "token",
        }
    }
}
