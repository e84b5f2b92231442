//! API tokens in the schema.

#![expect(
    clippy::doc_markdown,
    reason = "the schema's descriptions name reasons without backticks"
)]

use async_graphql::{Context, Enum, ID, Object, SimpleObject};
use jiff::Timestamp;

use crate::{
    access::access_tokens::ExpectedToken,
    domain::{
        access_token::{self, ExpirationPolicy},
        policy::on_platform,
        refusal::Revoker,
        secret::Secret,
        stakeholder::Stakeholder,
    },
    error::Result,
    graph::{context::ContextExt, date_time::DateTime, paging::ConnectionNode},
};

/// The mutations for API tokens.
#[derive(Default)]
pub(super) struct AccessTokenMutations;

/// The root of all mutations.
#[Object]
impl AccessTokenMutations {
    /// Creates an API token and returns it once, as `sessionJwt`. Atomically replaces the token in
    /// the same slot. Send the token as `Authorization: Bearer <api-token>`. An API token can only
    /// replace itself, without widening its scopes; omitted arguments keep its settings.
    /// Scope: WRITE, ACCESS. Errors: INVALID_EXPIRATION_TIME, TOO_MANY_TOKENS, CREATION_DISABLED,
    /// IDEMPOTENCY_KEY_REUSED.
    async fn update_access_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Expiration time: a Unix timestamp in seconds, up to six months ahead. \
                          `me.accessTokenPolicy` returns the limits.")]
        expiration_time: i64,
    ) -> Result<UpdateAccessTokenPayload> {
        let actor = ctx.authorize(on_platform::UpdateAccessToken)?;
        let access = ctx.access()?;
        let context = ctx.request_context()?;
        let (secret, token) =
            access.update_access_token(actor, ExpectedToken::Any, expiration_time, context).await?;
        Ok(UpdateAccessTokenPayload {
            secret,
            token: AccessToken::at(token, &actor.stakeholder, context.now),
        })
    }

    /// Revokes an API token, by ID or by slot, from the next request on. Without arguments, a
    /// session revokes the slot `default` and a token revokes itself. Also succeeds if there is no
    /// such token or it has ended. An API token can only revoke itself. Scope: any.
    async fn invalidate_access_token(&self, ctx: &Context<'_>) -> Result<SimplePayload> {
        let actor = ctx.authorize(on_platform::InvalidateAccessToken)?;
        ctx.access()?.invalidate_access_token(actor, ctx.request_context()?).await?;
        Ok(SimplePayload { success: true })
    }
}

/// A new API token.
struct UpdateAccessTokenPayload {
    secret: Secret,
    token: AccessToken,
}

/// A new API token.
#[Object]
impl UpdateAccessTokenPayload {
    /// Details of the new token, or of the existing one if none was created.
    async fn access_token(&self) -> Option<&AccessToken> {
        Some(&self.token)
    }

    /// The API token. It is returned only once. Null if none was created.
    async fn session_jwt(&self) -> Option<&str> {
        Some(self.secret.reveal())
    }

    /// Whether the mutation succeeded.
    async fn success(&self) -> bool {
        true
    }
}

/// Result of a mutation that returns no data.
#[derive(SimpleObject)]
struct SimplePayload {
    /// Whether the mutation succeeded.
    success: bool,
}

/// State of an API token. Using a token that has ended returns 401 with the reason in
/// parentheses.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub(super) enum TokenState {
    /// Can be used. Also during a rotation, until the successor is used or the grace period ends.
    Active,
    /// Past its expiration time (TOKEN_EXPIRED).
    Expired,
    /// Replaced by a newer token in the same slot (TOKEN_REPLACED).
    Replaced,
    /// Revoked before its expiration time (TOKEN_REVOKED).
    Revoked,
}

/// Who revoked an API token.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
enum RevokerKind {
    /// Someone who held the token.
    Holder,
    /// The owner, in a session. For an agent's token, a manager of the group.
    Owner,
}

/// An API token as its owner sees it. Never contains the token itself.
pub(super) struct AccessToken {
    token: access_token::AccessToken,
    state: access_token::TokenState,
}

impl AccessToken {
    /// Creates the view of a token, with its state at `now`.
    pub(super) fn at(
        token: access_token::AccessToken,
        owner: &Stakeholder,
        now: Timestamp,
    ) -> Self {
        Self { state: access_token::TokenState::at(&token, owner, now), token }
    }
}

impl ConnectionNode for AccessToken {
    const DESCRIPTION: &'static str = "A page of API tokens.";
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

/// An API token as its owner sees it. Never contains the token itself.
#[Object]
impl AccessToken {
    /// Time when the token expires.
    async fn expires_at(&self) -> DateTime {
        DateTime(self.token.expires_at)
    }

    /// Time of the first use. Null if never used.
    async fn first_used_at(&self) -> Option<DateTime> {
        self.token.first_used_at.map(DateTime)
    }

    /// Public ID of the token (claim `tid`).
    async fn id(&self) -> ID {
        ID(self.token.id.as_str().to_owned())
    }

    /// Time when the token was created.
    async fn issued_at(&self) -> DateTime {
        DateTime(self.token.issued_at)
    }

    /// Time of the last use, accurate to ten minutes. Null if never used.
    async fn last_used_at(&self) -> Option<DateTime> {
        self.token.last_used_at.map(DateTime)
    }

    /// Slot of the token.
    async fn name(&self) -> &str {
        self.token.name.as_str()
    }

    /// Time when the token was revoked. Null if it was not, or if all tokens were revoked at once.
    async fn revoked_at(&self) -> Option<DateTime> {
        match self.state {
            access_token::TokenState::Revoked { at, .. } => at.map(DateTime),
            _ => None,
        }
    }

    /// Who revoked the token. Null if it was not revoked.
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

    /// State of the token.
    async fn state(&self) -> TokenState {
        self.state.into()
    }
}

/// Limits for a new API token.
pub(super) struct AccessTokenPolicy {
    pub(super) policy: ExpirationPolicy,
    pub(super) now: Timestamp,
}

/// Limits for a new API token. Times are Unix timestamps in seconds.
#[Object]
impl AccessTokenPolicy {
    /// Latest expiration time: six calendar months from now, and at least 26 weeks.
    async fn max_expiration_time(&self) -> i64 {
        self.policy.max.as_second()
    }

    /// Earliest expiration time: one second from now.
    async fn min_expiration_time(&self) -> i64 {
        self.policy.min.as_second()
    }

    /// Current time of the server.
    async fn now(&self) -> i64 {
        self.now.as_second()
    }
}
