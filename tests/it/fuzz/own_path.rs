//! The parameter `next`: the redirect never leads to another site.

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
        let path = login::next(&uri);
        prop_assert!(stays_on_site(path.as_str()), "{path:?} leads to another site");
        prop_assert_eq!(OwnPath::try_from(text).unwrap_or_default(), path);
        Ok(())
    }
}

/// Returns whether a browser resolves the link to this site (WHATWG URL Standard).
fn stays_on_site(link: &str) -> bool {
    let home = Url::parse(URL).unwrap();
    home.join(link).is_ok_and(|it| it.origin() == home.origin())
}

#[test]
fn any_next_stays_on_this_site() {
    fuzz::<Next>();
}
