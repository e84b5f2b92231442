//! A Lambda function with a constant response. It uses the same crate and build profile as the
//! product.

use lambda_http::{Error, Request, Response, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(service_fn(hello)).await
}

async fn hello(_: Request) -> Result<Response<String>, Error> {
    let json = Response::builder().header("content-type", "application/json");
    Ok(json.body(r#"{"data":{"hello":"world"}}"#.to_owned())?)
}
