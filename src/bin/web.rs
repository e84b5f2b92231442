//! The `web` function: pages, logins, logout, assets, public keys.

use arm_api::{app::App, http::door, routes};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let app = App::with_logins_from_environment().await?;
    door::run(routes::web(app)).await
}
