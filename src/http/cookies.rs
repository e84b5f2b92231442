//! The product's cookies: the session, and a login attempt.
//!
//! Over https, the cookie names begin with `__Host-`. Browsers then require Secure, the path `/`
//! and no Domain, so another host of the same domain cannot set them. Over http, which only local
//! mode uses, they have neither the prefix nor Secure: Safari, curl before 7.79 and Python's HTTP
//! clients never send a Secure cookie over http.
//!
//! Names are compared byte by byte. A request that has a cookie twice is rejected, because it is
//! impossible to tell which of the two this program set.

use cookie::{Cookie, SameSite, time::Duration};
use http::{
    HeaderMap, HeaderValue,
    header::{COOKIE, InvalidHeaderValue},
};
use jiff::SignedDuration;

use crate::{domain::secret::Secret, error::RequestFault};

/// The cookies of one origin.
#[derive(Clone, Copy, Debug)]
pub struct Cookies {
    is_https: bool,
}

/// A cookie of the product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CookieName {
    Session,
    /// The login attempt that the browser started.
    Login,
}

impl Cookies {
    /// Creates the cookies of an origin that browsers reach over https or http.
    #[must_use]
    pub const fn new(is_https: bool) -> Self {
        Self { is_https }
    }

    /// Returns the value of a cookie, if the request has it.
    ///
    /// # Errors
    ///
    /// [`RequestFault::DuplicateCookie`] if the request has it twice.
    pub fn get(
        self,
        name: CookieName,
        headers: &HeaderMap,
    ) -> Result<Option<Secret>, RequestFault> {
        value(headers, self.spell(name))
    }

    /// Builds the `Set-Cookie` header that sets a cookie.
    ///
    /// # Errors
    ///
    /// [`InvalidHeaderValue`] if the value has characters that a header cannot have.
    pub fn set(
        self,
        name: CookieName,
        value: &str,
        lifetime: SignedDuration,
    ) -> Result<HeaderValue, InvalidHeaderValue> {
        self.build(name, value, Duration::seconds(lifetime.as_secs()))
    }

    /// Builds the `Set-Cookie` header that deletes a cookie.
    #[must_use]
    pub fn delete(self, name: CookieName) -> HeaderValue {
        // A cookie without a value is always a valid header.
        self.build(name, "", Duration::ZERO).unwrap_or(HeaderValue::from_static(""))
    }

    fn spell(self, name: CookieName) -> &'static str {
        match (name, self.is_https) {
            (CookieName::Session, true) => "__Host-arm_session",
            (CookieName::Session, false) => "arm_session",
            (CookieName::Login, true) => "__Host-arm_login",
            (CookieName::Login, false) => "arm_login",
        }
    }

    fn build(
        self,
        name: CookieName,
        value: &str,
        max_age: Duration,
    ) -> Result<HeaderValue, InvalidHeaderValue> {
        let mut cookie = Cookie::build((self.spell(name), value)).path("/").http_only(true);
        if self.is_https {
            cookie = cookie.secure(true);
        }
        HeaderValue::try_from(cookie.same_site(SameSite::Lax).max_age(max_age).build().to_string())
    }
}

/// Returns the value of the cookie with exactly this name. Skips only spaces and tabs around the
/// name. `Cookie::parse` would skip all Unicode white space, which browsers treat as a part of the
/// name.
fn value(headers: &HeaderMap, name: &'static str) -> Result<Option<Secret>, RequestFault> {
    let lines = headers.get_all(COOKIE).iter();
    let pairs = lines.flat_map(|it| it.as_bytes().split(|byte| *byte == b';'));
    let mut values = pairs.filter_map(|pair| {
        let value = trim(pair).strip_prefix(name.as_bytes())?.strip_prefix(b"=")?;
        Some(Secret::from(String::from_utf8_lossy(value).into_owned()))
    });
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        _ => Err(RequestFault::DuplicateCookie { name }),
    }
}

/// Removes spaces and tabs at both ends.
fn trim(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const HTTPS: Cookies = Cookies::new(true);
    const HTTP: Cookies = Cookies::new(false);

    fn headers(lines: &[&'static str]) -> HeaderMap {
        lines.iter().map(|it| (COOKIE, HeaderValue::from_bytes(it.as_bytes()).unwrap())).collect()
    }

    #[rstest]
    #[case::over_https(
        HTTPS,
        "__Host-arm_session=uid.secret; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=2400"
    )]
    #[case::over_http(HTTP, "arm_session=uid.secret; HttpOnly; SameSite=Lax; Path=/; Max-Age=2400")]
    fn a_session_cookie_lasts_forty_minutes(#[case] cookies: Cookies, #[case] expected: &str) {
        let cookie = cookies.set(CookieName::Session, "uid.secret", SignedDuration::from_mins(40));

        assert_eq!(cookie.unwrap(), expected);
    }

    #[rstest]
    #[case(HTTPS, "__Host-arm_login=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0")]
    #[case(HTTP, "arm_login=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0")]
    fn a_cookie_is_deleted_with_the_attributes_that_it_was_set_with(
        #[case] cookies: Cookies,
        #[case] expected: &str,
    ) {
        assert_eq!(cookies.delete(CookieName::Login), expected);
    }

    #[test]
    fn a_cookie_is_found_among_others() {
        let headers = HeaderMap::from_iter([
            (COOKIE, HeaderValue::from_bytes(b"a=b; name=Jos\xe9; =; ;").unwrap()),
            (COOKIE, HeaderValue::from_static("__Host-arm_session=uid.secret")),
        ]);

        let session = HTTPS.get(CookieName::Session, &headers).unwrap().unwrap();
        assert_eq!(session.reveal(), "uid.secret");
    }

    #[rstest]
    #[case::a_blank_of_unicode("\u{2000}__Host-arm_session=x")]
    #[case::a_blank_of_latin("\u{a0}__Host-arm_session=x")]
    #[case::a_vertical_tab("__Host-arm_session\u{2003}=x")]
    #[case::another_case("__host-arm_session=x")]
    #[case::the_name_of_http("arm_session=x")]
    #[case::a_blank_before_the_sign("__Host-arm_session =x")]
    fn names_match_byte_by_byte(#[case] line: &'static str) {
        assert!(HTTPS.get(CookieName::Session, &headers(&[line])).unwrap().is_none());
    }

    #[rstest]
    #[case::in_one_header(&["__Host-arm_session=a; __Host-arm_session=b"])]
    #[case::in_two_headers(&["__Host-arm_session=a", "__Host-arm_session=b"])]
    #[case::with_one_value(&["__Host-arm_session=a; __Host-arm_session=a"])]
    fn a_cookie_that_is_sent_twice_is_refused(#[case] lines: &[&'static str]) {
        let refused = HTTPS.get(CookieName::Session, &headers(lines)).unwrap_err();

        assert_eq!(refused, RequestFault::DuplicateCookie { name: "__Host-arm_session" });
    }
}
