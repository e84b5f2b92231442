//! API tokens, and the slots that hold them.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::{
    domain::{
        access_token::{AccessToken, RecordedState},
        audit::AuditEntry,
        id::{TokenId, TokenName, UserId},
        rate_limit::{Counter, RateLimit},
        stakeholder::{Owner, Stakeholder},
    },
    store::{
        Record, Store, StoreError, batch::MAX_KEYS, item, key::Key, page::Page,
        stakeholders::take_owner,
    },
};

/// How long the record of a token is kept after the token expired or was revoked. Until then, a
/// request with the token gets the exact reason why it is rejected.
const RETENTION: SignedDuration = SignedDuration::from_hours(90 * 24);
/// The maximum age of a token's record: the maximum lifetime of a token plus [`RETENTION`].
const MAX_RECORD_AGE: SignedDuration = SignedDuration::from_hours((185 + 90) * 24);
/// The maximum number of tokens that a user can create in a minute.
const CREATIONS: RateLimit = RateLimit::per_minute(60);
/// The minimum number of audit entries that one query reads. Only some of them are about new
/// tokens, so a smaller query could return too few.
const MIN_EVENTS: usize = 20;

/// The record of a slot, which names the token in it. The token was not revoked, but it may have
/// expired.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Slot {
    user: UserId,
    name: TokenName,
    #[serde(rename = "tid")]
    token: TokenId,
    #[serde(rename = "exp", with = "jiff::fmt::serde::timestamp::second::required")]
    expires_at: Timestamp,
    /// The epoch of the token; `None` in older records.
    #[serde(default)]
    epoch: Option<u64>,
}

/// The token in a slot, before another one replaces it.
#[derive(Clone, Debug)]
pub struct CurrentToken {
    pub token: TokenId,
    /// Whether the token was neither revoked nor replaced. If so, its record must be changed when
    /// another token replaces it.
    is_active: bool,
    expires_at: Timestamp,
}

impl CurrentToken {
    /// Whether the token is valid at `now`.
    #[must_use]
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.is_active && now < self.expires_at
    }

    /// Returns the token of a record.
    ///
    /// An expired token counts as active, so it can be revoked or replaced. Otherwise it would be
    /// valid again if a clock jumped back. A token of an earlier epoch is never active.
    #[must_use]
    pub fn of(token: &AccessToken, owner: &Stakeholder) -> Self {
        let is_active = token.state == RecordedState::Active && token.epoch == owner.epoch;
        Self { token: token.id.clone(), is_active, expires_at: token.expires_at }
    }
}

impl Record for AccessToken {
    fn key(&self) -> Key {
        Key::access_token(&self.user, &self.id)
    }

    fn ttl(&self) -> Option<Timestamp> {
        Some(ttl(self.expires_at))
    }
}

impl From<&AccessToken> for Slot {
    fn from(token: &AccessToken) -> Self {
        Self {
            user: token.user.clone(),
            name: token.name.clone(),
            token: token.id.clone(),
            expires_at: token.expires_at,
            epoch: Some(token.epoch),
        }
    }
}

impl Slot {
    /// Returns the token in the slot without reading the token's record. This is sufficient,
    /// because the transaction that revokes a token also empties its slot. A token whose record
    /// may already be deleted is not active.
    #[must_use]
    pub fn token(&self, owner: &Stakeholder, now: Timestamp) -> CurrentToken {
        let is_active = self.epoch.is_none_or(|epoch| epoch == owner.epoch)
            && self.ttl().is_none_or(|ttl| now < ttl);
        self.holding(is_active)
    }

    fn holding(&self, is_active: bool) -> CurrentToken {
        CurrentToken { token: self.token.clone(), is_active, expires_at: self.expires_at }
    }
}

impl Record for Slot {
    fn key(&self) -> Key {
        Key::slot(&self.user, &self.name)
    }

    fn ttl(&self) -> Option<Timestamp> {
        Some(ttl(self.expires_at))
    }
}

impl Store {
    /// Gets a token and its owner.
    ///
    /// Costs one `BatchGetItem`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when DynamoDB fails.
    pub async fn access_token_and_owner(
        &self,
        user: &UserId,
        token: &TokenId,
    ) -> Result<(Option<Owner>, Option<AccessToken>), StoreError> {
        let keys = [Key::stakeholder(user), Key::memberships(user), Key::access_token(user, token)];
        let mut items = self.items(&keys).await?;
        let [stakeholder, memberships, token] = &keys;
        let owner = take_owner(&mut items, stakeholder, memberships)?;
        Ok((owner, item::take(&mut items, token)?))
    }

    /// Gets the token in a slot, with its state from its own record. The slot and the record can
    /// disagree if only a part of the table was restored from a backup.
    ///
    /// Costs one `GetItem`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when DynamoDB fails.
    pub async fn current_token(
        &self,
        owner: &Stakeholder,
        slot: &Slot,
    ) -> Result<CurrentToken, StoreError> {
        match self.get(&Key::access_token(&owner.id, &slot.token)).await? {
            Some(token) => Ok(CurrentToken::of(&token, owner)),
            None => Ok(slot.holding(false)),
        }
    }

    /// Gets the token in a slot, whether it is valid or not.
    ///
    /// Costs two `GetItem`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when DynamoDB fails.
    pub async fn access_token_in(
        &self,
        user: &UserId,
        name: &TokenName,
    ) -> Result<Option<AccessToken>, StoreError> {
        match self.get::<Slot>(&Key::slot(user, name)).await? {
            Some(slot) => self.get(&Key::access_token(user, &slot.token)).await,
            None => Ok(None),
        }
    }

    /// Lists at most `at_most` tokens of a user, newest first. Starts after the position `after`.
    /// A token's position is the id of the audit entry of its creation.
    ///
    /// Audit entries sort by time, but the keys of tokens do not. So this function finds the next
    /// tokens in the audit log and then reads their records by key. Of the tokens created more
    /// than 90 days ago, only the newest can still have a record, because it replaced the others.
    ///
    /// Costs one `Query` and one `BatchGetItem`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when DynamoDB fails.
    pub async fn access_tokens_of(
        &self,
        user: &UserId,
        after: Option<Ulid>,
        at_most: usize,
        now: Timestamp,
    ) -> Result<Page<AccessToken, Ulid>, StoreError> {
        let at_most = at_most.clamp(1, MAX_KEYS);
        let oldest = now - MAX_RECORD_AGE;
        let (mut created, mut rest) =
            self.tokens_created(user, after, oldest, at_most.max(MIN_EVENTS)).await?;
        if created.len() > at_most {
            created.truncate(at_most);
            rest = created.last().map(|(position, _)| *position);
        }
        let is_old = |(position, _): &(Ulid, TokenId)| {
            position.timestamp_ms() <= milliseconds(now - RETENTION)
        };
        if let Some(last) = created.iter().position(is_old) {
            created.truncate(last + 1);
            rest = None;
        }
        if created.is_empty() {
            return Ok(Page { records: Vec::new(), next: rest });
        }
        let keys = created.iter().map(|(_, token)| Key::access_token(user, token));
        let read = self.batch::<AccessToken>(keys).await?.into_iter();
        let mut tokens: HashMap<TokenId, AccessToken> =
            read.map(|it| (it.id.clone(), it)).collect();
        let listed =
            created.into_iter().filter_map(|(position, id)| Some((position, tokens.remove(&id)?)));
        Ok(Page { records: listed.collect(), next: rest })
    }

    /// Puts a new token in its slot. The same transaction replaces the token that was in the slot,
    /// so a slot never has two valid tokens.
    ///
    /// Costs one `TransactWriteItems`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Exists`] or [`StoreError::Stale`] when the token in the slot is not `in_slot`
    /// or is no longer active; [`StoreError::Guard`] when the owner was disabled or revoked all
    /// credentials; [`StoreError::LimitReached`] when the owner created too many tokens.
    pub async fn issue_access_token(
        &self,
        owner: &Stakeholder,
        token: &AccessToken,
        in_slot: Option<&CurrentToken>,
        entry: &AuditEntry,
    ) -> Result<(), StoreError> {
        let slot = Slot::from(token);
        let counter = Counter::TokensOf(owner.id.clone());
        let writes = self.transaction().require_active(owner)?.insert(token)?;
        let writes = writes.count_within(&counter, CREATIONS, entry.at)?;
        let Some(old) = in_slot else { return writes.insert(&slot)?.commit(entry).await };

        let writes =
            writes.put_where(&slot, "tid = :old", [(":old", item::attribute(&old.token)?)])?;
        if !old.is_active {
            return writes.commit(entry).await;
        }
        let to = RecordedState::Replaced { at: entry.at, successor: token.id.clone() };
        let change = (item::attribute(&RecordedState::Active)?, item::attribute(&to)?);
        let ttl = Some(ttl(old.expires_at.min(entry.at)));
        let writes =
            writes.change_state(&Key::access_token(&token.user, &old.token), change, ttl)?;
        writes.commit(entry).await
    }

    /// Revokes an active token and empties its slot.
    ///
    /// Costs one `TransactWriteItems`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Stale`] when the token is no longer active in its slot.
    pub async fn revoke_access_token(
        &self,
        token: &AccessToken,
        state: &RecordedState,
        entry: &AuditEntry,
    ) -> Result<(), StoreError> {
        let in_slot = (":old", item::attribute(&token.id)?);
        let change = (item::attribute(&RecordedState::Active)?, item::attribute(state)?);
        let ttl = Some(ttl(token.expires_at.min(entry.at)));
        let writes = self.transaction().change_state(&token.key(), change, ttl)?;
        writes
            .delete_where(&Key::slot(&token.user, &token.name), "tid = :old", [in_slot])?
            .commit(entry)
            .await
    }

    /// Records that a token was used. The time of the first use is kept.
    ///
    /// Costs one `UpdateItem`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Stale`] when the record does not exist, or already has this or a later use.
    pub async fn record_access_token_use(
        &self,
        token: &AccessToken,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let change = "SET lastUsedAt = :now, firstUsedAt = if_not_exists(firstUsedAt, :now)";
        let is_later =
            "attribute_exists(PK) AND (attribute_not_exists(lastUsedAt) OR lastUsedAt < :now)";
        self.update(&token.key(), change, is_later, [(":now", item::seconds(now))]).await
    }
}

fn milliseconds(at: Timestamp) -> u64 {
    u64::try_from(at.as_millisecond()).unwrap_or_default()
}

/// Returns when the record of a token that expired or was revoked at `ended_at` may be deleted.
fn ttl(ended_at: Timestamp) -> Timestamp {
    ended_at + RETENTION
}
