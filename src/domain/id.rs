//! Ids and names, each with its format.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use crate::domain::secret::Digest;

/// The prefix of an organization's id.
const ORGANIZATION: &str = "ORG#";

/// Defines a text type whose values have a certain format, even after deserialization.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $rule:expr, $expected:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                let rule: fn(&str) -> bool = $rule;
                if rule(&text) { Ok(Self(text)) } else { Err(InvalidId($expected)) }
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

/// The text is not a valid id. The message says what is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidId(&'static str);

id! {
    /// A stakeholder's id: 128 random bits, 22 characters of base64url.
    UserId, is_random_id, "22 characters of base64url are expected"
}
id! {
    /// An API token's public id: 128 random bits, 22 characters of base64url.
    TokenId, is_random_id, "22 characters of base64url are expected"
}
id! {
    /// A session's public id: the first 22 characters of the digest of its secret.
    SessionId, is_session_id, "22 characters of base64url are expected"
}
id! {
    /// The slot of an API token. A slot contains at most one active token.
    TokenName, |text| is_name(text, 60),
    "a name of 1 to 60 lower-case letters, digits and hyphens is expected"
}
id! {
    /// An identity provider's name in paths: `/login/<name>`.
    ProviderId, |text| is_name(text, 30),
    "a name of 1 to 30 lower-case letters, digits and hyphens is expected"
}
id! {
    /// An organization's name, in lower case.
    OrganizationName, |text| is_name(text, 50),
    "a name of 1 to 50 lower-case letters, digits and hyphens is expected"
}

id! {
    /// An organization's id: `ORG#` followed by a UUID in lower case.
    OrganizationId, is_organization_id, "`ORG#` followed by a UUID is expected"
}
id! {
    /// A group's name, in lower case.
    GroupName, |text| is_name(text, 50),
    "a name of 1 to 50 lower-case letters, digits and hyphens is expected"
}

impl UserId {
    /// Creates an id from random bits.
    #[must_use]
    pub fn from_entropy(bytes: [u8; 16]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl TokenId {
    /// Creates an id from random bits.
    #[must_use]
    pub fn from_entropy(bytes: [u8; 16]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl SessionId {
    /// The id of the session whose secret has this digest.
    #[must_use]
    pub fn of(digest: &Digest) -> Self {
        Self(digest.as_str().chars().take(22).collect())
    }
}

impl OrganizationId {
    /// Creates a UUID of version 4 from random bits.
    #[must_use]
    pub fn from_entropy(bytes: [u8; 16]) -> Self {
        let bits = u128::from_be_bytes(bytes) & !(0xf << 76 | 0x3 << 62) | 0x4 << 76 | 0x2 << 62;
        let hex = format!("{bits:032x}");
        let part = |range| hex.get(range).unwrap_or_default();
        let parts = [part(0..8), part(8..12), part(12..16), part(16..20), part(20..32)];
        Self(format!("{ORGANIZATION}{}", parts.join("-")))
    }

    /// The id without its prefix.
    #[must_use]
    pub fn uuid(&self) -> &str {
        self.0.strip_prefix(ORGANIZATION).unwrap_or_default()
    }
}

impl Default for TokenName {
    /// Returns the slot that `updateAccessToken` uses if no name is given.
    fn default() -> Self {
        Self("default".to_owned())
    }
}

/// Whether `text` is 128 bits in canonical base64url. Other texts that decode to the same bits are
/// rejected, so that no two texts are the same id.
fn is_random_id(text: &str) -> bool {
    text.len() == 22 && URL_SAFE_NO_PAD.decode(text).is_ok_and(|bytes| bytes.len() == 16)
}

fn is_session_id(text: &str) -> bool {
    text.len() == 22 && text.bytes().all(|it| it.is_ascii_alphanumeric() || b"-_".contains(&it))
}

fn is_organization_id(text: &str) -> bool {
    let Some(uuid) = text.strip_prefix(ORGANIZATION) else { return false };
    let is_hex = |part: &str| part.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'));
    let lengths = uuid.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && uuid.split('-').all(is_hex)
}

fn is_name(text: &str, longest: usize) -> bool {
    let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=longest).contains(&text.len()) && text.chars().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::as_made("AAAAAAAAAAAAAAAAAAAAAA", true)]
    #[case::short("AAAAAAAAAAAAAAAAAAAAA", false)]
    #[case::long("AAAAAAAAAAAAAAAAAAAAAAA", false)]
    #[case::standard_alphabet("AAAAAAAAAAAAAAAAAAAA+/", false)]
    #[case::bits_beyond_the_last("AAAAAAAAAAAAAAAAAAAAAB", false)]
    #[case::a_key_separator("AAAAAAAAAAAAAAAAAAAA#A", false)]
    fn an_id_is_22_characters_of_base64url(#[case] text: &str, #[case] is_one: bool) {
        assert_eq!(UserId::try_from(text.to_owned()).is_ok(), is_one);
    }

    #[rstest]
    #[case("default", true)]
    #[case("ci-2", true)]
    #[case("", false)]
    #[case("CI", false)]
    #[case("a#b", false)]
    fn a_slot_is_named_in_lower_case(#[case] text: &str, #[case] is_one: bool) {
        assert_eq!(TokenName::try_from(text.to_owned()).is_ok(), is_one);
    }

    #[rstest]
    #[case("ORG#6e1f8c1a-0b7d-4f6e-9a55-0c2d3e4f5a6b", true)]
    #[case::upper_case("ORG#6E1F8C1A-0B7D-4F6E-9A55-0C2D3E4F5A6B", false)]
    #[case::without_a_prefix("6e1f8c1a-0b7d-4f6e-9a55-0c2d3e4f5a6b", false)]
    #[case::without_hyphens("ORG#6e1f8c1a0b7d4f6e9a550c2d3e4f5a6b", false)]
    #[case::short("ORG#6e1f8c1a-0b7d-4f6e-9a55-0c2d3e4f5a6", false)]
    fn an_organization_id_is_a_prefix_and_a_uuid(#[case] text: &str, #[case] is_valid: bool) {
        assert_eq!(OrganizationId::try_from(text.to_owned()).is_ok(), is_valid);
    }

    #[test]
    fn a_random_organization_id_is_a_uuid_of_version_4() {
        let id = OrganizationId::from_entropy([255; 16]);

        assert_eq!(id.as_str(), "ORG#ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(id.uuid(), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert!(OrganizationId::try_from(id.as_str().to_owned()).is_ok());
    }

    #[test]
    fn a_deserialized_id_is_checked_too() {
        assert!(serde_json::from_str::<UserId>("\"U#1\"").is_err());
    }
}
