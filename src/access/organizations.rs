//! Access to organizations, and their creation.

use crate::{
    access::{Access, actor::Actor},
    domain::{
        audit::AuditSubject,
        id::{OrganizationId, OrganizationName},
        organization::{ORGANIZATION_NAME_TAKEN, Organization, OrganizationRef},
        permitted::{Permitted, Platform},
        policy::{in_organization, on_platform},
    },
    error::Result,
    http::RequestContext,
    store::{
        StoreError,
        page::{Page, PageRequest},
    },
};

/// The number of names that one read of a search requests.
const SEARCHED_NAMES: usize = 500;

impl Access {
    /// Lists the organizations whose names contain `search`, ordered by name.
    ///
    /// A search reads at most 2,500 names. A page can be short even if more matches follow: see
    /// [`Page::read_filtered`].
    ///
    /// # Errors
    ///
    /// `Unavailable` when DynamoDB fails.
    pub async fn organizations(
        &self,
        permitted: &Permitted<Platform, on_platform::Organizations>,
        request: PageRequest,
        search: Option<&str>,
    ) -> Result<Page<OrganizationRef>> {
        let Some(search) = search.map(str::to_lowercase).filter(|it| !it.is_empty()) else {
            return Ok(self.store.organizations(permitted, &request).await?);
        };
        let read = |after, _count| {
            let request = PageRequest { limit: SEARCHED_NAMES, after, ..request.clone() };
            async move { self.store.organizations(permitted, &request).await }
        };
        let matches = |it: &OrganizationRef| it.name.as_str().contains(&search);
        Ok(Page::read_filtered(request.limit, request.after.clone(), read, matches).await?)
    }

    /// Creates an organization. The user becomes its first customer manager.
    ///
    /// # Errors
    ///
    /// `LIMIT_REACHED` when the user has 100 organizations; `ORGANIZATION_NAME_TAKEN` when another
    /// organization has the name; `Unavailable` when DynamoDB fails.
    pub async fn add_organization(
        &self,
        actor: &Actor,
        permitted: &Permitted<Platform, on_platform::AddOrganization>,
        name: OrganizationName,
        context: &RequestContext,
    ) -> Result<Permitted<OrganizationRef, in_organization::Organization>> {
        let id = OrganizationId::from_entropy(self.entropy.bytes()?);
        let organization = Organization::new(id, name, context.now);
        let subject = AuditSubject::Organization(organization.id.clone());
        let action = permitted.action().name();
        let entry = self.audit_entry(actor, subject, action, context)?;
        let entry = entry.with_target(&organization.name);
        let creator = &actor.stakeholder;
        match self.store.add_organization(permitted, &organization, creator, &entry).await {
            Err(StoreError::Exists) => return Err(ORGANIZATION_NAME_TAKEN.broken().into()),
            added => added?,
        }
        Ok(actor.permit_in(organization.to_ref(), in_organization::Organization)?)
    }
}
