//! Puts local mode together and serves it.

use std::{fs, io, net::SocketAddr, path::Path, time::Duration};

use aws_sdk_dynamodb::Client;
use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    middleware::{self, Next},
    response::{IntoResponse, Redirect, Response},
};
use http::{Method, Request, header::HOST};
use serde_json::json;
use tokio::net::TcpListener;

use crate::{
    access::kms::Kms,
    app::{App, CannotStart, Dependencies, Logins, WebApp},
    aws,
    clock::{Clock, ManualClock},
    config::{Config, PublicUrl, SigningKeys},
    domain::secret::Secret,
    entropy::Entropy,
    http::Caller,
    local::{
        self,
        data_dir::DataDir,
        demo,
        development::{self, TestControls},
        dynamodb::{Embedded, http_client},
        faults::{Faults, Faulty},
        hosts::{self, Listening},
        keys,
        options::{Command, KeysCommand, Log, Options},
        sign_in,
        start_error::StartError,
        table,
    },
    routes,
    store::client,
    telemetry::{self, LogFormat},
};

type Result<T> = std::result::Result<T, StartError>;

/// The table's name in local mode.
const TABLE: &str = "arm";
/// How often the embedded database deletes what has reached its `ttl`.
const SWEEP_INTERVAL: Duration = Duration::from_mins(1);

/// Does what the command line says.
///
/// # Errors
///
/// [`StartError`] says what went wrong and what to do.
pub async fn run(options: Options) -> Result<()> {
    match &options.command {
        Some(Command::Keys(command)) => look_after_keys(&options, command),
        None => serve(options).await,
    }
}

async fn serve(options: Options) -> Result<()> {
    let format = if options.log == Log::Json { LogFormat::Json } else { LogFormat::Text };
    telemetry::start(format, io::stderr);
    let (listener, public_url) = listen(&options).await?;

    let data = Data::open(&options)?;
    let (app, controls) = assembled(&options, &data, public_url.clone()).await?;
    let has_admin = demo_data(&options, &app.app).await.map_err(|fault| data.unusable(&fault))?;
    announce(&options, &public_url, has_admin);
    let own_hosts = middleware::from_fn_with_state(Listening(options.host), hosts::refuse_foreign);
    let routes = routes(app, controls).layer(own_hosts);
    let service = routes.into_make_service_with_connect_info::<SocketAddr>();
    let served = axum::serve(listener, service).with_graceful_shutdown(stopped()).await;
    served.map_err(|fault| StartError::new("Cannot serve any longer", fault, "Start it again."))
}

/// Listens where the options say, unless that exposes a product without passwords.
async fn listen(options: &Options) -> Result<(TcpListener, PublicUrl)> {
    let address = SocketAddr::from((options.host, options.port));
    if !options.host.is_loopback() {
        let danger = "everybody who reaches this address can log in as anybody, without a password";
        if !options.expose_to_network {
            let remedy = "If that is what you want, add --expose-to-network.";
            return Err(StartError::new(format!("Refused to listen on {address}"), danger, remedy));
        }
        tracing::warn!("Listening on {address}: {danger}");
    }
    let cannot = |fault: io::Error| StartError::cannot_listen(address, &fault);
    let listener = TcpListener::bind(address).await.map_err(cannot)?;
    let port = listener.local_addr().map_err(cannot)?.port();
    let public_url = PublicUrl::try_from(format!("http://localhost:{port}"));
    Ok((listener, public_url.map_err(|fault| cannot(io::Error::other(fault)))?))
}

/// Fills in the demo data if it is wanted, and answers whether the demo admin is one.
async fn demo_data(options: &Options, app: &App) -> crate::error::Result<bool> {
    if !options.no_demo {
        demo::fill(app).await?;
    }
    demo::has_admin(app).await
}

/// Where local mode keeps its data.
enum Data {
    /// Nowhere: it is gone when the process ends.
    InMemory,
    /// In a directory.
    InDirectory(DataDir),
    /// In a DynamoDB at this URL; the keys are in the directory, if there is one.
    Elsewhere(String, Option<DataDir>),
}

impl Data {
    fn open(options: &Options) -> Result<Self> {
        let directory =
            if options.in_memory { None } else { Some(DataDir::open(&options.data_dir)?) };
        Ok(match (options.dynamodb_endpoint.clone(), directory) {
            (Some(url), directory) => Self::Elsewhere(url, directory),
            (None, Some(directory)) => Self::InDirectory(directory),
            (None, None) => Self::InMemory,
        })
    }

    fn directory(&self) -> Option<&DataDir> {
        match self {
            Self::InMemory => None,
            Self::InDirectory(directory) => Some(directory),
            Self::Elsewhere(_, directory) => directory.as_ref(),
        }
    }

    /// The database does not do what it has to.
    fn unusable(&self, cause: &(dyn std::error::Error + 'static)) -> StartError {
        let (what, remedy) = match self {
            Self::InMemory => ("the database in memory".to_owned(), "Free some memory."),
            Self::InDirectory(directory) => (
                format!("the database {}", directory.database_path().display()),
                "Check that you may write to this directory and that its disk is not full.",
            ),
            Self::Elsewhere(url, _) => (
                format!("DynamoDB at {url}"),
                "Start it, or choose another with --dynamodb-endpoint.",
            ),
        };
        StartError::caused_by(format!("Cannot use {what}"), cause, remedy)
    }
}

/// Every path of the product, and those of development.
pub fn routes(web_app: WebApp, controls: TestControls) -> Router {
    let app = web_app.app.clone();
    let paths = routes::web_routes(web_app).merge(routes::api_routes(app.clone()));
    let paths = paths.merge(sign_in::routes(app.clone())).merge(development::routes(controls));
    let localhost = middleware::from_fn(to_localhost);
    routes::with_middleware("local", app, paths)
        .layer(localhost)
        .layer(middleware::map_request(with_caller))
}

/// Redirects a browser that opens a page as 127.0.0.1 to the same page on localhost, since a
/// browser takes them for two origins. The port stays: it may be a forwarded one.
async fn to_localhost(request: Request<Body>, next: Next) -> Response {
    let host = request.headers().get(HOST).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let navigates = request.headers().get("sec-fetch-mode").is_some_and(|it| it == "navigate");
    if navigates
        && request.method() == Method::GET
        && let Some(port) = host.strip_prefix("127.0.0.1")
    {
        let path = request.uri().path_and_query().map_or("/", |it| it.as_str());
        return Redirect::to(&format!("http://localhost{port}{path}")).into_response();
    }
    next.run(request).await
}

async fn with_caller<B>(mut request: Request<B>) -> Request<B> {
    let address = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|it| it.0.ip());
    request.extensions_mut().insert(Caller(address));
    request
}

async fn assembled(
    options: &Options,
    data: &Data,
    public_url: PublicUrl,
) -> Result<(WebApp, TestControls)> {
    let entropy = Entropy::System;
    let manual = options.test_clock.then(|| ManualClock::at(Clock::System.now()));
    let clock = manual.clone().map_or(Clock::System, Clock::Manual);
    let (client, embedded, faults) = dynamodb(options, data, clock.clone())?;
    table::create(&client, TABLE).await.map_err(|fault| data.unusable(&fault))?;

    let port = public_url.as_str().rsplit(':').next().unwrap_or_default();
    let other_origins = vec![format!("http://127.0.0.1:{port}")];
    let config = Config {
        table: TABLE.to_owned(),
        public_url,
        signing_keys: signing_keys(data, &entropy)?,
        signing_public_keys: String::new(),
        cors_origins: Vec::new(),
        token_creation_disabled: options.token_creation_disabled.clone(),
        token_renewal_limit: options.token_renewal_limit,
        providers_secret_arn: None,
        login_limit: None,
        function_name: None,
        aws: local::aws(options.dynamodb_endpoint.clone()),
    };
    let dependencies = Dependencies {
        client,
        clock,
        entropy: entropy.clone(),
        other_origins,
        kms: Kms::of(aws::sdk_config(&config.aws, aws::https_client(&config.aws))),
    };
    let logins = Logins {
        providers: providers(options)?,
        web: aws::https_connector(),
        sign_ins: vec![sign_in()],
        limit: None, // everybody comes from this machine
    };
    let app = App::assemble(config, dependencies).await.and_then(|app| WebApp::with(app, logins));
    let app = app.map_err(|fault| cannot_start(options, data, &fault))?;
    let faults = options.test_faults.then(|| (faults, app.app.access.clone()));
    Ok((app, TestControls { clock: manual, sweep: embedded.filter(|_| options.in_memory), faults }))
}

/// Says in which file the fault is.
fn cannot_start(options: &Options, data: &Data, fault: &CannotStart) -> StartError {
    match (fault, data.directory(), &options.providers) {
        (CannotStart::Keys(fault), Some(directory), _) => directory.invalid_keys(fault.fault()),
        (CannotStart::Providers(fault), _, Some(path)) => invalid_providers(path, fault),
        _ => StartError::caused_by("Cannot start", fault, "Check the options."),
    }
}

/// The DynamoDB that was asked for.
fn dynamodb(
    options: &Options,
    data: &Data,
    clock: Clock,
) -> Result<(Client, Option<Embedded>, Faults)> {
    let (aws, faults) = (local::aws(options.dynamodb_endpoint.clone()), Faults::default());
    let embedded = match data {
        Data::Elsewhere(..) => {
            let inner = aws::https_connector();
            let connector = Faulty { inner, faults: faults.clone() };
            return Ok((client::client_on(&aws, http_client(connector)), None, faults));
        }
        Data::InDirectory(directory) => directory.database()?,
        Data::InMemory => Embedded::in_memory(clock).map_err(|fault| data.unusable(&fault))?,
    };
    if !options.test_clock {
        tokio::spawn(swept(embedded.clone()));
    }
    let connector = Faulty { inner: embedded.clone(), faults: faults.clone() };
    Ok((client::client_on(&aws, http_client(connector)), Some(embedded), faults))
}

async fn swept(embedded: Embedded) {
    loop {
        tokio::time::sleep(SWEEP_INTERVAL).await;
        if let Err(fault) = embedded.sweep() {
            tracing::warn!(cause = %fault, "the database was not swept");
        }
    }
}

fn providers(options: &Options) -> Result<Secret> {
    let Some(path) = &options.providers else { return Ok(Secret::from(String::new())) };
    fs::read_to_string(path).map(Secret::from).map_err(|fault| invalid_providers(path, &fault))
}

fn invalid_providers(path: &Path, cause: &(dyn std::error::Error + 'static)) -> StartError {
    let what = format!("Cannot use the identity providers in {}", path.display());
    StartError::caused_by(what, cause, "The README shows what --providers expects.")
}

fn signing_keys(data: &Data, entropy: &Entropy) -> Result<SigningKeys> {
    match data.directory() {
        Some(directory) => directory.signing_keys(entropy),
        None => keys::in_memory(entropy).map_err(|fault| {
            StartError::caused_by("Cannot make a signing key", &fault, "Start it again.")
        }),
    }
}

#[expect(clippy::print_stdout, reason = "it is what the command line is asked for")]
fn look_after_keys(options: &Options, command: &KeysCommand) -> Result<()> {
    let (entropy, directory) = (Entropy::System, DataDir::open(&options.data_dir)?);
    let file = directory.key_file();
    let changed = match command {
        KeysCommand::List => Ok(()),
        KeysCommand::Rotate => file.rotate(&entropy),
        KeysCommand::Retire { kid } => file.retire(kid, &entropy),
    };
    let entries = changed.and_then(|()| file.entries(&entropy));
    let entries = entries.map_err(|fault| match fault.kind() {
        io::ErrorKind::Other => {
            StartError::new("Cannot change the signing keys", fault, "`keys list` shows them.")
        }
        _ => directory.invalid_keys(fault),
    });
    for entry in entries? {
        println!("{} {:?}", entry.kid(), entry.state);
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "local mode tells a person, or a script, where to go")]
fn announce(options: &Options, public_url: &PublicUrl, has_admin: bool) {
    let url = public_url.as_str();
    if options.ready_json {
        println!("{}", json!({ "ready": true, "url": url }));
        return;
    }
    let admin = if has_admin {
        format!("{} is an admin", demo::ADMIN)
    } else {
        "nobody is an admin".to_owned()
    };
    println!("\n  ARM API at {url}\n");
    println!("  1. Log in:        {url}/login/development (any address; {admin})");
    println!("  2. Open the IDE:  {url}/api");
    println!("  3. Schema:        {url}/api/schema.graphql\n");
}

async fn stopped() {
    let _stopped_either_way = tokio::signal::ctrl_c().await;
}
