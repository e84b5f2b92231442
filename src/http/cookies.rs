//! The product's cookies: the session, and the login that a browser has begun.
//!
//! Over https their names begin with `__Host-`: browsers then insist on Secure, on the path
//! `/` and on no Domain, so no neighbouring host can plant one. Over http, which only local
//! mode uses, they have neither the prefix nor Secure: Safari, curl before 7.79 and the HTTP
//! clients of Python never send a Secure cookie over http.
//!
//! Names match by their exact bytes. A cookie that is sent twice is refused, since nobody
//! can tell which of the two is ours.

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

impl Cookies {
    /// The cookies of an origin that browsers reach over https, or over http.
    #[must_use]
    pub const fn new(is_https: bool) -> Self {
        Self { is_https }
    }

    /// The value of the session cookie, if the request has one.
    ///
    /// # Errors
    ///
    /// [`RequestFault::DuplicateCookie`] if it has two.
    pub fn session(self, headers: &HeaderMap) -> Result<Option<Secret>, RequestFault> {
        value(headers, self.session_name())
    }

    /// The value of the cookie that binds a login to this browser, if the request has one.
    ///
    /// # Errors
    ///
    /// [`RequestFault::DuplicateCookie`] if it has two.
    pub fn login(self, headers: &HeaderMap) -> Result<Option<Secret>, RequestFault> {
        value(headers, self.login_name())
    }

    /// The `Set-Cookie` that gives a browser its session.
    ///
    /// # Errors
    ///
    /// When the value has characters that no header may have; ours never have.
    pub fn give_session(
        self,
        value: &str,
        lifetime: SignedDuration,
    ) -> Result<HeaderValue, InvalidHeaderValue> {
        self.set_cookie(self.session_name(), value, Duration::seconds(lifetime.as_secs()))
    }

    /// The `Set-Cookie` that takes the session away from a browser.
    #[must_use]
    pub fn clear_session(self) -> HeaderValue {
        HeaderValue::from_static(if self.is_https {
            "__Host-arm_session=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0"
        } else {
            "arm_session=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0"
        })
    }

    /// The `Set-Cookie` that binds a login to this browser.
    ///
    /// # Errors
    ///
    /// When the value has characters that no header may have; ours never have.
    pub fn give_login(
        self,
        value: &str,
        lifetime: SignedDuration,
    ) -> Result<HeaderValue, InvalidHeaderValue> {
        self.set_cookie(self.login_name(), value, Duration::seconds(lifetime.as_secs()))
    }

    /// The `Set-Cookie` that takes away what bound a login to this browser.
    #[must_use]
    pub fn clear_login(self) -> HeaderValue {
        HeaderValue::from_static(if self.is_https {
            "__Host-arm_login=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0"
        } else {
            "arm_login=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0"
        })
    }

    fn session_name(self) -> &'static str {
        if self.is_https { "__Host-arm_session" } else { "arm_session" }
    }

    fn login_name(self) -> &'static str {
        if self.is_https { "__Host-arm_login" } else { "arm_login" }
    }

    fn set_cookie(
        self,
        name: &str,
        value: &str,
        max_age: Duration,
    ) -> Result<HeaderValue, InvalidHeaderValue> {
        let mut cookie = Cookie::build((name, value)).path("/").http_only(true);
        if self.is_https {
            cookie = cookie.secure(true);
        }
        HeaderValue::try_from(cookie.same_site(SameSite::Lax).max_age(max_age).build().to_string())
    }
}

/// The value of the one cookie whose name has exactly these bytes. Only the blanks of the
/// header's grammar are skipped: `Cookie::parse` would skip all that Unicode calls white
/// space, which a browser takes for a part of another name.
fn value(headers: &HeaderMap, name: &'static str) -> Result<Option<Secret>, RequestFault> {
    let pairs =
        headers.get_all(COOKIE).iter().flat_map(|it| it.as_bytes().split(|byte| *byte == b';'));
    let mut values = pairs.filter_map(|pair| {
        let pair = trimmed(pair).strip_prefix(name.as_bytes())?.strip_prefix(b"=")?;
        Some(Secret::from(String::from_utf8_lossy(pair).into_owned()))
    });
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        _ => Err(RequestFault::DuplicateCookie { name }),
    }
}

/// The text without the blanks and tabs around it.
fn trimmed(mut text: &[u8]) -> &[u8] {
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

    fn sent(lines: &[&'static str]) -> HeaderMap {
        lines.iter().map(|it| (COOKIE, HeaderValue::from_bytes(it.as_bytes()).unwrap())).collect()
    }

    #[test]
    fn the_cookie_is_a_host_cookie_of_forty_minutes() {
        let cookie = HTTPS.give_session("uid.secret", SignedDuration::from_mins(40)).unwrap();

        insta::assert_snapshot!(
            cookie.to_str().unwrap(),
            @"__Host-arm_session=uid.secret; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=2400"
        );
    }

    #[test]
    fn over_http_the_cookie_is_one_that_every_client_sends_back() {
        let cookie = HTTP.give_session("uid.secret", SignedDuration::from_mins(40)).unwrap();

        insta::assert_snapshot!(
            cookie.to_str().unwrap(),
            @"arm_session=uid.secret; HttpOnly; SameSite=Lax; Path=/; Max-Age=2400"
        );
    }

    #[rstest]
    #[case(HTTPS)]
    #[case(HTTP)]
    fn it_is_cleared_with_the_attributes_that_it_was_given_with(#[case] cookies: Cookies) {
        let cleared = |name| cookies.set_cookie(name, "", Duration::ZERO).unwrap();

        assert_eq!(cookies.clear_session(), cleared(cookies.session_name()));
        assert_eq!(cookies.clear_login(), cleared(cookies.login_name()));
    }

    #[test]
    fn it_is_found_among_others() {
        let headers = HeaderMap::from_iter([
            (COOKIE, HeaderValue::from_bytes(b"a=b; name=Jos\xe9; =; ;").unwrap()),
            (COOKIE, HeaderValue::from_static("__Host-arm_session=uid.secret")),
        ]);

        assert_eq!(HTTPS.session(&headers).unwrap().unwrap().reveal(), "uid.secret");
    }

    #[rstest]
    #[case::a_blank_of_unicode("\u{2000}__Host-arm_session=x")]
    #[case::a_blank_of_latin("\u{a0}__Host-arm_session=x")]
    #[case::a_vertical_tab("__Host-arm_session\u{2003}=x")]
    #[case::another_case("__host-arm_session=x")]
    #[case::the_name_of_http("arm_session=x")]
    #[case::a_blank_before_the_sign("__Host-arm_session =x")]
    fn names_match_by_their_exact_bytes(#[case] line: &'static str) {
        assert!(HTTPS.session(&sent(&[line])).unwrap().is_none());
    }

    #[rstest]
    #[case::in_one_header(&["__Host-arm_session=a; __Host-arm_session=b"])]
    #[case::in_two_headers(&["__Host-arm_session=a", "__Host-arm_session=b"])]
    #[case::both_alike(&["__Host-arm_session=a; __Host-arm_session=a"])]
    fn two_of_one_name_are_refused(#[case] lines: &[&'static str]) {
        let refused = HTTPS.session(&sent(lines)).unwrap_err();

        assert_eq!(refused, RequestFault::DuplicateCookie { name: "__Host-arm_session" });
    }
}
