//! The organizations that a stakeholder belongs to, and their role in each.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::{
    id::{OrganizationId, OrganizationName, UserId},
    organization::{OrganizationIdentifier, OrganizationRef},
    role::OrganizationRole,
    rule::{BrokenRule, LIMIT_REACHED},
};

/// The largest number of organizations of a stakeholder.
const MAX_ORGANIZATIONS: usize = 100;

/// All memberships of a stakeholder. They are one record, which is read with every credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Memberships {
    pub user: UserId,
    #[serde(default)]
    organizations: BTreeMap<OrganizationId, Membership>,
    /// How often the record was changed.
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

    /// Checks that the stakeholder may get another organization.
    ///
    /// # Errors
    ///
    /// [`LIMIT_REACHED`] if they have 100.
    pub fn check_limit(&self) -> Result<(), BrokenRule> {
        if self.organizations.len() < MAX_ORGANIZATIONS {
            return Ok(());
        }
        let hint = format!("A user can have {MAX_ORGANIZATIONS} organizations.");
        Err(LIMIT_REACHED.broken().with_hint(hint).with("limit", MAX_ORGANIZATIONS))
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

    /// Finds an organization that the stakeholder belongs to.
    #[must_use]
    pub fn find(&self, identifier: &OrganizationIdentifier) -> Option<OrganizationRef> {
        let is_wanted = |(id, it): &(&OrganizationId, &Membership)| match identifier {
            OrganizationIdentifier::Id(wanted) => *id == wanted,
            OrganizationIdentifier::Name(wanted) => it.name == *wanted,
        };
        self.organizations.iter().find(is_wanted).map(reference)
    }

    /// Returns the organizations that the stakeholder belongs to, in the order of their names.
    #[must_use]
    pub fn organizations(&self) -> Vec<OrganizationRef> {
        let mut organizations: Vec<_> = self.organizations.iter().map(reference).collect();
        organizations.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        organizations
    }
}

fn reference((id, membership): (&OrganizationId, &Membership)) -> OrganizationRef {
    OrganizationRef { id: id.clone(), name: membership.name.clone() }
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
    fn an_organization_is_found_by_its_id_and_by_its_name() {
        let acme = OrganizationRef { id: id(2), name: name("acme") };
        let find = |it| memberships().find(&it);

        assert_eq!(find(OrganizationIdentifier::Id(id(2))), Some(acme.clone()));
        assert_eq!(find(OrganizationIdentifier::Name(name("acme"))), Some(acme));
        assert_eq!(find(OrganizationIdentifier::Name(name("other"))), None);
    }

    #[test]
    fn a_stakeholder_has_at_most_100_organizations() {
        let join = |it: Memberships, number| it.with(id(number), name("a"), OrganizationRole::User);
        let almost_full = (0..99).fold(Memberships::none(UserId::from_entropy([1; 16])), join);

        assert_eq!(almost_full.check_limit(), Ok(()));
        let broken = join(almost_full, 99).check_limit().unwrap_err();
        assert_eq!(broken.rule, &LIMIT_REACHED);
    }

    #[test]
    fn organizations_are_listed_in_the_order_of_their_names() {
        let organizations = memberships().organizations();

        let names: Vec<_> = organizations.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["acme", "zeta"]);
    }
}
