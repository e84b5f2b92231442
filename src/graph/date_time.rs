//! Points in time in the schema.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use jiff::Timestamp;

/// A point in time in UTC (RFC 3339), such as `2026-11-24T12:00:00Z`.
pub(super) struct DateTime(pub(super) Timestamp);

/// A point in time in UTC (RFC 3339), such as `2026-11-24T12:00:00Z`.
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
