//! Email addresses.

use serde::{Deserialize, Serialize};

/// The maximum length of an address, in bytes (RFC 5321, section 4.5.3.1.3).
const MAX_LENGTH: usize = 254;

/// An email address, trimmed, with its ASCII letters in lower case.
///
/// Addresses that differ only in the case of ASCII letters belong to the same stakeholder. Other
/// letters are not folded: Unicode folds the Kelvin sign to `k`, so two people could share an
/// account. An address with non-ASCII upper-case letters is rejected, so that nobody gets a second
/// account by changing the case.
///
/// Stored addresses are deserialized without these checks, so that their owners can log in even
/// if a later version rejects such addresses.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Email(String);

/// The text is not an email address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Exception - Email is not valid")]
pub struct InvalidEmail;

impl Email {
    /// The address as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the part after the `@`.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.0.split('@').next_back().unwrap_or_default()
    }

    /// Returns the part before the `@`.
    #[must_use]
    pub fn local_part(&self) -> &str {
        self.0.split('@').next().unwrap_or_default()
    }
}

impl TryFrom<String> for Email {
    type Error = InvalidEmail;

    fn try_from(text: String) -> Result<Self, InvalidEmail> {
        let mut text = text.trim_ascii().to_owned();
        text.make_ascii_lowercase();
        let is_clean = text.chars().all(is_visible)
            && text.chars().flat_map(char::to_lowercase).eq(text.chars());
        match text.split_once('@') {
            Some((local, domain))
                if is_clean
                    && text.len() <= MAX_LENGTH
                    && !local.is_empty()
                    && is_domain(domain) =>
            {
                Ok(Self(text))
            }
            _ => Err(InvalidEmail),
        }
    }
}

/// Whether the text has two or more labels, none of them empty.
fn is_domain(text: &str) -> bool {
    text.contains('.') && !text.contains('@') && text.split('.').all(|label| !label.is_empty())
}

/// Whether a character is visible. White space, control characters, invisible characters and
/// characters that change the text direction are not. The ranges are those of Unicode's property
/// `Default_Ignorable_Code_Point`, plus the interlinear annotations and the blank Braille pattern.
fn is_visible(c: char) -> bool {
    let is_ignorable = matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}');
    !c.is_whitespace() && !c.is_control() && !is_ignorable
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

    #[test]
    fn letters_outside_ascii_stay_as_they_are() {
        let email = Email::try_from("José@acme.test".to_owned()).unwrap();

        assert_eq!(email.as_str(), "josé@acme.test");
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
    #[case::a_kelvin_sign("hac\u{212a}er@demo.test")]
    #[case::a_dotted_capital_i("ad\u{130}n@demo.test")]
    #[case::a_capital_letter_beyond_ascii("\u{c9}va@demo.test")]
    #[case::a_zero_width_space("ana\u{200b}@acme.test")]
    #[case::a_zero_width_joiner("ana@acme\u{200d}.test")]
    #[case::a_byte_order_mark("\u{feff}ana@acme.test")]
    #[case::a_soft_hyphen("a\u{ad}na@acme.test")]
    #[case::right_to_left("\u{202e}ana@acme.test")]
    #[case::an_isolate("\u{2066}ana@acme.test")]
    #[case::a_variation_selector("ana\u{fe0f}@acme.test")]
    #[case::a_tag("ana\u{e0061}@acme.test")]
    #[case::an_empty_braille_pattern("ana\u{2800}@acme.test")]
    #[case::a_blank_of_unicode("\u{2000}ana@acme.test")]
    #[case::a_control_character_of_latin("ana\u{85}@acme.test")]
    fn other_texts_are_rejected(#[case] text: &str) {
        assert_eq!(Email::try_from(text.to_owned()), Err(InvalidEmail));
    }

    #[test]
    fn an_address_longer_than_254_bytes_is_rejected() {
        let text = format!("{}@acme.test", "a".repeat(250));

        assert_eq!(Email::try_from(text), Err(InvalidEmail));
    }
}
