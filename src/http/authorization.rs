//! The `Authorization` header, cheap and strict: step 1 of authentication.

use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};

use crate::{
    domain::{
        refusal::{MalformedToken, Refusal},
        secret::Secret,
    },
    error::{RequestFault, Result},
};

/// The longest header that is looked at, in bytes.
const LONGEST: usize = 4096;

/// What programs write for a value that is not there.
const NO_TOKENS: [&str; 4] = ["undefined", "null", "none", "nil"];

/// The token of an `Authorization: Bearer` header, if there is such a header.
///
/// The scheme's name is case-insensitive (RFC 9110, section 11.1); one or more blanks
/// follow it, and the token has the characters of `b64token` (RFC 6750, section 2.1).
///
/// # Errors
///
/// `BAD_REQUEST` for two headers, or two credentials in one: which of them counts
/// must not be guessed. [`Refusal::Malformed`] for everything else than one token.
pub fn bearer(headers: &HeaderMap) -> Result<Option<Secret>> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() || value.as_bytes().contains(&b',') {
        let fault = "Exactly one Authorization header with one credential is expected";
        return Err(RequestFault::Malformed(fault.to_owned()).into());
    }
    let token = token(value).map_err(Refusal::Malformed)?;
    Ok(Some(Secret::from(token.to_owned())))
}

fn token(value: &HeaderValue) -> Result<&str, MalformedToken> {
    let text = value.to_str().map_err(|_| MalformedToken::OtherCharacters)?;
    if text.len() > LONGEST {
        return Err(MalformedToken::TooLong);
    }
    let (scheme, token) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    let token = token.trim_start_matches(' ');
    match (is_bearer(scheme), token.is_empty()) {
        (true, true) => Err(MalformedToken::Missing),
        (false, true) => Err(MalformedToken::NoScheme),
        (false, false) => Err(MalformedToken::OtherScheme),
        (true, false) if is_b64token(token) && !is_no_token(token) => Ok(token),
        (true, false) => Err(malformed(token)),
    }
}

/// What is seen after `Bearer` where it is no token.
fn malformed(text: &str) -> MalformedToken {
    match text.chars().next() {
        _ if text.split(' ').next().is_some_and(is_bearer) => MalformedToken::SchemeTwice,
        _ if is_no_token(text) => MalformedToken::Undefined,
        Some('"' | '\'' | '`') => MalformedToken::Quoted,
        Some('<' | '$' | '{' | '%') => MalformedToken::Placeholder,
        _ if text.contains(' ') => MalformedToken::Several,
        _ => MalformedToken::OtherCharacters,
    }
}

fn is_bearer(text: &str) -> bool {
    text.eq_ignore_ascii_case("bearer")
}

fn is_no_token(text: &str) -> bool {
    is_bearer(text) || NO_TOKENS.iter().any(|it| text.eq_ignore_ascii_case(it))
}

fn is_b64token(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-._~+/".contains(c);
    !body.is_empty() && body.chars().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use rstest::rstest;

    fn with(values: &[&str]) -> HeaderMap {
        values.iter().map(|it| (AUTHORIZATION, it.parse().unwrap())).collect()
    }

    #[rstest]
    #[case("Bearer abc.def-_~+/==")]
    #[case("bearer abc")]
    #[case("BEARER abc")]
    #[case::two_blanks("Bearer  abc")]
    fn one_token_is_taken(#[case] value: &str) {
        assert!(bearer(&with(&[value])).unwrap().is_some());
    }

    #[rstest]
    #[case::no_scheme("abc", MalformedToken::NoScheme)]
    #[case::nothing("Bearer", MalformedToken::Missing)]
    #[case::blank("Bearer ", MalformedToken::Missing)]
    #[case::nothing_at_all("", MalformedToken::NoScheme)]
    #[case::another_scheme("Basic YWxpY2U6VA==", MalformedToken::OtherScheme)]
    #[case::any_word("Foo abc", MalformedToken::OtherScheme)]
    #[case::two_words("Bearer abc def", MalformedToken::Several)]
    #[case::the_scheme_twice("Bearer Bearer abc", MalformedToken::SchemeTwice)]
    #[case::the_scheme_as_a_token("Bearer bearer", MalformedToken::SchemeTwice)]
    #[case::a_quote("Bearer \"abc\"", MalformedToken::Quoted)]
    #[case::another_quote("Bearer 'abc'", MalformedToken::Quoted)]
    #[case::a_placeholder("Bearer <api-token>", MalformedToken::Placeholder)]
    #[case::a_variable("Bearer $TOKEN", MalformedToken::Placeholder)]
    #[case::a_variable_of_a_template("Bearer {{ token }}", MalformedToken::Placeholder)]
    #[case::of_javascript("Bearer undefined", MalformedToken::Undefined)]
    #[case::of_python("Bearer None", MalformedToken::Undefined)]
    #[case::only_padding("Bearer ==", MalformedToken::OtherCharacters)]
    #[case::a_tab("Bearer a\tb", MalformedToken::OtherCharacters)]
    fn anything_else_is_malformed_and_named(#[case] value: &str, #[case] seen: MalformedToken) {
        let refused = bearer(&with(&[value])).unwrap_err();

        assert!(
            matches!(refused, Error::Refused(Refusal::Malformed(it)) if it == seen),
            "{refused:?}"
        );
    }

    #[test]
    fn a_header_of_five_thousand_bytes_is_malformed() {
        let value = format!("Bearer {}", "a".repeat(5000));

        assert!(matches!(
            bearer(&with(&[&value])),
            Err(Error::Refused(Refusal::Malformed(MalformedToken::TooLong)))
        ));
    }

    #[rstest]
    #[case(&["Bearer abc", "Bearer def"])]
    #[case(&["Bearer abc, Bearer def"])]
    fn which_of_two_counts_is_not_guessed(#[case] values: &[&str]) {
        assert!(matches!(bearer(&with(values)), Err(Error::Request(RequestFault::Malformed(_)))));
    }

    #[test]
    fn no_header_is_no_failure() {
        assert!(bearer(&HeaderMap::new()).unwrap().is_none());
    }
}
