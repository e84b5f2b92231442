//! A configuration and dependencies that need no AWS account.

use aws_sdk_dynamodb::Client;
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use crate::{
    app::Dependencies,
    aws::{https_connector, sdk_config},
    clock::Clock,
    config::{Aws, Config, DEFAULT_RENEWAL_LIMIT, PublicUrl, SigningKeys},
    entropy::Entropy,
    local::login,
    web::site::LoginMethod,
};

/// Returns the default configuration of local mode.
#[must_use]
pub fn config(public_url: PublicUrl, signing_keys: SigningKeys) -> Config {
    Config {
        table: "arm".to_owned(),
        public_url,
        signing_keys,
        signing_public_keys: String::new(),
        cors_origins: Vec::new(),
        token_creation_disabled: None,
        token_renewal_limit: DEFAULT_RENEWAL_LIMIT,
        providers: None,
        login_limit: None, // all requests come from this machine
        function_name: None,
        aws: aws(None),
    }
}

/// Returns dependencies with the development login, the system clock and the system's random
/// numbers. `http` connects to AWS services other than DynamoDB.
#[must_use]
pub fn dependencies(dynamodb: Client, http: SharedHttpClient) -> Dependencies {
    Dependencies {
        dynamodb,
        aws: sdk_config(&aws(None), http),
        provider_connector: https_connector(),
        clock: Clock::System,
        entropy: Entropy::System,
        other_origins: Vec::new(),
        login_methods: vec![development_login()],
    }
}

/// Returns credentials for a DynamoDB that does not check them.
#[must_use]
pub fn aws(dynamodb_endpoint: Option<String>) -> Aws {
    Aws {
        region: "local".to_owned(),
        access_key_id: "local".to_owned(),
        secret_access_key: "local".to_owned(),
        session_token: None,
        endpoint: None,
        dynamodb_endpoint,
    }
}

fn development_login() -> LoginMethod {
    LoginMethod {
        label: "Development login".to_owned(),
        path: login::PATH.to_owned(),
        brand: "development",
    }
}
