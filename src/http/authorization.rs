//! The `Authorization` header.

use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};

use crate::{
    domain::{
        refusal::{MalformedToken, Refusal},
        secret::Secret,
    },
    error::{RequestFault, Result},
};

/// The maximum length of the header, in bytes.
const MAX_HEADER: usize = 4096;

/// The words that programs send when a value is missing.
const MISSING_VALUES: [&str; 4] = ["undefined", "null", "none", "nil"];

/// Returns the token of an `Authorization: Bearer` header, if there is such a header.
///
/// The scheme is case-insensitive (RFC 9110, section 11.1). One or more spaces follow it. The
/// token consists of the characters of `b64token` (RFC 6750, section 2.1).
///
/// # Errors
///
/// `BAD_REQUEST` for two headers or two credentials; [`Refusal::Malformed`] for any other value
/// that is not one token.
pub fn bearer(headers: &HeaderMap) -> Result<Option<Secret>> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() || value.as_bytes().contains(&b',') {
        let fault = "Exactly one Authorization header with one credential is expected";
        return Err(RequestFault::Malformed(fault.to_owned()).into());
    }
    let token = parse(value).map_err(Refusal::Malformed)?;
    Ok(Some(Secret::from(token.to_owned())))
}

fn parse(value: &HeaderValue) -> Result<&str, MalformedToken> {
    let text = value.to_str().map_err(|_| MalformedToken::OtherCharacters)?;
    if text.len() > MAX_HEADER {
        return Err(MalformedToken::TooLong);
    }
    let (scheme, token) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    let token = token.trim_start_matches(' ');
    match (is_bearer(scheme), token.is_empty()) {
        (true, true) => Err(MalformedToken::Missing),
        (false, true) => Err(MalformedToken::NoScheme),
        (false, false) => Err(MalformedToken::OtherScheme),
        (true, false) if is_b64token(token) && !is_placeholder(token) => Ok(token),
        (true, false) => Err(classify(token)),
    }
}

/// Classifies a text after `Bearer` that is not a token.
fn classify(text: &str) -> MalformedToken {
    match text.chars().next() {
        _ if text.split(' ').next().is_some_and(is_bearer) => MalformedToken::SchemeTwice,
        _ if is_placeholder(text) => MalformedToken::Undefined,
        Some('"' | '\'' | '`') => MalformedToken::Quoted,
        Some('<' | '$' | '{' | '%') => MalformedToken::Placeholder,
        _ if text.contains(' ') => MalformedToken::Several,
        _ => MalformedToken::OtherCharacters,
    }
}

fn is_bearer(text: &str) -> bool {
    text.eq_ignore_ascii_case("bearer")
}

/// Whether a text looks like a token, but is a placeholder for a missing one.
fn is_placeholder(text: &str) -> bool {
    is_bearer(text) || MISSING_VALUES.iter().any(|it| text.eq_ignore_ascii_case(it))
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

    fn headers(values: &[&str]) -> HeaderMap {
        values.iter().map(|it| (AUTHORIZATION, it.parse().unwrap())).collect()
    }

    #[rstest]
    #[case("Bearer abc.def-_~+/==")]
    #[case("bearer abc")]
    #[case("BEARER abc")]
    #[case::two_blanks("Bearer  abc")]
    fn a_token_follows_the_scheme(#[case] value: &str) {
        assert!(bearer(&headers(&[value])).unwrap().is_some());
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
    fn the_mistake_in_a_malformed_header_is_recognized(
        #[case] value: &str,
        #[case] mistake: MalformedToken,
    ) {
        let refused = bearer(&headers(&[value])).unwrap_err();

        assert!(
            matches!(refused, Error::Refused(Refusal::Malformed(it)) if it == mistake),
            "{refused:?}"
        );
    }

    #[test]
    fn a_header_of_five_thousand_bytes_is_malformed() {
        let value = format!("Bearer {}", "a".repeat(5000));

        assert!(matches!(
            bearer(&headers(&[&value])),
            Err(Error::Refused(Refusal::Malformed(MalformedToken::TooLong)))
        ));
    }

    #[rstest]
    #[case(&["Bearer abc", "Bearer def"])]
    #[case(&["Bearer abc, Bearer def"])]
    fn two_credentials_are_refused(#[case] values: &[&str]) {
        assert!(matches!(
            bearer(&headers(values)),
            Err(Error::Request(RequestFault::Malformed(_)))
        ));
    }

    #[test]
    fn a_request_may_have_no_header() {
        assert!(bearer(&HeaderMap::new()).unwrap().is_none());
    }
}
