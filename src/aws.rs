//! How services of AWS, and other servers, are reached: one TLS stack, the credentials of
//! the environment, no waiting without an end.
//!
//! Credentials in Lambda are three variables; the SDK's own chain of providers would cost
//! 1.7 MB and time at start.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_smithy_http_client::{
    Builder, Connector,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::http::{SharedHttpClient, SharedHttpConnector};
use aws_smithy_types::{retry::RetryConfig, timeout::TimeoutConfig};

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

/// The client over which the SDK reaches AWS.
#[must_use]
pub fn https_client() -> SharedHttpClient {
    Builder::new().tls_provider(TLS).build_https()
}

/// The connector over which any other server is reached.
#[must_use]
pub fn https_connector() -> SharedHttpConnector {
    SharedHttpConnector::new(Connector::builder().tls_provider(TLS).build())
}

/// The credentials of the environment.
#[must_use]
pub fn credentials(aws: &Aws) -> Credentials {
    let (id, key) = (aws.access_key_id.clone(), aws.secret_access_key.clone());
    Credentials::new(id, key, aws.session_token.clone(), None, "environment")
}

/// How a request is tried again: with growing pauses, and within [`timeouts`].
#[must_use]
pub fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(ATTEMPTS).with_initial_backoff(FIRST_PAUSE)
}

/// How long a request and its tries may take.
#[must_use]
pub fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(ATTEMPT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build()
}
