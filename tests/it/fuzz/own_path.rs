//! `next`: the browser always stays on this site.

use arm_api::{domain::own_path::OwnPath, web::login};
use proptest::{prelude::*, test_runner::TestCaseResult};
use url::{Url, form_urlencoded};

use super::{Target, fuzz};
use crate::given::URL;

/// A path to redirect to after a login.
struct Next;

impl Target for Next {
    const NAME: &'static str = "own_path";
    const WORDS: &'static [&'static str] = &[
        "/",
        "//",
        "\\",
        "/\\",
        "\t",
        "\n",
        "\r\n",
        "\u{0}",
        " ",
        "@",
        ":",
        "?",
        "#",
        ".",
        "..",
        "/..//",
        "/./",
        "%2f",
        "%5c",
        "https:",
        "javascript:",
        "data:",
        "evil.test",
        "\u{ff0f}",
        "\u{2044}",
        "\u{200b}",
    ];

    fn new() -> Self {
        Self
    }

    fn check(&self, input: &[u8]) -> TestCaseResult {
        let text = String::from_utf8_lossy(input).into_owned();
        let query =
            form_urlencoded::Serializer::new(String::new()).append_pair("next", &text).finish();
        let Ok(uri) = format!("/login/acme?{query}").parse() else { return Ok(()) };
        let led = login::next(&uri);
        prop_assert!(stays(led.as_str()), "{led:?} leads elsewhere");
        prop_assert_eq!(OwnPath::try_from(text).unwrap_or_default(), led);
        Ok(())
    }
}

/// Whether a browser that reads this as a link stays on the site (WHATWG, URL).
fn stays(link: &str) -> bool {
    let home = Url::parse(URL).unwrap();
    home.join(link).is_ok_and(|it| it.origin() == home.origin())
}

#[test]
fn any_next_stays_on_this_site() {
    fuzz::<Next>();
}
