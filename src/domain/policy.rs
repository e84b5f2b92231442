//! The policy: which role may perform which action. Roles exist at two levels: the platform and an
//! organization. Each level has a table, and all permissions are in these tables.
//!
//! `tests/golden/policy.txt` shows the tables.

use std::fmt::Debug;

use crate::domain::role::{OrganizationRole, UserRole};

/// Defines the actions of a level. A row has the action, its name in the API, the scope that
/// the schema documents for it, and a cell for each role: `yes`, or `.` for no.
///
/// A row without a cell for each role does not compile.
macro_rules! actions {
    (
        $(#[$doc:meta])*
        $level:ident in $module:ident for $role:ident $columns:tt
        $($action:ident $name:literal $scope:tt $cells:tt)+
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $level {
            $(#[doc = concat!("`", $name, "` in the API.")] $action,)+
        }

        #[doc = concat!("The actions of [`", stringify!($level), "`] as types, for proofs.")]
        pub mod $module {
            $(
                #[doc = concat!("`", $name, "` in the API.")]
                #[derive(Clone, Copy, Debug, PartialEq, Eq)]
                pub struct $action;

                impl super::ActionType for $action {
                    type Level = super::$level;
                    const ACTION: super::$level = super::$level::$action;
                }
            )+
        }

        impl $level {
            /// Every action of the level.
            pub const ALL: &[Self] = &[$(Self::$action,)+];

            /// The action's name in `permissions` of the API.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$action => $name,)+ }
            }

            /// The scope that the schema documents for the action. `None` means any scope. Not
            /// enforced yet: a token has all permissions of its owner.
            #[must_use]
            pub const fn scope(self) -> Option<Scope> {
                match self { $(Self::$action => scope!($scope),)+ }
            }

            fn table(title: &str) -> String {
                let head = row(title, "scope", $role::ALL.iter().map(|it| it.name()));
                Self::ALL.iter().fold(head, |table, action| {
                    let cells = $role::ALL.iter().map(|it| cell_text(it.allows(*action)));
                    format!("{table}\n{}", row(action.name(), &scope_text(action.scope()), cells))
                })
            }
        }

        impl Action for $level {
            type Role = $role;

            fn is_allowed(self, role: $role) -> bool {
                role.allows(self)
            }
        }

        impl $role {
            /// Whether the policy allows the role to perform the action.
            #[must_use]
            pub const fn allows(self, action: $level) -> bool {
                match action { $($level::$action => cell!($role, self, $columns, $cells),)+ }
            }

            /// The names of the actions that the role allows.
            pub fn permissions(self) -> impl Iterator<Item = &'static str> {
                $level::ALL.iter().filter(move |it| self.allows(**it)).map(|it| it.name())
            }
        }
    };
}

/// The cell of a role in a row.
macro_rules! cell {
    ($role:ident, $held:expr, [$($column:ident)+], [$($cell:tt)+]) => {
        match $held { $($role::$column => decision!($cell),)+ }
    };
}

macro_rules! decision {
    (yes) => {
        true
    };
    (.) => {
        false
    };
}

macro_rules! scope {
    (any) => {
        None
    };
    ((READ $area:ident)) => {
        Some(Scope { access: ScopeAccess::Read, area: ScopeArea::$area })
    };
    ((WRITE $area:ident)) => {
        Some(Scope { access: ScopeAccess::Write, area: ScopeArea::$area })
    };
}

actions! {
    /// What a user can do on the platform.
    UserAction in on_platform for UserRole                              [Admin Hacker User]
    Me                    "me"                    any                   [yes   yes    yes]
    UpdateAccessToken     "updateAccessToken"     (WRITE Access)        [yes   yes    yes]
    InvalidateAccessToken "invalidateAccessToken" any                   [yes   yes    yes]
    Organizations         "organizations"         (READ Organizations)  [yes   .      .]
    AddOrganization       "addOrganization"       (WRITE Organizations) [yes   .      .]
}

actions! {
    /// What a stakeholder can do in an organization.
    OrganizationAction in in_organization for OrganizationRole
                                                            [Admin User UserManager CustomerManager]
    Organization     "organization"                       (READ Organizations) [yes yes yes yes]
    AuditLog         "auditLog"                           (READ Organizations) [yes .   yes .  ]
    GrantStakeholder "grantStakeholderOrganizationAccess" (WRITE Stakeholders) [yes .   yes yes]
}

/// An action at one of the two levels: [`UserAction`] or [`OrganizationAction`].
pub trait Action: Copy + Debug {
    /// The roles of the level.
    type Role: Copy + Debug;

    /// Whether the policy allows the role to perform the action.
    fn is_allowed(self, role: Self::Role) -> bool;
}

/// An action as a type of its own. A proof has it as a parameter, so that the proof of one action
/// does not serve for another.
pub trait ActionType: Copy + Debug {
    /// The actions of the level.
    type Level: Action;

    /// The same action as a value.
    const ACTION: Self::Level;
}

/// The scope that the schema documents for an action. Not enforced yet: a token has all
/// permissions of its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope {
    pub access: ScopeAccess,
    pub area: ScopeArea,
}

/// Whether a scope allows only reads or also changes. `Write` includes `Read`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScopeAccess {
    Read,
    Write,
}

/// The part of the API that a scope is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScopeArea {
    /// The user's API tokens.
    Access,
    /// Organizations and their audit logs.
    Organizations,
    /// The stakeholders of organizations, and their roles.
    Stakeholders,
}

/// Renders the tables of all levels as text, for the golden file.
#[must_use]
pub fn table() -> String {
    let user = UserAction::table("user");
    let organization = OrganizationAction::table("organization");
    format!("{user}\n\n{organization}\n")
}

fn row<'a>(name: &str, scope: &str, cells: impl Iterator<Item = &'a str>) -> String {
    cells.fold(format!("{name:<36}{scope:<20}"), |row, cell| format!("{row}{cell:>18}"))
}

fn cell_text(is_allowed: bool) -> &'static str {
    if is_allowed { "yes" } else { "." }
}

fn scope_text(scope: Option<Scope>) -> String {
    let Some(Scope { access, area }) = scope else { return "any".to_owned() };
    format!("{access:?} {area:?}").to_uppercase()
}
