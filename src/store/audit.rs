//! The audit log. An entry is written in the transaction that makes the change.

use jiff::{SignedDuration, Timestamp};
use ulid::Ulid;

use aws_sdk_dynamodb::types::AttributeValue;

use crate::{
    domain::{
        audit::{AuditEntry, EventKind},
        id::{TokenId, UserId},
    },
    store::{
        Record, Store, StoreError,
        error::classify,
        item,
        key::{self, Key},
    },
};

/// How long an entry is kept.
const RETENTION: SignedDuration = SignedDuration::from_hours(400 * 24);
/// The key condition for the entries between two ids, inclusive.
const BETWEEN: &str = "PK = :pk AND SK BETWEEN :from AND :to";

impl Record for AuditEntry {
    fn key(&self) -> Key {
        Key::audit_entry(&self.subject, self.id)
    }

    fn ttl(&self) -> Option<Timestamp> {
        Some(self.at + RETENTION)
    }
}

impl Store {
    /// Returns the tokens that a user created after `oldest`, newest first, each with the id of
    /// the audit entry of its creation. Reads at most `at_most` entries that are older than
    /// `before`. Also returns the id of the last entry that it read, if there may be more.
    pub(super) async fn tokens_created(
        &self,
        user: &UserId,
        before: Option<Ulid>,
        oldest: Timestamp,
        at_most: usize,
    ) -> Result<(Vec<(Ulid, TokenId)>, Option<Ulid>), StoreError> {
        let milliseconds = u64::try_from(oldest.as_millisecond()).unwrap_or_default();
        let (first, last) = (Ulid::from_parts(milliseconds, 0), before.unwrap_or(Ulid::max()));
        let Some(last) = last.0.checked_sub(1).map(Ulid).filter(|last| first <= *last) else {
            return Ok((Vec::new(), None));
        };
        let query = self.client.query().table_name(&self.table).key_condition_expression(BETWEEN);
        let query = query
            .set_expression_attribute_values(Some(Key::audit_entries_between(user, first, last)));
        let query =
            query.filter_expression("#what = :created").expression_attribute_names("#what", "what");
        let query = query
            .expression_attribute_values(":created", AttributeValue::S("tokenCreated".to_owned()));
        let query = query.scan_index_forward(false).consistent_read(true);
        let answer = query
            .limit(i32::try_from(at_most).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(classify)?;
        let mut created = Vec::new();
        let items = answer.items.unwrap_or_default().into_iter();
        for entry in items.filter_map(item::read_or_log::<AuditEntry>) {
            if let Some(EventKind::TokenCreated { token, .. }) = entry.event {
                created.push((entry.id, token));
            }
        }
        let rest = answer.last_evaluated_key.as_ref().and_then(key::audit_entry_id);
        Ok((created, rest))
    }
}
