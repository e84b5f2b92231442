//! Which media type an answer has.

use http::{HeaderMap, HeaderValue, header::ACCEPT};
use mediatype::{MediaType, MediaTypeList, ReadParams, names};

use crate::error::{RequestFault, Result};

/// The media types that GraphQL answers come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum AnswerType {
    /// `application/json`, what everything can read. Well-formed requests are 200.
    #[default]
    Json,
    /// `application/graphql-response+json`, where the status tells more. Never sent
    /// unasked: a common client loses the body then.
    GraphqlResponse,
}

impl AnswerType {
    /// The value of `Content-Type`.
    #[must_use]
    pub fn header(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Json => "application/json; charset=utf-8",
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
        })
    }

    /// What the client likes best of what we have; by its weights (RFC 9110, section
    /// 12.5.1), and among equals the more telling one where it is named.
    ///
    /// # Errors
    ///
    /// [`RequestFault::NotAcceptable`] when it accepts neither.
    pub fn accepted(headers: &HeaderMap) -> Result<Self> {
        let ranges =
            headers.get_all(ACCEPT).iter().filter_map(|it| it.to_str().ok()).collect::<Vec<_>>().join(",");
        if ranges.trim().is_empty() {
            return Ok(Self::Json);
        }
        let graphql = weight(&ranges, &[is_graphql]);
        let json = weight(&ranges, &[is_json, is_any_application, is_anything]);
        match (graphql, json) {
            (graphql, json) if graphql > 0 && graphql >= json => Ok(Self::GraphqlResponse),
            (_, json) if json > 0 => Ok(Self::Json),
            _ => Err(RequestFault::NotAcceptable.into()),
        }
    }
}

/// Whether the client wants a page: it names HTML.
#[must_use]
pub fn wants_page(headers: &HeaderMap) -> bool {
    let mut texts = headers.get_all(ACCEPT).iter().filter_map(|it| it.to_str().ok());
    texts.any(|ranges| weight(ranges, &[is_html]) > 0)
}

/// Whether `value` is the type of a JSON body in UTF-8, the only one that is read.
#[must_use]
pub fn is_json_body(value: &HeaderValue) -> bool {
    let media_type = value.to_str().ok().and_then(|text| MediaType::parse(text).ok());
    media_type.is_some_and(|it| is_json(&it) && is_utf8(&it))
}

fn is_json(it: &MediaType<'_>) -> bool {
    it.ty == names::APPLICATION && it.subty == names::JSON && it.suffix.is_none()
}

fn is_utf8(it: &MediaType<'_>) -> bool {
    it.get_param(names::CHARSET).is_none_or(|value| value.unquoted_str().eq_ignore_ascii_case("utf-8"))
}

/// The weight, in thousandths, that the client gives to a type: that of the most specific
/// range that is about it, of `kinds` from specific to general; 0 for none.
fn weight(ranges: &str, kinds: &[fn(&MediaType<'_>) -> bool]) -> u16 {
    let of_kind = |is: &fn(&MediaType<'_>) -> bool| {
        let ranges = MediaTypeList::new(ranges).filter_map(Result::ok);
        ranges.filter(is).map(|it| quality(&it)).max()
    };
    kinds.iter().find_map(of_kind).unwrap_or_default()
}

fn is_graphql(it: &MediaType<'_>) -> bool {
    it.ty == names::APPLICATION && it.subty == "graphql-response" && it.suffix == Some(names::JSON)
}

fn is_any_application(it: &MediaType<'_>) -> bool {
    it.ty == names::APPLICATION && it.subty == names::_STAR
}

fn is_anything(it: &MediaType<'_>) -> bool {
    it.ty == names::_STAR && it.subty == names::_STAR
}

fn is_html(it: &MediaType<'_>) -> bool {
    it.ty == names::TEXT && it.subty == names::HTML
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is clamped to 0 to 1000")]
fn quality(it: &MediaType<'_>) -> u16 {
    let parsed = it.get_param(names::Q).map(|value| value.as_str().parse::<f32>().unwrap_or_default());
    (parsed.unwrap_or(1.0).clamp(0.0, 1.0) * 1000.0) as u16
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn accepting(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(ACCEPT, value.parse().unwrap())])
    }

    #[rstest]
    #[case("application/graphql-response+json", AnswerType::GraphqlResponse)]
    #[case("application/json, application/graphql-response+json", AnswerType::GraphqlResponse)]
    #[case(
        "application/graphql-response+json; charset=utf-8, application/json; charset=utf-8",
        AnswerType::GraphqlResponse
    )]
    #[case("application/graphql-response+json;q=0.5, application/json", AnswerType::Json)]
    #[case("application/json", AnswerType::Json)]
    #[case("*/*", AnswerType::Json)]
    #[case("application/*", AnswerType::Json)]
    #[case("text/html, */*;q=0.1", AnswerType::Json)]
    #[case("", AnswerType::Json)]
    fn clients_get_what_they_like_best(#[case] accept: &str, #[case] expected: AnswerType) {
        assert_eq!(AnswerType::accepted(&accepting(accept)).unwrap(), expected);
    }

    #[rstest]
    #[case("text/html")]
    #[case("application/json;q=0")]
    #[case("application/json;q=0, */*")]
    #[case("text/*")]
    #[case("image/png")]
    #[case("nonsense")]
    fn what_cannot_be_given_is_not_acceptable(#[case] accept: &str) {
        assert!(AnswerType::accepted(&accepting(accept)).is_err());
    }

    #[rstest]
    #[case("application/json", true)]
    #[case("application/json; charset=UTF-8", true)]
    #[case("application/json; charset=\"utf-8\"", true)]
    #[case("application/json; charset=utf-16", false)]
    #[case("text/plain", false)]
    #[case("application/x-www-form-urlencoded", false)]
    #[case("application/vnd.api+json", false)]
    #[case("multipart/form-data; boundary=x", false)]
    fn only_json_is_read(#[case] content_type: &str, #[case] is_read: bool) {
        assert_eq!(is_json_body(&content_type.parse().unwrap()), is_read);
    }

    #[test]
    fn browsers_want_pages() {
        assert!(wants_page(&accepting("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")));
        assert!(!wants_page(&accepting("*/*")));
    }
}
