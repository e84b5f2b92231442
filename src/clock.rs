//! The clock. No other module reads the time.
//!
//! The clock is read once for each request, and `now` is passed as a parameter. All times are whole
//! seconds, as in JWTs, cookies and DynamoDB's TTL, so that a time does not change when it is
//! stored.

#[cfg(feature = "local")]
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};
use std::time::Duration;

use jiff::Timestamp;

/// A source of the current time.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// A clock that tests move.
    #[cfg(feature = "local")]
    Manual(ManualClock),
}

impl Clock {
    /// Returns the current time, in whole seconds.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "only this module reads the clock")]
    pub fn now(&self) -> Timestamp {
        let seconds = match self {
            Self::System => Timestamp::now().as_second(),
            #[cfg(feature = "local")]
            Self::Manual(clock) => clock.seconds.load(Ordering::SeqCst),
        };
        Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
    }

    /// Returns the instant that is `timeout` from now. It always measures real time.
    #[must_use]
    pub fn deadline(timeout: Duration) -> tokio::time::Instant {
        tokio::time::Instant::now() + timeout
    }

    /// Starts a stopwatch. It always measures real time.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "only this module reads the clock")]
    pub fn stopwatch() -> Stopwatch {
        Stopwatch(std::time::Instant::now())
    }
}

/// Measures how long something takes.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(std::time::Instant);

impl Stopwatch {
    /// Returns the time since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// A clock that stands still until it is moved.
#[cfg(feature = "local")]
#[derive(Clone, Debug)]
pub struct ManualClock {
    seconds: Arc<AtomicI64>,
}

#[cfg(feature = "local")]
impl ManualClock {
    /// Creates a clock that stands still at `start`.
    #[must_use]
    pub fn at(start: Timestamp) -> Self {
        Self { seconds: Arc::new(AtomicI64::new(start.as_second())) }
    }

    /// Moves the clock forward, or back if `seconds` is negative.
    pub fn advance(&self, seconds: i64) {
        self.seconds.fetch_add(seconds, Ordering::SeqCst);
    }
}
