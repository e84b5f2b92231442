//! Cross-site requests: what a foreign page makes a browser send, session included.
//!
//! A few lines of our own, since `tower-http`'s layer lets a request with neither
//! header pass, compares with `Host`, and cannot see `Authorization`. `SameSite=Lax`
//! is the second wall: it holds in browsers that send no `Sec-Fetch-Site`.

use http::{HeaderMap, Method, header::ORIGIN};

use crate::error::{Error, Result};

/// The header in which browsers say where a request comes from.
const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// The spellings of our own origin.
#[derive(Clone, Debug)]
pub struct OwnOrigins(pub Vec<String>);

impl OwnOrigins {
    /// Lets a request pass that one of our own pages sent.
    ///
    /// `Sec-Fetch-Site` decides where the browser sends it (`none`, what a person
    /// typed into the address bar, is good for reading alone); else `Origin` does. A
    /// request with neither is refused: programs send an API token instead.
    ///
    /// # Errors
    ///
    /// [`Error::CrossSite`].
    pub fn admit(&self, method: &Method, headers: &HeaderMap) -> Result<()> {
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

/// How a browser came to ask for a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Navigation {
    /// A person followed a link of ours, typed the address, or uses a browser that does not
    /// say.
    Own,
    /// A person followed a link of another site.
    Foreign,
    /// Nobody navigated: a page embeds the address, such as an image or a frame.
    Embedded,
}

/// How a browser came to ask for a page, by the headers `Sec-Fetch-*`.
///
/// A request without `Sec-Fetch-Site` counts as a navigation of ours: Safari before 16.4 sends
/// none, nor does any browser to a host that is reached over http.
#[must_use]
pub fn navigation(headers: &HeaderMap) -> Navigation {
    let Some(site) = text(headers, SEC_FETCH_SITE) else { return Navigation::Own };
    let is = |name, value| text(headers, name).is_none_or(|it| it == value);
    match site {
        _ if !is("sec-fetch-mode", "navigate") || !is("sec-fetch-dest", "document") => {
            Navigation::Embedded
        }
        "same-origin" | "none" => Navigation::Own,
        _ => Navigation::Foreign,
    }
}

/// Whether the browser says where the request comes from. What it then says is decisive
/// for any request with a session, whatever else is wrong with it.
#[must_use]
pub fn is_told(headers: &HeaderMap) -> bool {
    headers.contains_key(SEC_FETCH_SITE)
}

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

    #[rstest]
    #[case::f01("POST", &[("sec-fetch-site", "same-origin")], true)]
    #[case::f02("POST", &[("sec-fetch-site", "cross-site")], false)]
    #[case::same_site_is_another_host("POST", &[("sec-fetch-site", "same-site")], false)]
    #[case::typed_in("GET", &[("sec-fetch-site", "none")], true)]
    #[case::typed_in_does_not_post("POST", &[("sec-fetch-site", "none")], false)]
    #[case::f04("POST", &[("origin", "https://arm.test")], true)]
    #[case::another_origin("POST", &[("origin", "https://evil.test")], false)]
    #[case::an_origin_is_compared_whole("POST", &[("origin", "https://arm.test.evil.test")], false)]
    #[case::sandboxed("POST", &[("origin", "null")], false)]
    #[case::the_browser_knows_better("POST", &[("sec-fetch-site", "cross-site"), ("origin", "https://arm.test")], false)]
    #[case::f06("POST", &[], false)]
    fn only_our_own_pages_pass(
        #[case] method: &str,
        #[case] sent: &[(&str, &str)],
        #[case] passes: bool,
    ) {
        let own = OwnOrigins(vec!["https://arm.test".to_owned()]);
        let header = |(name, value): &(&str, &str)| {
            (HeaderName::try_from(*name).unwrap(), HeaderValue::from_str(value).unwrap())
        };

        assert_eq!(
            own.admit(&method.parse().unwrap(), &sent.iter().map(header).collect()).is_ok(),
            passes
        );
    }
}
