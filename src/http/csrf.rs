//! Protection against cross-site request forgery: another site's page can make a browser send
//! requests with the user's session cookie.
//!
//! `tower-http` has a layer for this, but it accepts requests that have neither `Sec-Fetch-Site`
//! nor `Origin`, compares `Origin` with `Host`, and cannot exempt requests with a token. Cookies
//! with `SameSite=Lax` protect browsers that do not send `Sec-Fetch-Site`.

use http::{HeaderMap, Method, header::ORIGIN};

use crate::error::{Error, Result};

/// The header that says which site a request comes from.
const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// The origins of the product itself.
#[derive(Clone, Debug)]
pub struct OwnOrigins(pub Vec<String>);

impl OwnOrigins {
    /// Checks that a page of the product sent a request.
    ///
    /// `Sec-Fetch-Site` decides if the browser sends it. Its value `none` means that a user typed
    /// the URL, which is allowed for GET only. Otherwise `Origin` decides. Programs send neither,
    /// and must use an API token.
    ///
    /// # Errors
    ///
    /// [`Error::CrossSite`] if another page, or no page at all, sent the request.
    pub fn check(&self, method: &Method, headers: &HeaderMap) -> Result<()> {
        let is_own = match text(headers, SEC_FETCH_SITE) {
            Some("same-origin") => true,
            Some("none") => *method == Method::GET,
            Some(_) => false,
            None => text(headers, ORIGIN.as_str())
                .is_some_and(|origin| self.0.iter().any(|own| own == origin)),
        };
        if is_own { Ok(()) } else { Err(Error::CrossSite) }
    }
}

/// How a browser came to request a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Navigation {
    /// The user followed a link of the product or typed the URL, or the browser does not say.
    Own,
    /// The user followed a link on another site.
    Foreign,
    /// The user did not navigate: a page loaded the URL, for example as an image or a frame.
    Embedded,
}

impl Navigation {
    /// Reads the `Sec-Fetch-*` headers.
    ///
    /// A request without `Sec-Fetch-Site` is [`Own`](Self::Own): Safari before 16.4 does not send
    /// the header, and over http no browser does.
    #[must_use]
    pub fn from_headers(headers: &HeaderMap) -> Self {
        let Some(site) = text(headers, SEC_FETCH_SITE) else { return Self::Own };
        let is = |name, value| text(headers, name).is_none_or(|it| it == value);
        match site {
            _ if !is("sec-fetch-mode", "navigate") || !is("sec-fetch-dest", "document") => {
                Self::Embedded
            }
            "same-origin" | "none" => Self::Own,
            _ => Self::Foreign,
        }
    }
}

/// Whether the browser says which site a request comes from. If so, the origin of a request with a
/// session is checked before anything else.
#[must_use]
pub fn has_fetch_site(headers: &HeaderMap) -> bool {
    headers.contains_key(SEC_FETCH_SITE)
}

/// Returns the value of a header, or `?` if it occurs twice or is not text.
fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?.to_str().ok();
    Some(first.filter(|_| values.next().is_none()).unwrap_or("?"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};
    use rstest::rstest;

    type Headers = &'static [(&'static str, &'static str)];

    #[rstest]
    #[case::our_own_page("POST", &[("sec-fetch-site", "same-origin")], true)]
    #[case::another_site("POST", &[("sec-fetch-site", "cross-site")], false)]
    #[case::another_host_of_the_same_site("POST", &[("sec-fetch-site", "same-site")], false)]
    #[case::a_typed_url("GET", &[("sec-fetch-site", "none")], true)]
    #[case::a_typed_url_is_never_posted("POST", &[("sec-fetch-site", "none")], false)]
    #[case::our_own_origin("POST", &[("origin", "https://arm.test")], true)]
    #[case::another_origin("POST", &[("origin", "https://evil.test")], false)]
    #[case::our_origin_as_a_prefix("POST", &[("origin", "https://arm.test.evil.test")], false)]
    #[case::a_sandboxed_page("POST", &[("origin", "null")], false)]
    #[case::no_header("POST", &[], false)]
    #[case::the_site_decides_before_the_origin(
        "POST",
        &[("sec-fetch-site", "cross-site"), ("origin", "https://arm.test")],
        false
    )]
    fn only_our_own_pages_pass(
        #[case] method: Method,
        #[case] sent: Headers,
        #[case] passes: bool,
    ) {
        let own = OwnOrigins(vec!["https://arm.test".to_owned()]);
        let header = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        let headers = sent.iter().map(header).collect();

        assert_eq!(own.check(&method, &headers).is_ok(), passes);
    }
}
