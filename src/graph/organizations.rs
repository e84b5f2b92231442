//! Organizations in the schema.

use async_graphql::Object;

use crate::domain::id::OrganizationName;

/// An organization. It has groups, stakeholders and policies.
pub(super) struct Organization(pub(super) OrganizationName);

/// An organization. It has groups, stakeholders and policies.
#[Object]
impl Organization {
    /// Name of the organization, in lower case.
    async fn name(&self) -> &str {
        self.0.as_str()
    }
}
