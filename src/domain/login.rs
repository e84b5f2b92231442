//! Logins through identity providers: attempts, and why they fail.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::{CLOCK_SKEW, id::ProviderId, own_path::OwnPath, secret::Digest};

/// How long a login attempt is valid.
pub const LOGIN_LIFETIME: SignedDuration = SignedDuration::from_mins(10);

/// A login that was started and is not complete. It can be completed once.
///
/// The record contains only digests. The provider has `state` and `nonce`, and the browser has
/// the PKCE verifier in a cookie. So a login cannot be completed with the record, or in another
/// browser.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LoginAttempt {
    /// The digest of `state`.
    pub state: Digest,
    pub provider: ProviderId,
    /// The digest of the PKCE verifier.
    pub verifier: Digest,
    /// The digest of `nonce`.
    pub nonce: Digest,
    /// The page that is shown after the login.
    pub next: OwnPath,
    #[serde(rename = "iat", with = "jiff::fmt::serde::timestamp::second::required")]
    pub begun_at: Timestamp,
}

/// Why a login failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoginFault {
    /// There is no such attempt, it expired or was completed, or another browser started it.
    #[error("This login cannot be completed")]
    UnknownAttempt,
    /// The provider redirected back without a login.
    #[error("The login was not completed")]
    NotCompleted,
    /// The provider did not verify the email address.
    #[error("Your email address is not verified")]
    UnverifiedAddress,
    /// The operator does not allow the address.
    #[error("Your email address is not allowed to log in")]
    AddressNotAllowed,
    /// Another provider owns the domain of the address.
    #[error("Your email address belongs to another identity provider")]
    AddressOfOtherProvider,
    /// The address belongs to a user who logs in with another subject.
    #[error("Your email address belongs to an account with another login")]
    AddressOfAnother,
}

impl LoginAttempt {
    /// Returns when the attempt expires.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.begun_at + LOGIN_LIFETIME
    }

    /// Checks that the browser with `verifier` may complete the attempt at `now`.
    ///
    /// # Errors
    ///
    /// [`LoginFault::UnknownAttempt`], whatever the reason.
    pub fn check(&self, verifier: &Digest, now: Timestamp) -> Result<(), LoginFault> {
        let is_in_time = self.begun_at <= now + CLOCK_SKEW && now < self.expires_at();
        if is_in_time && self.verifier.matches(verifier) {
            Ok(())
        } else {
            Err(LoginFault::UnknownAttempt)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::secret::Secret;
    use rstest::rstest;

    fn secret(seed: u8) -> Digest {
        Secret::from_entropy([seed; 32]).digest()
    }

    #[rstest]
    #[case::in_the_last_second(2, 599, true)]
    #[case::after_ten_minutes(2, 600, false)]
    #[case::an_instance_a_minute_behind(2, -60, true)]
    #[case::a_clock_that_is_wrong(2, -61, false)]
    #[case::another_browser(3, 0, false)]
    fn an_attempt_is_completed_by_the_same_browser_within_ten_minutes(
        #[case] seed: u8,
        #[case] seconds: i64,
        #[case] is_accepted: bool,
    ) {
        let attempt = LoginAttempt {
            state: secret(1),
            provider: ProviderId::try_from("acme".to_owned()).unwrap(),
            verifier: secret(2),
            nonce: secret(4),
            next: OwnPath::default(),
            begun_at: Timestamp::UNIX_EPOCH,
        };
        let now = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds);

        assert_eq!(attempt.check(&secret(seed), now).is_ok(), is_accepted);
    }
}
