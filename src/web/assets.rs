//! The static assets of the pages: names, bytes, and how they are served.
//!
//! `build.rs` makes the table; this file only looks things up in it. A name
//! carries a hash of the content, so an answer never goes stale and is cached
//! for ever. Names are constants apart from the table: the `api` binary, which
//! renders the IDE's page but does not serve its files, links no bytes. It
//! stays so while nothing in that binary calls [`find`] or [`response`].

use axum::{
    body::Bytes,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, header};

/// Under which path the assets are served: `/static/{name}`.
pub const PATH: &str = "/static";

/// A year, in seconds, the longest that caches are asked to honour; "immutable"
/// spares the question even on reload (RFC 8246).
const CACHE_CONTROL: &str = "public, max-age=31536000, immutable";

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// A file that a page loads, ready to be sent in three forms.
#[derive(Debug)]
pub struct Asset {
    /// The public file name, as `ide.0123456789abcdef.js`.
    pub name: &'static str,
    /// The value of `Content-Type`.
    pub content_type: &'static str,
    /// The content itself.
    pub bytes: &'static [u8],
    /// The content in gzip (RFC 1952).
    pub gzip: &'static [u8],
    /// The content in Brotli (RFC 7932).
    pub brotli: &'static [u8],
}

impl Asset {
    /// The smallest form that the client accepts, and its `Content-Encoding`.
    ///
    /// A client's weights order nothing: Brotli is always the smallest and the
    /// server may choose among what is accepted (RFC 9110, section 12.5.3).
    fn encoded(&self, headers: &HeaderMap) -> (&'static [u8], Option<&'static str>) {
        if accepts(headers, "br") {
            (self.brotli, Some("br"))
        } else if accepts(headers, "gzip") {
            (self.gzip, Some("gzip"))
        } else {
            (self.bytes, None)
        }
    }
}

/// Finds an asset by its public name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.name == name)
}

/// Answers a request for an asset, or nothing if there is none of that name.
///
/// `headers` are the request's. The body is borrowed from the binary, nothing
/// is copied or compressed.
#[must_use]
pub fn response(name: &str, headers: &HeaderMap) -> Option<Response> {
    let asset = find(name)?;
    let (body, encoding) = asset.encoded(headers);
    let fixed = [
        (header::CONTENT_TYPE, asset.content_type),
        (header::CACHE_CONTROL, CACHE_CONTROL),
        (header::VARY, "Accept-Encoding"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];

    let mut response = (fixed, Bytes::from_static(body)).into_response();
    if let Some(encoding) = encoding {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    Some(response)
}

/// Whether the client accepts a coding: by its name, or else by `*`, with a
/// weight above zero.
fn accepts(headers: &HeaderMap, coding: &str) -> bool {
    let weight_of = |wanted: &str| {
        let lines = headers.get_all(header::ACCEPT_ENCODING).iter();
        let mut elements =
            lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(','));
        elements.find_map(|element| weight(element, wanted))
    };
    weight_of(coding).or_else(|| weight_of("*")).is_some_and(|weight| weight > 0.0)
}

/// The weight that an element of `Accept-Encoding` gives to a coding, if it is
/// about that one. A weight that cannot be read refuses.
fn weight(element: &str, coding: &str) -> Option<f32> {
    let (name, parameters) = element.split_once(';').unwrap_or((element, "q=1"));
    if !name.trim().eq_ignore_ascii_case(coding) {
        return None;
    }
    let (key, value) = parameters.split_once('=')?;
    let is_weight = key.trim().eq_ignore_ascii_case("q");
    Some(if is_weight { value.trim().parse().unwrap_or(0.0) } else { 0.0 })
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn answer(accept_encoding: &str) -> Response {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, accept_encoding.parse().unwrap());
        response(IDE_JS, &headers).unwrap()
    }

    fn encoding(accept_encoding: &str) -> Option<String> {
        let response = answer(accept_encoding);
        response
            .headers()
            .get(header::CONTENT_ENCODING)
            .map(|value| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn the_smallest_accepted_form_is_sent() {
        let cases = [
            ("gzip, deflate, br, zstd", Some("br")),
            ("br;q=0.1, gzip", Some("br")),
            ("br; q=0, gzip", Some("gzip")),
            ("BR;Q=0.0, x;q=1, GZIP;q=0.5", Some("gzip")),
            ("*", Some("br")),
            ("*, br;q=0", Some("gzip")),
            ("*;q=0", None),
            ("gzip;q=many", None),
            ("gzip;level=9", None),
            ("identity", None),
            ("brotli", None),
            ("", None),
        ];
        for (accept_encoding, expected) in cases {
            assert_eq!(encoding(accept_encoding).as_deref(), expected, "{accept_encoding:?}");
        }
    }

    #[test]
    fn an_answer_may_be_kept_for_ever_but_not_across_encodings() {
        let response = answer("br");

        let header = |name| response.headers().get(name).unwrap().to_str().unwrap();
        assert_eq!(header(header::CACHE_CONTROL), "public, max-age=31536000, immutable");
        assert_eq!(header(header::VARY), "Accept-Encoding");
        assert_eq!(header(header::X_CONTENT_TYPE_OPTIONS), "nosniff");
        assert_eq!(header(header::CONTENT_TYPE), "text/javascript; charset=utf-8");
    }

    #[test]
    fn the_three_forms_are_the_same_content() {
        for asset in &ASSETS {
            let (mut gzip, mut brotli) = (Vec::new(), Vec::new());
            flate2::read::GzDecoder::new(asset.gzip).read_to_end(&mut gzip).unwrap();
            brotli::BrotliDecompress(&mut &*asset.brotli, &mut brotli).unwrap();

            assert!(gzip == asset.bytes && brotli == asset.bytes, "{}", asset.name);
        }
    }

    #[test]
    fn a_name_that_is_not_an_asset_finds_nothing() {
        for name in ["", "ide.js", "../Cargo.toml", "ide.0000000000000000.js"] {
            assert!(response(name, &HeaderMap::new()).is_none(), "{name:?}");
        }
    }

    #[test]
    fn no_stylesheet_loads_from_elsewhere() {
        for asset in ASSETS.iter().filter(|asset| asset.content_type.starts_with("text/css")) {
            let text = std::str::from_utf8(asset.bytes).unwrap();
            assert!(!text.contains("url(") && !text.contains("@import"), "{}", asset.name);
        }
    }
}
