//! What lives as long as the process: made once, before the first request.

use std::sync::Arc;

use aws_sdk_dynamodb::Client;

use crate::{
    access::{
        Access,
        jwt::Jwt,
        keys::{InvalidKeys, Keys},
    },
    clock::Clock,
    config::{Config, InvalidConfig, PublicUrl},
    entropy::Entropy,
    graph::endpoint::Endpoint,
    http::csrf::OwnOrigins,
    store::{Store, client},
    telemetry::{self, Chain, LogFormat},
    web::site::{SignIn, Site},
};

/// What lives as long as the process.
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
    /// Sessions and tokens.
    pub access: Arc<Access>,
    /// The graph behind HTTP.
    pub endpoint: Arc<Endpoint>,
    /// The web application.
    pub site: Arc<Site>,
}

/// What differs between Lambda, local mode and tests.
pub struct Surroundings {
    /// How DynamoDB is reached.
    pub client: Client,
    /// The clock.
    pub clock: Clock,
    /// The source of randomness.
    pub entropy: Entropy,
    /// Other spellings of our own origin, such as the one with 127.0.0.1.
    pub other_origins: Vec<String>,
    /// The ways to log in.
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
}

impl App {
    /// Makes the app of a Lambda function, from its environment. The connection to
    /// DynamoDB and all code of the first request are warmed up here, where the
    /// processor is not yet throttled.
    ///
    /// # Errors
    ///
    /// [`CannotStart`] names all that is wrong with the configuration.
    pub async fn from_environment() -> Result<Self, CannotStart> {
        telemetry::start(LogFormat::Json, std::io::stdout);
        let config = Config::from_environment()?;
        let surroundings = Surroundings {
            client: client::client(&config.aws),
            clock: Clock::System,
            entropy: Entropy::System,
            other_origins: Vec::new(),
            sign_ins: Vec::new(),
        };
        let app = Self::assemble(config, surroundings)?;
        app.warm_up().await;
        Ok(app)
    }

    /// Puts the app together.
    ///
    /// # Errors
    ///
    /// [`CannotStart::Keys`].
    pub fn assemble(config: Config, surroundings: Surroundings) -> Result<Self, CannotStart> {
        let Surroundings { client, clock, entropy, other_origins, sign_ins } = surroundings;
        let Config {
            public_url,
            table,
            signing_keys,
            cors_origins,
            token_creation_disabled: creation_disabled,
            ..
        } = config;
        let jwt = Jwt::new(Keys::parse(&signing_keys)?, public_url.clone());
        let store = Store::new(client, table);
        let access = Arc::new(Access { store, jwt, entropy: entropy.clone(), creation_disabled });
        let own_origins = OwnOrigins([vec![public_url.as_str().to_owned()], other_origins].concat());
        let endpoint = Arc::new(Endpoint::new(Arc::clone(&access), own_origins.clone()));
        let site = Site::new(Arc::clone(&access), own_origins.clone(), public_url.clone(), sign_ins);
        Ok(Self {
            clock,
            entropy,
            public_url,
            own_origins,
            cors_origins,
            access,
            endpoint,
            site: Arc::new(site),
        })
    }

    /// Pays for what the first request would have to pay for otherwise.
    async fn warm_up(&self) {
        if let Err(fault) = self.access.store.warm_up().await {
            tracing::warn!(cause = %Chain(&fault), "DynamoDB did not answer at start");
        }
        self.endpoint.warm_up().await;
    }
}
