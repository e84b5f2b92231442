//! API tokens, and the slots that they are kept in.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    domain::{
        access_token::{AccessToken, TokenState},
        event::Event,
        id::{TokenId, TokenName, UserId},
        stakeholder::Stakeholder,
    },
    store::{Record, Store, StoreError, item, key::Key},
};

/// How long the record of a token outlives it, so that "expired on …" can still be said.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(90 * 24);

/// Says which token is in a slot: one that nobody ended, though its time may be over.
#[derive(Clone, Serialize, Deserialize)]
pub struct Slot {
    user: UserId,
    name: TokenName,
    /// The token.
    #[serde(rename = "tid")]
    pub token: TokenId,
    #[serde(rename = "exp", with = "jiff::fmt::serde::timestamp::second::required")]
    expires_at: Timestamp,
    /// As the token has it; slots of before it was kept here are of the first epoch.
    #[serde(default)]
    epoch: u64,
}

impl Record for AccessToken {
    fn key(&self) -> Key {
        Key::access_token(&self.user, &self.id)
    }

    fn swept_at(&self) -> Option<Timestamp> {
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
            epoch: token.epoch,
        }
    }
}

impl Record for Slot {
    fn key(&self) -> Key {
        Key::slot(&self.user, &self.name)
    }

    fn swept_at(&self) -> Option<Timestamp> {
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

    /// Gets a slot, unless it is empty.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when DynamoDB fails.
    pub async fn slot(&self, user: &UserId, name: &TokenName) -> Result<Option<Slot>, StoreError> {
        self.get(&Key::slot(user, name)).await
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
        match self.slot(user, name).await? {
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
    /// [`StoreError::Conflict`] when the slot is not as `held` (where that is none: holds a
    /// token that may still be live), or the owner was shut out.
    pub async fn issue_access_token(
        &self,
        owner: &Stakeholder,
        token: &AccessToken,
        held: Option<&Slot>,
        event: &Event,
    ) -> Result<(), StoreError> {
        let slot = Slot::from(token);
        let writes = self.transaction().while_admitted(owner)?.insert(token)?.insert(event)?;
        let Some(old) = held else {
            let is_free = "attribute_not_exists(PK) OR exp <= :now";
            return writes.put_where(&slot, is_free, [(":now", item::seconds(event.at))])?.commit().await;
        };

        let writes = writes.put_where(&slot, "tid = :old", [(":old", item::attribute(&old.token)?)])?;
        // Also one whose time is over, which would live again where a clock jumps back; not
        // one of an earlier epoch, which never does, nor one that may be swept already.
        if old.epoch != owner.epoch || old.swept_at().is_some_and(|it| it <= event.at) {
            return writes.commit().await;
        }
        let to = TokenState::Replaced { at: event.at, successor: token.id.clone() };
        let (from, to) = (item::attribute(&TokenState::Active)?, item::attribute(&to)?);
        writes.change_state(&Key::access_token(&old.user, &old.token), from, to)?.commit().await
    }

    /// Revokes a live token: sets its state, and empties its slot.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] when the token is no longer active in its slot.
    pub async fn revoke_access_token(
        &self,
        token: &AccessToken,
        state: &TokenState,
        event: &Event,
    ) -> Result<(), StoreError> {
        let held = (":old", item::attribute(&token.id)?);
        let (from, to) = (item::attribute(&TokenState::Active)?, item::attribute(state)?);
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
