//! The nouns and their rules.
//!
//! Pure: nothing here does I/O, is async, reads a clock or knows HTTP. A value
//! that has a rule has a type, and the only way in is to parse it.

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

/// How far the clocks of two instances may differ: something opened at most this
/// far in the future counts as opened now. It never lengthens a life.
pub const CLOCK_SKEW: SignedDuration = SignedDuration::from_secs(60);

/// How often a use of a credential is recorded, at the most.
///
/// A write for each request would cost more than the request itself.
pub const USE_RECORD_INTERVAL: SignedDuration = SignedDuration::from_mins(10);

/// Whether a use at `now` is worth a write, given when the last one was recorded.
#[must_use]
pub fn is_use_worth_recording(recorded_at: Option<Timestamp>, now: Timestamp) -> bool {
    recorded_at.is_none_or(|at| now.duration_since(at) >= USE_RECORD_INTERVAL)
}
