//! The warnings that a response contains in `extensions.warnings`.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

/// An entry of `extensions.warnings`.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "code", rename_all = "SCREAMING_SNAKE_CASE", rename_all_fields = "camelCase")]
pub(super) enum Warning {
    /// The API token can renew itself only for a short time.
    TokenExpiresSoon { message: String, expires_at: String },
    /// A plain list was truncated.
    ListTruncated { message: String, path: Value },
}

impl Warning {
    /// Returns the warning that the API token can renew itself only until `ends_at`.
    pub(super) fn renewal_ends(ends_at: Timestamp) -> Self {
        let message = format!(
            "This API token can renew itself until {ends_at}. Before then, log in with a browser \
             and create a new token."
        );
        Self::TokenExpiresSoon { message, expires_at: ends_at.to_string() }
    }

    /// Returns the warning that the list at `path` was truncated to `limit` items.
    pub(super) fn list_truncated(path: Value, limit: usize) -> Self {
        let message = format!(
            "This list has more than {limit} items. Use the connection field to read all of them."
        );
        Self::ListTruncated { message, path }
    }
}
