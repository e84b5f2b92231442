//! The source of randomness. No other module generates random values.
//!
//! In Lambda, every value comes from the operating system. There is no generator that is seeded at
//! startup, so two instances that are restored from the same snapshot never generate the same
//! values.

#[cfg(feature = "local")]
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use ring::rand::SecureRandom;
use ulid::Ulid;

/// A source of random bytes.
#[derive(Clone, Debug)]
pub enum Entropy {
    /// The operating system.
    System,
    /// A counter, so that every run of a test gets the same ids.
    #[cfg(feature = "local")]
    Counting(Arc<AtomicU64>),
}

/// The operating system provided no randomness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the operating system provided no randomness")]
pub struct NoEntropy;

impl Entropy {
    /// Generates `N` random bytes.
    ///
    /// # Errors
    ///
    /// [`NoEntropy`] when the operating system provides none. There is no fallback.
    pub fn bytes<const N: usize>(&self) -> Result<[u8; N], NoEntropy> {
        let mut bytes = [0; N];
        match self {
            Self::System => system().fill(&mut bytes).map_err(|_| NoEntropy)?,
            #[cfg(feature = "local")]
            Self::Counting(drawn) => count(&mut bytes, drawn.fetch_add(1, Ordering::SeqCst)),
        }
        Ok(bytes)
    }

    /// Generates an id that sorts by time: 48 bits of `now` and 80 random bits. Ids that one
    /// process generates in the same millisecond sort in the order of their generation.
    ///
    /// # Errors
    ///
    /// [`NoEntropy`] when the operating system provides none.
    pub fn ulid(&self, now: Timestamp) -> Result<Ulid, NoEntropy> {
        let milliseconds = u64::try_from(now.as_millisecond()).unwrap_or_default();
        let drawn = Ulid::from_parts(milliseconds, u128::from_be_bytes(self.bytes()?));
        match self {
            Self::System => Ok(make_monotonic(drawn)),
            #[cfg(feature = "local")]
            Self::Counting(_) => Ok(drawn),
        }
    }
}

/// Returns `drawn`, or the last id plus one if both have the same timestamp.
fn make_monotonic(drawn: Ulid) -> Ulid {
    static LAST: Mutex<Ulid> = Mutex::new(Ulid::nil());
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    let is_same_millisecond = last.timestamp_ms() == drawn.timestamp_ms();
    *last = last.increment().ok().filter(|_| is_same_millisecond).unwrap_or(drawn);
    *last
}

#[expect(clippy::disallowed_methods, reason = "only this module generates random values")]
fn system() -> ring::rand::SystemRandom {
    ring::rand::SystemRandom::new()
}

#[cfg(feature = "local")]
fn count(bytes: &mut [u8], drawn: u64) {
    for (byte, of_count) in bytes.iter_mut().rev().zip(drawn.to_be_bytes().iter().rev()) {
        *byte = *of_count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_draws_different_values() {
        assert_ne!(Entropy::System.bytes::<32>(), Entropy::System.bytes::<32>());
    }

    #[test]
    fn ids_of_one_millisecond_sort_by_creation() {
        let ids: Vec<_> =
            (0..100).map(|_| Entropy::System.ulid(Timestamp::UNIX_EPOCH).unwrap()).collect();

        assert!(ids.is_sorted_by(|one, next| one < next), "{ids:?}");
    }

    #[test]
    #[cfg(feature = "local")]
    fn a_counting_source_counts() {
        let entropy = Entropy::Counting(Arc::default());

        assert_eq!(entropy.bytes::<4>(), Ok([0, 0, 0, 0]));
        assert_eq!(entropy.bytes::<4>(), Ok([0, 0, 0, 1]));
    }
}
