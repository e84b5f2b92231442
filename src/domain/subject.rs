//! Subjects: the ids that identity providers give to people.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::{
    email::Email,
    id::UserId,
    secret::{Digest, Secret},
};

/// The maximum length of a subject, in bytes (OpenID Connect Core, section 2).
const MAX_LENGTH: usize = 255;

/// An issuer and its id of a person. The issuer gives the id to nobody else, and it stays the
/// same when the person's address changes (OpenID Connect Core, section 5.7).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    issuer: String,
    subject: String,
}

/// The subject is empty or too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the subject is empty, or longer than 255 bytes")]
pub struct InvalidSubject;

/// A subject that is linked to a user, so that it can log in as them. The first login links it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LinkedSubject {
    #[serde(flatten)]
    pub subject: Subject,
    #[serde(rename = "uid")]
    pub user: UserId,
    /// The last address that the provider reported. The user's address changes only if this one
    /// changes, because a user with two providers can have two addresses.
    pub email: Email,
    #[serde(rename = "pinnedAt", with = "jiff::fmt::serde::timestamp::second::required")]
    pub linked_at: Timestamp,
}

impl Subject {
    /// Creates the subject `subject` of `issuer`.
    ///
    /// # Errors
    ///
    /// [`InvalidSubject`] if `subject` is empty or too long.
    pub fn new(issuer: String, subject: String) -> Result<Self, InvalidSubject> {
        if subject.is_empty() || subject.len() > MAX_LENGTH {
            return Err(InvalidSubject);
        }
        Ok(Self { issuer, subject })
    }

    /// Returns the issuer.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Returns the issuer's id of the person.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.subject
    }

    /// Returns the digest under which the subject is stored. An issuer is a URL without line
    /// breaks, so the digests of two subjects differ.
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
    fn the_same_id_of_two_issuers_is_two_subjects() {
        let one = subject("https://id.test", "1").unwrap();
        let other = subject("https://id.tes", "t1").unwrap();

        assert_ne!(one.digest().as_str(), other.digest().as_str());
    }
}
