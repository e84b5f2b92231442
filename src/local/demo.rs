//! Demo data, so that the first query of a new user returns something.

use crate::{
    app::App,
    domain::{
        audit::{AuditEntry, AuditSubject, Author},
        email::Email,
        id::{OrganizationId, OrganizationName, UserId},
        memberships::Memberships,
        organization::{Organization, OrganizationIdentifier, OrganizationRef},
        policy::{in_organization, on_platform},
        role::{OrganizationRole, UserRole},
        stakeholder::{Stakeholder, Status},
    },
    error::{Error, Result},
    store::{Record, load::LoadKey},
};

/// The demo stakeholder with the role of an admin.
pub(super) const ADMIN: &str = "admin@demo.test";

/// The name of the demo organization.
const ORGANIZATION: &str = "demo";

/// The demo stakeholders: address, name, role, role in the demo organization.
const PEOPLE: [(&str, &str, UserRole, OrganizationRole); 4] = [
    (ADMIN, "Ada Admin", UserRole::Admin, OrganizationRole::UserManager),
    ("hacker@demo.test", "Hana Hacker", UserRole::Hacker, OrganizationRole::User),
    ("user@demo.test", "Uma User", UserRole::User, OrganizationRole::User),
    ("manager@demo.test", "Max Manager", UserRole::User, OrganizationRole::CustomerManager),
];

/// Stores the demo stakeholders and their memberships.
///
/// Local mode accepts requests only after all of them are stored. If a start was interrupted, the
/// next one stores the rest. Users who already logged in with a demo address, with `--no-demo`,
/// get the demo roles unless they have other roles.
///
/// # Errors
///
/// When DynamoDB fails.
pub(super) async fn fill(app: &App) -> Result<()> {
    let store = &app.access.store;
    for (address, name, role, in_demo) in PEOPLE {
        let mut stakeholder = find_or_enrol(app, address, name, role).await?;
        if !store.memberships(&stakeholder.id).await?.is_empty() {
            continue;
        }
        if stakeholder.role == UserRole::User && role != UserRole::User {
            let with_role = |it: &Stakeholder| Ok::<_, Error>(Stakeholder { role, ..it.clone() });
            let entry = entry(app, &stakeholder)?;
            let changed = store.change(&stakeholder.key(), &entry, with_role).await?;
            stakeholder = changed.ok_or_else(|| Error::internal("a demo stakeholder vanished"))?;
        }
        let demo = find_or_add_organization(app, &stakeholder).await?;
        let admin = Stakeholder { role: UserRole::Admin, ..stakeholder.clone() };
        let none = Memberships::none(stakeholder.id.clone());
        let permitted = admin.permit_in(demo, &none, in_organization::GrantStakeholder)?;
        let entry = entry(app, &stakeholder)?;
        store.set_member(&permitted, &stakeholder, in_demo, &entry).await?;
    }
    Ok(())
}

async fn find_or_enrol(
    app: &App,
    address: &str,
    name: &str,
    role: UserRole,
) -> Result<Stakeholder> {
    let email = email(address)?;
    if let Some(known) = app.access.store.stakeholder_at(&email).await? {
        return Ok(known);
    }
    let id = UserId::from_entropy(app.entropy.bytes().map_err(Error::internal)?);
    let new = Stakeholder { role, ..Stakeholder::enrol(id, email, name, app.clock.now()) };
    app.access.store.enrol(&new, &entry(app, &new)?).await?;
    Ok(new)
}

/// Returns the demo organization. An admin creates it if there is none.
async fn find_or_add_organization(app: &App, admin: &Stakeholder) -> Result<OrganizationRef> {
    let store = &app.access.store;
    let name = OrganizationName::try_from(ORGANIZATION.to_owned()).map_err(Error::internal)?;
    let identifier = OrganizationIdentifier::Name(name.clone());
    let found = LoadKey::load(std::slice::from_ref(&identifier), store).await?;
    if let Some(known) = found.get(&identifier) {
        return Ok(known.clone());
    }
    let id = OrganizationId::from_entropy(app.entropy.bytes().map_err(Error::internal)?);
    let organization = Organization::new(id, name, app.clock.now());
    let permitted = admin.permit(on_platform::AddOrganization)?;
    let entry = entry(app, admin)?;
    store.add_organization(&permitted, &organization, admin, &entry).await?;
    Ok(organization.to_ref())
}

/// Whether a user who logs in as [`ADMIN`] is an admin.
///
/// # Errors
///
/// When DynamoDB fails.
pub(super) async fn has_admin(app: &App) -> Result<bool> {
    let found = app.access.store.stakeholder_at(&email(ADMIN)?).await?;
    Ok(found.is_some_and(|it| it.role == UserRole::Admin && it.status == Status::Active))
}

/// Creates the audit entry of a demo stakeholder's roles. Its author is the stakeholder.
fn entry(app: &App, stakeholder: &Stakeholder) -> Result<AuditEntry> {
    let (subject, now) = (AuditSubject::User(stakeholder.id.clone()), app.clock.now());
    let author = Author::program(stakeholder);
    Ok(AuditEntry::new(subject, app.entropy.ulid(now)?, now, author, "addDemoData"))
}

fn email(address: &str) -> Result<Email> {
    Email::try_from(address.to_owned()).map_err(Error::internal)
}
