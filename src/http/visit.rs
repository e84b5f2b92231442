//! The cookie that outlives a session, so that the login page can say that it has ended:
//! a browser drops the session's own cookie in the very second in which it ends.
//!
//! It says nothing but that somebody was signed in here, and gives no access.

use cookie::{Cookie, SameSite, time::Duration};
use http::{HeaderMap, HeaderValue, header::COOKIE};

const NAME: &str = "arm_signed_in";

/// How long the login page can still say it.
const LIFETIME: Duration = Duration::days(1);

/// Whether somebody was signed in with this browser lately.
#[must_use]
pub fn is_remembered(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(COOKIE).iter().filter_map(|it| it.to_str().ok());
    lines.flat_map(|line| line.split(';')).any(|pair| pair.trim_start() == "arm_signed_in=1")
}

/// The `Set-Cookie` by which a browser remembers that somebody is signed in.
#[must_use]
pub fn remember(is_https: bool) -> HeaderValue {
    set_cookie("1", LIFETIME, is_https)
}

/// The `Set-Cookie` that makes it forget.
#[must_use]
pub fn forget(is_https: bool) -> HeaderValue {
    set_cookie("", Duration::ZERO, is_https)
}

fn set_cookie(value: &str, max_age: Duration, is_https: bool) -> HeaderValue {
    let cookie = Cookie::build((NAME, value)).path("/").secure(is_https).http_only(true);
    let text = cookie.same_site(SameSite::Lax).max_age(max_age).build().to_string();
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_read_as_it_is_set() {
        let cookie = remember(true);
        let text = cookie.to_str().unwrap();
        assert_eq!(text, "arm_signed_in=1; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=86400");

        let headers = |cookies: &str| HeaderMap::from_iter([(COOKIE, cookies.parse().unwrap())]);
        assert!(is_remembered(&headers("a=b; arm_signed_in=1")));
        assert!(!is_remembered(&headers("a=b; arm_signed_in=; xarm_signed_in=1")));
    }
}
