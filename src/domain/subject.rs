//! How an identity provider knows somebody.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::{
    email::Email,
    id::UserId,
    secret::{Digest, Secret},
};

/// The longest subject that a provider may give (OpenID Connect Core, section 2).
const LONGEST: usize = 255;

/// How an identity provider knows somebody: its issuer, and the name that it gives to this
/// person and never to another. It stays when the person's address changes (OpenID Connect
/// Core, section 5.7).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    issuer: String,
    subject: String,
}

/// A subject is empty or too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the subject is empty, or longer than 255 bytes")]
pub struct InvalidSubject;

/// The user that a subject logs in as, decided at its first login.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PinnedSubject {
    /// The subject.
    #[serde(flatten)]
    pub subject: Subject,
    /// Whom it logs in as.
    #[serde(rename = "uid")]
    pub user: UserId,
    /// The address that the provider told last. The user's own address follows it only when
    /// it changes, since a user with two providers may have two.
    pub email: Email,
    /// When it was pinned.
    #[serde(with = "jiff::fmt::serde::timestamp::second::required")]
    pub pinned_at: Timestamp,
}

impl Subject {
    /// What `issuer` calls `subject`.
    ///
    /// # Errors
    ///
    /// [`InvalidSubject`] for an empty or too long name.
    pub fn new(issuer: String, subject: String) -> Result<Self, InvalidSubject> {
        if subject.is_empty() || subject.len() > LONGEST {
            return Err(InvalidSubject);
        }
        Ok(Self { issuer, subject })
    }

    /// The provider's issuer.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// What the issuer calls the person.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.subject
    }

    /// The digest under which it is stored. An issuer is a URL and has no line break, so two
    /// subjects never give one text.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Secret::from(format!("{}\n{}", self.issuer, self.subject)).digest()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn subject(issuer: &str, subject: &str) -> Result<Subject, InvalidSubject> {
        Subject::new(issuer.to_owned(), subject.to_owned())
    }

    #[rstest]
    #[case::empty(0, false)]
    #[case::short(1, true)]
    #[case::the_longest(255, true)]
    #[case::longer(256, false)]
    fn a_subject_has_up_to_255_bytes(#[case] length: usize, #[case] is_valid: bool) {
        assert_eq!(subject("https://id.test", &"a".repeat(length)).is_ok(), is_valid);
    }

    #[test]
    fn one_name_of_two_issuers_is_two_subjects() {
        let (one, other) =
            (subject("https://id.test", "1").unwrap(), subject("https://id.tes", "t1").unwrap());

        assert_ne!(one.digest().as_str(), other.digest().as_str());
    }
}
