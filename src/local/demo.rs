//! Demo data, so that the first query of a new user returns something.

use crate::{
    app::App,
    domain::{
        audit::{AuditEntry, AuditSubject, Author},
        email::Email,
        id::{OrganizationId, OrganizationName, UserId},
        memberships::Memberships,
        role::{OrganizationRole, UserRole},
        stakeholder::{Stakeholder, Status},
    },
    error::{Error, Result},
};

/// The demo stakeholder with the role of an admin.
pub(super) const ADMIN: &str = "admin@demo.test";

/// The demo stakeholders: address, name, role, role in the demo organization.
const PEOPLE: [(&str, &str, UserRole, OrganizationRole); 4] = [
    (ADMIN, "Ada Admin", UserRole::Admin, OrganizationRole::UserManager),
    ("hacker@demo.test", "Hana Hacker", UserRole::Hacker, OrganizationRole::User),
    ("user@demo.test", "Uma User", UserRole::User, OrganizationRole::User),
    ("manager@demo.test", "Max Manager", UserRole::User, OrganizationRole::CustomerManager),
];

/// Stores the demo stakeholders and their memberships.
///
/// Local mode accepts requests when all of them are stored. If a start was interrupted, the next
/// one stores the rest. Users who logged in with a demo address before, because of `--no-demo`,
/// get the demo roles, unless they have others.
///
/// # Errors
///
/// When DynamoDB fails.
pub(super) async fn fill(app: &App) -> Result<()> {
    let store = &app.access.store;
    for (address, name, role, in_demo) in PEOPLE {
        let stakeholder = find_or_enrol(app, address, name, role).await?;
        if store.memberships(&stakeholder.id).await?.version > 0 {
            continue;
        }
        if stakeholder.role == UserRole::User && role != UserRole::User {
            let with_role = |it| Stakeholder { role, ..it };
            let entry = entry(app, &stakeholder)?;
            store.change_stakeholder(&stakeholder.id, with_role, &entry).await?;
        }
        let (id, name) = demo()?;
        let entry = entry(app, &stakeholder)?;
        let with_demo = |it: Memberships| it.with(id, name, in_demo);
        store.change_memberships(&stakeholder.id, with_demo, &entry).await?;
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

/// Returns the id and the name of the demo organization.
fn demo() -> Result<(OrganizationId, OrganizationName)> {
    let name = OrganizationName::try_from("demo".to_owned()).map_err(Error::internal)?;
    Ok((OrganizationId::from_entropy(*b"the demo company"), name))
}

/// Whether somebody who signs in as [`ADMIN`] is an admin.
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
