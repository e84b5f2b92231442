//! The `api` function as it is written at first: a Bearer token is verified, its record
//! read, `me` answered; or a new token signed and recorded.

mod graph;
mod tokens;

use std::sync::Arc;

use aws_config::load_from_env;
use lambda_http::{Body, Error, Request, Response, run, service_fn, tracing};

use graph::{Graph, graph};
use tokens::Tokens;

#[tokio::main]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let tokens = Arc::new(Tokens::from_environment(&load_from_env().await)?);
    let graph = graph(Arc::clone(&tokens));
    run(service_fn(|request| answer(&graph, &tokens, request))).await
}

async fn answer(graph: &Graph, tokens: &Tokens, request: Request) -> Result<Response<Body>, Error> {
    let header = request.headers().get("authorization").ok_or("no credential")?;
    let token = header.to_str()?.strip_prefix("Bearer ").ok_or("no Bearer token")?;
    let person = tokens.authenticate(token).await?;
    let query: async_graphql::Request = serde_json::from_slice(request.body())?;
    let answered = graph.execute(query.data(person)).await;
    let json = Response::builder().header("content-type", "application/json");
    Ok(json.body(serde_json::to_string(&answered)?.into())?)
}
