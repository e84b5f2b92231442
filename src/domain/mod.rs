//! The domain model: types and their rules.
//!
//! This module is pure. It does no I/O, is not async, reads no clock and knows nothing of HTTP. A
//! value with a format has its own type, which can only be created by parsing.

pub mod access_token;
pub mod audit;
pub mod email;
pub mod expiration;
pub mod id;
pub mod issuer;
pub mod login;
pub mod memberships;
pub mod organization;
pub mod own_path;
pub mod permitted;
pub mod policy;
pub mod rate_limit;
pub mod refusal;
pub mod role;
pub mod rule;
pub mod secret;
pub mod session;
pub mod stakeholder;
pub mod subject;
pub mod text;

use jiff::{SignedDuration, Timestamp};

/// How far the clocks of two instances may differ. A credential that was created at most this far
/// in the future is accepted. The tolerance never extends the lifetime of a credential.
pub const CLOCK_SKEW: SignedDuration = SignedDuration::from_secs(60);

/// The minimum interval between two recorded uses of a credential.
///
/// Recording the use in each request would cost more than the request itself.
pub const USE_RECORD_INTERVAL: SignedDuration = SignedDuration::from_mins(10);

/// Whether a use at `now` should be recorded, if the last use was recorded at `recorded_at`.
#[must_use]
pub fn should_record_use(recorded_at: Option<Timestamp>, now: Timestamp) -> bool {
    recorded_at.is_none_or(|at| now.duration_since(at) >= USE_RECORD_INTERVAL)
}
