//! The whole product on localhost.

use std::process::ExitCode;

use arm_api::local::{self, options::Options};
use clap::Parser;

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stderr, reason = "the error is shown in the terminal")]
async fn main() -> ExitCode {
    match local::run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("error: {fault}");
            ExitCode::FAILURE
        }
    }
}
