//! The state of the application: the objects that live as long as the process.
//!
//! [`App::new`] creates what the `api` function needs. [`WebApp::new`] adds logins and pages: the
//! `web` function, local mode and the tests use it. The `api` function does not, so its binary
//! contains no code for logins. The `web` function, local mode and the tests differ only in
//! [`Config`] and [`Dependencies`].

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
    identity::{InvalidProviders, LoginService, provider::Provider},
    secrets::{self, UnreadableSecret},
    store::{Store, client},
    telemetry::{self, Chain, LogFormat},
    web::site::{LoginMethod, Site},
};

/// The state of the `api` function.
#[derive(Clone)]
pub struct App {
    pub clock: Clock,
    pub entropy: Entropy,
    /// The origin of the product, which browsers and API clients use.
    pub public_url: PublicUrl,
    /// The origins of this site: the public URL, and alternatives to it.
    pub own_origins: OwnOrigins,
    /// Other origins whose scripts may call the API with a token.
    pub cors_origins: Vec<http::HeaderValue>,
    /// The name of the Lambda function. `None` outside of Lambda.
    pub function_name: Option<String>,
    pub access: Arc<Access>,
    pub endpoint: Arc<Endpoint>,
}

/// The state of the `web` function and of local mode: an [`App`] with logins and pages.
#[derive(Clone)]
pub struct WebApp {
    pub app: App,
    pub identity: Arc<LoginService>,
    pub site: Arc<Site>,
}

impl FromRef<WebApp> for Arc<Site> {
    fn from_ref(app: &WebApp) -> Self {
        Self::clone(&app.site)
    }
}

/// The parts of an app that depend on its environment. Tests and local mode provide their own.
#[derive(Clone)]
pub struct Dependencies {
    pub dynamodb: Client,
    /// The configuration for clients of other AWS services: KMS and Secrets Manager.
    pub aws: SdkConfig,
    /// The HTTP connector for requests to identity providers.
    pub provider_connector: SharedHttpConnector,
    pub clock: Clock,
    pub entropy: Entropy,
    /// Alternatives to the public URL, such as the same port on 127.0.0.1.
    pub other_origins: Vec<String>,
    /// Login methods besides the identity providers.
    pub login_methods: Vec<LoginMethod>,
}

/// The process cannot start.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    #[error(transparent)]
    Config(#[from] InvalidConfig),
    #[error(transparent)]
    Keys(#[from] InvalidKeys),
    #[error(transparent)]
    Providers(#[from] InvalidProviders),
    /// The secret with the list of identity providers cannot be read.
    #[error(transparent)]
    Secret(#[from] UnreadableSecret),
}

impl App {
    /// Creates the app of the `api` function from its environment variables.
    ///
    /// # Errors
    ///
    /// [`InitError`] lists all mistakes in the configuration.
    pub async fn from_environment() -> Result<Self, InitError> {
        let (config, dependencies) = read_environment()?;
        connect_during(Self::new(&config, &dependencies), &config, &dependencies).await
    }

    /// Creates an app.
    ///
    /// # Errors
    ///
    /// [`InitError::Keys`] if the signing keys are invalid.
    pub async fn new(config: &Config, dependencies: &Dependencies) -> Result<Self, InitError> {
        let kms = Kms::new(dependencies.aws.clone());
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

    /// Creates the pages of this app.
    pub(crate) fn site(&self, login_methods: Vec<LoginMethod>) -> Site {
        Site {
            access: Arc::clone(&self.access),
            endpoint: Arc::clone(&self.endpoint),
            own_origins: self.own_origins.clone(),
            public_url: self.public_url.clone(),
            login_methods,
        }
    }
}

impl WebApp {
    /// Creates the app of the `web` function from its environment variables.
    ///
    /// # Errors
    ///
    /// [`InitError`] lists all mistakes in the configuration or in the list of identity providers.
    pub async fn from_environment() -> Result<Self, InitError> {
        let (config, dependencies) = read_environment()?;
        connect_during(Self::new(&config, &dependencies), &config, &dependencies).await
    }

    /// Creates an app with logins and pages.
    ///
    /// # Errors
    ///
    /// [`InitError::Keys`], [`InitError::Secret`] or [`InitError::Providers`].
    pub async fn new(config: &Config, dependencies: &Dependencies) -> Result<Self, InitError> {
        let app = App::new(config, dependencies).await?;
        let providers = read_providers(config, dependencies).await?;
        let identity = LoginService::new(
            Arc::clone(&app.access),
            &providers,
            &app.public_url,
            dependencies.provider_connector.clone(),
            config.login_limit,
        )?;
        let login_methods = identity.providers().iter().map(login_method);
        let login_methods = login_methods.chain(dependencies.login_methods.clone()).collect();
        let site = Arc::new(app.site(login_methods));
        Ok(Self { app, identity: Arc::new(identity), site })
    }
}

/// Starts the log of a Lambda function and reads its configuration.
fn read_environment() -> Result<(Config, Dependencies), InvalidConfig> {
    telemetry::start(LogFormat::JsonWithMetrics, std::io::stdout);
    let config = Config::from_environment()?;
    let http = aws::https_client(&config.aws);
    let dependencies = Dependencies {
        dynamodb: client::client_on(&config.aws, http.clone()),
        aws: aws::sdk_config(&config.aws, http),
        provider_connector: aws::https_connector(),
        clock: Clock::System,
        entropy: Entropy::System,
        other_origins: Vec::new(),
        login_methods: Vec::new(),
    };
    Ok((config, dependencies))
}

/// Opens the connection to DynamoDB while the app is created, because Lambda does not throttle the
/// CPU during initialization.
async fn connect_during<A>(
    app: impl Future<Output = Result<A, InitError>>,
    config: &Config,
    dependencies: &Dependencies,
) -> Result<A, InitError> {
    let store = store(config, dependencies);
    let (warmed_up, app) = join(store.warm_up(), app).await;
    if let Err(fault) = warmed_up {
        tracing::warn!(cause = %Chain(&fault), "DynamoDB did not respond at startup");
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

/// Reads the list of identity providers, as JSON. Returns an empty text if there is none.
async fn read_providers(config: &Config, dependencies: &Dependencies) -> Result<Secret, InitError> {
    match &config.providers {
        None => Ok(Secret::from(String::new())),
        Some(Providers::Json(text)) => Ok(Secret::from(text.clone())),
        // Boxed, because the future of an SDK call has a size of several kilobytes.
        Some(Providers::SecretArn(arn)) => {
            Ok(Box::pin(secrets::read(&dependencies.aws, arn)).await?)
        }
    }
}

/// Creates the login button of an identity provider.
fn login_method(provider: &Provider) -> LoginMethod {
    LoginMethod {
        label: format!("Continue with {}", provider.label),
        path: provider.path(),
        brand: provider.brand.name(),
    }
}
