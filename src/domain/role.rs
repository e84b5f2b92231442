//! Roles of users on the platform and in organizations.

use serde::{Deserialize, Serialize};

/// Defines the roles of a level, with their names in the API.
macro_rules! roles {
    ($(#[$doc:meta])* $name:ident { $($(#[$role_doc:meta])* $role:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$role_doc])* #[serde(rename = $text)] $role,)+
        }

        impl $name {
            /// Every role of the level.
            pub const ALL: &[Self] = &[$(Self::$role,)+];

            /// The role's name in the API.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$role => $text,)+ }
            }
        }
    };
}

roles! {
    /// The role of a user on the platform.
    UserRole {
        /// Operates the platform. Acts as admin in every organization and group.
        Admin = "admin",
        /// Searches for vulnerabilities.
        Hacker = "hacker",
        /// Belongs to a customer. Every new user has this role.
        User = "user",
    }
}

roles! {
    /// The role of a stakeholder in an organization.
    OrganizationRole {
        /// The role of a platform admin in every organization. It cannot be granted.
        Admin = "admin",
        /// Sees the organization.
        User = "user",
        /// Manages the stakeholders and the policies.
        UserManager = "user_manager",
        /// Manages the stakeholders and adds groups.
        CustomerManager = "customer_manager",
    }
}
