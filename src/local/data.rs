//! Where local mode keeps its data.

use std::io;

use crate::{
    config::SigningKeys,
    entropy::Entropy,
    local::{data_dir::DataDir, keys, options::Options, start_error::StartError},
};

/// Where local mode keeps its data.
pub(super) enum Data {
    /// In memory, until the process ends.
    InMemory,
    InDirectory(DataDir),
    /// In the DynamoDB at this URL. The signing keys are in the directory, if there is one.
    Elsewhere(String, Option<DataDir>),
}

impl Data {
    /// Opens the data directory, unless everything stays in memory.
    pub(super) fn open(options: &Options) -> Result<Self, StartError> {
        let directory =
            if options.in_memory { None } else { Some(DataDir::open(&options.data_dir)?) };
        Ok(match (options.dynamodb_endpoint.clone(), directory) {
            (Some(url), directory) => Self::Elsewhere(url, directory),
            (None, Some(directory)) => Self::InDirectory(directory),
            (None, None) => Self::InMemory,
        })
    }

    /// Returns the directory, if there is one.
    pub(super) fn directory(&self) -> Option<&DataDir> {
        match self {
            Self::InMemory => None,
            Self::InDirectory(directory) => Some(directory),
            Self::Elsewhere(_, directory) => directory.as_ref(),
        }
    }

    /// Reads the signing keys. Creates one if there are none yet.
    pub(super) fn signing_keys(&self, entropy: &Entropy) -> Result<SigningKeys, StartError> {
        let failed = |fault: io::Error| {
            StartError::caused_by("Cannot create a signing key", &fault, "Start it again.")
        };
        match self.directory() {
            Some(directory) => directory.signing_keys(entropy),
            None => keys::in_memory(entropy).map_err(failed),
        }
    }

    /// Returns the error for a database that does not work because of `cause`.
    pub(super) fn unusable(&self, cause: &(dyn std::error::Error + 'static)) -> StartError {
        let (what, remedy) = match self {
            Self::InMemory => ("the database in memory".to_owned(), "Free some memory."),
            Self::InDirectory(directory) => (
                format!("the database {}", directory.database_path().display()),
                "Check that you may write to this directory and that its disk is not full.",
            ),
            Self::Elsewhere(url, _) => (
                format!("DynamoDB at {url}"),
                "Start it, or choose another one with --dynamodb-endpoint.",
            ),
        };
        StartError::caused_by(format!("Cannot use {what}"), cause, remedy)
    }
}
