//! The exact names of refusals. Clients match on them: never rename one.

use crate::domain::refusal::{Refusal, Revoker};

/// The reason of a refusal.
pub(super) fn of(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Malformed(_) => "TOKEN_MALFORMED",
        Refusal::Invalid | Refusal::UnknownSession | Refusal::NotYetValid { .. } => "TOKEN_INVALID",
        Refusal::TokenExpired { .. } => "TOKEN_EXPIRED",
        Refusal::TokenRevoked { .. } => "TOKEN_REVOKED",
        Refusal::TokenReplaced { .. } => "TOKEN_REPLACED",
        Refusal::SessionExpired { .. } => "SESSION_EXPIRED",
        Refusal::SessionEnded | Refusal::SessionReplaced { .. } => "SESSION_ENDED",
        Refusal::UserDisabled => "USER_DISABLED",
    }
}

/// The name of who revoked a token.
pub(super) fn revoker(revoker: Revoker) -> &'static str {
    match revoker {
        Revoker::Owner => "owner",
        Revoker::Holder => "holder",
    }
}
