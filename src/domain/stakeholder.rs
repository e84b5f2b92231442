//! A stakeholder: a person with roles.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::{
    email::Email,
    id::{OrganizationName, UserId},
    issuer::{DomainOwner, DomainOwners},
    permitted::{AccessDenied, Permitted, Platform},
    policy::{OrganizationAction, UserAction},
    refusal::Refusal,
    role::{OrganizationRole, UserRole},
    subject::Subject,
};

/// The longest first or last name that is kept, in characters, as in the original.
const LONGEST_NAME: usize = 29;

/// A person with roles. One record holds them all, so a request knows them after
/// its one read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stakeholder {
    /// Who it is, for as long as the record lives.
    pub id: UserId,
    /// Where they are reached, and how they are known to others.
    pub email: Email,
    /// First and last name, as the identity provider gave them.
    pub name: String,
    /// What they are to the whole platform.
    pub role: UserRole,
    /// Whether they may come in.
    pub status: Status,
    /// The count of revoke-alls: a credential made under another one is dead.
    pub epoch: u64,
    /// What they are to their organizations.
    pub organizations: BTreeMap<OrganizationName, OrganizationRole>,
    /// The subject by which they log in, for each issuer. Empty for those who have not logged
    /// in by an identity provider yet. A pinned subject counts only while it is in here.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub subjects: BTreeMap<String, String>,
    /// How often the record was changed: two writers at once are a conflict, never
    /// a lost change.
    pub version: u64,
    /// When they first logged in.
    #[serde(with = "jiff::fmt::serde::timestamp::second::required")]
    pub enrolled_at: Timestamp,
}

/// Whether a stakeholder may come in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "camelCase")]
pub enum Status {
    /// They may.
    Active,
    /// They may not, and neither may their sessions and tokens.
    Disabled {
        /// Since when.
        #[serde(with = "jiff::fmt::serde::timestamp::second::required")]
        at: Timestamp,
    },
}

impl Stakeholder {
    /// Enrols somebody at their first login.
    #[must_use]
    pub fn enrol(id: UserId, email: Email, name: &str, now: Timestamp) -> Self {
        let name = shortened(if name.trim().is_empty() { email.local_part() } else { name });
        Self {
            id,
            email,
            name,
            role: UserRole::User,
            status: Status::Active,
            epoch: 0,
            version: 0,
            organizations: BTreeMap::new(),
            subjects: BTreeMap::new(),
            enrolled_at: now,
        }
    }

    /// Whether a credential made under `epoch` still opens anything.
    ///
    /// # Errors
    ///
    /// [`Refusal::UserDisabled`] for the disabled, `over` for those who revoked
    /// all that they had since.
    pub fn check(&self, epoch: u64, over: Refusal) -> Result<(), Refusal> {
        match self.status {
            Status::Disabled { .. } => Err(Refusal::UserDisabled),
            Status::Active if self.epoch != epoch => Err(over),
            Status::Active => Ok(()),
        }
    }

    /// Checks that the user's role on the platform allows an action.
    ///
    /// # Errors
    ///
    /// [`AccessDenied`] unless the policy allows it.
    pub fn permit(&self, action: UserAction) -> Result<Permitted<Platform>, AccessDenied> {
        Permitted::check(Platform, Some(self.role), action)
    }

    /// Checks that the user's role in an organization allows an action. A platform admin is admin
    /// in every organization, also in one that does not exist.
    ///
    /// # Errors
    ///
    /// [`AccessDenied`] unless the policy allows it. An organization that is hidden from the user
    /// and one that does not exist are the same.
    pub fn permit_in(
        &self,
        organization: &OrganizationName,
        action: OrganizationAction,
    ) -> Result<Permitted<OrganizationName>, AccessDenied> {
        Permitted::check(organization.clone(), self.role_in(organization), action)
    }

    /// Whether a subject is one by which they log in.
    #[must_use]
    pub fn is(&self, subject: &Subject) -> bool {
        self.subjects.get(subject.issuer()).is_some_and(|it| it == subject.id())
    }

    /// Lets them log in by a subject, from now on.
    pub fn link(&mut self, subject: &Subject) {
        self.subjects.insert(subject.issuer().to_owned(), subject.id().to_owned());
    }

    /// Whether a subject that nobody logged in by yet may become a login of theirs, because
    /// its provider vouches for their address.
    ///
    /// A provider that owns the address's domain may add its subject to those of other issuers.
    /// Where no provider owns the domain, the first subject may. A second subject of one issuer
    /// may never: the provider gave the address to another person.
    #[must_use]
    pub fn may_link(&self, subject: &Subject, owner: DomainOwner) -> bool {
        match owner {
            DomainOwner::ThisProvider => !self.subjects.contains_key(subject.issuer()),
            DomainOwner::OtherProvider => false,
            DomainOwner::Nobody => self.subjects.is_empty(),
        }
    }

    /// Removes the logins by issuers that do not own the domain of the address, except by
    /// `subject`. If there are any, all credentials end: somebody else may have opened them.
    pub fn unlink_non_owners(&mut self, subject: &Subject, owners: &DomainOwners) {
        let (links, domain) = (self.subjects.len(), self.email.domain());
        self.subjects.retain(|issuer, _| issuer == subject.issuer() || owners.owns(issuer, domain));
        if self.subjects.len() < links {
            self.epoch += 1;
        }
    }

    /// Whether the address follows one that changed at the provider of `subject`.
    ///
    /// It does not enter a domain that another provider owns. It does not leave one either, if
    /// they log in by an owner too: that provider vouches for the address.
    #[must_use]
    pub fn may_move(&self, subject: &Subject, owner: DomainOwner, owners: &DomainOwners) -> bool {
        let owns = |issuer: &str| owners.owns(issuer, self.email.domain());
        let is_kept = !owns(subject.issuer()) && self.subjects.keys().any(|it| owns(it));
        owner != DomainOwner::OtherProvider && !is_kept
    }

    fn role_in(&self, organization: &OrganizationName) -> Option<OrganizationRole> {
        match self.role {
            UserRole::Admin => Some(OrganizationRole::Admin),
            UserRole::Hacker | UserRole::User => self.organizations.get(organization).copied(),
        }
    }
}

fn shortened(name: &str) -> String {
    let words =
        name.split_whitespace().map(|word| word.chars().take(LONGEST_NAME).collect::<String>());
    words.take(4).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ana() -> Stakeholder {
        let email = Email::try_from("ana@acme.test".to_owned()).unwrap();
        Stakeholder::enrol(
            UserId::from_entropy([1; 16]),
            email,
            "Ana Torres",
            Timestamp::UNIX_EPOCH,
        )
    }

    #[test]
    fn everybody_begins_as_an_active_user_of_no_organization() {
        let ana = ana();

        assert_eq!(
            (ana.role, ana.status, ana.organizations.len()),
            (UserRole::User, Status::Active, 0)
        );
    }

    #[test]
    fn who_has_no_name_is_called_by_their_address() {
        let email = Email::try_from("ana@acme.test".to_owned()).unwrap();
        let ana =
            Stakeholder::enrol(UserId::from_entropy([1; 16]), email, "  ", Timestamp::UNIX_EPOCH);

        assert_eq!(ana.name, "ana");
    }

    #[test]
    fn a_credential_of_another_epoch_is_over() {
        let ana = Stakeholder { epoch: 2, ..ana() };

        assert_eq!(ana.check(2, Refusal::SessionEnded), Ok(()));
        assert_eq!(ana.check(1, Refusal::SessionEnded), Err(Refusal::SessionEnded));
    }

    #[test]
    fn the_disabled_are_told_so_whatever_else_is_wrong() {
        let ana = Stakeholder { status: Status::Disabled { at: Timestamp::UNIX_EPOCH }, ..ana() };

        assert_eq!(ana.check(1, Refusal::SessionEnded), Err(Refusal::UserDisabled));
    }

    #[test]
    fn a_platform_admin_is_admin_in_every_organization() {
        let acme = OrganizationName::try_from("acme".to_owned()).unwrap();

        assert_eq!(ana().role_in(&acme), None);
        assert_eq!(
            Stakeholder { role: UserRole::Admin, ..ana() }.role_in(&acme),
            Some(OrganizationRole::Admin)
        );
    }

    #[test]
    fn one_issuer_gives_an_address_to_one_subject() {
        let subject = |issuer: &str| Subject::new(issuer.to_owned(), "1".to_owned()).unwrap();
        let (acme, other) = (subject("https://id.acme.test"), subject("https://id.other.test"));
        let mut known = ana();
        known.link(&acme);

        assert!(ana().may_link(&acme, DomainOwner::Nobody), "the first is pinned");
        assert!(
            !ana().may_link(&acme, DomainOwner::OtherProvider),
            "not where it is another provider's"
        );
        assert!(
            !known.may_link(&other, DomainOwner::Nobody),
            "another issuer does not own the domain"
        );
        assert!(
            known.may_link(&other, DomainOwner::ThisProvider),
            "another issuer owns the domain"
        );
        assert!(
            !known.may_link(&acme, DomainOwner::ThisProvider),
            "the same issuer gave the address anew"
        );
    }
}
