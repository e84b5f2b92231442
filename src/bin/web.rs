//! The `web` function: pages, logins, logout, assets, public keys.

use arm_api::{app::WebApp, http::door, routes};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    door::run(routes::web(WebApp::from_environment().await?)).await
}
