//! Local mode: the whole product on localhost, with an embedded DynamoDB, a
//! development sign-in and demo data. Tests run on the same parts.
//!
//! All of it is behind the feature `local`: nothing here exists in a Lambda binary.

mod data_dir;
mod demo;
mod development;
pub mod dynamodb;
pub mod faults;
mod hosts;
pub mod keys;
pub mod options;
mod serve;
mod sign_in;
mod start_error;
mod table;

pub use development::TestControls;
pub use serve::{routes, run};
pub use start_error::StartError;
pub use table::create as create_table;

use crate::web::site::SignIn;

/// The button of the development sign-in.
#[must_use]
pub fn sign_in() -> SignIn {
    SignIn {
        label: "Development sign-in".to_owned(),
        path: sign_in::PATH.to_owned(),
        brand: "development",
    }
}

/// The credentials with which an embedded DynamoDB is asked. It checks none.
#[must_use]
pub fn aws(dynamodb_endpoint: Option<String>) -> crate::config::Aws {
    crate::config::Aws {
        region: "local".to_owned(),
        access_key_id: "local".to_owned(),
        secret_access_key: "local".to_owned(),
        session_token: None,
        endpoint: None,
        dynamodb_endpoint,
    }
}
