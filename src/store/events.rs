//! The history of credentials. An event is written in the transaction that it is about.

use jiff::{SignedDuration, Timestamp};
use ulid::Ulid;

use aws_sdk_dynamodb::types::AttributeValue;

use crate::{
    domain::{
        event::{Event, EventKind},
        id::{TokenId, UserId},
    },
    store::{
        Record, Store, StoreError,
        error::classify,
        item,
        key::{self, Key},
    },
};

/// How long the history is kept.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(400 * 24);
/// The events between two ids.
const BETWEEN: &str = "PK = :pk AND SK BETWEEN :from AND :to";

impl Record for Event {
    fn key(&self) -> Key {
        Key::event(&self.user, self.id)
    }

    fn ttl(&self) -> Option<Timestamp> {
        Some(self.at + REMEMBERED)
    }
}

impl Store {
    /// Reads at most `at_most` events of a user, and returns which tokens they created, the
    /// newest first: those before `before` that were created after `oldest`. Also returns before
    /// which event to go on.
    pub(super) async fn tokens_created(
        &self,
        user: &UserId,
        before: Option<Ulid>,
        oldest: Timestamp,
        at_most: usize,
    ) -> Result<(Vec<(Ulid, TokenId)>, Option<Ulid>), StoreError> {
        let milliseconds = u64::try_from(oldest.as_millisecond()).unwrap_or_default();
        let (first, last) = (Ulid::from_parts(milliseconds, 0), before.unwrap_or(Ulid::max()));
        // `BETWEEN` includes both ends.
        let Some(last) = last.0.checked_sub(1).map(Ulid).filter(|last| first <= *last) else {
            return Ok((Vec::new(), None));
        };
        let query = self.client.query().table_name(&self.table).key_condition_expression(BETWEEN);
        let query =
            query.set_expression_attribute_values(Some(Key::events_between(user, first, last)));
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
        for event in items.filter_map(item::read_or_log::<Event>) {
            if let EventKind::TokenCreated { token, .. } = event.what {
                created.push((event.id, token));
            }
        }
        let rest = answer.last_evaluated_key.as_ref().and_then(key::event_id);
        Ok((created, rest))
    }
}
