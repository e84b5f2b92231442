//! Organizations, as the API shows them.

use async_graphql::Object;

use crate::domain::id::OrganizationName;

/// A company whose systems are looked at; it has groups and stakeholders.
pub(super) struct Organization(pub(super) OrganizationName);

/// A company whose systems are looked at; it has groups and stakeholders.
#[Object]
impl Organization {
    /// The organization's name, in lower case.
    async fn name(&self) -> &str {
        self.0.as_str()
    }
}
