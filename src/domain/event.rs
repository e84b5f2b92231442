//! What happened to a session or a token, for whoever has to find out later.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::domain::id::{TokenId, UserId};

/// One entry of a stakeholder's history of credentials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Whose credential it was.
    pub user: UserId,
    /// Sorts by time.
    pub id: Ulid,
    /// When it happened.
    #[serde(with = "jiff::fmt::serde::timestamp::second::required")]
    pub at: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub what: EventKind,
}

/// What can happen to a credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "camelCase")]
pub enum EventKind {
    /// Somebody logged in.
    SessionOpened,
    /// A session was ended before its time.
    SessionEnded,
    /// A session was ended by a new login in the same browser.
    SessionReplaced,
    /// A token was made.
    TokenCreated {
        /// Which one.
        token: TokenId,
        /// Which one it replaced.
        replaced: Option<TokenId>,
    },
    /// A token was revoked.
    TokenRevoked {
        /// Which one.
        token: TokenId,
    },
}
