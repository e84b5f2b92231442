//! Local mode: the whole product on localhost, with an embedded DynamoDB, a
//! development sign-in and demo data. Tests run on the same parts.
//!
//! All of it is behind the feature `local`: nothing here exists in a Lambda binary.

mod demo;
mod development;
pub mod dynamodb;
pub mod faults;
pub mod keys;
pub mod options;
mod serve;
mod sign_in;
mod table;

pub use development::Levers;
pub use serve::{routes, run};
pub use table::create as create_table;

use std::borrow::Cow;

use crate::web::site::SignIn;

/// The button of the development sign-in.
pub const SIGN_IN: SignIn = SignIn {
    label: Cow::Borrowed("Development sign-in"),
    path: Cow::Borrowed(sign_in::PATH),
    kind: "development",
};

/// The credentials with which an embedded DynamoDB is asked. It checks none.
#[must_use]
pub fn aws(dynamodb_endpoint: Option<String>) -> crate::config::Aws {
    crate::config::Aws {
        region: "local".to_owned(),
        access_key_id: "local".to_owned(),
        secret_access_key: "local".to_owned(),
        session_token: None,
        dynamodb_endpoint,
    }
}
