//! A stakeholder's e-mail address.

use serde::{Deserialize, Serialize};

/// The longest address that mail can carry (RFC 5321, section 4.5.3.1.3).
const LONGEST: usize = 254;

/// A stakeholder's e-mail address, trimmed and in lower case.
///
/// Two addresses that differ only in case are the same stakeholder, so the
/// comparison is made once, here, and nowhere else.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Email(String);

/// A text is no e-mail address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Exception - Email is not valid")]
pub struct InvalidEmail;

impl Email {
    /// The address as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands before the `@`.
    #[must_use]
    pub fn local_part(&self) -> &str {
        self.0.split('@').next().unwrap_or_default()
    }
}

impl TryFrom<String> for Email {
    type Error = InvalidEmail;

    fn try_from(text: String) -> Result<Self, InvalidEmail> {
        let text = text.trim().to_lowercase();
        let is_clean = !text.contains(|c: char| c.is_whitespace() || c.is_control());
        match text.split_once('@') {
            Some((local, domain))
                if is_clean && text.len() <= LONGEST && !local.is_empty() && is_domain(domain) =>
            {
                Ok(Self(text))
            }
            _ => Err(InvalidEmail),
        }
    }
}

impl From<Email> for String {
    fn from(email: Email) -> Self {
        email.0
    }
}

/// Whether the part behind the `@` has two labels or more, none of them empty.
fn is_domain(text: &str) -> bool {
    text.contains('.') && !text.contains('@') && text.split('.').all(|label| !label.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn addresses_that_differ_in_case_are_the_same() {
        let email = Email::try_from(" Ana@Acme.TEST ".to_owned()).unwrap();

        assert_eq!(email.as_str(), "ana@acme.test");
        assert_eq!(email.local_part(), "ana");
    }

    #[rstest]
    #[case("")]
    #[case("ana")]
    #[case("@acme.test")]
    #[case("ana@acme")]
    #[case("ana@.test")]
    #[case("ana@acme.")]
    #[case("a na@acme.test")]
    #[case("ana@eve@acme.test")]
    #[case("ana\u{0}@acme.test")]
    fn other_texts_are_no_address(#[case] text: &str) {
        assert_eq!(Email::try_from(text.to_owned()), Err(InvalidEmail));
    }

    #[test]
    fn an_address_longer_than_mail_can_carry_is_none() {
        let text = format!("{}@acme.test", "a".repeat(250));

        assert_eq!(Email::try_from(text), Err(InvalidEmail));
    }
}
