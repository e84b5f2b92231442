//! The app: everything that lives as long as the process.
//!
//! There is one way to put it together. [`App::new`] makes what the `api` function needs.
//! [`WebApp::new`] starts from it and adds logins and pages: the `web` function, local mode and
//! the tests use it. The `api` function does not, so that its binary has no code for logins.
//! What differs between them is in [`Config`] and [`Dependencies`].

use std::{future::Future, sync::Arc};

use aws_sdk_dynamodb::Client;
use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use aws_types::SdkConfig;
use axum::extract::FromRef;
use futures_util::future::join;

use crate::{
    access::{
        Access,
        jwt::Jwt,
        keys::{InvalidKeys, Keys},
        kms::Kms,
    },
    aws,
    clock::Clock,
    config::{Config, InvalidConfig, Providers, PublicUrl},
    domain::secret::Secret,
    entropy::Entropy,
    graph::endpoint::Endpoint,
    http::{cookies::Cookies, csrf::OwnOrigins},
    identity::{Identity, InvalidProviders, provider::Provider},
    secrets::{self, Unreadable},
    store::{Store, client},
    telemetry::{self, Chain, LogFormat},
    web::site::{SignIn, Site},
};

/// What the `api` function runs on.
#[derive(Clone)]
pub struct App {
    pub clock: Clock,
    pub entropy: Entropy,
    /// Where people and programs reach the product.
    pub public_url: PublicUrl,
    /// The spellings of our own origin.
    pub own_origins: OwnOrigins,
    /// Other web origins whose scripts may call the API with a token.
    pub cors_origins: Vec<http::HeaderValue>,
    /// The name of the Lambda function, if the process is one.
    pub function_name: Option<String>,
    /// Sessions and API tokens.
    pub access: Arc<Access>,
    /// The GraphQL endpoint.
    pub endpoint: Arc<Endpoint>,
}

/// What the `web` function and local mode run on: the app with logins and pages.
#[derive(Clone)]
pub struct WebApp {
    pub app: App,
    /// Logins by identity providers.
    pub identity: Arc<Identity>,
    /// The pages.
    pub site: Arc<Site>,
}

impl FromRef<WebApp> for Arc<Site> {
    fn from_ref(app: &WebApp) -> Self {
        Self::clone(&app.site)
    }
}

/// What the app uses that is outside of it.
#[derive(Clone)]
pub struct Dependencies {
    /// The client of DynamoDB.
    pub dynamodb: Client,
    /// How to call the other services of AWS: KMS and Secrets Manager.
    pub aws: SdkConfig,
    /// How to call identity providers.
    pub web: SharedHttpConnector,
    pub clock: Clock,
    pub entropy: Entropy,
    /// Other spellings of our own origin, such as the one with 127.0.0.1.
    pub other_origins: Vec<String>,
    /// Ways to log in besides the identity providers.
    pub sign_ins: Vec<SignIn>,
}

/// The process cannot start.
#[derive(Debug, thiserror::Error)]
pub enum CannotStart {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] InvalidConfig),
    /// The signing keys are wrong.
    #[error(transparent)]
    Keys(#[from] InvalidKeys),
    /// The identity providers are wrong.
    #[error(transparent)]
    Providers(#[from] InvalidProviders),
    /// The secret with the identity providers cannot be read.
    #[error(transparent)]
    Secret(#[from] Unreadable),
}

impl App {
    /// Makes the app of the `api` function from its environment.
    ///
    /// # Errors
    ///
    /// [`CannotStart`] lists all mistakes in the configuration.
    pub async fn from_environment() -> Result<Self, CannotStart> {
        let (config, dependencies) = read_environment()?;
        connect_during(Self::new(&config, &dependencies), &config, &dependencies).await
    }

    /// Puts the app together.
    ///
    /// # Errors
    ///
    /// [`CannotStart::Keys`].
    pub async fn new(config: &Config, dependencies: &Dependencies) -> Result<Self, CannotStart> {
        let kms = Kms::of(dependencies.aws.clone());
        let keys = Keys::read(&config.signing_keys, &config.signing_public_keys, &kms).await?;
        let access = Arc::new(Access {
            store: store(config, dependencies),
            jwt: Jwt::new(keys, config.public_url.clone()),
            entropy: dependencies.entropy.clone(),
            cookies: Cookies::new(config.public_url.is_https()),
            creation_disabled: config.token_creation_disabled.clone(),
            renewal_limit: config.token_renewal_limit,
        });
        let own_origins = own_origins(config, dependencies);
        Ok(Self {
            clock: dependencies.clock.clone(),
            entropy: dependencies.entropy.clone(),
            public_url: config.public_url.clone(),
            cors_origins: config.cors_origins.clone(),
            function_name: config.function_name.clone(),
            endpoint: Arc::new(Endpoint::new(Arc::clone(&access), own_origins.clone())),
            own_origins,
            access,
        })
    }

    /// Returns the web application of this app.
    pub(crate) fn site(&self, sign_ins: Vec<SignIn>) -> Site {
        Site {
            access: Arc::clone(&self.access),
            endpoint: Arc::clone(&self.endpoint),
            own_origins: self.own_origins.clone(),
            public_url: self.public_url.clone(),
            sign_ins,
        }
    }
}

impl WebApp {
    /// Makes the app of the `web` function from its environment.
    ///
    /// # Errors
    ///
    /// [`CannotStart`] lists all mistakes in the configuration or in the providers.
    pub async fn from_environment() -> Result<Self, CannotStart> {
        let (config, dependencies) = read_environment()?;
        connect_during(Self::new(&config, &dependencies), &config, &dependencies).await
    }

    /// Puts the app together, with logins and pages.
    ///
    /// # Errors
    ///
    /// [`CannotStart::Keys`], [`CannotStart::Secret`] and [`CannotStart::Providers`].
    pub async fn new(config: &Config, dependencies: &Dependencies) -> Result<Self, CannotStart> {
        let app = App::new(config, dependencies).await?;
        let providers = read_providers(config, dependencies).await?;
        let (web, limit) = (dependencies.web.clone(), config.login_limit);
        let access = Arc::clone(&app.access);
        let identity = Identity::new(access, &providers, &app.public_url, web, limit)?;
        let sign_ins = identity.providers().iter().map(sign_in);
        let sign_ins = sign_ins.chain(dependencies.sign_ins.clone()).collect();
        let site = Arc::new(app.site(sign_ins));
        Ok(Self { app, identity: Arc::new(identity), site })
    }
}

/// Starts the log of a Lambda function, and reads its configuration.
fn read_environment() -> Result<(Config, Dependencies), InvalidConfig> {
    telemetry::start(LogFormat::JsonWithMetrics, std::io::stdout);
    let config = Config::from_environment()?;
    let http = aws::https_client(&config.aws);
    let dependencies = Dependencies {
        dynamodb: client::client_on(&config.aws, http.clone()),
        aws: aws::sdk_config(&config.aws, http),
        web: aws::https_connector(),
        clock: Clock::System,
        entropy: Entropy::System,
        other_origins: Vec::new(),
        sign_ins: Vec::new(),
    };
    Ok((config, dependencies))
}

/// Opens the connection to DynamoDB while the app is put together, because the processor is not
/// yet throttled then.
async fn connect_during<A>(
    assembly: impl Future<Output = Result<A, CannotStart>>,
    config: &Config,
    dependencies: &Dependencies,
) -> Result<A, CannotStart> {
    let store = store(config, dependencies);
    let (warmed_up, app) = join(store.warm_up(), assembly).await;
    if let Err(fault) = warmed_up {
        tracing::warn!(cause = %Chain(&fault), "DynamoDB did not answer at start");
    }
    app
}

fn store(config: &Config, dependencies: &Dependencies) -> Store {
    let client = dependencies.dynamodb.clone();
    Store::new(client, config.table.clone(), dependencies.entropy.clone())
}

fn own_origins(config: &Config, dependencies: &Dependencies) -> OwnOrigins {
    let own = config.public_url.as_str().to_owned();
    OwnOrigins([vec![own], dependencies.other_origins.clone()].concat())
}

/// Reads the identity providers, as JSON. Without any, the text is empty.
async fn read_providers(
    config: &Config,
    dependencies: &Dependencies,
) -> Result<Secret, CannotStart> {
    match &config.providers {
        None => Ok(Secret::from(String::new())),
        Some(Providers::Json(text)) => Ok(Secret::from(text.clone())),
        // Boxed, because the future of a call with the SDK has several kilobytes.
        Some(Providers::SecretArn(arn)) => {
            Ok(Box::pin(secrets::read(&dependencies.aws, arn)).await?)
        }
    }
}

/// Makes the button of an identity provider.
fn sign_in(provider: &Provider) -> SignIn {
    SignIn {
        label: format!("Continue with {}", provider.label),
        path: provider.path(),
        brand: provider.brand.name(),
    }
}
