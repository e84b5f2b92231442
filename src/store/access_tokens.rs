//! API tokens, and the slots that they are kept in.

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
        Record, Store, StoreError, batch::MOST_KEYS, item, key::Key, stakeholders::take_owner,
    },
};

/// How long the record of a token is kept after the token has ended, so that "expired on …" can
/// still be said.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(90 * 24);
/// No token that is still recorded was made longer ago: six months of life, and [`REMEMBERED`].
const LONGEST_RECORDED: SignedDuration = SignedDuration::from_hours((185 + 90) * 24);
/// How many tokens a user can make.
const CREATIONS: RateLimit = RateLimit::per_minute(60);
/// How many events one query reads at least: others may lie between those of new tokens.
const FEWEST_EVENTS: usize = 20;

/// Says which token is in a slot: one that nobody ended, though its time may be over.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Slot {
    user: UserId,
    name: TokenName,
    #[serde(rename = "tid")]
    token: TokenId,
    #[serde(rename = "exp", with = "jiff::fmt::serde::timestamp::second::required")]
    expires_at: Timestamp,
    /// As the token has it; older slots do not say.
    #[serde(default)]
    epoch: Option<u64>,
}

/// The token in a slot, before another one replaces it.
#[derive(Clone, Debug)]
pub struct SlotToken {
    /// The token's id.
    pub token: TokenId,
    /// Whether its record is to be changed: nothing has ended the token yet.
    is_active: bool,
    expires_at: Timestamp,
}

/// Some of a user's tokens, the newest first.
#[derive(Debug)]
pub struct TokenPage {
    /// Each with its position in the list: the id of the event of its creation.
    pub tokens: Vec<(Ulid, AccessToken)>,
    /// The position after which older tokens may follow; none at the end of the list.
    pub rest: Option<Ulid>,
}

impl SlotToken {
    /// Whether the token can be used at `now`.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.is_active && now < self.expires_at
    }

    /// The token of a record.
    ///
    /// An expired token is ended too: otherwise it would work again when a clock jumps back. A
    /// token of an earlier epoch never does.
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
    /// The token in the slot, by the slot's record alone, which is deleted in the transaction
    /// that revokes its token. A token whose record may be deleted already need not be ended.
    #[must_use]
    pub fn token(&self, owner: &Stakeholder, now: Timestamp) -> SlotToken {
        let is_active = self.epoch.is_none_or(|epoch| epoch == owner.epoch)
            && self.ttl().is_none_or(|ttl| now < ttl);
        self.holding(is_active)
    }

    fn holding(&self, is_active: bool) -> SlotToken {
        SlotToken { token: self.token.clone(), is_active, expires_at: self.expires_at }
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
    /// Gets a token and its owner: one `BatchGetItem`.
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

    /// Gets the token in a slot by its own record: slot and token disagree in a table that was
    /// restored in part.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when DynamoDB fails.
    pub async fn checked_token_in_slot(
        &self,
        owner: &Stakeholder,
        slot: &Slot,
    ) -> Result<SlotToken, StoreError> {
        match self.get(&Key::access_token(&owner.id, &slot.token)).await? {
            Some(token) => Ok(SlotToken::of(&token, owner)),
            None => Ok(slot.holding(false)),
        }
    }

    /// Gets the token in a slot: the last one made for it, live or not.
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

    /// Lists at most `at_most` tokens of a user, the newest first, from the one after `after`.
    ///
    /// The history of credentials is in the order of time, and the keys of tokens are not. So
    /// the history says which tokens come next, and their records are read by their keys:
    /// nothing is read that is not listed. Of the tokens made more than 90 days ago only the
    /// newest can still be recorded: it took the slot from all the others, which ended before.
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
    ) -> Result<TokenPage, StoreError> {
        let at_most = at_most.clamp(1, MOST_KEYS);
        let oldest = now - LONGEST_RECORDED;
        let (mut created, mut rest) =
            self.tokens_created(user, after, oldest, at_most.max(FEWEST_EVENTS)).await?;
        if created.len() > at_most {
            created.truncate(at_most);
            rest = created.last().map(|(position, _)| *position);
        }
        let is_old = |(position, _): &(Ulid, TokenId)| {
            position.timestamp_ms() <= milliseconds(now - REMEMBERED)
        };
        if let Some(last) = created.iter().position(is_old) {
            created.truncate(last + 1);
            rest = None;
        }
        if created.is_empty() {
            return Ok(TokenPage { tokens: Vec::new(), rest });
        }
        let keys = created.iter().map(|(_, token)| Key::access_token(user, token));
        let read = self.batch::<AccessToken>(keys).await?.into_iter();
        let mut tokens: HashMap<TokenId, AccessToken> =
            read.map(|it| (it.id.clone(), it)).collect();
        let listed =
            created.into_iter().filter_map(|(position, id)| Some((position, tokens.remove(&id)?)));
        Ok(TokenPage { tokens: listed.collect(), rest })
    }

    /// Puts a new token in its slot. The one that was there dies in the same
    /// instant: there is never a moment with two, nor one with none.
    ///
    /// # Errors
    ///
    /// [`StoreError::Exists`] or [`StoreError::Stale`] when there is another token in the slot
    /// than `in_slot`, or that token is no longer active; [`StoreError::Guard`] when the owner was
    /// disabled or revoked all credentials; [`StoreError::LimitReached`] when the owner has
    /// created too many.
    pub async fn issue_access_token(
        &self,
        owner: &Stakeholder,
        token: &AccessToken,
        in_slot: Option<&SlotToken>,
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

    /// Revokes a live token: sets its state, and empties its slot.
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

    /// Records that a token was used; the first use stays recorded exactly.
    ///
    /// # Errors
    ///
    /// [`StoreError::Stale`] when there is no such record, or a use as late as this one is
    /// recorded already.
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

/// When the record of a token may be deleted that ended at `ended_at`.
fn ttl(ended_at: Timestamp) -> Timestamp {
    ended_at + REMEMBERED
}
