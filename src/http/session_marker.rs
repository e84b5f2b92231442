//! A cookie that outlives the session, so that the login page can say that the session has
//! ended. The session cookie itself cannot show this, because browsers delete it when the session
//! ends.
//!
//! It grants no access, and contains nothing about the user.

use cookie::{Cookie, SameSite, time::Duration};
use http::{HeaderMap, HeaderValue, header::COOKIE};

const NAME: &str = "arm_signed_in";

/// For how long the login page says that the session has ended.
const LIFETIME: Duration = Duration::days(1);

/// Whether the browser sent the cookie.
#[must_use]
pub fn is_set(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(COOKIE).iter().filter_map(|it| it.to_str().ok());
    lines.flat_map(|line| line.split(';')).any(|pair| pair.trim_start() == "arm_signed_in=1")
}

/// Returns the `Set-Cookie` header that sets the cookie.
#[must_use]
pub fn set(is_https: bool) -> HeaderValue {
    header("1", LIFETIME, is_https)
}

/// Returns the `Set-Cookie` header that deletes the cookie.
#[must_use]
pub fn clear(is_https: bool) -> HeaderValue {
    header("", Duration::ZERO, is_https)
}

fn header(value: &str, max_age: Duration, is_https: bool) -> HeaderValue {
    let cookie = Cookie::build((NAME, value)).path("/").secure(is_https).http_only(true);
    let text = cookie.same_site(SameSite::Lax).max_age(max_age).build().to_string();
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(cookies: &str) -> HeaderMap {
        HeaderMap::from_iter([(COOKIE, cookies.parse().unwrap())])
    }

    #[test]
    fn the_cookie_is_set_for_a_day() {
        let expected = "arm_signed_in=1; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=86400";
        assert_eq!(set(true), expected);
    }

    #[test]
    fn the_cookie_is_recognized_among_others() {
        assert!(is_set(&sent("a=b; arm_signed_in=1")));
        assert!(!is_set(&sent("a=b; arm_signed_in=; xarm_signed_in=1")));
    }
}
