//! What a type needs to be stored in the table.

use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};

use crate::store::key::Key;

/// A type whose values are stored in the table.
pub trait Record: Serialize + DeserializeOwned {
    /// Returns its key.
    fn key(&self) -> Key;

    /// Returns when DynamoDB may delete it, which can happen days later: readers check the
    /// record's own expiry and never rely on its absence.
    fn ttl(&self) -> Option<Timestamp> {
        None
    }
}

/// A record that counts its changes in the attribute `version`, so that two changes at the same
/// time lose none.
pub trait Versioned: Record {
    /// Returns how often the record was changed.
    fn version(&self) -> u64;

    /// Sets how often the record was changed: for the store only.
    fn set_version(&mut self, version: u64);
}
