//! A record type for tests of the store, without rules of its own, and audit entries of its
//! changes.

use arm_api::{
    domain::{
        audit::{AuditEntry, AuditSubject, Author},
        email::Email,
        id::UserId,
        stakeholder::Stakeholder,
    },
    store::{
        Record, StoreError, Versioned,
        key::{Key, KeyPrefix},
    },
};
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use super::start;

/// A note of a user. It has the key of an audit entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Note {
    pub(crate) user: UserId,
    pub(crate) id: Ulid,
    pub(crate) text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) color: Option<String>,
    pub(crate) version: u64,
}

/// A note as the next version of the program defines it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NewNote {
    #[serde(flatten)]
    pub(crate) note: Note,
    pub(crate) stars: u32,
}

/// The reason why a note cannot be changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoteError {
    #[error("the note is closed")]
    Closed,
    #[error(transparent)]
    Store(#[from] StoreError),
}

pub(crate) fn owner() -> UserId {
    UserId::from_entropy([7; 16])
}

/// Returns the audit entry of a change. Its key differs from those of the notes of [`owner`].
pub(crate) fn audit_entry(number: u64) -> AuditEntry {
    let email = Email::try_from("ana@acme.test".to_owned()).unwrap();
    let ana = Stakeholder::enrol(UserId::from_entropy([8; 16]), email, "Ana", start());
    let subject = AuditSubject::User(ana.id.clone());
    let id = Ulid::from_parts(number, 0);
    AuditEntry::new(subject, id, start(), Author::program(&ana), "changeNote")
}

pub(crate) fn notes() -> KeyPrefix {
    KeyPrefix::audit_log(&AuditSubject::User(owner()))
}

impl Note {
    pub(crate) fn new(number: u64) -> Self {
        let id = Ulid::from_parts(number, 0);
        Self { user: owner(), id, text: "new".to_owned(), color: None, version: 0 }
    }

    pub(crate) fn write(&self, text: &str) -> Result<Self, NoteError> {
        match self.text.as_str() {
            "closed" => Err(NoteError::Closed),
            _ => Ok(Self { text: text.to_owned(), ..self.clone() }),
        }
    }
}

impl Record for Note {
    fn key(&self) -> Key {
        Key::audit_entry(&AuditSubject::User(self.user.clone()), self.id)
    }
}

impl Versioned for Note {
    fn version(&self) -> u64 {
        self.version
    }

    fn set_version(&mut self, version: u64) {
        self.version = version;
    }
}

impl Record for NewNote {
    fn key(&self) -> Key {
        self.note.key()
    }
}

impl Versioned for NewNote {
    fn version(&self) -> u64 {
        self.note.version
    }

    fn set_version(&mut self, version: u64) {
        self.note.version = version;
    }
}
