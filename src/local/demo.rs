//! Demo data, so that the first query of a new user returns something.

use std::collections::BTreeMap;

use crate::{
    app::App,
    domain::{
        audit::{AuditEntry, AuditSubject, Author},
        email::Email,
        id::{OrganizationName, UserId},
        role::{OrganizationRole, UserRole},
        stakeholder::{Stakeholder, Status},
    },
    error::{Error, Result},
};

/// The demo stakeholder with the role of an admin.
pub(super) const ADMIN: &str = "admin@demo.test";

/// The demo stakeholders: address, name, role, role in the demo organization.
const PEOPLE: [(&str, &str, UserRole, Option<OrganizationRole>); 4] = [
    (ADMIN, "Ada Admin", UserRole::Admin, Some(OrganizationRole::UserManager)),
    ("hacker@demo.test", "Hana Hacker", UserRole::Hacker, Some(OrganizationRole::User)),
    ("user@demo.test", "Uma User", UserRole::User, Some(OrganizationRole::User)),
    ("manager@demo.test", "Max Manager", UserRole::User, Some(OrganizationRole::CustomerManager)),
];

/// Creates the demo stakeholders, each in one transaction with their roles.
///
/// Local mode serves requests only when all of them exist. If a start is interrupted, the next one
/// creates the rest. Somebody who has already logged in with a demo address (with `--no-demo`) gets
/// the demo roles, unless they have other ones.
///
/// # Errors
///
/// When DynamoDB fails.
pub(super) async fn fill(app: &App) -> Result<()> {
    for (address, name, role, in_organization) in PEOPLE {
        let (email, organizations) = (email(address)?, organizations(in_organization));
        let with_roles =
            |it: Stakeholder| Stakeholder { role, organizations: organizations.clone(), ..it };
        match app.access.store.stakeholder_at(&email).await? {
            None => {
                let id = UserId::from_entropy(app.entropy.bytes().map_err(Error::internal)?);
                let new = Stakeholder::enrol(id, email, name, app.clock.now());
                let new = with_roles(new);
                app.access.store.enrol(&new, &entry(app, &new)?).await?;
            }
            Some(known) if known.role == UserRole::User && known.organizations.is_empty() => {
                let entry = entry(app, &known)?;
                app.access.store.change_stakeholder(&known.id, with_roles, &entry).await?;
            }
            Some(_) => {}
        }
    }
    Ok(())
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

fn organizations(role: Option<OrganizationRole>) -> BTreeMap<OrganizationName, OrganizationRole> {
    let demo = OrganizationName::try_from("demo".to_owned()).ok();
    demo.zip(role).into_iter().collect()
}
