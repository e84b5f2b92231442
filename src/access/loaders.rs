//! The loaders of one request. A noun that is loaded in batches adds its own here.

use std::sync::Arc;

use crate::{
    access::{Access, actor::Actor, loader::Loader},
    domain::{
        organization::{OrganizationIdentifier, OrganizationRef},
        permitted::{AccessDenied, Permitted},
        policy::{ActionType, OrganizationAction},
        role::UserRole,
    },
    error::Result,
};

/// The loaders of one request, which batch its reads.
pub struct Loaders {
    organizations: Loader<OrganizationIdentifier>,
}

impl Loaders {
    /// Creates the loaders of a request.
    #[must_use]
    pub fn new(access: &Arc<Access>) -> Self {
        Self { organizations: Loader::new(Arc::clone(access)) }
    }

    /// Checks that a user may perform an action in an organization.
    ///
    /// A user's organizations are in their memberships, so this reads nothing, and a user cannot
    /// distinguish a hidden organization from one that does not exist. A platform admin can see all
    /// organizations: if they are not a member, this reads the organization's record.
    ///
    /// # Errors
    ///
    /// `AccessDenied` unless the policy allows it; `Unavailable` when DynamoDB fails.
    pub async fn organization<A>(
        &self,
        actor: &Actor,
        identifier: OrganizationIdentifier,
        action: A,
    ) -> Result<Permitted<OrganizationRef, A>>
    where
        A: ActionType<Level = OrganizationAction>,
    {
        let found = match actor.memberships.find(&identifier) {
            None if actor.stakeholder.role == UserRole::Admin => {
                self.organizations.load(identifier).await?
            }
            found => found,
        };
        Ok(actor.permit_in(found.ok_or(AccessDenied)?, action)?)
    }
}
