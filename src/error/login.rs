//! What clients learn about a failed login.

use crate::{
    domain::login::LoginFault,
    error::info::{BAD_REQUEST, ErrorInfo, FORBIDDEN},
};

pub(super) fn describe(fault: LoginFault) -> ErrorInfo {
    match fault {
        LoginFault::UnknownAttempt => ErrorInfo::new(BAD_REQUEST).hint(
            "It began more than ten minutes ago or in another browser, or it is already \
             completed: log in again.",
        ),
        LoginFault::NotCompleted => ErrorInfo::new(BAD_REQUEST)
            .hint("The identity provider sent you back without a login: log in again."),
        LoginFault::UnverifiedAddress => ErrorInfo::new(FORBIDDEN).hint(
            "Verify the address at your identity provider, then log in again, or log in another \
             way.",
        ),
        LoginFault::AddressOfAnother => ErrorInfo::new(FORBIDDEN).hint(
            "Log in the way you did before. If you cannot, ask your administrator to release the \
             old login.",
        ),
        LoginFault::AddressOfOtherProvider => ErrorInfo::new(FORBIDDEN)
            .hint("Log in with the identity provider of your organization."),
        LoginFault::AddressNotAllowed => ErrorInfo::new(FORBIDDEN).hint(
            "Only addresses of certain domains are allowed: log in with another one, or ask your \
             administrator.",
        ),
    }
}
