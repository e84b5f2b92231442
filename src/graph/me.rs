//! Whoever asks, about themselves.

use std::sync::Arc;

use async_graphql::{Context, Enum, Object};
use serde_json::{Value, json};

use crate::{
    access::actor::Actor,
    domain::{
        access_token,
        id::OrganizationName,
        permitted::AccessDenied,
        policy::{OrganizationAction, UserAction},
        role::OrganizationRole,
    },
    error::Result,
    graph::{
        access_tokens::{AccessToken, AccessTokenPolicy, TokenState},
        context::Request,
        organizations::Organization,
        paging::{self, Connection, Page},
    },
};

/// Queries about oneself.
#[derive(Default)]
pub(super) struct Queries;

/// The level at which a role is held.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
enum Entity {
    /// The whole platform.
    User,
    /// One organization; `identifier` is its name.
    Organization,
}

/// Which program asks, as it says itself. Nothing depends on it.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
enum CallerOrigin {
    /// A program.
    Api,
    /// The web application.
    Front,
}

/// What can be read.
#[Object]
impl Queries {
    /// Whoever asks: the owner of the session or of the API token. Without a
    /// credential it is null, with the error `Login required`.
    async fn me(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "`API`, the default, or `FRONT`; only echoed.")] caller_origin: Option<
            String,
        >,
    ) -> Option<Result<Me>> {
        let is_front = caller_origin.as_deref() == Some("FRONT");
        let caller_origin = if is_front { CallerOrigin::Front } else { CallerOrigin::Api };
        let actor = ctx.permitted(UserAction::Me).cloned();
        Some(actor.map(|actor| Me { actor, caller_origin }))
    }
}

/// Whoever asks.
struct Me {
    actor: Arc<Actor>,
    caller_origin: CallerOrigin,
}

/// Whoever asks: a stakeholder, by their session or their API token.
#[Object]
impl Me {
    /// The API token, as JSON text: `{"hasAccessToken": true, "issuedAt": "1634677195"}`
    /// (in Unix seconds), or `{"hasAccessToken": false, "issuedAt": ""}`. The token
    /// itself is shown only once, when it is made.
    async fn access_token(&self, ctx: &Context<'_>) -> Result<String> {
        let token = ctx.access()?.access_token(&self.actor, ctx.now()?).await?;
        Ok(access_token_text(token.as_ref()))
    }

    /// Within which times a new API token may end, for forms and scripts.
    async fn access_token_policy(&self, ctx: &Context<'_>) -> Result<AccessTokenPolicy> {
        let now = ctx.now()?;
        Ok(AccessTokenPolicy { policy: ctx.access()?.expiration_policy(&self.actor, now), now })
    }

    /// One's API tokens, the newest first, also those that ended within the last 90 days. Only a
    /// session sees them.
    ///
    /// With `states`, a page can have fewer than `first` tokens, or none, though more follow:
    /// read on from `endCursor` while `hasNextPage` is true.
    #[graphql(complexity = "paging::cost(first, child_complexity)")]
    async fn access_tokens(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, at most 100.", default_with = "paging::USUAL")] first: i32,
        #[graphql(desc = "The `endCursor` of the page before.")] after: Option<String>,
        #[graphql(desc = "Only tokens of which one of these has become; all without it.")]
        states: Option<Vec<TokenState>>,
    ) -> Result<Connection<AccessToken>> {
        let page = Page::parse(first, after)?;
        let (owner, now) = (&self.actor.stakeholder, ctx.now()?);
        let is_asked_for = |token: &access_token::AccessToken| {
            let state = TokenState::from(access_token::TokenState::at(token, owner, now));
            states.as_ref().is_none_or(|wanted| wanted.contains(&state))
        };
        let part = (page.first(), page.after()?);
        let list = ctx.access()?.access_tokens(&self.actor, part, is_asked_for, now).await?;
        let views = list
            .tokens
            .into_iter()
            .map(|(position, it)| (position, AccessToken::at(it, owner, now)));
        Ok(page.of(views, (list.end, list.has_more)))
    }

    /// Which program asks, as it said itself.
    async fn caller_origin(&self) -> CallerOrigin {
        self.caller_origin
    }

    /// The organizations that one belongs to, by name.
    #[graphql(complexity = "paging::cost_of_list(child_complexity)")]
    async fn organizations(&self) -> Vec<Organization> {
        let memberships = self.actor.memberships.by_name().into_iter();
        memberships.map(|(_, it)| Organization(it.name.clone())).collect()
    }

    /// The names of what one may do at a level.
    async fn permissions(
        &self,
        #[graphql(desc = "The level; `USER` by default.")] entity: Option<Entity>,
        #[graphql(desc = "The organization's name, at its level.")] identifier: Option<String>,
    ) -> Result<Vec<&'static str>> {
        match entity.unwrap_or(Entity::User) {
            Entity::User => Ok(self.actor.stakeholder.role.permissions().collect()),
            Entity::Organization => Ok(self.organization_role(identifier)?.permissions().collect()),
        }
    }

    /// One's role at a level.
    async fn role(
        &self,
        #[graphql(desc = "The level; `USER` by default.")] entity: Option<Entity>,
        #[graphql(desc = "The organization's name, at its level.")] identifier: Option<String>,
    ) -> Result<&'static str> {
        match entity.unwrap_or(Entity::User) {
            Entity::User => Ok(self.actor.stakeholder.role.name()),
            Entity::Organization => Ok(self.organization_role(identifier)?.name()),
        }
    }

    /// When the credential of this request is over, in UTC (RFC 3339): a session
    /// forty minutes after the login, an API token at its expiration time.
    async fn session_expiration(&self) -> String {
        self.actor.credential.ends_at().to_string()
    }

    /// One's e-mail address.
    async fn user_email(&self) -> &str {
        self.actor.stakeholder.email.as_str()
    }

    /// One's first and last name.
    async fn user_name(&self) -> &str {
        &self.actor.stakeholder.name
    }
}

impl Me {
    fn organization_role(&self, name: Option<String>) -> Result<OrganizationRole> {
        let name = name.and_then(|it| OrganizationName::try_from(it).ok()).ok_or(AccessDenied)?;
        Ok(self.actor.permit_in(&name, OrganizationAction::Organization)?.role())
    }
}

/// The text of `me.accessToken`. Clients of the original look for it with its blanks.
fn access_token_text(token: Option<&access_token::AccessToken>) -> String {
    let issued_at = token.map(|it| it.issued_at.as_second().to_string()).unwrap_or_default();
    let (has, at): (Value, Value) = (json!(token.is_some()), json!(issued_at));
    format!(r#"{{"hasAccessToken": {has}, "issuedAt": {at}}}"#)
}
