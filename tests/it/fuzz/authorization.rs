//! The `Authorization` header: exactly the headers that match the grammar of RFC 6750 are accepted.

use arm_api::{
    domain::refusal::Refusal,
    error::{Error, RequestFault},
    http::authorization::bearer,
};
use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use proptest::{prelude::*, test_runner::TestCaseResult};

use super::{Target, fuzz};

/// A request with an `Authorization` header for each line of the input.
struct Authorization;

impl Target for Authorization {
    const NAME: &'static str = "authorization";
    const WORDS: &'static [&'static str] = &[
        "Bearer ", "bearer", "Basic", " ", "  ", "\t", ",", ";", "=", "==", "\"", ".", "\n",
        "\u{e9}",
    ];

    fn new() -> Self {
        Self
    }

    fn check(&self, input: &[u8]) -> TestCaseResult {
        let lines =
            input.split(|it| *it == b'\n').filter_map(|it| HeaderValue::from_bytes(it).ok());
        let headers: HeaderMap = lines.map(|it| (AUTHORIZATION, it)).collect();
        let values: Vec<_> = headers.values().map(HeaderValue::as_bytes).collect();
        match (bearer(&headers), &values[..]) {
            (Ok(None), []) => Ok(()),
            (Ok(Some(token)), [value]) => {
                let token = token.reveal();
                prop_assert!(
                    value.ends_with(token.as_bytes())
                        || value.trim_ascii_end().ends_with(token.as_bytes())
                );
                prop_assert!(
                    is_grammatical(value),
                    "{:?} was accepted",
                    value.escape_ascii().to_string()
                );
                Ok(())
            }
            (Err(Error::Refused(Refusal::Malformed(_))), [value]) => {
                prop_assert!(
                    !is_grammatical(value),
                    "{:?} was rejected",
                    value.escape_ascii().to_string()
                );
                Ok(())
            }
            (Err(Error::Request(RequestFault::Malformed(_))), values) => {
                prop_assert!(values.len() > 1 || values[0].contains(&b','));
                Ok(())
            }
            (other, _) => Err(TestCaseError::fail(format!("{other:?}"))),
        }
    }
}

/// Returns whether a header is `Bearer`, one or more spaces, and a `b64token` with padding only at
/// the end. Spaces and tabs around it are ignored. A word that programs send instead of a missing
/// value is not a token.
fn is_grammatical(value: &[u8]) -> bool {
    let text = value.trim_ascii();
    let Some((scheme, rest)) = text.split_at_checked("Bearer".len()) else { return false };
    let token = rest.trim_ascii_start();
    let body = token.split(|it| *it == b'=').next().unwrap();
    let is_token_byte = |it: &u8| it.is_ascii_alphanumeric() || b"-._~+/".contains(it);
    let is_placeholder = |word: &&str| token.eq_ignore_ascii_case(word.as_bytes());
    value.len() <= 4096
        && scheme.eq_ignore_ascii_case(b"bearer")
        && rest.starts_with(b" ")
        && !rest[..rest.len() - token.len()].contains(&b'\t')
        && !body.is_empty()
        && body.iter().all(is_token_byte)
        && token[body.len()..].iter().all(|it| *it == b'=')
        && !["undefined", "null", "none", "nil", "bearer"].iter().any(is_placeholder)
}

#[test]
fn any_authorization_header_is_accepted_only_if_it_follows_the_grammar() {
    fuzz::<Authorization>();
}
