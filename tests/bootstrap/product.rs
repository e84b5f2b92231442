//! The environment of the functions: a DynamoDB on a loopback port, and signing keys. An app with a
//! clock in the past also uses the database, because the clock of a function cannot be moved.

use arm_api::{
    app::{Dependencies, WebApp},
    aws,
    clock::{Clock, ManualClock},
    config::SigningKeys,
    entropy::Entropy,
    local::{
        self,
        dynamodb::{Embedded, http_client},
        keys,
    },
    store::client,
};
use axum::{Router, body::Bytes, extract::State, response::IntoResponse};
use http::{HeaderMap, StatusCode, header::CONTENT_TYPE};
use jiff::SignedDuration;
use tokio::net::TcpListener;

use crate::event_fixtures::URL;

const TABLE: &str = "arm";

pub(crate) struct Product {
    embedded: Embedded,
    dynamodb_endpoint: String,
    signing_keys: SigningKeys,
}

impl Product {
    /// Starts with an empty table.
    pub(crate) async fn start() -> Self {
        let embedded = Embedded::in_memory(Clock::System).unwrap();
        let signing_keys = keys::in_memory(&Entropy::System).unwrap();
        let dynamodb_endpoint = serve(embedded.clone()).await;
        let product = Self { embedded, dynamodb_endpoint, signing_keys };
        local::create_table(&product.client(), TABLE).await.unwrap();
        product
    }

    /// Returns the environment variables of a function, as `template.yaml` and Lambda set them.
    pub(crate) fn environment(&self) -> [(&'static str, &str); 7] {
        [
            ("TABLE_NAME", TABLE),
            ("PUBLIC_URL", URL),
            ("SIGNING_KEYS", &self.signing_keys.0),
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "local"),
            ("AWS_SECRET_ACCESS_KEY", "local"),
            ("AWS_ENDPOINT_URL_DYNAMODB", &self.dynamodb_endpoint),
        ]
    }

    /// Returns an app with the same table and keys, whose clock is two hours behind.
    pub(crate) async fn two_hours_ago(&self) -> (WebApp, ManualClock) {
        let clock = ManualClock::at(Clock::System.now() - SignedDuration::from_hours(2));
        let config = local::config(URL.to_owned().try_into().unwrap(), self.signing_keys.clone());
        let http = aws::https_client(&config.aws);
        let dependencies = Dependencies {
            clock: Clock::Manual(clock.clone()),
            ..local::dependencies(self.client(), http)
        };
        (WebApp::new(&config, &dependencies).await.unwrap(), clock)
    }

    fn client(&self) -> aws_sdk_dynamodb::Client {
        client::client_on(&local::aws(None), http_client(self.embedded.clone()))
    }
}

/// Serves the database over HTTP. Returns its URL.
async fn serve(embedded: Embedded) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().fallback(call).with_state(embedded);
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

async fn call(
    State(embedded): State<Embedded>,
    headers: HeaderMap,
    body: Bytes,
) -> impl IntoResponse {
    let target = headers.get("x-amz-target").and_then(|it| it.to_str().ok()).unwrap_or_default();
    let (status, json) = embedded.respond(target.rsplit('.').next().unwrap_or_default(), &body);
    (StatusCode::from_u16(status).unwrap(), [(CONTENT_TYPE, "application/x-amz-json-1.0")], json)
}
