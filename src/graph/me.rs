//! The current user.

use std::sync::Arc;

use async_graphql::{Context, Enum, Object};

use crate::{
    access::actor::Actor,
    domain::{
        access_token,
        organization::OrganizationIdentifier,
        policy::{in_organization, on_platform},
        role::OrganizationRole,
    },
    error::{Error, Result},
    graph::{
        access_tokens::{AccessToken, AccessTokenPolicy, TokenState},
        context::ContextExt,
        organizations::Organization,
        paging::{self, Connection, PageArguments},
    },
};

/// The query for the current user.
#[derive(Default)]
pub(super) struct MeQueries;

/// A level at which a user has a role.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
enum Entity {
    /// The whole platform.
    User,
    /// An organization. `identifier` is its name or ID.
    Organization,
}

/// Kind of client that sent the request, as it declared itself. Has no effect.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
enum CallerOrigin {
    /// A program.
    Api,
    /// The web application.
    Front,
}

/// The root of all queries.
#[Object]
impl MeQueries {
    /// The current user, identified by the session or API token. Null, with the error
    /// `Login required`, without a credential. Scope: any.
    async fn me(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "`API` (default) or `FRONT`. Returned unchanged in `callerOrigin`; has \
                          no other effect.")]
        caller_origin: Option<String>,
    ) -> Option<Result<Me>> {
        let is_front = caller_origin.as_deref() == Some("FRONT");
        let caller_origin = if is_front { CallerOrigin::Front } else { CallerOrigin::Api };
        let actor = ctx.authorize(on_platform::Me).cloned();
        Some(actor.map(|actor| Me { actor, caller_origin }))
    }
}

/// The current user.
struct Me {
    actor: Arc<Actor>,
    caller_origin: CallerOrigin,
}

/// The current user, identified by a session or an API token.
#[Object]
impl Me {
    /// State of the API token in the slot `default`, as a JSON string:
    /// `{"hasAccessToken": true, "issuedAt": "1634677195"}` (Unix seconds) or
    /// `{"hasAccessToken": false, "issuedAt": ""}`. Does not contain the token. Scope: READ,
    /// ACCESS.
    async fn access_token(&self, ctx: &Context<'_>) -> Result<String> {
        let token = ctx.access()?.access_token(&self.actor, ctx.now()?).await?;
        Ok(render_access_token(token.as_ref()))
    }

    /// Limits for a new API token, for forms and scripts.
    async fn access_token_policy(&self, ctx: &Context<'_>) -> Result<AccessTokenPolicy> {
        let now = ctx.now()?;
        Ok(AccessTokenPolicy { policy: ctx.access()?.expiration_policy(&self.actor, now), now })
    }

    /// The user's API tokens, newest first. Includes tokens that ended in the last 90 days. Session
    /// only.
    #[graphql(complexity = "paging::cost_of_page(first, child_complexity)")]
    async fn access_tokens(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Page size, at most 100.", default_with = "paging::DEFAULT_PAGE")]
        first: i32,
        #[graphql(desc = "Cursor to continue after.")] after: Option<String>,
        #[graphql(desc = "Returns only tokens in one of these states.")] states: Option<
            Vec<TokenState>,
        >,
    ) -> Result<Connection<AccessToken>> {
        let arguments = PageArguments::parse(first, after.as_deref())?;
        let owner = &self.actor.stakeholder;
        let now = ctx.now()?;
        let is_wanted = |token: &access_token::AccessToken| {
            let state = TokenState::from(access_token::TokenState::at(token, owner, now));
            states.as_ref().is_none_or(|wanted| wanted.contains(&state))
        };
        let list = ctx
            .access()?
            .access_tokens(&self.actor, arguments.first, arguments.after, is_wanted, now)
            .await?;
        Ok(arguments
            .into_connection(list.try_map(|it| Ok::<_, Error>(AccessToken::at(it, owner, now)))?))
    }

    /// The value of the argument `callerOrigin`.
    async fn caller_origin(&self) -> CallerOrigin {
        self.caller_origin
    }

    /// Organizations in which the user has a role, by name. Complete: a user has at most 100
    /// organizations. Scope: READ, ORGANIZATIONS.
    #[graphql(complexity = "paging::cost_of_list(child_complexity)")]
    async fn organizations(&self, ctx: &Context<'_>) -> Result<Vec<Organization>> {
        let organizations = self.actor.memberships.organizations().into_iter();
        let views = organizations.map(|it| Organization::visible_to(&self.actor, it));
        paging::limit_plain_list(ctx, views.collect::<Result<_>>()?)
    }

    /// Names of the actions that the user may perform at a level.
    async fn permissions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The level. Default: `USER`.")] entity: Option<Entity>,
        #[graphql(desc = "Name or ID of the organization, or name of the group.")]
        identifier: Option<String>,
    ) -> Result<Vec<&'static str>> {
        match entity.unwrap_or(Entity::User) {
            Entity::User => Ok(self.actor.stakeholder.role.permissions().collect()),
            Entity::Organization => {
                Ok(self.organization_role(ctx, identifier).await?.permissions().collect())
            }
        }
    }

    /// Role of the user at a level.
    async fn role(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The level. Default: `USER`.")] entity: Option<Entity>,
        #[graphql(desc = "Name or ID of the organization, or name of the group.")]
        identifier: Option<String>,
    ) -> Result<&'static str> {
        match entity.unwrap_or(Entity::User) {
            Entity::User => Ok(self.actor.stakeholder.role.name()),
            Entity::Organization => Ok(self.organization_role(ctx, identifier).await?.name()),
        }
    }

    /// Time when the current credential expires (RFC 3339): 40 minutes after login for a session,
    /// the expiration time for an API token.
    async fn session_expiration(&self) -> String {
        self.actor.credential.expires_at().to_string()
    }

    /// Email address of the user.
    async fn user_email(&self) -> &str {
        self.actor.stakeholder.email.as_str()
    }

    /// First and last name of the user.
    async fn user_name(&self) -> &str {
        &self.actor.stakeholder.name
    }
}

impl Me {
    /// Returns the role of the user in an organization. The error is the same for a hidden
    /// organization as for one that does not exist.
    async fn organization_role(
        &self,
        ctx: &Context<'_>,
        identifier: Option<String>,
    ) -> Result<OrganizationRole> {
        let identifier = identifier.and_then(|it| OrganizationIdentifier::try_from(it).ok());
        Ok(ctx.organization(identifier, in_organization::Organization).await?.role())
    }
}

/// Renders `me.accessToken`. Existing clients search for parts of this text, so spaces matter.
fn render_access_token(token: Option<&access_token::AccessToken>) -> String {
    let issued_at = token.map(|it| it.issued_at.as_second().to_string()).unwrap_or_default();
    let has_token = token.is_some();
    format!(r#"{{"hasAccessToken": {has_token}, "issuedAt": "{issued_at}"}}"#)
}
