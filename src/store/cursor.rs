//! Positions in lists.

use std::{fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// The maximum length of a sort key without its prefix, in bytes. With the prefix, DynamoDB accepts
/// 1,024 bytes.
const MAX_LENGTH: usize = 1000;

/// A position in a list: the place after the record with this sort key.
///
/// It is not an index. So it stays valid when records are inserted or removed, even if that
/// record itself is removed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor(String);

/// A text is not a cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not a cursor of a list")]
pub struct InvalidCursor;

impl Cursor {
    pub(super) fn at(sort_key: &str) -> Self {
        Self(sort_key.to_owned())
    }

    pub(super) fn sort_key(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(&self.0))
    }
}

impl FromStr for Cursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| InvalidCursor)?;
        let sort_key = String::from_utf8(bytes).map_err(|_| InvalidCursor)?;
        let is_possible = (1..=MAX_LENGTH).contains(&sort_key.len());
        is_possible.then_some(Self(sort_key)).ok_or(InvalidCursor)
    }
}
