//! The static assets of the pages, and their HTTP responses.
//!
//! `build.rs` generates the table of assets. The name of an asset contains a hash of its content,
//! so caches can keep it forever. Templates refer to assets by constants, such as [`APP_JS`].
//!
//! The `api` binary renders pages but does not serve assets. The contents are not linked into it,
//! as long as nothing in it calls [`find`] or [`response`].

use axum::{
    body::Bytes,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, header};

/// Caches keep an asset for a year, the maximum (RFC 9111). `immutable` stops browsers from
/// asking for a newer version on reload (RFC 8246).
const CACHE_CONTROL: &str = "public, max-age=31536000, immutable";

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// One of our JavaScript modules.
#[derive(Debug)]
pub struct Module {
    /// The path of the module.
    pub path: &'static str,
    /// The paths of all modules that the module loads, so that a page can preload them.
    pub imports: &'static [&'static str],
}

/// A static file.
#[derive(Debug)]
pub struct Asset {
    /// The public file name, such as `ide.0123456789abcdef.js`.
    pub name: &'static str,
    /// The value of `Content-Type`.
    pub content_type: &'static str,
    /// The content.
    pub bytes: &'static [u8],
    /// The content, compressed with gzip.
    pub gzip: &'static [u8],
    /// The content, compressed with Brotli.
    pub brotli: &'static [u8],
}

impl Asset {
    /// Returns the smallest encoding that the client accepts, and its `Content-Encoding`.
    ///
    /// Ignores the weights of the client: the server may use any accepted encoding (RFC 9110,
    /// section 12.5.3), and Brotli is the smallest.
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

/// Returns the response with an asset, or `None` if there is no asset of that name. `headers` are
/// those of the request.
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

/// Whether the client accepts an encoding, by its name or by `*`, with a weight above zero.
fn accepts(headers: &HeaderMap, coding: &str) -> bool {
    let weight_of = |wanted: &str| {
        let lines = headers.get_all(header::ACCEPT_ENCODING).iter();
        let mut elements =
            lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(','));
        elements.find_map(|element| weight(element, wanted))
    };
    weight_of(coding).or_else(|| weight_of("*")).is_some_and(|weight| weight > 0.0)
}

/// Returns the weight of an encoding, if an element of `Accept-Encoding` names it. A malformed
/// weight counts as zero.
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

    fn get(accept_encoding: &str) -> Response {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, accept_encoding.parse().unwrap());
        response(IDE_CSS.strip_prefix("/static/").unwrap(), &headers).unwrap()
    }

    fn encoding(accept_encoding: &str) -> Option<String> {
        let response = get(accept_encoding);
        response
            .headers()
            .get(header::CONTENT_ENCODING)
            .map(|value| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn the_smallest_accepted_encoding_is_sent() {
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
    fn an_asset_is_cached_forever_for_each_encoding() {
        let response = get("br");

        let header = |name| response.headers().get(name).unwrap().to_str().unwrap();
        assert_eq!(header(header::CACHE_CONTROL), "public, max-age=31536000, immutable");
        assert_eq!(header(header::VARY), "Accept-Encoding");
        assert_eq!(header(header::X_CONTENT_TYPE_OPTIONS), "nosniff");
        assert_eq!(header(header::CONTENT_TYPE), "text/css; charset=utf-8");
    }

    #[test]
    fn all_encodings_have_the_same_content() {
        for asset in &ASSETS {
            let mut gzip = Vec::new();
            let mut brotli = Vec::new();
            flate2::read::GzDecoder::new(asset.gzip).read_to_end(&mut gzip).unwrap();
            brotli::BrotliDecompress(&mut &*asset.brotli, &mut brotli).unwrap();

            assert!(gzip == asset.bytes && brotli == asset.bytes, "{}", asset.name);
        }
    }

    #[test]
    fn an_unknown_name_is_not_found() {
        for name in ["", "ide.js", "../Cargo.toml", "ide.0000000000000000.js"] {
            assert!(response(name, &HeaderMap::new()).is_none(), "{name:?}");
        }
    }

    #[test]
    fn no_stylesheet_loads_another_file() {
        for asset in ASSETS.iter().filter(|asset| asset.content_type.starts_with("text/css")) {
            let text = std::str::from_utf8(asset.bytes).unwrap();
            assert!(!text.contains("url(") && !text.contains("@import"), "{}", asset.name);
        }
    }

    #[test]
    fn a_module_imports_public_names_and_lists_what_it_loads() {
        let code = |module: &Module| {
            let asset = find(module.path.strip_prefix("/static/").unwrap()).unwrap();
            std::str::from_utf8(asset.bytes).unwrap()
        };
        let imported = |code: &str| -> Vec<String> {
            let names = code.split("'./").skip(1).map(|it| it.split('\'').next().unwrap());
            names.map(|it| format!("/static/{it}")).collect()
        };

        let loaded = APP_JS.imports;

        assert!(imported(code(&APP_JS)).iter().all(|it| loaded.contains(&it.as_str())));
        assert!(loaded.contains(&API_JS.path));
        assert!(loaded.contains(&TOKEN_TEXT_JS.path), "an import of an import");
        assert!(!code(&APP_JS).contains("//"), "comments are removed");
    }
}
