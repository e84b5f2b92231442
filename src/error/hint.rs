//! What to do about an error, in one sentence: where a person reads it, it helps.

use serde_json::Value;

use crate::{
    domain::{
        access_token::{ExpirationPolicy, InvalidExpiration},
        login::LoginFault,
        refusal::{MalformedToken, Refusal},
    },
    error::{Error, RETRY_AFTER},
};

impl Error {
    /// What to do, in one sentence.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoCredential => {
                Some("Log in, or send an API token as `Authorization: Bearer <api-token>`.".to_owned())
            }
            Self::Refused(refusal) => Some(hint_of(refusal)),
            Self::AccessDenied(_) | Self::Internal(_) => None,
            Self::SessionRequired => Some("Only a session can do this: log in with a browser.".to_owned()),
            Self::RenewalEnded { at } => Some(format!(
                "API tokens could renew themselves until {at}. Log in with a browser and make a new one."
            )),
            Self::CreationDisabled(why) => Some(why.clone()),
            Self::CrossSite => Some(
                "A session works from our own pages only; programs send an API token instead.".to_owned(),
            ),
            Self::InvalidExpiration(invalid) => Some(hint_of_expiration(invalid)),
            Self::ExpirationNotInteger { policy, received } => Some(hint_of_type(*policy, received)),
            Self::Login(fault) => Some(hint_of_login(*fault).to_owned()),
            Self::InvalidIdToken(_) => {
                Some("Log in again. If that does not help, tell the operator.".to_owned())
            }
            Self::ProviderDown(_) => Some(
                "Nothing is wrong with your account: log in again in a minute, or in another way.".to_owned(),
            ),
            Self::Conflict => Some("Nothing was changed by this request: send it again.".to_owned()),
            Self::RateLimited { retry_after } => Some(format!("Wait {retry_after} seconds, then try again.")),
            Self::LogoutIncomplete(_) => Some(
                "This browser has forgotten your session, but the session could not be ended, because our \
                 database does not answer. It ends by itself, forty minutes after you logged in."
                    .to_owned(),
            ),
            Self::Unavailable(_) => Some(format!(
                "Nothing is wrong with the request or its credential: send it again in {RETRY_AFTER} seconds."
            )),
            Self::Request(fault) => fault.hint(),
        }
    }
}

fn hint_of(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Malformed(seen) => {
            format!("{}: send `Authorization: Bearer <api-token>`.", name_of_malformed(*seen))
        }
        Refusal::Invalid => {
            "This credential is none of ours, or not for this address: make a new API token."
                .to_owned()
        }
        Refusal::UnknownSession => {
            "This session is over, or was never one of ours: log in again.".to_owned()
        }
        Refusal::NotYetValid { issued_at } => format!(
            "This credential was made at {issued_at}, which is in the future for this server: their clocks \
             differ. If you have just got it, try again in a minute; otherwise tell the operator."
        ),
        Refusal::TokenExpired { at } => format!("The API token expired at {at}: make a new one."),
        Refusal::TokenRevoked { .. } => "The API token was revoked: make a new one.".to_owned(),
        Refusal::TokenReplaced { at } => {
            format!("The API token was replaced at {at}: use the newer one, which was shown then.")
        }
        Refusal::SessionExpired { at } => {
            format!("The session was over at {at}: log in again, or use an API token.")
        }
        Refusal::SessionEnded => "The session was ended: log in again.".to_owned(),
        Refusal::SessionReplaced { at } => {
            format!("A new login in the same browser replaced the session at {at}: log in again.")
        }
        Refusal::UserDisabled => "The account is disabled: ask your administrator.".to_owned(),
    }
}

fn name_of_malformed(seen: MalformedToken) -> &'static str {
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
            "An API token has three parts with dots between them, and this has not"
        }
    }
}

fn hint_of_login(fault: LoginFault) -> &'static str {
    match fault {
        LoginFault::UnknownAttempt => {
            "It was begun more than ten minutes ago or in another browser, or is completed already: log in again."
        }
        LoginFault::NotCompleted => {
            "The identity provider sent you back without a login: log in again."
        }
        LoginFault::UnverifiedAddress => {
            "Let your identity provider verify the address, then log in again; or log in in another way."
        }
        LoginFault::AddressOfAnother => {
            "Log in the way you did before. If you cannot, ask your administrator to release the old login."
        }
        LoginFault::AddressOfOtherProvider => {
            "Log in with the identity provider of your organization."
        }
        LoginFault::AddressNotAdmitted => {
            "Only addresses of certain domains are admitted: log in with another one, or ask your administrator."
        }
    }
}

fn hint_of_type(policy: ExpirationPolicy, received: &Value) -> String {
    let (min, max) = (policy.min.as_second(), policy.max.as_second());
    let number = received.as_str().filter(|it| it.parse::<i64>().is_ok());
    let first =
        number.map(|it| format!("send {it} as a number, without quotes; ")).unwrap_or_default();
    format!(
        "{first}an integer is expected: a Unix timestamp in seconds, from {min} to {max} (six months ahead)"
    )
}

fn hint_of_expiration(invalid: &InvalidExpiration) -> String {
    let (min, max) = (invalid.policy.min.as_second(), invalid.policy.max.as_second());
    match invalid.meant_seconds() {
        Some(seconds) => {
            format!(
                "looks like milliseconds: use {seconds}; allowed are {min} to {max}, in seconds"
            )
        }
        None if invalid.policy.renewal_ends_at.is_some() => format!(
            "a Unix timestamp in seconds, from {min} to {max}, is expected: API tokens can renew themselves until \
             then. For a later end log in with a browser and make a new token"
        ),
        None => format!(
            "a Unix timestamp in seconds, from {min} to {max} (six months ahead), is expected"
        ),
    }
}
