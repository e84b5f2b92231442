//! Warnings in `extensions.warnings`: the request succeeded, and the client should know more.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

/// An entry of `extensions.warnings`.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "code", rename_all = "SCREAMING_SNAKE_CASE", rename_all_fields = "camelCase")]
pub(super) enum Warning {
    /// API tokens can soon renew themselves no longer.
    TokenExpiresSoon { message: String, expires_at: String },
    /// A plain list has more items than the response shows.
    ListTruncated { message: String, path: Value },
}

impl Warning {
    /// Returns the warning that API tokens can renew themselves until `ends_at` only.
    pub(super) fn renewal_ends(ends_at: Timestamp) -> Self {
        let message = format!(
            "This API token can renew itself until {ends_at}. Log in with a browser and make a \
             new one before."
        );
        Self::TokenExpiresSoon { message, expires_at: ends_at.to_string() }
    }

    /// Returns the warning that the list at `path` was cut after `limit` items.
    pub(super) fn list_truncated(path: Value, limit: usize) -> Self {
        let message = format!(
            "This list has more than {limit} items. Use the connection field to read all of them."
        );
        Self::ListTruncated { message, path }
    }
}
