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

/// Says which token is in a slot.
#[derive(Serialize, Deserialize)]
struct Slot {
    user: UserId,
    name: TokenName,
    #[serde(rename = "tid")]
    token: TokenId,
    #[serde(rename = "exp", with = "jiff::fmt::serde::timestamp::second::required")]
    expires_at: Timestamp,
}

impl Record for AccessToken {
    fn key(&self) -> Key {
        Key::access_token(&self.user, &self.id)
    }

    fn swept_at(&self) -> Option<Timestamp> {
        Some(self.expires_at + REMEMBERED)
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
    /// [`StoreError::Conflict`] when the slot does not hold `replaced` (where that is
    /// none: holds a token that may still be live), or the owner was shut out.
    pub async fn issue_access_token(
        &self,
        owner: &Stakeholder,
        token: &AccessToken,
        replaced: Option<&AccessToken>,
        event: &Event,
    ) -> Result<(), StoreError> {
        let (user, name, expires_at) = (token.user.clone(), token.name.clone(), token.expires_at);
        let slot = Slot { user, name, token: token.id.clone(), expires_at };
        let writes = self.transaction().while_admitted(owner)?.insert(token)?.insert(event)?;
        let Some(old) = replaced else {
            let is_free = "attribute_not_exists(PK) OR exp <= :now";
            return writes.put_where(&slot, is_free, [(":now", item::seconds(event.at))])?.commit().await;
        };

        let held = (":old", item::attribute(&old.id)?);
        let writes = writes.put_where(&slot, "tid = :old", [held])?;
        // By its state and not by the time: a token that is over would live again where a
        // clock jumps back. One of an earlier epoch never does.
        if old.state != TokenState::Active || old.epoch != owner.epoch {
            return writes.commit().await;
        }
        let to = TokenState::Replaced { at: event.at, successor: token.id.clone() };
        let (from, to) = (item::attribute(&TokenState::Active)?, item::attribute(&to)?);
        writes.change_state(&old.key(), from, to)?.commit().await
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
