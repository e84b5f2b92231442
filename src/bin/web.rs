//! The `web` function: pages, logins, logout, assets, public keys.

use std::process::ExitCode;

use arm_api::{app::WebApp, http::handler, routes, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    telemetry::report(serve().await)
}

async fn serve() -> Result<(), lambda_http::Error> {
    handler::run(routes::web(WebApp::from_environment().await?)).await
}
