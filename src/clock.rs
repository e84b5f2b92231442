//! The one clock: nothing else reads the time.
//!
//! It is read once a request, at the handler; below the handler `now` is data. Instants
//! of the product are whole seconds, as they are in JWT, in cookies and in
//! DynamoDB's TTL, so a value read back equals the value written.

#[cfg(feature = "local")]
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};
use std::time::Duration;

use jiff::Timestamp;

/// Tells the time.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// A clock that stands still until it is moved: tests' time machine.
    #[cfg(feature = "local")]
    Manual(ManualClock),
}

impl Clock {
    /// What time it is, in whole seconds.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the room where the clock is read")]
    pub fn now(&self) -> Timestamp {
        let seconds = match self {
            Self::System => Timestamp::now().as_second(),
            #[cfg(feature = "local")]
            Self::Manual(clock) => clock.seconds.load(Ordering::SeqCst),
        };
        Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
    }

    /// The instant `after` from now, until which something may take. That is always real time.
    #[must_use]
    pub fn deadline(after: Duration) -> tokio::time::Instant {
        tokio::time::Instant::now() + after
    }

    /// Starts to measure how long something takes. That is always real time.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the room where the clock is read")]
    pub fn stopwatch() -> Stopwatch {
        Stopwatch(std::time::Instant::now())
    }
}

/// Measures how long something takes.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(std::time::Instant);

impl Stopwatch {
    /// The time since the start.
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
    /// A clock that stands at `start`.
    #[must_use]
    pub fn at(start: Timestamp) -> Self {
        Self { seconds: Arc::new(AtomicI64::new(start.as_second())) }
    }

    /// Moves the clock, back when `seconds` is negative.
    pub fn advance(&self, seconds: i64) {
        self.seconds.fetch_add(seconds, Ordering::SeqCst);
    }
}
