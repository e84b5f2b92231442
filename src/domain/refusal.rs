//! Why a credential that somebody presented does not hold.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Why a presented credential does not hold.
///
/// The exact reason is for those who proved possession; everybody else gets
/// [`Malformed`](Self::Malformed) or [`Invalid`](Self::Invalid).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It does not have the form of a credential.
    Malformed(MalformedToken),
    /// It has the form, and is none of ours.
    Invalid,
    /// It has the form of a session, and there is no such session, or no longer.
    UnknownSession,
    /// It is ours, and was made later than our clock and the allowed skew say.
    NotYetValid {
        /// When it was made, by the clock of whoever made it.
        issued_at: Timestamp,
    },
    /// The token's time is over.
    TokenExpired {
        /// When it was over.
        at: Timestamp,
    },
    /// The token was revoked.
    TokenRevoked {
        /// When it was revoked; unknown where all tokens were revoked at once.
        at: Option<Timestamp>,
        /// By whom.
        by: Revoker,
    },
    /// A newer token took the slot.
    TokenReplaced {
        /// When it was replaced.
        at: Timestamp,
    },
    /// The session's forty minutes are over.
    SessionExpired {
        /// When they were over.
        at: Timestamp,
    },
    /// The session was ended before its time.
    SessionEnded,
    /// A new login in the same browser ended the session.
    SessionReplaced {
        /// When it was replaced.
        at: Timestamp,
    },
    /// The stakeholder was disabled.
    UserDisabled,
}

/// What is seen instead of `Bearer` and one token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MalformedToken {
    /// A token without `Bearer`, or another word alone.
    NoScheme,
    /// Another scheme than `Bearer`.
    OtherScheme,
    /// `Bearer` and nothing else.
    Missing,
    /// `Bearer` twice.
    SchemeTwice,
    /// A token in quotes.
    Quoted,
    /// The placeholder of an example, or a variable that was not replaced.
    Placeholder,
    /// What programs write for a value that is not there, such as `undefined`.
    Undefined,
    /// More words than one.
    Several,
    /// More than is read.
    TooLong,
    /// Characters that no token has.
    OtherCharacters,
    /// Another number of parts, separated by dots, than three.
    NotThreeParts,
}

/// Who revoked a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Revoker {
    /// The owner, in a session.
    Owner,
    /// Whoever held the token.
    Holder,
}
