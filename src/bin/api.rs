//! The `api` function: GraphQL at `/api`.

use std::process::ExitCode;

use arm_api::{app::App, http::handler, routes, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    telemetry::report(serve().await)
}

async fn serve() -> Result<(), lambda_http::Error> {
    let router = routes::api(App::from_environment().await?);
    handler::warm_up(&router).await;
    handler::run(router).await
}
