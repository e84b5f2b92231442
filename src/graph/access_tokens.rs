//! API tokens, as the API shows them.

use async_graphql::{Context, Enum, ID, Object, SimpleObject};
use jiff::Timestamp;

use crate::{
    access::access_tokens::Replacement,
    domain::{
        access_token::{self, ExpirationPolicy},
        policy::UserAction,
        refusal::Revoker,
        secret::Secret,
        stakeholder::Stakeholder,
    },
    error::Result,
    graph::{context::Request, date_time::DateTime},
};

/// Changes of one's own API tokens.
#[derive(Default)]
pub(super) struct Mutations;

/// What can be changed.
#[Object]
impl Mutations {
    /// Makes an API token, and shows it once, as `sessionJwt`. The token before stops working at
    /// once. Send the new one as `Authorization: Bearer <api-token>`.
    ///
    /// A token that replaces itself and does not get the answer can repeat the call: within a
    /// minute, the same call with the same `expirationTime` returns the same token again, unless
    /// it was used already. Everything else with the old token is refused as `TOKEN_REPLACED`.
    ///
    /// Tokens can renew themselves for a limited time, counted from the last that a session made,
    /// two years by default. In its last 14 days, answers carry the warning `TOKEN_EXPIRES_SOON`
    /// in `extensions.warnings`. After it, a session must make the next token.
    async fn update_access_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "When the token ends: a Unix timestamp in seconds, up to six months ahead. \
                          `me.accessTokenPolicy` says what is allowed. A time that exceeds the maximum by \
                          at most 60 seconds is cut to it, since clocks differ."
        )]
        expiration_time: i64,
    ) -> Result<UpdateAccessTokenPayload> {
        let actor = ctx.permitted(UserAction::UpdateAccessToken)?;
        let (access, context) = (ctx.access()?, ctx.request()?);
        let (shown, token) =
            access.update_access_token(actor, Replacement::Any, expiration_time, context).await?;
        Ok(UpdateAccessTokenPayload {
            shown,
            token: AccessToken::at(token, &actor.stakeholder, context.now),
        })
    }

    /// Revokes one's API token; the next request with it is refused. Succeeds also
    /// when there is none.
    async fn invalidate_access_token(&self, ctx: &Context<'_>) -> Result<SimplePayload> {
        let actor = ctx.permitted(UserAction::InvalidateAccessToken)?;
        ctx.access()?.invalidate_access_token(actor, ctx.request()?).await?;
        Ok(SimplePayload { success: true })
    }
}

/// A new API token.
struct UpdateAccessTokenPayload {
    shown: Secret,
    token: AccessToken,
}

/// A new API token.
#[Object]
impl UpdateAccessTokenPayload {
    /// What is known of the token, such as when it ends.
    async fn access_token(&self) -> Option<&AccessToken> {
        Some(&self.token)
    }

    /// The API token. It is shown this once: store it safely.
    async fn session_jwt(&self) -> Option<&str> {
        Some(self.shown.reveal())
    }

    /// Whether the token was made.
    async fn success(&self) -> bool {
        true
    }
}

/// Whether a change was made.
#[derive(SimpleObject)]
struct SimplePayload {
    /// Whether the change was made.
    success: bool,
}

/// What has become of an API token.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub(super) enum TokenState {
    /// It can be used.
    Active,
    /// Its expiration time is past.
    Expired,
    /// A newer token took its place.
    Replaced,
    /// It was revoked before its time.
    Revoked,
}

/// Who revoked an API token.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
enum RevokerKind {
    /// Whoever held the token.
    Holder,
    /// The owner, in a session.
    Owner,
}

/// An API token, as its owner sees it: never the token itself.
pub(super) struct AccessToken {
    token: access_token::AccessToken,
    state: access_token::TokenState,
}

impl AccessToken {
    /// The view of a token at `now`.
    pub(super) fn at(
        token: access_token::AccessToken,
        owner: &Stakeholder,
        now: Timestamp,
    ) -> Self {
        Self { state: access_token::TokenState::at(&token, owner, now), token }
    }
}

impl From<access_token::TokenState> for TokenState {
    fn from(state: access_token::TokenState) -> Self {
        match state {
            access_token::TokenState::Active => Self::Active,
            access_token::TokenState::Expired => Self::Expired,
            access_token::TokenState::Replaced => Self::Replaced,
            access_token::TokenState::Revoked { .. } => Self::Revoked,
        }
    }
}

/// An API token, as its owner sees it: never the token itself.
#[Object]
impl AccessToken {
    /// When it ends.
    async fn expires_at(&self) -> DateTime {
        DateTime(self.token.expires_at)
    }

    /// When it was first used; null for one that never was.
    async fn first_used_at(&self) -> Option<DateTime> {
        self.token.first_used_at.map(DateTime)
    }

    /// Its public id, the claim `tid`; of no use to a thief.
    async fn id(&self) -> ID {
        ID(self.token.id.as_str().to_owned())
    }

    /// When it was made.
    async fn issued_at(&self) -> DateTime {
        DateTime(self.token.issued_at)
    }

    /// When it was last used, exact to ten minutes; null for one that never was.
    async fn last_used_at(&self) -> Option<DateTime> {
        self.token.last_used_at.map(DateTime)
    }

    /// The slot that it was made for.
    async fn name(&self) -> &str {
        self.token.name.as_str()
    }

    /// When it was revoked; null for one that was not, or with all others at once.
    async fn revoked_at(&self) -> Option<DateTime> {
        match self.state {
            access_token::TokenState::Revoked { at, .. } => at.map(DateTime),
            _ => None,
        }
    }

    /// Who revoked it; null for one that was not.
    async fn revoked_by(&self) -> Option<RevokerKind> {
        match self.state {
            access_token::TokenState::Revoked { by: Revoker::Owner, .. } => {
                Some(RevokerKind::Owner)
            }
            access_token::TokenState::Revoked { by: Revoker::Holder, .. } => {
                Some(RevokerKind::Holder)
            }
            _ => None,
        }
    }

    /// What has become of it.
    async fn state(&self) -> TokenState {
        self.state.into()
    }
}

/// Within which times a new API token may end.
pub(super) struct AccessTokenPolicy {
    pub(super) policy: ExpirationPolicy,
    pub(super) now: Timestamp,
}

/// Within which times a new API token may end. Times are Unix timestamps in seconds.
#[Object]
impl AccessTokenPolicy {
    /// The latest: six calendar months from now, and never less than 26 weeks. Earlier for an API
    /// token that can renew itself for less than that.
    async fn max_expiration_time(&self) -> i64 {
        self.policy.max.as_second()
    }

    /// The earliest: the next second.
    async fn min_expiration_time(&self) -> i64 {
        self.policy.min.as_second()
    }

    /// The server's time.
    async fn now(&self) -> i64 {
        self.now.as_second()
    }
}
