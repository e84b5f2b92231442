//! API tokens, and the slots that they are kept in.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    domain::{
        access_token::{AccessToken, RecordedState},
        event::Event,
        id::{TokenId, TokenName, UserId},
        stakeholder::Stakeholder,
    },
    store::{Record, Store, StoreError, item, key::Key},
};

/// How long the record of a token outlives it, so that "expired on …" can still be said.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(90 * 24);

/// Says which token is in a slot: one that nobody ended, though its time may be over.
#[derive(Serialize, Deserialize)]
struct Slot {
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
}

impl SlotToken {
    /// The token of a record.
    ///
    /// An expired token is ended too: otherwise it would work again when a clock jumps back. A
    /// token of an earlier epoch never does.
    #[must_use]
    pub fn of(token: &AccessToken, owner: &Stakeholder) -> Self {
        let is_active = token.state == RecordedState::Active && token.epoch == owner.epoch;
        Self { token: token.id.clone(), is_active }
    }
}

impl Record for AccessToken {
    fn key(&self) -> Key {
        Key::access_token(&self.user, &self.id)
    }

    fn ttl(&self) -> Option<Timestamp> {
        Some(self.expires_at + REMEMBERED)
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

impl Record for Slot {
    fn key(&self) -> Key {
        Key::slot(&self.user, &self.name)
    }

    fn ttl(&self) -> Option<Timestamp> {
        Some(self.expires_at + REMEMBERED)
    }
}

impl Store {
    /// Gets a token and its owner, in one round trip.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when DynamoDB fails.
    pub async fn access_token_and_owner(
        &self,
        user: &UserId,
        token: &TokenId,
    ) -> Result<(Option<Stakeholder>, Option<AccessToken>), StoreError> {
        self.pair(&Key::stakeholder(user), &Key::access_token(user, token)).await
    }

    /// Gets the token in a slot by the slot's record alone, which is deleted in the transaction
    /// that revokes its token. A token that may be deleted already needs not be ended.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when DynamoDB fails.
    pub async fn token_in_slot(
        &self,
        owner: &Stakeholder,
        name: &TokenName,
        now: Timestamp,
    ) -> Result<Option<SlotToken>, StoreError> {
        let slot = self.get::<Slot>(&Key::slot(&owner.id, name)).await?;
        Ok(slot.map(|it| SlotToken {
            is_active: it.epoch.is_none_or(|epoch| epoch == owner.epoch)
                && it.ttl().is_none_or(|ttl| now < ttl),
            token: it.token,
        }))
    }

    /// Gets the token in a slot, and reads its record too: in a table that was restored in part
    /// they disagree.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when DynamoDB fails.
    pub async fn checked_token_in_slot(
        &self,
        owner: &Stakeholder,
        name: &TokenName,
    ) -> Result<Option<SlotToken>, StoreError> {
        let Some(slot) = self.get::<Slot>(&Key::slot(&owner.id, name)).await? else { return Ok(None) };
        let token = self.get(&Key::access_token(&owner.id, &slot.token)).await?;
        let missing = SlotToken { token: slot.token, is_active: false };
        Ok(Some(token.map_or(missing, |it| SlotToken::of(&it, owner))))
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

    /// Lists all tokens of a user that are not swept yet, live or not.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when DynamoDB fails.
    pub async fn access_tokens_of(&self, user: &UserId) -> Result<Vec<AccessToken>, StoreError> {
        self.list(&Key::access_tokens(user)).await
    }

    /// Puts a new token in its slot. The one that was there dies in the same
    /// instant: there is never a moment with two, nor one with none.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] when the slot does not hold `in_slot` any more, or the owner was
    /// shut out.
    pub async fn issue_access_token(
        &self,
        owner: &Stakeholder,
        token: &AccessToken,
        in_slot: Option<&SlotToken>,
        event: &Event,
    ) -> Result<(), StoreError> {
        let slot = Slot::from(token);
        let writes = self.transaction().while_admitted(owner)?.insert(token)?.insert(event)?;
        let Some(old) = in_slot else { return writes.insert(&slot)?.commit().await };

        let writes = writes.put_where(&slot, "tid = :old", [(":old", item::attribute(&old.token)?)])?;
        if !old.is_active {
            return writes.commit().await;
        }
        let to = RecordedState::Replaced { at: event.at, successor: token.id.clone() };
        let (from, to) = (item::attribute(&RecordedState::Active)?, item::attribute(&to)?);
        writes.change_state(&Key::access_token(&token.user, &old.token), from, to)?.commit().await
    }

    /// Revokes a live token: sets its state, and empties its slot.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] when the token is no longer active in its slot.
    pub async fn revoke_access_token(
        &self,
        token: &AccessToken,
        state: &RecordedState,
        event: &Event,
    ) -> Result<(), StoreError> {
        let held = (":old", item::attribute(&token.id)?);
        let (from, to) = (item::attribute(&RecordedState::Active)?, item::attribute(state)?);
        let writes = self.transaction().change_state(&token.key(), from, to)?.insert(event)?;
        writes.delete_where(&Key::slot(&token.user, &token.name), "tid = :old", held)?.commit().await
    }

    /// Records that a token was used; the first use stays recorded exactly.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] when the token is gone, or a use as late as this one
    /// is recorded already.
    pub async fn record_access_token_use(
        &self,
        token: &AccessToken,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let change = "SET lastUsedAt = :now, firstUsedAt = if_not_exists(firstUsedAt, :now)";
        let is_later = "attribute_exists(PK) AND (attribute_not_exists(lastUsedAt) OR lastUsedAt < :now)";
        self.update(&token.key(), change, is_later, [(":now", item::seconds(now))]).await
    }
}
