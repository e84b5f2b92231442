//! What lives as long as the process: made once, before the first request.

use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_smithy_runtime_api::client::http::{SharedHttpClient, SharedHttpConnector};
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
    config::{Config, InvalidConfig, PublicUrl},
    domain::{rate_limit::RateLimit, secret::Secret},
    entropy::Entropy,
    graph::endpoint::Endpoint,
    http::{cookies::Cookies, csrf::OwnOrigins},
    identity::{Identity, InvalidProviders, provider::Provider},
    secrets::{self, Unreadable},
    store::{Store, client},
    telemetry::{self, Chain, LogFormat},
    web::site::{SignIn, Site},
};

/// What lives as long as the process: all that the `api` function has.
#[derive(Clone)]
pub struct App {
    /// The one clock.
    pub clock: Clock,
    /// The one source of randomness.
    pub entropy: Entropy,
    /// Where people and programs reach the product.
    pub public_url: PublicUrl,
    /// The spellings of our own origin.
    pub own_origins: OwnOrigins,
    /// Foreign web origins whose scripts may call the API with a token.
    pub cors_origins: Vec<http::HeaderValue>,
    /// What Lambda calls the function, where it is one.
    pub function_name: Option<String>,
    /// Sessions and tokens.
    pub access: Arc<Access>,
    /// The graph behind HTTP.
    pub endpoint: Arc<Endpoint>,
}

/// The same with logins and pages, for the `web` function and local mode.
#[derive(Clone)]
pub struct WebApp {
    /// What it shares with the `api` function.
    pub app: App,
    /// Logins by identity providers.
    pub identity: Arc<Identity>,
    /// The web application.
    pub site: Arc<Site>,
}

impl FromRef<WebApp> for Arc<Site> {
    fn from_ref(app: &WebApp) -> Self {
        Self::clone(&app.site)
    }
}

/// What differs between Lambda, local mode and tests.
pub struct Dependencies {
    /// How DynamoDB is reached.
    pub client: Client,
    /// The clock.
    pub clock: Clock,
    /// The source of randomness.
    pub entropy: Entropy,
    /// Other spellings of our own origin, such as the one with 127.0.0.1.
    pub other_origins: Vec<String>,
    /// Where signing keys may be kept.
    pub kms: Kms,
}

/// How people log in.
pub struct Logins {
    /// The identity providers, as JSON; empty where there is none.
    pub providers: Secret,
    /// How they are reached.
    pub web: SharedHttpConnector,
    /// Other ways to log in.
    pub sign_ins: Vec<SignIn>,
    /// How many logins one network may begin; unlimited without it.
    pub limit: Option<RateLimit>,
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
    /// Makes the app of the `api` function, from its environment.
    ///
    /// # Errors
    ///
    /// [`CannotStart`] names all that is wrong with the configuration.
    pub async fn from_environment() -> Result<Self, CannotStart> {
        let (config, http) = configured()?;
        Self::started(config, http).await
    }

    /// The connections to DynamoDB and KMS are opened here, where the processor is not yet
    /// throttled. DynamoDB's is begun first: while it answers, the rest is put together.
    async fn started(config: Config, http: SharedHttpClient) -> Result<Self, CannotStart> {
        let dependencies = Dependencies {
            client: client::client_on(&config.aws, http.clone()),
            clock: Clock::System,
            entropy: Entropy::System,
            other_origins: Vec::new(),
            kms: Kms::of(aws::sdk_config(&config.aws, http)),
        };
        let store = Store::new(dependencies.client.clone(), config.table.clone(), Entropy::System);
        let (warmed_up, app) = join(store.warm_up(), Self::assemble(config, dependencies)).await;
        if let Err(fault) = warmed_up {
            tracing::warn!(cause = %Chain(&fault), "DynamoDB did not answer at start");
        }
        app
    }

    /// Puts the app together.
    ///
    /// # Errors
    ///
    /// [`CannotStart::Keys`].
    pub async fn assemble(config: Config, dependencies: Dependencies) -> Result<Self, CannotStart> {
        let Dependencies { client, clock, entropy, other_origins, kms } = dependencies;
        let Config {
            public_url,
            table,
            signing_keys,
            signing_public_keys,
            cors_origins,
            function_name,
            token_creation_disabled: creation_disabled,
            token_renewal_limit: renewal_limit,
            ..
        } = config;
        let keys = Keys::read(&signing_keys, &signing_public_keys, &kms).await?;
        let jwt = Jwt::new(keys, public_url.clone());
        let store = Store::new(client, table, entropy.clone());
        let cookies = Cookies::new(public_url.is_https());
        let access = Arc::new(Access {
            store,
            jwt,
            entropy: entropy.clone(),
            cookies,
            creation_disabled,
            renewal_limit,
        });
        let own_origins =
            OwnOrigins([vec![public_url.as_str().to_owned()], other_origins].concat());
        let endpoint = Arc::new(Endpoint::new(Arc::clone(&access), own_origins.clone()));
        Ok(Self {
            clock,
            entropy,
            public_url,
            own_origins,
            cors_origins,
            function_name,
            access,
            endpoint,
        })
    }
}

impl WebApp {
    /// Makes the app of the `web` function, from its environment.
    ///
    /// # Errors
    ///
    /// [`CannotStart`] names all that is wrong with the configuration or the providers.
    pub async fn from_environment() -> Result<Self, CannotStart> {
        let (config, http) = configured()?;
        let providers = match &config.providers_secret_arn {
            Some(arn) => secrets::read(&aws::sdk_config(&config.aws, http.clone()), arn).await?,
            None => Secret::from(String::new()),
        };
        let limit = config.login_limit;
        let logins = Logins { providers, web: aws::https_connector(), sign_ins: Vec::new(), limit };
        Self::with(App::started(config, http).await?, logins)
    }

    /// Adds logins and pages to an app.
    ///
    /// # Errors
    ///
    /// [`CannotStart::Providers`].
    pub fn with(app: App, logins: Logins) -> Result<Self, CannotStart> {
        let Logins { providers, web, sign_ins, limit } = logins;
        let identity =
            Identity::new(Arc::clone(&app.access), &providers, &app.public_url, web, limit)?;
        let sign_ins = identity.providers().iter().map(sign_in).chain(sign_ins).collect();
        let (access, url) = (Arc::clone(&app.access), app.public_url.clone());
        let site = Site::new(access, app.own_origins.clone(), url, sign_ins);
        Ok(Self { app, identity: Arc::new(identity), site: Arc::new(site) })
    }
}

/// Starts the log of a function; tells what the operator decided, and how AWS is reached.
fn configured() -> Result<(Config, SharedHttpClient), InvalidConfig> {
    telemetry::start(LogFormat::JsonWithMetrics, std::io::stdout);
    let config = Config::from_environment()?;
    let http = aws::https_client(&config.aws);
    Ok((config, http))
}

/// The button of an identity provider.
fn sign_in(provider: &Provider) -> SignIn {
    SignIn {
        label: format!("Continue with {}", provider.label),
        path: provider.path(),
        brand: provider.brand.name(),
    }
}
