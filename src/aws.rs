//! Connections to AWS and to other servers: one TLS stack, credentials from the environment, and
//! a time limit for every request.
//!
//! Lambda provides credentials in three environment variables. The SDK's default credential chain
//! would add 1.7 MB to the binary and slow down the cold start.

use std::{sync::OnceLock, time::Duration};

use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_http_client::{
    Builder, Connector,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{
    behavior_version::BehaviorVersion,
    http::{HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector},
    orchestrator::HttpRequest,
};
use aws_smithy_types::{retry::RetryConfig, timeout::TimeoutConfig};
use aws_types::{SdkConfig, region::Region};

use crate::config::Aws;

/// The only TLS stack: rustls with ring.
const TLS: Provider = Provider::Rustls(CryptoMode::Ring);
/// Amazon's root certificates, which `build/roots.rs` selects.
const AMAZON_ROOTS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/amazon-roots.pem"));
/// The maximum number of attempts per request.
const MAX_ATTEMPTS: u32 = 3;
/// The pause before the first retry. It doubles for each further retry, with jitter.
const INITIAL_BACKOFF: Duration = Duration::from_millis(25);
/// The time limit of one attempt.
const ATTEMPT_TIMEOUT: Duration = Duration::from_millis(1500);
/// The time limit of all attempts together. It is well below the timeout of the functions.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(5);

/// Creates the HTTP client for AWS. All services share one, because creating it parses the root
/// certificates.
///
/// For Amazon's own endpoints, only Amazon's roots are trusted, because parsing the system's 140
/// roots would take half of a cold start. For other endpoints, the system's roots are trusted, or
/// those in the file that `SSL_CERT_FILE` names.
#[must_use]
pub fn https_client(aws: &Aws) -> SharedHttpClient {
    let trusted = if is_amazon(aws) { amazon_roots() } else { TrustStore::default() };
    let context = TlsContext::builder().with_trust_store(trusted).build().unwrap_or_default();
    Builder::new().tls_provider(TLS).tls_context(context).build_https()
}

fn amazon_roots() -> TrustStore {
    TrustStore::empty().with_pem_certificate(AMAZON_ROOTS)
}

/// Whether all endpoints are Amazon's own and have certificates from Amazon's roots. Endpoints in
/// China and in isolated regions may have certificates from other roots.
fn is_amazon(aws: &Aws) -> bool {
    let has_other_roots = aws.region.starts_with("cn-") || aws.region.contains("-iso");
    aws.endpoint.is_none() && aws.dynamodb_endpoint.is_none() && !has_other_roots
}

/// Creates the connector to servers outside of AWS. It trusts the system's roots.
#[must_use]
pub fn https_connector() -> SharedHttpConnector {
    SharedHttpConnector::new(LazyConnector::default())
}

/// A connector that is created on first use, because many instances never handle a login.
#[derive(Debug, Default)]
struct LazyConnector(OnceLock<Connector>);

impl HttpConnector for LazyConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.0.get_or_init(|| Connector::builder().tls_provider(TLS).build()).call(request)
    }
}

/// Creates the SDK's configuration for all services: credentials from the environment, retries with
/// exponential backoff, and time limits.
#[must_use]
pub fn sdk_config(aws: &Aws, http: SharedHttpClient) -> SdkConfig {
    let credentials = Credentials::new(
        aws.access_key_id.clone(),
        aws.secret_access_key.clone(),
        aws.session_token.clone(),
        None,
        "environment",
    );
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(ATTEMPT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build();
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(aws.region.clone()))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .retry_config(
            RetryConfig::standard()
                .with_max_attempts(MAX_ATTEMPTS)
                .with_initial_backoff(INITIAL_BACKOFF),
        )
        .timeout_config(timeouts)
        .http_client(http);
    config.set_endpoint_url(aws.endpoint.clone());
    config.build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn aws(region: &str, endpoint: Option<&str>, dynamodb_endpoint: Option<&str>) -> Aws {
        Aws {
            region: region.to_owned(),
            access_key_id: String::new(),
            secret_access_key: String::new(),
            session_token: None,
            endpoint: endpoint.map(str::to_owned),
            dynamodb_endpoint: dynamodb_endpoint.map(str::to_owned),
        }
    }

    #[rstest]
    #[case::a_region("eu-west-1", None, None, true)]
    #[case::a_region_of_govcloud("us-gov-west-1", None, None, true)]
    #[case::an_isolated_region("us-iso-east-1", None, None, false)]
    #[case::china("cn-north-1", None, None, false)]
    #[case::another_endpoint("eu-west-1", Some("https://aws.test"), None, false)]
    #[case::another_dynamodb("eu-west-1", None, Some("https://dynamodb.test"), false)]
    fn only_amazons_own_endpoints_require_amazons_roots(
        #[case] region: &str,
        #[case] endpoint: Option<&str>,
        #[case] dynamodb_endpoint: Option<&str>,
        #[case] expected: bool,
    ) {
        assert_eq!(is_amazon(&aws(region, endpoint, dynamodb_endpoint)), expected);
    }

    #[test]
    fn the_client_can_parse_amazons_roots() {
        let context = TlsContext::builder().with_trust_store(amazon_roots()).build().unwrap();

        let _panics_for_an_invalid_root =
            Connector::builder().tls_provider(TLS).tls_context(context).build();
    }
}
