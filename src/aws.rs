//! How services of AWS, and other servers, are reached: one TLS stack, the credentials of
//! the environment, no waiting without an end.
//!
//! Credentials in Lambda are three variables; the SDK's own chain of providers would cost
//! 1.7 MB and time at start.

use std::{sync::OnceLock, time::Duration};

use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_http_client::{
    Builder, Connector,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{
    behavior_version::BehaviorVersion,
    http::{HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector},
    orchestrator::HttpRequest,
};
use aws_smithy_types::{retry::RetryConfig, timeout::TimeoutConfig};
use aws_types::{SdkConfig, region::Region};

use crate::config::Aws;

/// The one TLS stack: rustls on ring.
const TLS: Provider = Provider::Rustls(CryptoMode::Ring);
/// How often one request is tried before it counts as failed.
const ATTEMPTS: u32 = 3;
/// The first pause between two tries; it doubles, with jitter.
const FIRST_PAUSE: Duration = Duration::from_millis(25);
/// How long one try may take.
const ATTEMPT_TIMEOUT: Duration = Duration::from_millis(1500);
/// How long all tries may take together: well below the function's time limit.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(5);

/// The client over which the SDK reaches AWS: one for all services, since to make it is to
/// parse all root certificates.
#[must_use]
pub fn https_client() -> SharedHttpClient {
    Builder::new().tls_provider(TLS).build_https()
}

/// The connector over which any other server is reached.
#[must_use]
pub fn https_connector() -> SharedHttpConnector {
    SharedHttpConnector::new(OnDemand::default())
}

/// A connector that is made when it is first used: the `api` function never asks another
/// server.
#[derive(Debug, Default)]
struct OnDemand(OnceLock<Connector>);

impl HttpConnector for OnDemand {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.0.get_or_init(|| Connector::builder().tls_provider(TLS).build()).call(request)
    }
}

/// How every service of AWS is reached, through `http`: by the credentials of the
/// environment, tried again with growing pauses, and never without an end.
#[must_use]
pub fn sdk_config(aws: &Aws, http: SharedHttpClient) -> SdkConfig {
    let (id, key) = (aws.access_key_id.clone(), aws.secret_access_key.clone());
    let credentials = Credentials::new(id, key, aws.session_token.clone(), None, "environment");
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(ATTEMPT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build();
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(aws.region.clone()))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS).with_initial_backoff(FIRST_PAUSE))
        .timeout_config(timeouts)
        .http_client(http);
    config.set_endpoint_url(aws.endpoint.clone());
    config.build()
}
