//! Organizations, their names, and their stakeholders.

use std::collections::HashMap;

use crate::{
    domain::{
        audit::AuditEntry,
        id::OrganizationId,
        memberships::Memberships,
        organization::{Member, Organization, OrganizationIdentifier, OrganizationRef},
        permitted::{Permitted, Platform},
        policy::{in_organization, on_platform},
        role::OrganizationRole,
        rule::BrokenRule,
        stakeholder::Stakeholder,
    },
    store::{
        Record, Store, StoreError, item,
        key::{Key, KeyPrefix},
        load::LoadKey,
        page::{Page, PageRequest},
        record::versioned,
    },
};

impl Record for Organization {
    fn key(&self) -> Key {
        Key::organization(&self.id)
    }
}

/// An entry in the list of all organizations. It makes their names unique.
impl Record for OrganizationRef {
    fn key(&self) -> Key {
        Key::organization_name(&self.name)
    }
}

impl Record for Member {
    fn key(&self) -> Key {
        Key::member(&self.organization, &self.user)
    }
}

versioned!(Organization, Member);

/// Organizations are loaded without a permission, because the permission is checked for what is
/// found.
impl LoadKey for OrganizationIdentifier {
    type Value = OrganizationRef;

    async fn load(
        keys: &[Self],
        store: &Store,
    ) -> Result<HashMap<Self, OrganizationRef>, StoreError> {
        let key = |it: &Self| match it {
            Self::Id(id) => Key::organization(id),
            Self::Name(name) => Key::organization_name(name),
        };
        // The record of an organization has the attributes of an `OrganizationRef`, too.
        let found = store.batch::<OrganizationRef>(keys.iter().map(key)).await?.into_iter();
        let identifiers = |it: OrganizationRef| {
            [(Self::Id(it.id.clone()), it.clone()), (Self::Name(it.name.clone()), it)]
        };
        Ok(found.flat_map(identifiers).collect())
    }
}

impl Store {
    /// Reads a page of the list of all organizations, which is in the order of their names.
    ///
    /// Costs one `Query`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when DynamoDB fails.
    pub async fn organizations(
        &self,
        _permitted: &Permitted<Platform, on_platform::Organizations>,
        request: &PageRequest,
    ) -> Result<Page<OrganizationRef>, StoreError> {
        self.page(&KeyPrefix::organization_names(), request).await
    }

    /// Stores a new organization, whose first customer manager is `creator`.
    ///
    /// Costs one `GetItem` and one `TransactWriteItems` of six writes, for each attempt.
    ///
    /// # Errors
    ///
    /// [`StoreError::Rule`] (`LIMIT_REACHED`) when the creator has 100 organizations; [`StoreError::Exists`] when the name
    /// is taken; [`StoreError::Guard`] when the creator was disabled meanwhile; [`StoreError::Stale`] when others changed the creator's memberships at
    /// each attempt.
    pub async fn add_organization(
        &self,
        _permitted: &Permitted<Platform, on_platform::AddOrganization>,
        organization: &Organization,
        creator: &Stakeholder,
        entry: &AuditEntry,
    ) -> Result<(), StoreError> {
        let role = OrganizationRole::CustomerManager;
        let member = member(&organization.id, creator, role);
        let reference = organization.to_ref();
        let attempt = || async {
            let before = self.get::<Memberships>(&Key::memberships(&creator.id)).await?;
            let after = join(before.as_ref(), creator, &reference, role)?;
            let writes = self.transaction().require_active(creator)?.insert(organization)?;
            let writes = writes.insert(&reference)?.insert(&member)?;
            writes.upsert(before.as_ref(), &after)?.commit(entry).await
        };
        self.retry_when_stale(attempt).await
    }

    /// Gives a stakeholder a role in an organization: in their memberships and in the
    /// organization's list of stakeholders.
    ///
    /// Costs one `BatchGetItem` and one `TransactWriteItems` of five writes, for each attempt.
    ///
    /// # Errors
    ///
    /// [`StoreError::Rule`] (`LIMIT_REACHED`) when the stakeholder has 100 other organizations; [`StoreError::Guard`] when
    /// the stakeholder was disabled or the organization does not exist; [`StoreError::Stale`] when
    /// others changed their memberships at each attempt.
    pub async fn set_member(
        &self,
        permitted: &Permitted<OrganizationRef, in_organization::GrantStakeholder>,
        stakeholder: &Stakeholder,
        role: OrganizationRole,
        entry: &AuditEntry,
    ) -> Result<(), StoreError> {
        let organization = permitted.resource();
        let id = &organization.id;
        let keys = [Key::memberships(&stakeholder.id), Key::member(id, &stakeholder.id)];
        let attempt = || async {
            let mut items = self.items(&keys).await?;
            let [memberships, listed] = &keys;
            let memberships: Option<Memberships> = item::take(&mut items, memberships)?;
            let listed: Option<Member> = item::take(&mut items, listed)?;
            let joined = join(memberships.as_ref(), stakeholder, organization, role)?;
            let version = listed.as_ref().map_or(0, |it| it.version);
            let member = Member { version, ..member(id, stakeholder, role) };
            let writes = self.transaction().require_active(stakeholder)?;
            let writes = writes.require_exists(&Key::organization(id))?;
            let writes = writes.upsert(memberships.as_ref(), &joined)?;
            writes.upsert(listed.as_ref(), &member)?.commit(entry).await
        };
        self.retry_when_stale(attempt).await
    }
}

/// Adds an organization to the memberships of a stakeholder, or changes the role in it. Returns the
/// error `LIMIT_REACHED` if the stakeholder has 100 other organizations.
fn join(
    before: Option<&Memberships>,
    stakeholder: &Stakeholder,
    organization: &OrganizationRef,
    role: OrganizationRole,
) -> Result<Memberships, BrokenRule> {
    let none = || Memberships::none(stakeholder.id.clone());
    let before = before.cloned().unwrap_or_else(none);
    if before.role_in(&organization.id).is_none() {
        before.check_limit()?;
    }
    Ok(before.with(organization.id.clone(), organization.name.clone(), role))
}

fn member(
    organization: &OrganizationId,
    stakeholder: &Stakeholder,
    role: OrganizationRole,
) -> Member {
    Member { organization: organization.clone(), user: stakeholder.id.clone(), role, version: 0 }
}
