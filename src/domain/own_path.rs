//! Paths of this site, for redirects after a login.

use serde::{Deserialize, Serialize};

/// The page that is shown after a login by default.
pub const HOME: &str = "/home";

/// The maximum length of a path, in bytes.
const MAX_LENGTH: usize = 2000;

/// A path of this site, with its query. It never leads to another site.
///
/// Browsers treat `//evil.test` and `/\evil.test` as URLs of other sites, and remove line breaks
/// and tabs before they parse a URL. So only visible ASCII characters are allowed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OwnPath(String);

/// The text is not a path of this site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a path of this site is expected")]
pub struct InvalidPath;

impl OwnPath {
    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for OwnPath {
    fn default() -> Self {
        Self(HOME.to_owned())
    }
}

impl TryFrom<String> for OwnPath {
    type Error = InvalidPath;

    fn try_from(text: String) -> Result<Self, InvalidPath> {
        let is_plain = text.chars().all(|c| c.is_ascii_graphic() && c != '\\');
        let is_own = text.starts_with('/') && !text.starts_with("//") && text.len() <= MAX_LENGTH;
        if is_plain && is_own { Ok(Self(text)) } else { Err(InvalidPath) }
    }
}

impl From<OwnPath> for String {
    fn from(path: OwnPath) -> Self {
        path.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("/api", true)]
    #[case("/home?a=1#b", true)]
    #[case("", false)]
    #[case("home", false)]
    #[case("//evil.test", false)]
    #[case("/\\evil.test", false)]
    #[case("/\t/evil.test", false)]
    #[case("/%0d%0a", true)]
    #[case("/\r\nSet-Cookie:a", false)]
    #[case("https://evil.test", false)]
    #[case("javascript:alert(1)", false)]
    fn only_paths_of_this_site_are_accepted(#[case] text: &str, #[case] is_one: bool) {
        assert_eq!(OwnPath::try_from(text.to_owned()).is_ok(), is_one);
    }
}
