//! Organizations in the schema.

#![expect(
    clippy::doc_markdown,
    reason = "the schema's descriptions name reasons without backticks"
)]

use async_graphql::{Context, ID, Object, SimpleObject};

use crate::{
    access::actor::Actor,
    domain::{
        organization::{self, OrganizationIdentifier, OrganizationRef},
        permitted::Permitted,
        policy::{in_organization, on_platform},
    },
    error::Result,
    graph::{
        context::ContextExt,
        paging::{self, Connection, ConnectionNode, PageArguments},
    },
    store::{
        cursor::Cursor,
        page::{Direction, PageRequest},
    },
};

/// The queries for organizations.
#[derive(Default)]
pub(super) struct OrganizationQueries;

/// The mutations for organizations.
#[derive(Default)]
pub(super) struct OrganizationMutations;

/// The root of all queries.
#[Object]
impl OrganizationQueries {
    /// Finds an organization by ID. Scope: READ, ORGANIZATIONS.
    async fn organization(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the organization.")] organization_id: String,
    ) -> Option<Result<Organization>> {
        let id = organization_id.try_into().map(OrganizationIdentifier::Id).ok();
        Some(find(ctx, id).await)
    }

    /// Finds an organization by name. Scope: READ, ORGANIZATIONS.
    async fn organization_id(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Name of the organization; case is ignored.")] organization_name: String,
    ) -> Option<Result<Organization>> {
        let name = OrganizationIdentifier::from_name(&organization_name).ok();
        Some(find(ctx, name).await)
    }

    /// Lists all organizations by name. For platform admins. Scope: READ, ORGANIZATIONS.
    #[graphql(complexity = "paging::cost_of_page(first, child_complexity)")]
    async fn organizations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Page size, at most 100.", default_with = "paging::DEFAULT_PAGE")]
        first: i32,
        #[graphql(desc = "Cursor to continue after.")] after: Option<String>,
        #[graphql(desc = "Returns only names that contain this text.")] search: Option<String>,
    ) -> Option<Result<Connection<Organization>>> {
        Some(list(ctx, first, after.as_deref(), search.as_deref()).await)
    }
}

/// The root of all mutations.
#[Object]
impl OrganizationMutations {
    /// Creates an organization. The creator becomes its customer manager. For platform admins.
    /// Scope: WRITE, ORGANIZATIONS. Errors: ORGANIZATION_NAME_TAKEN.
    async fn add_organization(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Name: 1 to 50 letters, digits and hyphens. Stored in lower case.")]
        name: String,
    ) -> Result<OrganizationPayload> {
        add(ctx, &name).await
    }

    /// Same as `addOrganization`. Scope: WRITE, ORGANIZATIONS.
    #[graphql(deprecation = "Use `addOrganization`.")]
    async fn create_organization(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Name.")] name: String,
    ) -> Result<OrganizationPayload> {
        add(ctx, &name).await
    }
}

/// An organization. It has groups, stakeholders and policies.
pub(super) struct Organization(Permitted<OrganizationRef, in_organization::Organization>);

impl Organization {
    /// Creates the view of an organization, if the user may see it.
    ///
    /// # Errors
    ///
    /// `AccessDenied` if it is hidden from the user.
    pub(super) fn visible_to(actor: &Actor, organization: OrganizationRef) -> Result<Self> {
        Ok(Self(actor.permit_in(organization, in_organization::Organization)?))
    }
}

/// An organization. It has groups, stakeholders and policies.
#[Object]
impl Organization {
    /// ID of the organization: `ORG#` followed by a UUID.
    async fn id(&self) -> ID {
        ID(self.0.resource().id.to_string())
    }

    /// Name of the organization, in lower case.
    async fn name(&self) -> &str {
        self.0.resource().name.as_str()
    }

    /// Names of the actions that the user may perform in the organization.
    async fn permissions(&self) -> Vec<&'static str> {
        self.0.role().permissions().collect()
    }

    /// Role of the user in the organization.
    async fn user_role(&self) -> &'static str {
        self.0.role().name()
    }
}

impl ConnectionNode for Organization {
    const DESCRIPTION: &'static str = "A page of organizations.";
}

/// A changed organization.
#[derive(SimpleObject)]
struct OrganizationPayload {
    /// The organization.
    organization: Organization,
    /// Whether the mutation succeeded.
    success: bool,
}

async fn find(
    ctx: &Context<'_>,
    identifier: Option<OrganizationIdentifier>,
) -> Result<Organization> {
    Ok(Organization(ctx.organization(identifier, in_organization::Organization).await?))
}

async fn list(
    ctx: &Context<'_>,
    first: i32,
    after: Option<&str>,
    search: Option<&str>,
) -> Result<Connection<Organization>> {
    let actor = ctx.actor()?;
    let permitted = actor.permit(on_platform::Organizations)?;
    let arguments = PageArguments::<Cursor>::parse(first, after)?;
    let request = PageRequest {
        limit: arguments.first.max(1),
        after: arguments.after.clone(),
        direction: Direction::Ascending,
    };
    let found = ctx.access()?.organizations(&permitted, request, search).await?;
    Ok(arguments.into_connection(found.try_map(|it| Organization::visible_to(actor, it))?))
}

async fn add(ctx: &Context<'_>, name: &str) -> Result<OrganizationPayload> {
    let actor = ctx.actor()?;
    let permitted = actor.permit(on_platform::AddOrganization)?;
    let name = organization::Organization::parse_name(name)?;
    let access = ctx.access()?;
    let added = access.add_organization(actor, &permitted, name, ctx.request_context()?).await?;
    Ok(OrganizationPayload { organization: Organization(added), success: true })
}
