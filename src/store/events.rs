//! The history of credentials. It is written in the transaction of what it tells.

use jiff::{SignedDuration, Timestamp};

use crate::{
    domain::event::Event,
    store::{Record, key::Key},
};

/// How long the history is kept.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(400 * 24);

impl Record for Event {
    fn key(&self) -> Key {
        Key::event(&self.user, self.id)
    }

    fn ttl(&self) -> Option<Timestamp> {
        Some(self.at + REMEMBERED)
    }
}
