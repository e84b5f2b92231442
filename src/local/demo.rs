//! Demo data, so that a newcomer's first query shows something.

use std::collections::BTreeMap;

use crate::{
    app::App,
    domain::{
        email::Email,
        id::OrganizationName,
        role::{OrganizationRole, UserRole},
        stakeholder::Stakeholder,
    },
    error::{Error, Result},
};

/// The demo stakeholders: address, name, role, role in the demo organization.
const PEOPLE: [(&str, &str, UserRole, Option<OrganizationRole>); 4] = [
    ("admin@demo.test", "Ada Admin", UserRole::Admin, Some(OrganizationRole::UserManager)),
    ("hacker@demo.test", "Hana Hacker", UserRole::Hacker, Some(OrganizationRole::User)),
    ("user@demo.test", "Uma User", UserRole::User, Some(OrganizationRole::User)),
    ("manager@demo.test", "Max Manager", UserRole::User, Some(OrganizationRole::CustomerManager)),
];

/// Puts the demo data into the table. What is there already stays as it is.
///
/// # Errors
///
/// When DynamoDB fails.
pub(super) async fn fill(app: &App) -> Result<()> {
    for (address, name, role, in_organization) in PEOPLE {
        let email = Email::try_from(address.to_owned()).map_err(Error::internal)?;
        if app.access.store.stakeholder_at(&email).await?.is_some() {
            continue;
        }
        let new = app.access.find_or_enrol(&email, name, app.clock.now()).await?;
        let organizations = organizations(in_organization);
        app.access.store.change_stakeholder(&new.id, |it| Stakeholder { role, organizations, ..it }).await?;
    }
    Ok(())
}

fn organizations(role: Option<OrganizationRole>) -> BTreeMap<OrganizationName, OrganizationRole> {
    let demo = OrganizationName::try_from("demo".to_owned()).ok();
    demo.zip(role).into_iter().collect()
}
