//! How DynamoDB is reached: one client, one TLS stack, no waiting without an end.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::{
    Client,
    config::{
        BehaviorVersion, Builder, ConfigBag, Intercept, Region, RuntimeComponents, SharedHttpClient,
        interceptors::BeforeTransmitInterceptorContextRef, retry::RetryConfig, timeout::TimeoutConfig,
    },
    error::BoxError,
};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

use crate::{config::Aws, telemetry};

/// The one TLS stack: rustls on ring.
pub const TLS: Provider = Provider::Rustls(CryptoMode::Ring);
/// How often one request is tried before it counts as failed.
const ATTEMPTS: u32 = 3;
/// The first pause between two tries; it doubles, with jitter.
const FIRST_PAUSE: Duration = Duration::from_millis(25);
/// How long one try may take.
const ATTEMPT_TIMEOUT: Duration = Duration::from_millis(1500);
/// How long all tries may take together: well below the function's time limit.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(5);

/// The client that talks to DynamoDB over TLS, by rustls on ring.
#[must_use]
pub fn client(aws: &Aws) -> Client {
    let https = aws_smithy_http_client::Builder::new().tls_provider(TLS).build_https();
    client_on(aws, https)
}

/// The client that talks to DynamoDB through `http`: the seam for the embedded one.
#[must_use]
pub fn client_on(aws: &Aws, http: SharedHttpClient) -> Client {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(ATTEMPT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build();
    let mut config = Builder::new()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(aws.region.clone()))
        .credentials_provider(credentials(aws))
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS).with_initial_backoff(FIRST_PAUSE))
        .timeout_config(timeouts)
        .http_client(http)
        .interceptor(Count);
    config.set_endpoint_url(aws.dynamodb_endpoint.clone());
    Client::from_conf(config.build())
}

fn credentials(aws: &Aws) -> Credentials {
    let (id, key) = (aws.access_key_id.clone(), aws.secret_access_key.clone());
    Credentials::new(id, key, aws.session_token.clone(), None, "environment")
}

/// Counts what a request costs, for its log line.
#[derive(Debug)]
struct Count;

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for Count {
    fn name(&self) -> &'static str {
        "count"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        telemetry::note(|line| line.dynamodb_calls += 1);
        Ok(())
    }
}
