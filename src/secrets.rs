//! Reads secrets from AWS Secrets Manager, for values that must not be in environment variables. No
//! other module uses Secrets Manager.

use aws_sdk_secretsmanager::Client;
use aws_types::SdkConfig;

use crate::domain::secret::Secret;

/// A secret could not be read.
#[derive(Debug, thiserror::Error)]
#[error("the secret {arn} cannot be read")]
pub struct UnreadableSecret {
    arn: String,
    #[source]
    cause: Box<dyn std::error::Error + Send + Sync>,
}

/// Reads the text of a secret.
///
/// # Errors
///
/// [`UnreadableSecret`] when Secrets Manager rejects the request or does not respond, or when the
/// secret is binary.
pub async fn read(aws: &SdkConfig, arn: &str) -> Result<Secret, UnreadableSecret> {
    let unreadable = |cause| UnreadableSecret { arn: arn.to_owned(), cause };

    let response = Client::new(aws).get_secret_value().secret_id(arn).send().await;
    let text = response.map_err(|fault| unreadable(Box::new(fault)))?.secret_string;
    text.map(Secret::from).ok_or_else(|| unreadable("it is not text".into()))
}
