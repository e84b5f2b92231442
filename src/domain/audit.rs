//! The audit log: a record of each change, kept for 400 days.

use std::{fmt::Display, net::IpAddr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::domain::{
    email::Email,
    id::{GroupName, OrganizationId, SessionId, TokenId, UserId},
    stakeholder::Stakeholder,
};

/// The maximum number of changed fields in an entry.
const MAX_CHANGES: usize = 20;
/// The maximum length of a recorded value, in characters.
const MAX_VALUE: usize = 200;

/// The record of one change. It is written in the same transaction as the change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditEntry {
    #[serde(flatten)]
    pub subject: AuditSubject,
    /// Entries sort by their ids: by millisecond, and within a millisecond in the order in which
    /// an instance created them.
    pub id: Ulid,
    /// The time of the change, in whole seconds.
    #[serde(with = "jiff::fmt::serde::timestamp::second::required")]
    pub at: Timestamp,
    /// `None` in entries that were written before authors were recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<Author>,
    /// The action's name, as in `permissions`. Empty in entries that were written before actions
    /// were recorded.
    #[serde(default)]
    pub action: String,
    /// The id, name or email address of the object that was changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    #[serde(default, skip_serializing_if = "Changes::is_empty")]
    pub changes: Changes,
    /// What happened to a credential. `None` if the change was to something else.
    #[serde(flatten)]
    pub event: Option<EventKind>,
}

/// The user, organization or group whose audit log has an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AuditSubject {
    User(UserId),
    Organization(OrganizationId),
    Group(GroupName),
}

/// The person who made a change, the credential that they used, and the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Author {
    pub user: UserId,
    pub email: Email,
    /// `None` for changes that the program makes by itself, such as demo data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<CredentialId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// `None` for changes that the program makes by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<Ulid>,
}

/// The public id of a credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "camelCase")]
pub enum CredentialId {
    Session(SessionId),
    Token(TokenId),
}

/// The changed fields: at most 20.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Changes(Vec<Change>);

/// A changed field. A secret cannot be recorded, because it cannot be printed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    field: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<String>,
}

/// What happened to a credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "camelCase")]
pub enum EventKind {
    SessionOpened,
    /// The user logged out.
    SessionEnded,
    /// A new login in the same browser ended the session.
    SessionReplaced,
    TokenCreated {
        token: TokenId,
        replaced: Option<TokenId>,
    },
    TokenRevoked {
        token: TokenId,
    },
}

impl AuditEntry {
    /// Creates the entry of a change that is allowed by `action`.
    #[must_use]
    pub fn new(
        subject: AuditSubject,
        id: Ulid,
        at: Timestamp,
        author: Author,
        action: &str,
    ) -> Self {
        Self {
            subject,
            id,
            at,
            author: Some(author),
            action: action.to_owned(),
            target: None,
            changes: Changes::default(),
            event: None,
        }
    }

    /// Creates the entry of an event of one of a user's credentials.
    #[must_use]
    pub fn of_credential(
        user: UserId,
        id: Ulid,
        at: Timestamp,
        author: Author,
        event: EventKind,
    ) -> Self {
        let target = event.token().map(TokenId::to_string);
        let entry = Self::new(AuditSubject::User(user), id, at, author, event.action());
        Self { target, event: Some(event), ..entry }
    }

    /// Names the object that was changed.
    #[must_use]
    pub fn with_target(self, target: impl Display) -> Self {
        Self { target: Some(target.to_string()), ..self }
    }

    /// Records the fields that were changed.
    #[must_use]
    pub fn with_changes(self, changes: impl IntoIterator<Item = Change>) -> Self {
        Self { changes: Changes(changes.into_iter().take(MAX_CHANGES).collect()), ..self }
    }
}

impl Author {
    /// The author of a change that the program makes by itself, on behalf of a stakeholder.
    #[must_use]
    pub fn program(stakeholder: &Stakeholder) -> Self {
        Self {
            user: stakeholder.id.clone(),
            email: stakeholder.email.clone(),
            credential: None,
            address: None,
            agent: None,
            request_id: None,
        }
    }
}

impl Changes {
    /// Whether no field was changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The changed fields.
    pub fn iter(&self) -> impl Iterator<Item = &Change> {
        self.0.iter()
    }
}

impl Change {
    /// Records the values of a field, each cut to 200 characters.
    #[must_use]
    pub fn new(field: &str, before: Option<&str>, after: Option<&str>) -> Self {
        let cut = |value: &str| value.chars().take(MAX_VALUE).collect();
        Self { field: field.to_owned(), before: before.map(cut), after: after.map(cut) }
    }

    /// The field's name.
    #[must_use]
    pub fn field(&self) -> &str {
        &self.field
    }

    /// The previous value. `None` if there was none.
    #[must_use]
    pub fn before(&self) -> Option<&str> {
        self.before.as_deref()
    }

    /// The new value. `None` if there is none.
    #[must_use]
    pub fn after(&self) -> Option<&str> {
        self.after.as_deref()
    }
}

impl EventKind {
    /// The name of the action that causes such an event.
    #[must_use]
    pub const fn action(&self) -> &'static str {
        match self {
            Self::SessionOpened | Self::SessionReplaced => "logIn",
            Self::SessionEnded => "logOut",
            Self::TokenCreated { .. } => "updateAccessToken",
            Self::TokenRevoked { .. } => "invalidateAccessToken",
        }
    }

    /// The token that was created or revoked.
    #[must_use]
    pub const fn token(&self) -> Option<&TokenId> {
        match self {
            Self::TokenCreated { token, .. } | Self::TokenRevoked { token } => Some(token),
            Self::SessionOpened | Self::SessionEnded | Self::SessionReplaced => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn ana() -> UserId {
        UserId::from_entropy([1; 16])
    }

    fn author() -> Author {
        Author {
            user: ana(),
            email: Email::try_from("ana@acme.test".to_owned()).unwrap(),
            credential: Some(CredentialId::Token(TokenId::from_entropy([2; 16]))),
            address: "203.0.113.7".parse().ok(),
            agent: Some("curl/8".to_owned()),
            request_id: Some(Ulid::from_parts(7, 7)),
        }
    }

    fn entry() -> AuditEntry {
        let subject = AuditSubject::User(ana());
        AuditEntry::new(subject, Ulid::nil(), Timestamp::UNIX_EPOCH, author(), "editGroup")
    }

    #[test]
    fn an_entry_is_read_back_as_it_was_written() {
        let entry = entry().with_target("acme").with_changes([Change::new(
            "language",
            Some("EN"),
            Some("ES"),
        )]);

        let written = serde_json::to_value(&entry).unwrap();

        assert_eq!(serde_json::from_value::<AuditEntry>(written).unwrap(), entry);
    }

    #[test]
    fn an_entry_of_a_credential_is_read_back_as_it_was_written() {
        let event =
            EventKind::TokenCreated { token: TokenId::from_entropy([3; 16]), replaced: None };
        let (id, at) = (Ulid::nil(), Timestamp::UNIX_EPOCH);
        let entry = AuditEntry::of_credential(ana(), id, at, author(), event);

        let written = serde_json::to_value(&entry).unwrap();

        assert_eq!(serde_json::from_value::<AuditEntry>(written).unwrap(), entry);
    }

    #[test]
    fn an_entry_of_an_older_version_is_readable() {
        let stored = json!({
            "user": "AAAAAAAAAAAAAAAAAAAAAg", "id": "01M844DZG00000000000000008",
            "at": 1_795_435_200, "what": "tokenCreated", "token": "AAAAAAAAAAAAAAAAAAAABg",
            "replaced": Value::Null,
        });

        let entry: AuditEntry = serde_json::from_value(stored).unwrap();

        let token = TokenId::try_from("AAAAAAAAAAAAAAAAAAAABg".to_owned()).unwrap();
        assert_eq!(entry.author, None);
        assert_eq!(entry.event, Some(EventKind::TokenCreated { token, replaced: None }));
    }

    #[test]
    fn an_entry_has_at_most_20_changes() {
        let changes = (0..21).map(|number| Change::new(&number.to_string(), None, Some("1")));

        assert_eq!(entry().with_changes(changes).changes.iter().count(), 20);
    }

    #[test]
    fn a_value_is_cut_to_200_characters() {
        let change = Change::new("description", Some(&"é".repeat(201)), None);

        assert_eq!(change.before(), Some("é".repeat(200).as_str()));
        assert_eq!(change.after(), None);
    }
}
