//! What clients learn about a rejected credential.

use crate::{
    domain::refusal::{MalformedToken, Refusal, Revoker},
    error::info::{ErrorInfo, UNAUTHENTICATED},
};

/// Clients match on the reasons: never rename one.
pub(super) fn describe(refusal: &Refusal) -> ErrorInfo {
    let info = |reason| ErrorInfo::new(UNAUTHENTICATED).reason(reason);
    match refusal {
        Refusal::Malformed(seen) => info("TOKEN_MALFORMED").hint(format!(
            "{}: send `Authorization: Bearer <api-token>`.",
            describe_malformed(*seen)
        )),
        Refusal::Invalid => info("TOKEN_INVALID").hint(
            "This API token was not issued by this server, or it is for another address: create \
             a new one.",
        ),
        Refusal::UnknownSession => {
            info("TOKEN_INVALID").hint("This session has ended or never existed: log in again.")
        }
        Refusal::NotYetValid { issued_at } => info("TOKEN_INVALID")
            .hint(format!(
                "This credential was made at {issued_at}, which is in the future for this server: \
                 their clocks differ. If you have just got it, try again in a minute; otherwise \
                 tell the operator."
            ))
            .member("issuedAt", issued_at.to_string()),
        Refusal::TokenExpired { at } => info("TOKEN_EXPIRED")
            .hint(format!("The API token expired at {at}: create a new one."))
            .member("expiredAt", at.to_string()),
        Refusal::TokenRevoked { at, by } => info("TOKEN_REVOKED")
            .hint("The API token was revoked: create a new one.")
            .member("revokedAt", at.map(|it| it.to_string()))
            .member("revokedBy", name_of_revoker(*by)),
        Refusal::TokenReplaced { at } => info("TOKEN_REPLACED")
            .hint(format!(
                "The API token was replaced at {at}: use the newer one, which was shown then."
            ))
            .member("replacedAt", at.to_string()),
        Refusal::SessionExpired { at } => info("SESSION_EXPIRED")
            .hint(format!("The session expired at {at}: log in again, or use an API token."))
            .member("expiredAt", at.to_string()),
        Refusal::SessionEnded => info("SESSION_ENDED").hint("The session was ended: log in again."),
        Refusal::SessionReplaced { at } => info("SESSION_ENDED").hint(format!(
            "A new login in the same browser replaced the session at {at}: log in again."
        )),
        Refusal::UserDisabled => {
            info("USER_DISABLED").hint("The account is disabled: ask your administrator.")
        }
    }
}

fn describe_malformed(seen: MalformedToken) -> &'static str {
    match seen {
        MalformedToken::NoScheme => "The header has no `Bearer` before the token",
        MalformedToken::OtherScheme => "The header has another scheme than `Bearer`",
        MalformedToken::Missing => {
            "There is no token after `Bearer`, perhaps because a variable is empty"
        }
        MalformedToken::SchemeTwice => "The header has `Bearer` twice",
        MalformedToken::Quoted => "The token is in quotes",
        MalformedToken::Placeholder => "There is a placeholder instead of a token",
        MalformedToken::Undefined => {
            "There is a word such as `undefined` or `null` instead of a token"
        }
        MalformedToken::Several => "There is more than one word after `Bearer`",
        MalformedToken::TooLong => "The header is too long",
        MalformedToken::OtherCharacters => "The header has characters that no token has",
        MalformedToken::NotThreeParts => {
            "An API token has three parts with dots between them, and this one does not"
        }
    }
}

fn name_of_revoker(revoker: Revoker) -> &'static str {
    match revoker {
        Revoker::Owner => "owner",
        Revoker::Holder => "holder",
    }
}
