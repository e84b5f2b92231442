//! The directory with the database and the signing keys of local mode. Only its owner can read
//! them, because the keys allow anyone to log in as any user.

use std::{
    fs::{self, DirBuilder, OpenOptions, Permissions},
    io::{self, ErrorKind},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use crate::{
    config::SigningKeys,
    entropy::Entropy,
    local::{dynamodb::Embedded, keys::KeyFile, start_error::StartError},
};

/// The files of the database. `SQLite` creates the second and the third.
const DATABASE: [&str; 3] = ["dynamodb.sqlite", "dynamodb.sqlite-wal", "dynamodb.sqlite-shm"];

const CHOOSE_ANOTHER: &str =
    "Choose another directory with --data-dir, or keep nothing on disk with --in-memory.";

/// An existing directory.
pub(super) struct DataDir(PathBuf);

impl DataDir {
    /// Opens the directory. Creates it if it does not exist yet.
    pub(super) fn open(path: &Path) -> Result<Self, StartError> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
        made.map_err(|fault| {
            StartError::new(
                format!("Cannot create the directory {}", path.display()),
                fault,
                CHOOSE_ANOTHER,
            )
        })?;
        Ok(Self(path.to_owned()))
    }

    /// Returns the path of the database.
    pub(super) fn database_path(&self) -> PathBuf {
        self.0.join(DATABASE[0])
    }

    /// Opens the database. Creates it if there is none yet.
    pub(super) fn database(&self) -> Result<Embedded, StartError> {
        let path = self.database_path();
        let failed = |cause: &dyn std::fmt::Display| {
            let remedy = "Check that you may write to this directory and that its disk is not \
                          full. If the file is damaged, move it away: a new one is created.";
            StartError::new(format!("Cannot open the database {}", path.display()), cause, remedy)
        };
        self.make_private(&path).map_err(|fault| failed(&fault))?;
        let embedded = Embedded::in_file(&path.to_string_lossy());
        embedded.map_err(|fault| failed(&fault))
    }

    /// Lets only the owner read the files of the database. `SQLite` gives the files that it creates
    /// later the permissions of the first one.
    fn make_private(&self, database: &Path) -> io::Result<()> {
        OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(database)?;
        for name in DATABASE {
            match fs::set_permissions(self.0.join(name), Permissions::from_mode(0o600)) {
                Err(fault) if fault.kind() != ErrorKind::NotFound => return Err(fault),
                _ => {}
            }
        }
        Ok(())
    }

    /// Returns the file with the signing keys.
    pub(super) fn key_file(&self) -> KeyFile {
        KeyFile::of(&self.0)
    }

    /// Reads the signing keys. Creates one if there are none yet.
    pub(super) fn signing_keys(&self, entropy: &Entropy) -> Result<SigningKeys, StartError> {
        self.key_file().read_or_create(entropy).map_err(|fault| self.invalid_keys(fault))
    }

    /// Returns the error for signing keys that cannot be used because of `cause`.
    pub(super) fn invalid_keys(&self, cause: impl std::fmt::Display) -> StartError {
        let what = format!("Cannot use the signing keys in {}", self.0.join("keys.json").display());
        let remedy = "Check that you may read and write the file. If it is damaged, restore it. \
                      Or delete it: a new key is created, and all API tokens become invalid.";
        StartError::new(what, cause, remedy)
    }
}
