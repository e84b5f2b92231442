//! How services of AWS, and other servers, are reached: one TLS stack, the credentials of
//! the environment, no waiting without an end.
//!
//! Credentials in Lambda are three variables; the SDK's own chain of providers would cost
//! 1.7 MB and time at start.

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

/// The one TLS stack: rustls on ring.
const TLS: Provider = Provider::Rustls(CryptoMode::Ring);
/// The certificates that stand behind Amazon's own: `build/roots.rs` names them.
const AMAZON_ROOTS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/amazon-roots.pem"));
/// How often one request is tried before it counts as failed.
const ATTEMPTS: u32 = 3;
/// The first pause between two tries; it doubles, with jitter.
const FIRST_PAUSE: Duration = Duration::from_millis(25);
/// How long one try may take.
const ATTEMPT_TIMEOUT: Duration = Duration::from_millis(1500);
/// How long all tries may take together: well below the function's time limit.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(5);

/// The client over which the SDK reaches AWS: one for all services, since to make it is to
/// parse the root certificates.
///
/// Amazon itself must prove who it is by Amazon's roots, and the system's 140 others are not
/// even read, which would take the half of a cold start. Another endpoint is trusted as the
/// system trusts it, or by the file that `SSL_CERT_FILE` names.
#[must_use]
pub fn https_client(aws: &Aws) -> SharedHttpClient {
    let trusted = if is_amazons(aws) { amazons() } else { TrustStore::default() };
    let context = TlsContext::builder().with_trust_store(trusted).build().unwrap_or_default();
    Builder::new().tls_provider(TLS).tls_context(context).build_https()
}

fn amazons() -> TrustStore {
    TrustStore::empty().with_pem_certificate(AMAZON_ROOTS)
}

/// Whether it is Amazon that is reached, in a part of the world where its certificates are of
/// its own roots. In China and the isolated regions they need not be.
fn is_amazons(aws: &Aws) -> bool {
    let is_apart = aws.region.starts_with("cn-") || aws.region.contains("-iso");
    aws.endpoint.is_none() && aws.dynamodb_endpoint.is_none() && !is_apart
}

/// The connector over which any other server is reached.
#[must_use]
pub fn https_connector() -> SharedHttpConnector {
    SharedHttpConnector::new(OnDemand::default())
}

/// A connector that is made when it is first used: not every instance sees a login.
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
        .retry_config(
            RetryConfig::standard().with_max_attempts(ATTEMPTS).with_initial_backoff(FIRST_PAUSE),
        )
        .timeout_config(timeouts)
        .http_client(http);
    config.set_endpoint_url(aws.endpoint.clone());
    config.build()
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn only_amazons_own_endpoints_must_have_amazons_roots() {
        assert!(is_amazons(&aws("eu-west-1", None, None)));
        assert!(is_amazons(&aws("us-gov-west-1", None, None)));
        assert!(!is_amazons(&aws("us-iso-east-1", None, None)));
        assert!(!is_amazons(&aws("cn-north-1", None, None)));
        assert!(!is_amazons(&aws("eu-west-1", Some("https://aws.test"), None)));
        assert!(!is_amazons(&aws("eu-west-1", None, Some("https://dynamodb.test"))));
    }

    #[test]
    fn amazons_roots_can_be_read_as_the_client_will_read_them() {
        let context = TlsContext::builder().with_trust_store(amazons()).build().unwrap();

        let _a_wrong_certificate_is_a_panic =
            Connector::builder().tls_provider(TLS).tls_context(context).build();
    }
}
