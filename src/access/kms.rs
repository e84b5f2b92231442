//! Signing keys in AWS Key Management Service (KMS). The private keys never leave KMS.

use std::sync::{Arc, OnceLock};

use aws_sdk_kms::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    primitives::Blob,
    types::{MessageType, SigningAlgorithmSpec},
};
use aws_types::SdkConfig;
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};

/// The bytes before the 32 bytes of an Ed25519 public key in DER (RFC 8410).
const SPKI_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0];

/// A client of KMS. It is created on first use, because not every deployment has keys in KMS.
#[derive(Clone, Debug)]
pub struct Kms(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    aws: SdkConfig,
    client: OnceLock<Client>,
}

/// Error codes that have a 4xx status although a retry can help.
const RETRYABLE: [&str; 4] =
    ["KeyUnavailableException", "LimitExceededException", "Throttling", "ThrottlingException"];

/// A request to KMS failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum KmsError {
    /// KMS failed, throttled the request, or did not respond in time.
    #[error("KMS is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// KMS rejected the request: the role may not use the key, or the key is disabled, pending
    /// deletion or of the wrong type. A retry does not help.
    #[error("KMS rejected the request")]
    Rejected(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Classifies the failure of a request.
fn classify<E>(error: SdkError<E>) -> KmsError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let is_rejected = match &error {
        SdkError::ConstructionFailure(_) => true,
        SdkError::ServiceError(it) => {
            let is_retryable = it.err().code().is_some_and(|code| RETRYABLE.contains(&code));
            it.raw().status().is_client_error() && !is_retryable
        }
        _ => false,
    };
    if is_rejected {
        KmsError::Rejected(Box::new(error))
    } else {
        KmsError::Unavailable(Box::new(error))
    }
}

impl Kms {
    /// Creates a client with the SDK's configuration.
    #[must_use]
    pub fn new(aws: SdkConfig) -> Self {
        Self(Arc::new(Inner { aws, client: OnceLock::new() }))
    }

    fn client(&self) -> &Client {
        self.0.client.get_or_init(|| Client::new(&self.0.aws))
    }

    /// Requests the public key of the key `arn`. Returns its 32 bytes in base64url.
    pub(super) async fn public_key(&self, arn: &str) -> Result<String, KmsError> {
        let response = self.client().get_public_key().key_id(arn).send().await.map_err(classify)?;
        let unavailable = |fault: &str| KmsError::Unavailable(fault.into());
        let der = response
            .public_key
            .ok_or_else(|| unavailable("KMS returned no public key"))?
            .into_inner();
        from_der(&der).map_err(|fault| KmsError::Rejected(fault.into()))
    }

    /// Signs `message` with the key `arn`. Returns the signature in base64url.
    pub(super) async fn sign(&self, arn: &str, message: &str) -> Result<String, KmsError> {
        let sign = self
            .client()
            .sign()
            .key_id(arn)
            .message(Blob::new(message))
            .message_type(MessageType::Raw);
        let response = sign.signing_algorithm(SigningAlgorithmSpec::Ed25519Sha512).send().await;
        let response = response.map_err(classify)?;
        let signature = response
            .signature
            .ok_or_else(|| KmsError::Unavailable("KMS returned no signature".into()))?;
        Ok(URL_SAFE_NO_PAD.encode(signature))
    }
}

/// Parses a public key in DER and base64, as in the output of `aws kms get-public-key`. Returns its
/// 32 bytes in base64url.
pub(super) fn parse_public_key(text: &str) -> Result<String, &'static str> {
    from_der(&STANDARD.decode(text).map_err(|_| "the public key is not base64")?)
}

fn from_der(der: &[u8]) -> Result<String, &'static str> {
    let key = der.strip_prefix(&SPKI_PREFIX).filter(|it| it.len() == 32);
    key.map(|it| URL_SAFE_NO_PAD.encode(it))
        .ok_or("the key is not of the kind ECC_NIST_EDWARDS25519")
}
