//! The `api` function: GraphQL at `/api`.

use arm_api::{app::App, http::door, routes};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let router = routes::api(App::from_environment().await?);
    door::rehearse(&router).await;
    door::run(router).await
}
