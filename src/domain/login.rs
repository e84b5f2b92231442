//! A login by an identity provider: an attempt, and how it can fail.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::{CLOCK_SKEW, id::ProviderId, own_path::OwnPath, secret::Digest};

/// How long a person may take to log in at the provider.
pub const LOGIN_LIFETIME: SignedDuration = SignedDuration::from_mins(10);

/// A login that was begun and is not completed yet. It is taken out once.
///
/// The record holds digests alone: `state` and `nonce` went to the provider with the
/// browser, which keeps the PKCE verifier itself, in a cookie. So who reads the table can
/// complete no login, and neither can a browser that did not begin it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LoginAttempt {
    /// The digest of `state`.
    pub state: Digest,
    /// Where the login takes place.
    pub provider: ProviderId,
    /// The digest of the PKCE verifier.
    pub verifier: Digest,
    /// The digest of `nonce`.
    pub nonce: Digest,
    /// Where the person wanted to get to.
    pub next: OwnPath,
    /// When it was begun.
    #[serde(rename = "iat", with = "jiff::fmt::serde::timestamp::second::required")]
    pub begun_at: Timestamp,
}

/// Why a login was not completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoginFault {
    /// There is no such attempt: it is over, was completed, or is another browser's.
    #[error("This login cannot be completed")]
    UnknownAttempt,
    /// The provider sent the person back without a login.
    #[error("The login was not completed")]
    NotCompleted,
    /// The provider does not vouch for the e-mail address.
    #[error("Your e-mail address is not verified")]
    UnverifiedAddress,
    /// The operator lets in other addresses only.
    #[error("Your e-mail address is not admitted")]
    AddressNotAdmitted,
    /// Another provider owns the domain of the address.
    #[error("Your e-mail address belongs to another identity provider")]
    AddressOfOtherProvider,
    /// The address is of somebody who logs in by another subject.
    #[error("Your e-mail address belongs to an account with another login")]
    AddressOfAnother,
}

impl LoginAttempt {
    /// When the attempt is over.
    #[must_use]
    pub fn ends_at(&self) -> Timestamp {
        self.begun_at + LOGIN_LIFETIME
    }

    /// Whether the browser that has `verifier` may still complete the attempt at `now`.
    ///
    /// # Errors
    ///
    /// [`LoginFault::UnknownAttempt`], whatever the matter is.
    pub fn check(&self, verifier: &Digest, now: Timestamp) -> Result<(), LoginFault> {
        let is_in_time = self.begun_at <= now + CLOCK_SKEW && now < self.ends_at();
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
    #[case::a_clock_that_is_simply_wrong(2, -61, false)]
    #[case::another_browser(3, 0, false)]
    fn an_attempt_is_completed_by_its_browser_in_time(
        #[case] seed: u8,
        #[case] seconds: i64,
        #[case] is_admitted: bool,
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

        assert_eq!(attempt.check(&secret(seed), now).is_ok(), is_admitted);
    }
}
