//! Creates the app from the options of the command line.

use std::{fs, path::Path, time::Duration};

use aws_sdk_dynamodb::Client;

use crate::{
    app::{Dependencies, InitError, WebApp},
    aws::{https_client, https_connector},
    clock::{Clock, ManualClock},
    config::{Config, Providers, PublicUrl},
    entropy::Entropy,
    local::{
        data::Data,
        development::TestControls,
        dynamodb::{Embedded, http_client},
        faults::{Faults, Faulty},
        options::Options,
        setup,
        start_error::StartError,
        table,
    },
    store::client,
};

type Result<T> = std::result::Result<T, StartError>;

/// How often the embedded database deletes records that have reached their `ttl`.
const SWEEP_INTERVAL: Duration = Duration::from_mins(1);

/// Creates the app, and the test controls that the options enable.
pub(super) async fn assemble(
    options: &Options,
    data: &Data,
    public_url: PublicUrl,
) -> Result<(WebApp, TestControls)> {
    let test_clock = options.test_clock.then(|| ManualClock::at(Clock::System.now()));
    let clock = test_clock.clone().map_or(Clock::System, Clock::Manual);
    let (dynamodb, embedded, faults) = dynamodb(options, data, clock.clone())?;
    let config = config(options, data, public_url)?;
    table::create(&dynamodb, &config.table).await.map_err(|fault| data.unusable(&fault))?;

    let dependencies = Dependencies {
        clock,
        other_origins: vec![config.public_url.as_str().replace("localhost", "127.0.0.1")],
        ..setup::dependencies(dynamodb, https_client(&config.aws))
    };
    let app = WebApp::new(&config, &dependencies).await;
    let app = app.map_err(|fault| cannot_start(options, data, &fault))?;
    let faults = options.test_faults.then(|| (faults, app.app.access.clone()));
    let database = embedded.filter(|_| options.in_memory);
    Ok((app, TestControls { clock: test_clock, database, faults }))
}

fn config(options: &Options, data: &Data, public_url: PublicUrl) -> Result<Config> {
    Ok(Config {
        token_creation_disabled: options.token_creation_disabled.clone(),
        token_renewal_limit: options.token_renewal_limit,
        providers: read_providers(options)?,
        aws: setup::aws(options.dynamodb_endpoint.clone()),
        ..setup::config(public_url, data.signing_keys(&Entropy::System)?)
    })
}

fn read_providers(options: &Options) -> Result<Option<Providers>> {
    let Some(path) = &options.providers else { return Ok(None) };
    let text = fs::read_to_string(path).map_err(|fault| invalid_providers(path, &fault))?;
    Ok(Some(Providers::Json(text)))
}

/// Returns the error for an app that cannot start. Names the file that caused it, if any.
fn cannot_start(options: &Options, data: &Data, fault: &InitError) -> StartError {
    match (fault, data.directory(), &options.providers) {
        (InitError::Keys(fault), Some(directory), _) => directory.invalid_keys(fault.fault()),
        (InitError::Providers(fault), _, Some(path)) => invalid_providers(path, fault),
        _ => StartError::caused_by("Cannot start", fault, "Check the options."),
    }
}

fn invalid_providers(path: &Path, cause: &(dyn std::error::Error + 'static)) -> StartError {
    let what = format!("Cannot use the identity providers in {}", path.display());
    StartError::caused_by(what, cause, "The README shows what --providers expects.")
}

/// Opens the DynamoDB that the options select.
fn dynamodb(
    options: &Options,
    data: &Data,
    clock: Clock,
) -> Result<(Client, Option<Embedded>, Faults)> {
    let aws = setup::aws(options.dynamodb_endpoint.clone());
    let faults = Faults::default();
    let embedded = match data {
        Data::Elsewhere(..) => {
            let connector = Faulty { inner: https_connector(), faults: faults.clone() };
            return Ok((client::client_on(&aws, http_client(connector)), None, faults));
        }
        Data::InDirectory(directory) => directory.database()?,
        Data::InMemory => Embedded::in_memory(clock).map_err(|fault| data.unusable(&fault))?,
    };
    if !options.test_clock {
        tokio::spawn(delete_expired_regularly(embedded.clone()));
    }
    let connector = Faulty { inner: embedded.clone(), faults: faults.clone() };
    Ok((client::client_on(&aws, http_client(connector)), Some(embedded), faults))
}

async fn delete_expired_regularly(embedded: Embedded) {
    loop {
        tokio::time::sleep(SWEEP_INTERVAL).await;
        if let Err(fault) = embedded.delete_expired() {
            tracing::warn!(cause = %fault, "the database could not delete expired records");
        }
    }
}
