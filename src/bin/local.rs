//! The whole product on localhost.

use arm_api::local::{self, options::Options};
use clap::Parser;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    local::run(Options::parse()).await
}
