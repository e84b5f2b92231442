//! The organizations that a stakeholder belongs to, and their role in each.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::{
    id::{OrganizationId, OrganizationName, UserId},
    role::OrganizationRole,
};

/// All memberships of a stakeholder. They are one record, which is read with every credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Memberships {
    pub user: UserId,
    #[serde(default)]
    organizations: BTreeMap<OrganizationId, Membership>,
    /// How often the record was changed. 0 if there is no record yet.
    pub version: u64,
}

/// The membership of an organization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// The organization's name. It never changes, so its record need not be read.
    pub name: OrganizationName,
    pub role: OrganizationRole,
}

impl Memberships {
    /// Creates the memberships of a stakeholder without any.
    #[must_use]
    pub fn none(user: UserId) -> Self {
        Self { user, organizations: BTreeMap::new(), version: 0 }
    }

    /// Adds a membership, or changes its role.
    #[must_use]
    pub fn with(
        mut self,
        organization: OrganizationId,
        name: OrganizationName,
        role: OrganizationRole,
    ) -> Self {
        self.organizations.insert(organization, Membership { name, role });
        self
    }

    /// Removes a membership.
    #[must_use]
    pub fn without(mut self, organization: &OrganizationId) -> Self {
        self.organizations.remove(organization);
        self
    }

    /// Whether there are no memberships.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.organizations.is_empty()
    }

    /// Returns the role in an organization. Returns `None` for organizations that the stakeholder
    /// does not belong to.
    #[must_use]
    pub fn role_in(&self, organization: &OrganizationId) -> Option<OrganizationRole> {
        self.organizations.get(organization).map(|it| it.role)
    }

    /// Finds a membership by the organization's name.
    #[must_use]
    pub fn find(&self, name: &OrganizationName) -> Option<(&OrganizationId, &Membership)> {
        self.organizations.iter().find(|(_, it)| it.name == *name)
    }

    /// Returns the memberships in the order of the organizations' names.
    #[must_use]
    pub fn by_name(&self) -> Vec<(&OrganizationId, &Membership)> {
        let mut memberships: Vec<_> = self.organizations.iter().collect();
        memberships.sort_unstable_by(|(_, a), (_, b)| a.name.cmp(&b.name));
        memberships
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u8) -> OrganizationId {
        OrganizationId::from_entropy([number; 16])
    }

    fn name(text: &str) -> OrganizationName {
        OrganizationName::try_from(text.to_owned()).unwrap()
    }

    fn memberships() -> Memberships {
        Memberships::none(UserId::from_entropy([1; 16]))
            .with(id(1), name("zeta"), OrganizationRole::User)
            .with(id(2), name("acme"), OrganizationRole::UserManager)
    }

    #[test]
    fn a_membership_has_a_role() {
        assert_eq!(memberships().role_in(&id(2)), Some(OrganizationRole::UserManager));
        assert_eq!(memberships().role_in(&id(3)), None);
        assert_eq!(memberships().without(&id(2)).role_in(&id(2)), None);
    }

    #[test]
    fn a_membership_is_found_by_the_name_of_its_organization() {
        let memberships = memberships();

        assert_eq!(memberships.find(&name("acme")).unwrap().0, &id(2));
        assert_eq!(memberships.find(&name("other")), None);
    }

    #[test]
    fn memberships_are_listed_in_the_order_of_names() {
        let memberships = memberships();

        let names: Vec<_> = memberships.by_name().iter().map(|(_, it)| it.name.as_str()).collect();

        assert_eq!(names, ["acme", "zeta"]);
    }
}
