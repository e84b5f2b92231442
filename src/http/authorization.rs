//! The `Authorization` header, cheap and strict: step 1 of authentication.

use http::{HeaderMap, header::AUTHORIZATION};

use crate::{
    domain::{refusal::Refusal, secret::Secret},
    error::{Error, RequestFault, Result},
};

/// The longest header that is looked at, in bytes.
const LONGEST: usize = 4096;

/// The token of an `Authorization: Bearer` header, if there is such a header.
///
/// The scheme's name is case-insensitive (RFC 9110, section 11.1); the token has the
/// characters of `b64token` (RFC 6750, section 2.1).
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
    let text = value.to_str().ok().filter(|text| text.len() <= LONGEST).ok_or(Refusal::Malformed)?;
    let token = text.trim().split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    match token {
        Some((_, token)) if is_b64token(token) => Ok(Some(Secret::from(token.to_owned()))),
        _ => Err(Error::Refused(Refusal::Malformed)),
    }
}

fn is_b64token(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-._~+/".contains(c);
    !body.is_empty() && body.chars().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn with(values: &[&str]) -> HeaderMap {
        values.iter().map(|it| (AUTHORIZATION, it.parse().unwrap())).collect()
    }

    #[rstest]
    #[case("Bearer abc.def-_~+/==")]
    #[case("bearer abc")]
    #[case("BEARER abc")]
    fn one_token_is_taken(#[case] value: &str) {
        assert!(bearer(&with(&[value])).unwrap().is_some());
    }

    #[rstest]
    #[case::a05_no_scheme("abc")]
    #[case::a06_nothing("Bearer")]
    #[case::a06_blank("Bearer ")]
    #[case::a07_another_scheme("Basic YWxpY2U6VA==")]
    #[case::a08_any_word("Foo abc")]
    #[case::a10_two_words("Bearer abc def")]
    #[case::two_blanks("Bearer  abc")]
    #[case::a_quote("Bearer \"abc\"")]
    #[case::only_padding("Bearer ==")]
    fn anything_else_is_malformed(#[case] value: &str) {
        assert!(matches!(bearer(&with(&[value])), Err(Error::Refused(Refusal::Malformed))));
    }

    #[test]
    fn a14_a_header_of_five_thousand_bytes_is_malformed() {
        let value = format!("Bearer {}", "a".repeat(5000));

        assert!(matches!(bearer(&with(&[&value])), Err(Error::Refused(Refusal::Malformed))));
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
