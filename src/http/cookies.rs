//! The session cookie. The `__Host-` prefix makes browsers insist on Secure, on the
//! path `/` and on no Domain, so that no neighbouring host can plant one.

use cookie::{Cookie, SameSite, time::Duration};
use http::{HeaderMap, HeaderValue, header::COOKIE};
use jiff::SignedDuration;

use crate::domain::secret::Secret;

/// The name of the session cookie.
pub const SESSION: &str = "__Host-arm_session";

/// The name of the cookie that binds a login to the browser that began it.
pub const LOGIN: &str = "__Host-arm_login";

/// The value of the session cookie, if the request has one.
#[must_use]
pub fn session(headers: &HeaderMap) -> Option<Secret> {
    value(headers, SESSION)
}

/// The value of the login cookie, if the request has one.
#[must_use]
pub fn login(headers: &HeaderMap) -> Option<Secret> {
    value(headers, LOGIN)
}

fn value(headers: &HeaderMap, name: &str) -> Option<Secret> {
    let parts = headers.get_all(COOKIE).iter().flat_map(|it| it.as_bytes().split(|byte| *byte == b';'));
    let texts = parts.filter_map(|it| std::str::from_utf8(it).ok());
    let mut cookies = texts.filter_map(|it| Cookie::parse(it).ok());
    cookies.find(|it| it.name() == name).map(|it| Secret::from(it.value().to_owned()))
}

/// The `Set-Cookie` that gives a browser its session.
///
/// # Errors
///
/// When the value has characters that no header may have; ours never have.
pub fn give_session(
    value: &str,
    lifetime: SignedDuration,
) -> Result<HeaderValue, http::header::InvalidHeaderValue> {
    set_cookie(SESSION, value, Duration::seconds(lifetime.as_secs()))
}

/// The `Set-Cookie` that takes the session away from a browser.
#[must_use]
pub fn clear_session() -> HeaderValue {
    const CLEARED: HeaderValue =
        HeaderValue::from_static("__Host-arm_session=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0");
    CLEARED
}

/// The `Set-Cookie` that binds a login to this browser.
///
/// # Errors
///
/// When the value has characters that no header may have; ours never have.
pub fn give_login(
    value: &str,
    lifetime: SignedDuration,
) -> Result<HeaderValue, http::header::InvalidHeaderValue> {
    set_cookie(LOGIN, value, Duration::seconds(lifetime.as_secs()))
}

/// The `Set-Cookie` that takes away what bound a login to this browser.
#[must_use]
pub fn clear_login() -> HeaderValue {
    const CLEARED: HeaderValue =
        HeaderValue::from_static("__Host-arm_login=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0");
    CLEARED
}

fn set_cookie(
    name: &str,
    value: &str,
    max_age: Duration,
) -> Result<HeaderValue, http::header::InvalidHeaderValue> {
    let cookie = Cookie::build((name, value)).path("/").secure(true).http_only(true);
    HeaderValue::try_from(cookie.same_site(SameSite::Lax).max_age(max_age).build().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e01_the_cookie_is_a_host_cookie_of_forty_minutes() {
        let cookie = give_session("uid.secret", SignedDuration::from_mins(40)).unwrap();

        insta::assert_snapshot!(
            cookie.to_str().unwrap(),
            @"__Host-arm_session=uid.secret; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=2400"
        );
    }

    #[test]
    fn it_is_cleared_with_the_attributes_that_it_was_given_with() {
        assert_eq!(clear_session(), set_cookie(SESSION, "", Duration::ZERO).unwrap());
        assert_eq!(clear_login(), set_cookie(LOGIN, "", Duration::ZERO).unwrap());
    }

    #[test]
    fn it_is_found_among_others() {
        let headers = HeaderMap::from_iter([
            (COOKIE, HeaderValue::from_bytes(b"a=b; name=Jos\xe9; =; ;").unwrap()),
            (COOKIE, HeaderValue::from_static("__Host-arm_session=uid.secret")),
        ]);

        assert_eq!(session(&headers).unwrap().reveal(), "uid.secret");
    }
}
