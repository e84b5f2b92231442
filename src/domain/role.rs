//! The roles of the levels at which one can have one.

use serde::{Deserialize, Serialize};

/// Makes an enum of roles with the names that the API shows.
macro_rules! roles {
    ($(#[$doc:meta])* $name:ident { $($(#[$role_doc:meta])* $role:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$role_doc])* #[serde(rename = $text)] $role,)+
        }

        impl $name {
            /// Every role of the level, for tables.
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
    /// What somebody is to the whole platform.
    UserRole {
        /// Runs the platform; acts as admin in every organization and group.
        Admin = "admin",
        /// Looks for vulnerabilities.
        Hacker = "hacker",
        /// Owns the systems that are looked at. Everybody begins as one.
        User = "user",
    }
}

roles! {
    /// What somebody is to one organization.
    OrganizationRole {
        /// Runs the organization; what a user-level admin is in every one.
        Admin = "admin",
        /// Belongs to it.
        User = "user",
        /// Manages its people and policies.
        UserManager = "user_manager",
        /// Manages its people on behalf of the platform.
        CustomerManager = "customer_manager",
    }
}
