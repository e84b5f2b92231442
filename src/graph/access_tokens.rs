//! API tokens, as the API shows them.

use async_graphql::{Context, Object, SimpleObject};
use jiff::Timestamp;

use crate::{
    domain::{access_token::ExpirationPolicy, policy::UserAction, secret::Secret},
    error::Result,
    graph::context::Request,
};

/// Changes of one's own API tokens.
#[derive(Default)]
pub(super) struct Mutations;

/// What can be changed.
#[Object]
impl Mutations {
    /// Makes an API token, and shows it once, as `sessionJwt`. The one before dies in
    /// the same instant. Send it as `Authorization: Bearer <api-token>`.
    async fn update_access_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "When the token is to end: a Unix timestamp in seconds, up to six months ahead. \
                          `me.accessTokenPolicy` tells what is allowed.")]
        expiration_time: i64,
    ) -> Result<UpdateAccessTokenPayload> {
        let actor = ctx.permitted(UserAction::UpdateAccessToken)?;
        let token = ctx.access()?.update_access_token(actor, expiration_time, ctx.now()?).await?;
        Ok(UpdateAccessTokenPayload(token))
    }

    /// Revokes one's API token; the next request with it is refused. Succeeds also
    /// when there is none.
    async fn invalidate_access_token(&self, ctx: &Context<'_>) -> Result<SimplePayload> {
        let actor = ctx.permitted(UserAction::InvalidateAccessToken)?;
        ctx.access()?.invalidate_access_token(actor, ctx.now()?).await?;
        Ok(SimplePayload { success: true })
    }
}

/// A new API token.
struct UpdateAccessTokenPayload(Secret);

/// A new API token.
#[Object]
impl UpdateAccessTokenPayload {
    /// The API token. It is shown this once: store it safely.
    async fn session_jwt(&self) -> Option<&str> {
        Some(self.0.reveal())
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

/// Within which times a new API token may end.
pub(super) struct AccessTokenPolicy {
    pub(super) policy: ExpirationPolicy,
    pub(super) now: Timestamp,
}

/// Within which times a new API token may end. Times are Unix timestamps in seconds.
#[Object]
impl AccessTokenPolicy {
    /// The latest: six calendar months from now, and never less than 26 weeks.
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
