//! The schema in the schema definition language (SDL), and its download.

use std::sync::OnceLock;

use async_graphql::SDLExportOptions;
use axum::{body::Body, response::Response};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH},
};
use sha2::{Digest, Sha256};

use crate::graph;

/// Returns the schema in SDL. Fields, arguments and enum values are sorted, so the text is stable.
#[must_use]
pub fn sdl() -> String {
    let options = SDLExportOptions::new().sorted_fields().sorted_arguments().sorted_enum_items();
    graph::schema(None).sdl_with_options(options)
}

/// The file `schema.graphql` with its `ETag`. It is rendered on the first request.
#[derive(Default)]
pub(super) struct SchemaFile(OnceLock<(String, HeaderValue)>);

impl SchemaFile {
    /// Responds with the file, or with 304 if the client already has it.
    pub(super) fn respond(&self, headers: &HeaderMap) -> Response {
        let (text, etag) = self.0.get_or_init(render);
        let mut response = Response::default();
        if matches_etag(headers, etag) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        } else {
            *response.body_mut() = Body::from(text.clone());
        }
        let content_type = HeaderValue::from_static("text/plain; charset=utf-8");
        response.headers_mut().insert(ETAG, etag.clone());
        response.headers_mut().insert(CONTENT_TYPE, content_type);
        response
    }
}

fn render() -> (String, HeaderValue) {
    let text = sdl();
    let etag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(Sha256::digest(&text)));
    (text, HeaderValue::try_from(etag).unwrap_or(HeaderValue::from_static("\"\"")))
}

/// Whether `If-None-Match` contains the tag. Ignores the prefix `W/`, since caches may weaken tags
/// (RFC 9110, section 13.1.2).
fn matches_etag(headers: &HeaderMap, etag: &HeaderValue) -> bool {
    let texts = headers.get_all(IF_NONE_MATCH).iter().filter_map(|it| it.to_str().ok());
    let mut tags = texts.flat_map(|it| it.split(',')).map(str::trim);
    tags.any(|it| it == "*" || it.strip_prefix("W/").unwrap_or(it) == etag)
}
