//! The reasons why a credential is rejected.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Why a credential is rejected.
///
/// The exact reason is returned only to clients that proved possession of the credential. All
/// others get [`Malformed`](Self::Malformed) or [`Invalid`](Self::Invalid).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The text does not have the form of a credential.
    Malformed(MalformedToken),
    /// The token was not issued here, or has no record.
    Invalid,
    /// There is no such session, or its record was deleted.
    UnknownSession,
    /// The credential was issued in the future, by more than the allowed clock skew.
    NotYetValid {
        issued_at: Timestamp,
    },
    TokenExpired {
        at: Timestamp,
    },
    TokenRevoked {
        /// `None` if all tokens were revoked at once.
        at: Option<Timestamp>,
        by: Revoker,
    },
    /// A newer token is in the slot.
    TokenReplaced {
        at: Timestamp,
    },
    SessionExpired {
        at: Timestamp,
    },
    /// By a logout, or because all credentials were revoked.
    SessionEnded,
    /// A new login in the same browser ended the session.
    SessionReplaced {
        at: Timestamp,
    },
    UserDisabled,
}

/// What the `Authorization` header contains instead of `Bearer` and one token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MalformedToken {
    /// One word: a token without `Bearer`, or something else.
    NoScheme,
    /// A scheme other than `Bearer`.
    OtherScheme,
    /// Only `Bearer`.
    Missing,
    /// `Bearer` twice.
    SchemeTwice,
    /// A token in quotes.
    Quoted,
    /// The placeholder of an example, or a variable that was not replaced.
    Placeholder,
    /// The text of a missing value, such as `undefined`.
    Undefined,
    /// More than one word after `Bearer`.
    Several,
    /// A header that is too long.
    TooLong,
    /// Characters that a token cannot contain.
    OtherCharacters,
    /// Not three parts separated by dots.
    NotThreeParts,
}

/// Who revoked a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Revoker {
    /// The owner, in a session.
    Owner,
    /// A program that has the token.
    Holder,
}
