//! Rules for the texts that clients send.

use crate::domain::rule::{BrokenRule, Rule, RuleCode};

/// A required text is empty or blank.
pub const TEXT_EMPTY: Rule = Rule {
    reason: "TEXT_EMPTY",
    code: RuleCode::BadUserInput,
    message: "Exception - Error empty value is not valid",
    hint: "Give a text that is not blank.",
};

/// A text is longer than allowed.
pub const TEXT_TOO_LONG: Rule = Rule {
    reason: "TEXT_TOO_LONG",
    code: RuleCode::BadUserInput,
    message: "Exception - Invalid field length in form",
    hint: "Give a shorter text.",
};

/// A text has characters that are not allowed, or the wrong format.
pub const TEXT_INVALID: Rule = Rule {
    reason: "TEXT_INVALID",
    code: RuleCode::BadUserInput,
    message: "Exception - Invalid characters",
    hint: "Give a text in the format that the argument's description states.",
};

/// Checks the length of a text, in characters.
///
/// # Errors
///
/// [`TEXT_EMPTY`] if it is blank; [`TEXT_TOO_LONG`] if it has more than `limit` characters.
pub fn check_length<'a>(
    argument: &'static str,
    text: &'a str,
    limit: usize,
) -> Result<&'a str, BrokenRule> {
    if text.trim().is_empty() {
        return Err(TEXT_EMPTY.broken().with("argument", argument));
    }
    if text.chars().count() > limit {
        let hint = format!("`{argument}` has at most {limit} characters.");
        let broken = TEXT_TOO_LONG.broken().with_hint(hint);
        return Err(broken.with("argument", argument).with("limit", limit));
    }
    Ok(text)
}

/// Rejects a text that has the wrong format.
#[must_use]
pub fn reject_format(argument: &'static str, expected: &str) -> BrokenRule {
    TEXT_INVALID.broken().with_hint(format!("`{argument}`: {expected}.")).with("argument", argument)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(text: &str) -> Option<&'static str> {
        check_length("name", text, 3).err().map(|it| it.rule.reason)
    }

    #[test]
    fn a_blank_text_is_empty() {
        assert_eq!(reason(" \t"), Some("TEXT_EMPTY"));
    }

    #[test]
    fn a_length_is_counted_in_characters() {
        assert_eq!(reason("ééé"), None);
        assert_eq!(reason("éééé"), Some("TEXT_TOO_LONG"));
    }
}
