//! Local mode: the whole product on localhost, with an embedded DynamoDB, a development login
//! and demo data. Tests and benches use the same parts.
//!
//! All of it is behind the feature `local`, so that no Lambda binary contains any of it.

mod assembly;
mod data;
mod data_dir;
mod demo;
mod development;
pub mod dynamodb;
pub mod faults;
mod hosts;
pub mod keys;
mod login;
pub mod options;
mod routes;
mod serve;
mod setup;
mod start_error;
mod table;

pub use routes::routes;
pub use serve::run;
pub use setup::{aws, config, dependencies};
pub use start_error::StartError;
pub use table::create as create_table;
