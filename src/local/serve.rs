//! Puts local mode together and serves it.

use std::{error::Error, fs, net::SocketAddr, time::Duration};

use aws_sdk_dynamodb::Client;
use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, State},
    middleware::{self, Next},
    response::{IntoResponse, Redirect, Response},
};
use http::{Method, Request, header::HOST};
use serde_json::json;
use tokio::net::TcpListener;

use crate::{
    access::kms::Kms,
    app::{App, Logins, Surroundings, WebApp},
    aws,
    clock::{Clock, ManualClock},
    config::{Config, PublicUrl, SigningKeys},
    domain::secret::Secret,
    entropy::Entropy,
    http::Caller,
    local::{
        self, demo,
        development::{self, Levers},
        dynamodb::{Embedded, http_client},
        faults::{Faults, Faulty},
        keys::{self, KeyFile},
        options::{Command, KeysCommand, Log, Options},
        sign_in, table,
    },
    routes,
    store::client,
    telemetry::{self, LogFormat},
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The table's name in local mode.
const TABLE: &str = "arm";
/// How often the embedded database deletes what has reached its `ttl`.
const SWEEP_INTERVAL: Duration = Duration::from_mins(1);

/// Does what the command line says.
///
/// # Errors
///
/// What hindered it.
pub async fn run(options: Options) -> Result<()> {
    match &options.command {
        Some(Command::Keys(command)) => look_after_keys(&options, command),
        None => serve(options).await,
    }
}

async fn serve(options: Options) -> Result<()> {
    let format = if options.log == Log::Json { LogFormat::Json } else { LogFormat::Text };
    telemetry::start(format, std::io::stderr);
    let listener = TcpListener::bind((options.host, options.port)).await;
    let listener =
        listener.map_err(|fault| format!("port {}: {fault}; --port takes another", options.port))?;
    let public_url = PublicUrl::try_from(format!("http://localhost:{}", listener.local_addr()?.port()))?;

    let (app, levers) = assembled(&options, public_url.clone()).await?;
    if !options.no_demo {
        demo::fill(&app.app).await?;
    }
    announce(&options, &public_url);
    let service = routes(app, levers).into_make_service_with_connect_info::<SocketAddr>();
    Ok(axum::serve(listener, service).with_graceful_shutdown(stopped()).await?)
}

/// Every path of the product, and those of development.
pub fn routes(web_app: WebApp, levers: Levers) -> Router {
    let app = web_app.app.clone();
    let paths = routes::web_routes(web_app).merge(routes::api_routes(app.clone()));
    let paths = paths.merge(sign_in::routes(app.clone())).merge(development::routes(levers));
    let localhost = middleware::from_fn_with_state(app.public_url.clone(), to_localhost);
    routes::door("local", app, paths).layer(localhost).layer(middleware::map_request(with_caller))
}

/// Leads a browser that opens a page as 127.0.0.1 to the same one on localhost: to a
/// browser these are two origins, and pages speak to one alone.
async fn to_localhost(State(public_url): State<PublicUrl>, request: Request<Body>, next: Next) -> Response {
    let host = request.headers().get(HOST).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let navigates = request.headers().get("sec-fetch-mode").is_some_and(|it| it == "navigate");
    if navigates && request.method() == Method::GET && host.starts_with("127.0.0.1") {
        let path = request.uri().path_and_query().map_or("/", |it| it.as_str());
        return Redirect::to(&format!("{}{path}", public_url.as_str())).into_response();
    }
    next.run(request).await
}

async fn with_caller<B>(mut request: Request<B>) -> Request<B> {
    let address = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|it| it.0.ip());
    request.extensions_mut().insert(Caller(address));
    request
}

async fn assembled(options: &Options, public_url: PublicUrl) -> Result<(WebApp, Levers)> {
    let entropy = Entropy::System;
    let manual = options.test_clock.then(|| ManualClock::at(Clock::System.now()));
    let clock = manual.clone().map_or(Clock::System, Clock::Manual);
    let (client, embedded, faults) = dynamodb(options, clock.clone())?;
    table::create(&client, TABLE).await?;

    let port = public_url.as_str().rsplit(':').next().unwrap_or_default();
    let other_origins = vec![format!("http://127.0.0.1:{port}")];
    let config = Config {
        table: TABLE.to_owned(),
        public_url,
        signing_keys: signing_keys(options, &entropy)?,
        signing_public_keys: String::new(),
        cors_origins: Vec::new(),
        token_creation_disabled: options.token_creation_disabled.clone(),
        providers_secret_arn: None,
        login_limit: None,
        function_name: None,
        aws: local::aws(options.dynamodb_endpoint.clone()),
    };
    let surroundings = Surroundings {
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
    let app = WebApp::with(App::assemble(config, surroundings).await?, logins)?;
    let faults = options.test_faults.then(|| (faults, app.app.access.clone()));
    Ok((app, Levers { clock: manual, sweep: embedded.filter(|_| options.in_memory), faults }))
}

/// The DynamoDB that was asked for: another one, one in memory, or one in a file.
fn dynamodb(options: &Options, clock: Clock) -> Result<(Client, Option<Embedded>, Faults)> {
    let (aws, faults) = (local::aws(options.dynamodb_endpoint.clone()), Faults::default());
    if options.dynamodb_endpoint.is_some() {
        let inner = aws::https_connector();
        let connector = Faulty { inner, faults: faults.clone() };
        return Ok((client::client_on(&aws, http_client(connector)), None, faults));
    }
    let embedded = if options.in_memory {
        Embedded::in_memory(clock)?
    } else {
        fs::create_dir_all(&options.data_dir)?;
        Embedded::in_file(&options.data_dir.join("dynamodb.sqlite").to_string_lossy())?
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
    let text = fs::read_to_string(path).map_err(|fault| format!("{}: {fault}", path.display()))?;
    Ok(Secret::from(text))
}

fn signing_keys(options: &Options, entropy: &Entropy) -> Result<SigningKeys> {
    if options.in_memory {
        return Ok(keys::in_memory(entropy)?);
    }
    fs::create_dir_all(&options.data_dir)?;
    Ok(KeyFile::of(&options.data_dir).read_or_make(entropy)?)
}

#[expect(clippy::print_stdout, reason = "it is what the command line is asked for")]
fn look_after_keys(options: &Options, command: &KeysCommand) -> Result<()> {
    let (entropy, file) = (Entropy::System, KeyFile::of(&options.data_dir));
    fs::create_dir_all(&options.data_dir)?;
    match command {
        KeysCommand::List => {}
        KeysCommand::Rotate => file.rotate(&entropy)?,
        KeysCommand::Retire { kid } => file.retire(kid, &entropy)?,
    }
    for entry in file.entries(&entropy)? {
        println!("{} {:?}", entry.kid(), entry.state);
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "local mode tells a person, or a script, where to go")]
fn announce(options: &Options, public_url: &PublicUrl) {
    let url = public_url.as_str();
    if options.ready_json {
        println!("{}", json!({ "ready": true, "url": url }));
    } else {
        println!("\n  ARM API at {url}\n");
        println!("  1. Log in:        {url}/login/development (any address; admin@demo.test is an admin)");
        println!("  2. Open the IDE:  {url}/api");
        println!("  3. Schema:        {url}/api/schema.graphql\n");
    }
}

async fn stopped() {
    let _stopped_either_way = tokio::signal::ctrl_c().await;
}
