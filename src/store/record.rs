//! The traits of types that are stored in the table.

use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};

use crate::store::key::Key;

/// A type whose values are stored in the table.
pub trait Record: Serialize + DeserializeOwned {
    /// Returns the record's key.
    fn key(&self) -> Key;

    /// Returns when DynamoDB may delete the record. DynamoDB can delete it days later, so readers
    /// check the expiry themselves.
    fn ttl(&self) -> Option<Timestamp> {
        None
    }
}

/// A record that counts its changes in the attribute `version`, so that concurrent changes do not
/// overwrite each other.
pub trait Versioned: Record {
    /// Returns the number of times that the record was changed.
    fn version(&self) -> u64;

    /// Sets the version. Only the store calls it.
    fn set_version(&mut self, version: u64);
}

/// Implements [`Versioned`] for records with the field `version`.
macro_rules! versioned {
    ($($record:ty),+) => { $(
        impl $crate::store::Versioned for $record {
            fn version(&self) -> u64 {
                self.version
            }

            fn set_version(&mut self, version: u64) {
                self.version = version;
            }
        }
    )+ };
}

pub(super) use versioned;
