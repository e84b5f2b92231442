//! The `api` function: GraphQL at `/api`.

use arm_api::{app::App, http::door, routes};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let app = App::from_environment().await?;
    let (router, token) = (routes::api(app.clone()), app.access.jwt.unsigned());
    door::rehearse(&router, &token).await;
    door::run(router).await
}
