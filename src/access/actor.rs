//! Who asks, and how they proved it.

use std::sync::Arc;

use jiff::Timestamp;

use crate::{
    domain::{
        access_token::{AccessToken, RecordedState},
        policy::UserAction,
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

    /// Whether they may do this. A token can do what its owner can. A token that has just
    /// replaced itself can only repeat that call.
    #[must_use]
    pub fn may(&self, action: UserAction) -> bool {
        let is_ended =
            self.credential.access_token().is_some_and(|it| it.state != RecordedState::Active);
        let is_allowed = !is_ended || action == UserAction::UpdateAccessToken;
        is_allowed && self.stakeholder.may(action)
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
