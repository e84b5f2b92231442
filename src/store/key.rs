//! The keys of all records in the table. No other file contains a key prefix.
//!
//! | record         | `PK`         | `SK`              | `ttl`          | read by                     |
//! |----------------|--------------|-------------------|----------------|-----------------------------|
//! | stakeholder    | `U#<uid>`    | `P`               |                | every authentication        |
//! | memberships    | `U#<uid>`    | `M`               |                | every authentication        |
//! | session        | `U#<uid>`    | `S#<digest>`      | expiration + 1 day | authentication by cookie    |
//! | API token      | `U#<uid>`    | `T#<tid>`         | 90 days after expiration, revocation or replacement, whichever comes first | authentication by Bearer, `me.accessTokens` |
//! | token slot     | `U#<uid>`    | `N#<name>`        | expiration of the token + 90 days | `me.accessToken`, replacing |
//! | organization   | `O#<uuid>`   | `P`               |                | `organization`, for platform admins |
//! | organization's name | `O#names` | `N#<name>`        |                | `organizations`, `organizationId`; one partition, so that a name is unique and the list is in order |
//! | organization's stakeholder | `O#<uuid>` | `M#<uid>`    |                | the list of its stakeholders; the same role is in their memberships |
//! | audit entry    | `U#<uid>`, `O#<uuid>`, `G#<name>` | `A#<ulid>` | creation + 400 days | the audit log, `me.accessTokens` |
//! | email to user  | `E#<email>`  | `E`               |                | login                       |
//! | subject to user | `I#<digest>` | `I`              |                | login                       |
//! | login attempt  | `L#<digest>` | `L`               | expiration     | login, once                 |
//! | logins from a network | `C#<network>` | `<window>` | end of window + 5 minutes | rate limit of logins   |
//! | callbacks from a network | `C#<network>` | `callback#<window>` | end of window + 5 minutes | rate limit of callbacks |
//! | tokens of a user | `U#<uid>`  | `C#tokens#<window>` | end of window + 5 minutes | rate limit of new tokens |
//!
//! Records that a request needs together are read with one `BatchGetItem`. There is no global
//! secondary index, because such indexes support only eventually consistent reads. `ttl` is a Number
//! of epoch seconds. DynamoDB can delete expired records days later, so readers check the expiry
//! themselves.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use ulid::Ulid;

use crate::{
    domain::{
        audit::AuditSubject,
        email::Email,
        id::{OrganizationId, OrganizationName, TokenId, TokenName, UserId},
        rate_limit::Counter,
        secret::Digest,
        subject::Subject,
    },
    store::cursor::Cursor,
};

/// The name of the partition key's attribute.
pub(super) const PK: &str = "PK";
/// The name of the sort key's attribute.
pub(super) const SK: &str = "SK";
/// The name of the attribute that says when DynamoDB may delete the record.
pub(super) const TTL: &str = "ttl";

/// The partition of the names of all organizations.
const ORGANIZATION_NAMES: &str = "O#names";

/// The key of a record. The constructors' documentation gives the layout as `PK` / `SK`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    pk: String,
    sk: String,
}

impl Key {
    /// A stakeholder: `U#<uid>` / `P`.
    #[must_use]
    pub fn stakeholder(user: &UserId) -> Self {
        Self::of_user(user, "P".to_owned())
    }

    /// A stakeholder's memberships: `U#<uid>` / `M`.
    #[must_use]
    pub fn memberships(user: &UserId) -> Self {
        Self::of_user(user, "M".to_owned())
    }

    /// An organization: `O#<uuid>` / `P`.
    #[must_use]
    pub fn organization(id: &OrganizationId) -> Self {
        Self { pk: organization_partition(id), sk: "P".to_owned() }
    }

    /// An organization's name in the list of all organizations: `O#names` / `N#<name>`.
    #[must_use]
    pub fn organization_name(name: &OrganizationName) -> Self {
        Self { pk: ORGANIZATION_NAMES.to_owned(), sk: format!("N#{name}") }
    }

    /// A stakeholder in the list of an organization: `O#<uuid>` / `M#<uid>`.
    #[must_use]
    pub fn member(organization: &OrganizationId, user: &UserId) -> Self {
        Self { pk: organization_partition(organization), sk: format!("M#{user}") }
    }

    /// A session: `U#<uid>` / `S#<digest of its secret>`.
    #[must_use]
    pub fn session(user: &UserId, digest: &Digest) -> Self {
        Self::of_user(user, format!("S#{}", digest.as_str()))
    }

    /// An API token: `U#<uid>` / `T#<tid>`.
    #[must_use]
    pub fn access_token(user: &UserId, token: &TokenId) -> Self {
        Self::of_user(user, format!("T#{token}"))
    }

    /// A token slot: `U#<uid>` / `N#<name>`.
    #[must_use]
    pub fn slot(user: &UserId, name: &TokenName) -> Self {
        Self::of_user(user, format!("N#{name}"))
    }

    /// An entry in the audit log of a user (`U#<uid>` / `A#<ulid>`), an organization
    /// (`O#<uuid>` / `A#<ulid>`) or a group (`G#<name>` / `A#<ulid>`).
    #[must_use]
    pub fn audit_entry(subject: &AuditSubject, id: Ulid) -> Self {
        Self { pk: audit_partition(subject), sk: format!("A#{id}") }
    }

    fn audit_entry_of_user(user: &UserId, id: Ulid) -> Self {
        Self::of_user(user, format!("A#{id}"))
    }

    /// Returns the keys of a user's audit entries between two ids, as the values `:pk`, `:from` and
    /// `:to`.
    pub(super) fn audit_entries_between(
        user: &UserId,
        first: Ulid,
        last: Ulid,
    ) -> HashMap<String, AttributeValue> {
        let (from, to) =
            (Self::audit_entry_of_user(user, first), Self::audit_entry_of_user(user, last));
        let values = [(":pk", from.pk), (":from", from.sk), (":to", to.sk)];
        values
            .into_iter()
            .map(|(name, value)| (name.to_owned(), AttributeValue::S(value)))
            .collect()
    }

    /// The record that maps an email address to its user: `E#<email>` / `E`.
    #[must_use]
    pub fn email(email: &Email) -> Self {
        Self { pk: format!("E#{}", email.as_str()), sk: "E".to_owned() }
    }

    /// The record that maps a subject of an identity provider to a user: `I#<digest>` / `I`.
    #[must_use]
    pub fn subject(subject: &Subject) -> Self {
        Self { pk: format!("I#{}", subject.digest().as_str()), sk: "I".to_owned() }
    }

    /// A login attempt: `L#<digest of its state>` / `L`.
    #[must_use]
    pub fn login_attempt(state: &Digest) -> Self {
        Self { pk: format!("L#{}", state.as_str()), sk: "L".to_owned() }
    }

    /// A counter in the window that began at `window`, in Unix seconds: `C#<network>` / `<window>`
    /// for logins, `C#<network>` / `callback#<window>` for callbacks, and `U#<uid>` /
    /// `C#tokens#<window>` for new tokens.
    #[must_use]
    pub fn counter(counter: &Counter, window: Timestamp) -> Self {
        let window = window.as_second();
        match counter {
            Counter::LoginsFrom(network) => {
                Self { pk: format!("C#{}", network.as_str()), sk: window.to_string() }
            }
            Counter::CallbacksFrom(network) => {
                Self { pk: format!("C#{}", network.as_str()), sk: format!("callback#{window}") }
            }
            Counter::TokensOf(user) => Self::of_user(user, format!("C#tokens#{window}")),
        }
    }

    /// A key that has no record, for the read at startup.
    pub(super) fn warm_up() -> Self {
        Self { pk: "W".to_owned(), sk: "W".to_owned() }
    }

    fn of_user(user: &UserId, sk: String) -> Self {
        Self { pk: format!("U#{user}"), sk }
    }

    /// Returns the key as attributes of an item.
    pub(super) fn attributes(&self) -> HashMap<String, AttributeValue> {
        HashMap::from([
            (PK.to_owned(), AttributeValue::S(self.pk.clone())),
            (SK.to_owned(), AttributeValue::S(self.sk.clone())),
        ])
    }

    /// Whether this is the key of `item`.
    pub(super) fn is_of(&self, item: &HashMap<String, AttributeValue>) -> bool {
        let is = |name: &str, value: &str| {
            item.get(name).and_then(|it| it.as_s().ok()).is_some_and(|it| it == value)
        };
        is(PK, &self.pk) && is(SK, &self.sk)
    }
}

/// The records of a list: those of one partition whose sort keys begin with the same text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPrefix {
    pk: String,
    prefix: &'static str,
}

impl KeyPrefix {
    /// The names of all organizations, in alphabetical order.
    #[must_use]
    pub fn organization_names() -> Self {
        Self { pk: ORGANIZATION_NAMES.to_owned(), prefix: "N#" }
    }

    /// The audit log of a user, an organization or a group, oldest entry first.
    #[must_use]
    pub fn audit_log(subject: &AuditSubject) -> Self {
        Self { pk: audit_partition(subject), prefix: "A#" }
    }

    /// Returns the values `:pk` and `:prefix`.
    pub(super) fn values(&self) -> HashMap<String, AttributeValue> {
        HashMap::from([
            (":pk".to_owned(), AttributeValue::S(self.pk.clone())),
            (":prefix".to_owned(), AttributeValue::S(self.prefix.to_owned())),
        ])
    }

    /// Returns the key at a position. Its sort key always begins with the prefix, so a cursor
    /// cannot lead to other records.
    pub(super) fn key_at(&self, cursor: &Cursor) -> HashMap<String, AttributeValue> {
        let sk = format!("{}{}", self.prefix, cursor.sort_key());
        Key { pk: self.pk.clone(), sk }.attributes()
    }

    /// Returns the position of an item: its sort key without the prefix.
    pub(super) fn cursor_of(&self, item: &HashMap<String, AttributeValue>) -> Option<Cursor> {
        let sort_key = item.get(SK)?.as_s().ok()?;
        sort_key.strip_prefix(self.prefix).map(Cursor::at)
    }
}

fn organization_partition(id: &OrganizationId) -> String {
    format!("O#{}", id.uuid())
}

fn audit_partition(subject: &AuditSubject) -> String {
    match subject {
        AuditSubject::User(user) => format!("U#{user}"),
        AuditSubject::Organization(organization) => organization_partition(organization),
        AuditSubject::Group(group) => format!("G#{group}"),
    }
}

/// Returns the id of the audit entry at a key.
pub(super) fn audit_entry_id(key: &HashMap<String, AttributeValue>) -> Option<Ulid> {
    let sort_key = key.get(SK)?.as_s().ok()?;
    Ulid::from_string(sort_key.strip_prefix("A#")?).ok()
}
