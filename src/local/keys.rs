//! The signing keys of local mode, in a file that is created on the first start.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use crate::{
    access::keys::{KeyEntry, KeyState, Keys},
    config::SigningKeys,
    entropy::Entropy,
};

/// The file with the signing keys.
pub struct KeyFile(PathBuf);

impl KeyFile {
    /// Returns the file in `data_dir`. It may not exist yet.
    #[must_use]
    pub fn of(data_dir: &Path) -> Self {
        Self(data_dir.join("keys.json"))
    }

    /// Reads the keys. Creates one if there are none yet.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or written.
    pub fn read_or_create(&self, entropy: &Entropy) -> io::Result<SigningKeys> {
        if !self.0.exists() {
            self.write(&[new(entropy)?])?;
        }
        Ok(SigningKeys(fs::read_to_string(&self.0)?))
    }

    /// Creates a new active key. The previous one no longer signs, but its tokens stay valid.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or written.
    pub fn rotate(&self, entropy: &Entropy) -> io::Result<()> {
        let mut entries = self.entries(entropy)?;
        for entry in entries.iter_mut().filter(|it| it.state == KeyState::Active) {
            entry.state = KeyState::VerifyOnly;
        }
        entries.push(new(entropy)?);
        self.write(&entries)
    }

    /// Retires a key: its tokens become invalid.
    ///
    /// # Errors
    ///
    /// When there is no such key, when it is the active one, or when the file cannot be read or
    /// written.
    pub fn retire(&self, kid: &str, entropy: &Entropy) -> io::Result<()> {
        let mut entries = self.entries(entropy)?;
        let found = entries.iter_mut().find(|it| it.kid() == kid);
        match found {
            None => Err(io::Error::other(format!("there is no key {kid}"))),
            Some(entry) if entry.state == KeyState::Active => {
                Err(io::Error::other(format!("{kid} is the active key: run `keys rotate` first")))
            }
            Some(entry) => {
                entry.state = KeyState::Retired;
                self.write(&entries)
            }
        }
    }

    /// Reads all keys, with their states.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn entries(&self, entropy: &Entropy) -> io::Result<Vec<KeyEntry>> {
        Ok(serde_json::from_str(&self.read_or_create(entropy)?.0)?)
    }

    /// Writes another file and renames it, so that readers never see an incomplete file.
    fn write(&self, entries: &[KeyEntry]) -> io::Result<()> {
        Keys::new(entries.to_vec()).map_err(io::Error::other)?;
        let beside = self.0.with_extension("new");
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        file.write_all(serde_json::to_string_pretty(entries)?.as_bytes())?;
        file.sync_all()?;
        fs::rename(beside, &self.0)
    }
}

/// Returns one new active key, as the text of `SIGNING_KEYS`.
///
/// # Errors
///
/// When the system has no randomness.
pub fn in_memory(entropy: &Entropy) -> io::Result<SigningKeys> {
    Ok(SigningKeys(serde_json::to_string(&[new(entropy)?])?))
}

fn new(entropy: &Entropy) -> io::Result<KeyEntry> {
    let seed = entropy.bytes().map_err(io::Error::other)?;
    KeyEntry::from_entropy(seed).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn keys_are_created_once_kept_private_and_rotated() {
        let dir = std::env::temp_dir().join(format!("arm-keys-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let (file, entropy) = (KeyFile::of(&dir), Entropy::System);

        let first = file.entries(&entropy).unwrap()[0].kid();
        file.rotate(&entropy).unwrap();
        assert!(file.retire(&file.entries(&entropy).unwrap()[1].kid(), &entropy).is_err());
        file.retire(&first, &entropy).unwrap();

        let states: Vec<_> = file.entries(&entropy).unwrap().iter().map(|it| it.state).collect();
        assert_eq!(states, [KeyState::Retired, KeyState::Active]);
        let mode = fs::metadata(dir.join("keys.json")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::remove_dir_all(dir).unwrap();
    }
}
