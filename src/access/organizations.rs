//! Organizations: who may see and create them.

use crate::{
    access::{Access, actor::Actor},
    domain::{
        audit::AuditSubject,
        id::{OrganizationId, OrganizationName},
        organization::{
            ORGANIZATION_NAME_TAKEN, Organization, OrganizationIdentifier, OrganizationRef,
        },
        permitted::{AccessDenied, Permitted, Platform},
        policy::OrganizationAction,
        role::UserRole,
    },
    error::Result,
    http::RequestContext,
    store::{
        StoreError,
        page::{Direction, Page, PageRequest},
    },
};

/// How many names one read of a search returns at most.
const SEARCHED_NAMES: usize = 500;
/// How many reads one search makes at most. The next page continues after the last of them.
const MAX_READS: usize = 5;

impl Access {
    /// Checks that a user may perform an action in an organization.
    ///
    /// A stakeholder's organizations are in their memberships, so this reads nothing, whether the
    /// organization is hidden from them or does not exist. For platform admins, who see all
    /// organizations, it reads the record of an organization that they are no member of.
    ///
    /// # Errors
    ///
    /// `AccessDenied` unless the policy allows it; `Unavailable` when DynamoDB fails.
    pub async fn organization(
        &self,
        actor: &Actor,
        identifier: &OrganizationIdentifier,
        action: OrganizationAction,
    ) -> Result<Permitted<OrganizationRef>> {
        let found = match actor.memberships.find(identifier) {
            None if actor.stakeholder.role == UserRole::Admin => {
                self.store.find_organization(identifier).await?
            }
            found => found,
        };
        Ok(actor.permit_in(found.ok_or(AccessDenied)?, action)?)
    }

    /// Lists organizations whose names contain `search`, in the order of their names.
    ///
    /// A search reads at most 2,500 names. If that finds fewer than `limit`, the page is shorter,
    /// or empty, and says where the next one begins.
    ///
    /// # Errors
    ///
    /// `Unavailable` when DynamoDB fails.
    pub async fn organizations(
        &self,
        permitted: &Permitted<Platform>,
        request: PageRequest,
        search: Option<&str>,
    ) -> Result<Page<OrganizationRef>> {
        let Some(search) = search.map(str::to_lowercase).filter(|it| !it.is_empty()) else {
            return Ok(self.store.organizations(permitted, &request).await?);
        };
        let limit = request.limit;
        let mut found = Page { records: Vec::new(), next: request.after };
        for _ in 0..MAX_READS {
            let request = PageRequest {
                limit: SEARCHED_NAMES,
                after: found.next.take(),
                direction: Direction::Ascending,
            };
            let page = self.store.organizations(permitted, &request).await?;
            let matches = |it: &OrganizationRef| it.name.as_str().contains(&search);
            found.records.extend(page.records.into_iter().filter(|(_, it)| matches(it)));
            found.next = page.next;
            if found.records.len() > limit || found.next.is_none() {
                break;
            }
        }
        if found.records.len() > limit {
            found.records.truncate(limit);
            found.next = found.records.last().map(|(position, _)| position.clone());
        }
        Ok(found)
    }

    /// Creates an organization, whose first customer manager is the user.
    ///
    /// # Errors
    ///
    /// `LIMIT_REACHED` when the user has 100 organizations; `ORGANIZATION_NAME_TAKEN`;
    /// `Unavailable` when DynamoDB fails.
    pub async fn add_organization(
        &self,
        actor: &Actor,
        permitted: &Permitted<Platform>,
        name: OrganizationName,
        context: &RequestContext,
    ) -> Result<Permitted<OrganizationRef>> {
        actor.memberships.check_limit()?;
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
        Ok(actor.permit_in(organization.to_ref(), OrganizationAction::Organization)?)
    }
}
