//! Organizations: each has groups, stakeholders and policies.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::{
    id::{InvalidId, OrganizationId, OrganizationName, UserId},
    role::OrganizationRole,
    rule::{BrokenRule, Rule, RuleCode},
    text,
};

/// The name of an organization is taken.
pub const ORGANIZATION_NAME_TAKEN: Rule = Rule {
    reason: "ORGANIZATION_NAME_TAKEN",
    code: RuleCode::BadUserInput,
    message: "Exception - Organization name is invalid",
    hint: "Another organization has this name. Choose another one.",
};

/// The maximum length of a name, in characters.
const MAX_NAME: usize = 50;

/// An organization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Organization {
    pub id: OrganizationId,
    /// Unique on the platform. It never changes.
    pub name: OrganizationName,
    #[serde(with = "jiff::fmt::serde::timestamp::second::required")]
    pub created_at: Timestamp,
    /// How often the record was changed.
    pub version: u64,
}

/// A stakeholder of an organization, as its list of stakeholders has them. The same role is in
/// the stakeholder's [`Memberships`](crate::domain::memberships::Memberships).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    pub organization: OrganizationId,
    pub user: UserId,
    pub role: OrganizationRole,
    /// How often the record was changed.
    pub version: u64,
}

/// The id and the name of an organization. Neither ever changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrganizationRef {
    pub id: OrganizationId,
    pub name: OrganizationName,
}

/// The id or the name of an organization, as a client gives it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum OrganizationIdentifier {
    Id(OrganizationId),
    Name(OrganizationName),
}

impl Organization {
    /// Parses the name of a new organization. It is stored in lower case.
    ///
    /// # Errors
    ///
    /// `TEXT_EMPTY`, `TEXT_TOO_LONG` or `TEXT_INVALID`.
    pub fn parse_name(text: &str) -> Result<OrganizationName, BrokenRule> {
        let text = text::check_length("name", text, MAX_NAME)?;
        OrganizationName::try_from(text.to_ascii_lowercase())
            .map_err(|_| text::reject_format("name", "letters, digits and hyphens are allowed"))
    }

    /// Creates an organization at `now`.
    #[must_use]
    pub fn new(id: OrganizationId, name: OrganizationName, now: Timestamp) -> Self {
        Self { id, name, created_at: now, version: 0 }
    }

    /// Returns its id and its name.
    #[must_use]
    pub fn to_ref(&self) -> OrganizationRef {
        OrganizationRef { id: self.id.clone(), name: self.name.clone() }
    }
}

impl OrganizationIdentifier {
    /// Parses a name. Its case is ignored.
    ///
    /// # Errors
    ///
    /// [`InvalidId`] if it cannot be the name of an organization.
    pub fn from_name(text: &str) -> Result<Self, InvalidId> {
        OrganizationName::try_from(text.to_ascii_lowercase()).map(Self::Name)
    }
}

impl TryFrom<String> for OrganizationIdentifier {
    type Error = InvalidId;

    /// Parses an id or a name: only an id has the character `#`.
    fn try_from(text: String) -> Result<Self, InvalidId> {
        if text.contains('#') {
            OrganizationId::try_from(text).map(Self::Id)
        } else {
            Self::from_name(&text)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn parse(text: &str) -> Result<OrganizationIdentifier, InvalidId> {
        OrganizationIdentifier::try_from(text.to_owned())
    }

    #[test]
    fn a_name_is_stored_in_lower_case() {
        assert_eq!(Organization::parse_name("Acme-1").unwrap().as_str(), "acme-1");
    }

    #[rstest]
    #[case::blank(" ", "TEXT_EMPTY")]
    #[case::too_long(&"a".repeat(51), "TEXT_TOO_LONG")]
    #[case::with_a_space("two words", "TEXT_INVALID")]
    #[case::with_another_letter("straße", "TEXT_INVALID")]
    fn a_name_is_1_to_50_letters_digits_and_hyphens(#[case] text: &str, #[case] reason: &str) {
        assert_eq!(Organization::parse_name(text).unwrap_err().rule.reason, reason);
    }

    #[test]
    fn the_case_of_a_name_is_ignored() {
        let acme = OrganizationName::try_from("acme".to_owned()).unwrap();

        assert_eq!(parse("ACME"), Ok(OrganizationIdentifier::Name(acme)));
    }

    #[test]
    fn a_text_with_a_number_sign_is_an_id() {
        let id = OrganizationId::from_entropy([1; 16]);

        assert_eq!(parse(id.as_str()), Ok(OrganizationIdentifier::Id(id.clone())));
        assert!(parse("ORG#acme").is_err());
    }

    #[test]
    fn other_texts_are_neither() {
        assert!(parse("").is_err());
        assert!(parse("no name").is_err());
    }
}
