//! What to do about an error, in one sentence: where a person reads it, it helps.

use crate::{
    domain::{access_token::InvalidExpiration, refusal::Refusal},
    error::{Error, RETRY_AFTER, RequestFault},
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
            Self::Denied | Self::Internal(_) => None,
            Self::SessionRequired => Some("Only a session can do this: log in with a browser.".to_owned()),
            Self::CreationDisabled(why) => Some(why.clone()),
            Self::CrossSite => Some(
                "A session works from our own pages only; programs send an API token instead.".to_owned(),
            ),
            Self::InvalidExpiration(invalid) => Some(hint_of_expiration(invalid)),
            Self::Conflict => Some("Nothing was changed by this request: send it again.".to_owned()),
            Self::Unavailable(_) => Some(format!(
                "Nothing is wrong with the request or its credential: send it again in {RETRY_AFTER} seconds."
            )),
            Self::Request(fault) => hint_of_fault(fault),
        }
    }
}

fn hint_of(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Malformed => "Send exactly `Authorization: Bearer <api-token>`.".to_owned(),
        Refusal::Invalid => {
            "This credential is none of ours, or not for this address: make a new API token.".to_owned()
        }
        Refusal::TokenExpired { at } => format!("The API token expired at {at}: make a new one."),
        Refusal::TokenRevoked { .. } => "The API token was revoked: make a new one.".to_owned(),
        Refusal::TokenReplaced { at } => {
            format!("The API token was replaced at {at}: use the newer one, which was shown then.")
        }
        Refusal::SessionExpired { at } => {
            format!("The session was over at {at}: log in again, or use an API token.")
        }
        Refusal::SessionEnded => "The session was ended: log in again.".to_owned(),
        Refusal::UserDisabled => "The account is disabled: ask your administrator.".to_owned(),
    }
}

fn hint_of_expiration(invalid: &InvalidExpiration) -> String {
    let (min, max) = (invalid.policy.min.as_second(), invalid.policy.max.as_second());
    match invalid.meant_seconds() {
        Some(seconds) => {
            format!("looks like milliseconds: use {seconds}; allowed are {min} to {max}, in seconds")
        }
        None => format!("a Unix timestamp in seconds, from {min} to {max} (six months ahead), is expected"),
    }
}

fn hint_of_fault(fault: &RequestFault) -> Option<String> {
    match fault {
        RequestFault::MediaType => Some("add -H 'Content-Type: application/json'".to_owned()),
        RequestFault::NotAcceptable => {
            Some("accept application/json or application/graphql-response+json".to_owned())
        }
        RequestFault::Method { allow } => Some(format!("allowed are {allow}; mutations need POST")),
        RequestFault::TooLarge { limit, part } => Some(format!("{part} may have {limit} bytes at most")),
        RequestFault::PersistedQuery => Some("send the query itself".to_owned()),
        RequestFault::Malformed(_)
        | RequestFault::UnknownPath
        | RequestFault::Syntax { .. }
        | RequestFault::Argument(_)
        | RequestFault::Validation(_) => None,
    }
}
