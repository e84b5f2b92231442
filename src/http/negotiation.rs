//! Content negotiation: the media types of requests and responses.

use http::{
    HeaderMap, HeaderValue,
    header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE},
};
use mediatype::{MediaType, MediaTypeList, ReadParams, names};

use crate::error::{RequestFault, Result};

/// The media type of a GraphQL response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ResponseMediaType {
    /// `application/json`, which every client can read. Its status is 200 for every well-formed
    /// request.
    #[default]
    Json,
    /// `application/graphql-response+json`, with a status that depends on the errors. Only sent
    /// to clients that ask for it, since some ignore a body of this type.
    GraphqlResponse,
}

impl ResponseMediaType {
    /// Returns the value of `Content-Type`.
    #[must_use]
    pub fn header(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Json => "application/json; charset=utf-8",
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
        })
    }

    /// Returns the type to which the client gives the higher weight (RFC 9110, section 12.5.1).
    /// Prefers [`GraphqlResponse`](Self::GraphqlResponse) if the weights are equal.
    ///
    /// # Errors
    ///
    /// [`RequestFault::NotAcceptable`] if the client accepts neither.
    pub fn negotiate(headers: &HeaderMap) -> Result<Self> {
        let ranges = accepted(headers).collect::<Vec<_>>().join(",");
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

/// Returns the values of `Accept`.
fn accepted(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers.get_all(ACCEPT).iter().filter_map(|it| it.to_str().ok())
}

/// Whether the client wants a page: it accepts HTML by name.
#[must_use]
pub fn wants_page(headers: &HeaderMap) -> bool {
    accepted(headers).any(|ranges| weight(ranges, &[is_html]) > 0)
}

/// Checks that the body is JSON in UTF-8, and not compressed.
///
/// # Errors
///
/// [`RequestFault::MediaType`], [`RequestFault::Charset`], [`RequestFault::ContentEncoding`].
pub fn check_json_body(headers: &HeaderMap) -> Result<(), RequestFault> {
    let value = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
    let media_type = value.and_then(|text| MediaType::parse(text).ok()).filter(is_json);
    let media_type = media_type.ok_or(RequestFault::MediaType)?;
    if let Some(charset) =
        media_type.get_param(names::CHARSET).filter(|it| !is_utf8(&it.unquoted_str()))
    {
        return Err(RequestFault::Charset(charset.unquoted_str().into_owned()));
    }
    let mut encodings = headers.get_all(CONTENT_ENCODING).iter();
    match encodings.find(|it| !it.as_bytes().eq_ignore_ascii_case(b"identity")) {
        Some(encoding) => Err(RequestFault::ContentEncoding(
            encoding.to_str().unwrap_or("that was sent").to_owned(),
        )),
        None => Ok(()),
    }
}

/// Whether the client wants JSON instead of a page: it sends or accepts JSON, and does not accept
/// HTML by name.
#[must_use]
pub fn wants_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
    let sends_json =
        content_type.and_then(|it| MediaType::parse(it).ok()).is_some_and(|it| is_json(&it));
    let accepts_json =
        || accepted(headers).any(|it| weight(it, &[is_graphql]).max(weight(it, &[is_json])) > 0);
    !wants_page(headers) && (sends_json || accepts_json())
}

fn is_json(it: &MediaType<'_>) -> bool {
    it.ty == names::APPLICATION && it.subty == names::JSON && it.suffix.is_none()
}

/// Whether a charset is UTF-8. Some clients call it `utf8`.
fn is_utf8(charset: &str) -> bool {
    ["utf-8", "utf8"].iter().any(|it| charset.eq_ignore_ascii_case(it))
}

/// Returns the weight of the most specific range that matches, in thousandths. `kinds` are ordered
/// from specific to general. Returns 0 if none matches.
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

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is clamped to 0 to 1000"
)]
fn quality(it: &MediaType<'_>) -> u16 {
    let parsed =
        it.get_param(names::Q).map(|value| value.as_str().parse::<f32>().unwrap_or_default());
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
    #[case("application/graphql-response+json", ResponseMediaType::GraphqlResponse)]
    #[case(
        "application/json, application/graphql-response+json",
        ResponseMediaType::GraphqlResponse
    )]
    #[case(
        "application/graphql-response+json; charset=utf-8, application/json; charset=utf-8",
        ResponseMediaType::GraphqlResponse
    )]
    #[case("application/graphql-response+json;q=0.5, application/json", ResponseMediaType::Json)]
    #[case("application/json", ResponseMediaType::Json)]
    #[case("*/*", ResponseMediaType::Json)]
    #[case("application/*", ResponseMediaType::Json)]
    #[case("text/html, */*;q=0.1", ResponseMediaType::Json)]
    #[case("", ResponseMediaType::Json)]
    fn the_type_with_the_highest_weight_is_chosen(
        #[case] accept: &str,
        #[case] expected: ResponseMediaType,
    ) {
        assert_eq!(ResponseMediaType::negotiate(&accepting(accept)).unwrap(), expected);
    }

    #[rstest]
    #[case("text/html")]
    #[case("application/json;q=0")]
    #[case("application/json;q=0, */*")]
    #[case("text/*")]
    #[case("image/png")]
    #[case("nonsense")]
    fn other_types_are_not_acceptable(#[case] accept: &str) {
        assert!(ResponseMediaType::negotiate(&accepting(accept)).is_err());
    }

    #[rstest]
    #[case("application/json", true)]
    #[case("application/json; charset=UTF-8", true)]
    #[case("application/json; charset=\"utf-8\"", true)]
    #[case("application/json; charset=utf8", true)]
    #[case("application/json; charset=utf-16", false)]
    #[case("text/plain", false)]
    #[case("application/x-www-form-urlencoded", false)]
    #[case("application/vnd.api+json", false)]
    #[case("multipart/form-data; boundary=x", false)]
    fn a_body_must_be_json_in_utf_8(#[case] content_type: &str, #[case] is_valid: bool) {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, content_type.parse().unwrap())]);

        assert_eq!(check_json_body(&headers).is_ok(), is_valid);
    }

    #[rstest]
    #[case::accepts_it("accept", "application/json", true)]
    #[case::accepts_the_type_of_graphql("accept", "application/graphql-response+json", true)]
    #[case::sends_it("content-type", "application/json; charset=utf-8", true)]
    #[case::a_browser("accept", "text/html,application/xhtml+xml,*/*;q=0.8", false)]
    #[case::a_browser_that_would_take_json("accept", "text/html, application/json;q=0.5", false)]
    #[case::anything("accept", "*/*", false)]
    #[case::a_form("content-type", "application/x-www-form-urlencoded", false)]
    fn programs_want_json(#[case] name: &'static str, #[case] value: &str, #[case] expected: bool) {
        let headers = HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())]);

        assert_eq!(wants_json(&headers), expected);
    }

    #[test]
    fn browsers_want_pages() {
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

        assert!(wants_page(&accepting(browser)));
        assert!(!wants_page(&accepting("*/*")));
    }
}
