//! Instants, as the API shows them.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use jiff::Timestamp;

/// An instant in UTC, as `2026-11-24T12:00:00Z` (RFC 3339).
pub(super) struct DateTime(pub(super) Timestamp);

/// An instant in UTC, as `2026-11-24T12:00:00Z` (RFC 3339).
#[Scalar]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => Ok(Self(text.parse().map_err(InputValueError::custom)?)),
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}
