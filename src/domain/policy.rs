//! Who may do what: one exhaustive table for each level, and nothing else decides.
//!
//! `tests/golden/policy.txt` shows the tables as they are agreed on.

use crate::domain::role::{OrganizationRole, UserRole};

/// What one can do as a user of the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserAction {
    /// Reads one's own profile, organizations and credentials.
    ReadMe,
    /// Makes or replaces one's own API token.
    UpdateAccessToken,
    /// Revokes one's own API token.
    InvalidateAccessToken,
}

/// What one can do in an organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrganizationAction {
    /// Reads the organization's name.
    ReadOrganization,
}

impl UserAction {
    /// Every action of the level.
    pub const ALL: &[Self] = &[Self::ReadMe, Self::UpdateAccessToken, Self::InvalidateAccessToken];

    /// The action's name in `me.permissions`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ReadMe => "me",
            Self::UpdateAccessToken => "updateAccessToken",
            Self::InvalidateAccessToken => "invalidateAccessToken",
        }
    }
}

impl OrganizationAction {
    /// Every action of the level.
    pub const ALL: &[Self] = &[Self::ReadOrganization];

    /// The action's name in `me.permissions`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ReadOrganization => "organization",
        }
    }
}

impl UserRole {
    /// The policy. Every row is a decision; adding a role or an action does not
    /// compile until it has been taken.
    #[must_use]
    pub const fn allows(self, action: UserAction) -> bool {
        use {
            UserAction::{InvalidateAccessToken, ReadMe, UpdateAccessToken},
            UserRole::{Admin, Hacker, User},
        };
        match (action, self) {
            (ReadMe | UpdateAccessToken | InvalidateAccessToken, Admin | Hacker | User) => true,
        }
    }

    /// The names of all that the role allows, as `me.permissions` lists them.
    pub fn permissions(self) -> impl Iterator<Item = &'static str> {
        UserAction::ALL.iter().filter(move |it| self.allows(**it)).map(|it| it.name())
    }
}

impl OrganizationRole {
    /// The policy. Every row is a decision; adding a role or an action does not
    /// compile until it has been taken.
    #[must_use]
    pub const fn allows(self, action: OrganizationAction) -> bool {
        use {
            OrganizationAction::ReadOrganization,
            OrganizationRole::{Admin, CustomerManager, User, UserManager},
        };
        match (action, self) {
            (ReadOrganization, Admin | User | UserManager | CustomerManager) => true,
        }
    }

    /// The names of all that the role allows, as `me.permissions` lists them.
    pub fn permissions(self) -> impl Iterator<Item = &'static str> {
        OrganizationAction::ALL.iter().filter(move |it| self.allows(**it)).map(|it| it.name())
    }
}

/// Both policies as tables, for the golden file.
#[must_use]
pub fn table() -> String {
    let users = UserRole::ALL;
    let organization = OrganizationRole::ALL;
    let user_rows = UserAction::ALL
        .iter()
        .map(|action| (action.name(), users.iter().map(|it| it.allows(*action)).collect()));
    let organization_rows = OrganizationAction::ALL
        .iter()
        .map(|action| (action.name(), organization.iter().map(|it| it.allows(*action)).collect()));

    let user = level("user", users.iter().map(|it| it.name()), user_rows);
    let organization =
        level("organization", organization.iter().map(|it| it.name()), organization_rows);
    format!("{user}\n\n{organization}\n")
}

fn level(
    title: &str,
    roles: impl Iterator<Item = &'static str>,
    rows: impl Iterator<Item = (&'static str, Vec<bool>)>,
) -> String {
    let row = |name: &str, cells: Vec<&str>| {
        cells.iter().fold(format!("{name:<24}"), |row, cell| format!("{row}{cell:>18}"))
    };
    let head = row(title, roles.collect());
    rows.fold(head, |table, (name, cells)| {
        let cells = cells.iter().map(|it| if *it { "yes" } else { "." }).collect();
        format!("{table}\n{}", row(name, cells))
    })
}
