//! A stakeholder: a person with roles.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::{
    email::Email,
    id::{OrganizationId, OrganizationName, UserId},
    issuer::{DomainOwner, DomainOwners},
    memberships::Memberships,
    organization::OrganizationRef,
    permitted::{AccessDenied, Permitted, Platform},
    policy::{ActionType, OrganizationAction, UserAction},
    refusal::Refusal,
    role::{OrganizationRole, UserRole},
    subject::Subject,
};

/// The maximum length of a word of a name, in characters. The rest is cut off.
const MAX_WORD: usize = 29;

/// A person who can log in. The record is small, because transactions check it. The roles in
/// organizations are in [`Memberships`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stakeholder {
    pub id: UserId,
    pub email: Email,
    /// The name that the provider reported, or the local part of the address: at most four words
    /// of 29 characters.
    pub name: String,
    pub role: UserRole,
    pub status: Status,
    /// The number of times that all credentials were revoked. A credential of another epoch is
    /// revoked.
    pub epoch: u64,
    /// Always empty. Older versions of the program, which can run during a deployment, kept the
    /// organizations here and cannot read a record without the attribute.
    #[serde(rename = "organizations", skip_deserializing)]
    pub former_organizations: BTreeMap<OrganizationName, OrganizationRole>,
    /// The linked subject of each issuer. Only the subjects listed here can log in as this
    /// stakeholder. Empty before the first login through an identity provider.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub subjects: BTreeMap<String, String>,
    /// The number of times that the record was changed.
    pub version: u64,
    /// The time of the first login.
    #[serde(with = "jiff::fmt::serde::timestamp::second::required")]
    pub enrolled_at: Timestamp,
}

/// The owner of a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    pub stakeholder: Stakeholder,
    pub memberships: Memberships,
}

/// Whether a stakeholder can log in and use credentials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "camelCase")]
pub enum Status {
    Active,
    Disabled {
        #[serde(with = "jiff::fmt::serde::timestamp::second::required")]
        at: Timestamp,
    },
}

impl Stakeholder {
    /// Creates a stakeholder at the first login.
    #[must_use]
    pub fn enrol(id: UserId, email: Email, name: &str, now: Timestamp) -> Self {
        let name = shorten(if name.trim().is_empty() { email.local_part() } else { name });
        Self {
            id,
            email,
            name,
            role: UserRole::User,
            status: Status::Active,
            epoch: 0,
            version: 0,
            former_organizations: BTreeMap::new(),
            subjects: BTreeMap::new(),
            enrolled_at: now,
        }
    }

    /// Checks that a credential created in `epoch` may still be used. Returns the error `revoked`
    /// if all credentials were revoked since then.
    ///
    /// # Errors
    ///
    /// [`Refusal::UserDisabled`] if the stakeholder is disabled; `revoked` if the stakeholder is in
    /// another epoch.
    pub fn check(&self, epoch: u64, revoked: Refusal) -> Result<(), Refusal> {
        match self.status {
            Status::Disabled { .. } => Err(Refusal::UserDisabled),
            Status::Active if self.epoch != epoch => Err(revoked),
            Status::Active => Ok(()),
        }
    }

    /// Checks that the user's role on the platform allows an action.
    ///
    /// # Errors
    ///
    /// [`AccessDenied`] unless the policy allows it.
    pub fn permit<A>(&self, action: A) -> Result<Permitted<Platform, A>, AccessDenied>
    where
        A: ActionType<Level = UserAction>,
    {
        Permitted::check(Platform, Some(self.role), action)
    }

    /// Checks that the user's role in an organization allows an action. A platform admin is an
    /// admin of every organization, even of one that does not exist.
    ///
    /// # Errors
    ///
    /// [`AccessDenied`] unless the policy allows it. The error is the same for an organization that
    /// is hidden from the user and for one that does not exist.
    pub fn permit_in<A>(
        &self,
        organization: OrganizationRef,
        memberships: &Memberships,
        action: A,
    ) -> Result<Permitted<OrganizationRef, A>, AccessDenied>
    where
        A: ActionType<Level = OrganizationAction>,
    {
        let role = self.role_in(&organization.id, memberships);
        Permitted::check(organization, role, action)
    }

    /// Whether a subject is linked to this stakeholder, so that it can log in as them.
    #[must_use]
    pub fn has_linked(&self, subject: &Subject) -> bool {
        self.subjects.get(subject.issuer()).is_some_and(|it| it == subject.id())
    }

    /// Links a subject, so that it can log in as this stakeholder.
    pub fn link(&mut self, subject: &Subject) {
        self.subjects.insert(subject.issuer().to_owned(), subject.id().to_owned());
    }

    /// Whether a new subject may be linked, given that its provider verified the stakeholder's
    /// address.
    ///
    /// If the provider owns the domain of the address, its subject may be added to those of other
    /// issuers. If no provider owns the domain, only the first subject may be linked. A second
    /// subject of the same issuer is never linked, because the provider gave the address to
    /// another person.
    #[must_use]
    pub fn may_link(&self, subject: &Subject, domain_owner: DomainOwner) -> bool {
        match domain_owner {
            DomainOwner::ThisProvider => !self.subjects.contains_key(subject.issuer()),
            DomainOwner::OtherProvider => false,
            DomainOwner::Nobody => self.subjects.is_empty(),
        }
    }

    /// Removes the subjects of issuers that do not own the domain of the address, except
    /// `subject`. If any were removed, revokes all credentials, because somebody else may have
    /// created them.
    pub fn unlink_non_owners(&mut self, subject: &Subject, domain_owners: &DomainOwners) {
        let domain = self.email.domain();
        let is_kept =
            |issuer: &str| issuer == subject.issuer() || domain_owners.owns(issuer, domain);
        let count = self.subjects.len();
        self.subjects.retain(|issuer, _| is_kept(issuer));
        if self.subjects.len() < count {
            self.epoch += 1;
        }
    }

    /// Whether the stakeholder's address may change to the one that `subject`'s provider now
    /// reports. `domain_owner` owns the domain of the new address.
    ///
    /// It may not if another provider owns the domain of the new address, or if another linked
    /// issuer owns the domain of the current address.
    #[must_use]
    pub fn may_change_address(
        &self,
        subject: &Subject,
        domain_owner: DomainOwner,
        domain_owners: &DomainOwners,
    ) -> bool {
        let owns = |issuer: &str| domain_owners.owns(issuer, self.email.domain());
        let is_kept = !owns(subject.issuer()) && self.subjects.keys().any(|it| owns(it));
        domain_owner != DomainOwner::OtherProvider && !is_kept
    }

    fn role_in(
        &self,
        organization: &OrganizationId,
        memberships: &Memberships,
    ) -> Option<OrganizationRole> {
        match self.role {
            UserRole::Admin => Some(OrganizationRole::Admin),
            UserRole::Hacker | UserRole::User => memberships.role_in(organization),
        }
    }
}

fn shorten(name: &str) -> String {
    let words = name.split_whitespace().map(|word| word.chars().take(MAX_WORD).collect::<String>());
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
    fn a_new_stakeholder_is_an_active_user() {
        assert_eq!(ana().role, UserRole::User);
        assert_eq!(ana().status, Status::Active);
    }

    #[test]
    fn a_record_of_an_older_version_with_organizations_is_readable() {
        let mut stored = serde_json::to_value(ana()).unwrap();
        stored["organizations"] = serde_json::json!({ "acme": "user" });

        assert_eq!(serde_json::from_value::<Stakeholder>(stored).unwrap(), ana());
    }

    #[test]
    fn a_record_has_the_attribute_that_older_versions_require() {
        let stored = serde_json::to_value(ana()).unwrap();

        assert_eq!(stored["organizations"], serde_json::json!({}));
    }

    #[test]
    fn a_stakeholder_without_a_name_is_named_after_the_address() {
        let email = Email::try_from("ana@acme.test".to_owned()).unwrap();
        let ana =
            Stakeholder::enrol(UserId::from_entropy([1; 16]), email, "  ", Timestamp::UNIX_EPOCH);

        assert_eq!(ana.name, "ana");
    }

    #[test]
    fn a_credential_of_another_epoch_is_revoked() {
        let ana = Stakeholder { epoch: 2, ..ana() };

        assert_eq!(ana.check(2, Refusal::SessionEnded), Ok(()));
        assert_eq!(ana.check(1, Refusal::SessionEnded), Err(Refusal::SessionEnded));
    }

    #[test]
    fn a_disabled_stakeholder_is_refused_as_disabled_in_any_epoch() {
        let ana = Stakeholder { status: Status::Disabled { at: Timestamp::UNIX_EPOCH }, ..ana() };

        assert_eq!(ana.check(1, Refusal::SessionEnded), Err(Refusal::UserDisabled));
    }

    #[test]
    fn a_platform_admin_is_admin_in_every_organization() {
        let acme = OrganizationId::from_entropy([1; 16]);

        let none = Memberships::none(ana().id);
        let admin = Stakeholder { role: UserRole::Admin, ..ana() };
        assert_eq!(ana().role_in(&acme, &none), None);
        assert_eq!(admin.role_in(&acme, &none), Some(OrganizationRole::Admin));
    }

    #[test]
    fn an_address_is_linked_to_one_subject_per_issuer() {
        let subject = |issuer: &str| Subject::new(issuer.to_owned(), "1".to_owned()).unwrap();
        let (acme, other) = (subject("https://id.acme.test"), subject("https://id.other.test"));
        let mut known = ana();
        known.link(&acme);

        assert!(ana().may_link(&acme, DomainOwner::Nobody), "the first subject is linked");
        assert!(
            !ana().may_link(&acme, DomainOwner::OtherProvider),
            "another provider owns the domain"
        );
        assert!(
            !known.may_link(&other, DomainOwner::Nobody),
            "the other issuer does not own the domain"
        );
        assert!(
            known.may_link(&other, DomainOwner::ThisProvider),
            "the other issuer owns the domain"
        );
        assert!(
            !known.may_link(&acme, DomainOwner::ThisProvider),
            "the issuer reassigned the address to another person"
        );
    }
}
