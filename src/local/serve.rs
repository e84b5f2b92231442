//! Runs the command that the command line selects.

use std::{io, net::SocketAddr};

use axum::middleware;
use serde_json::json;
use tokio::net::TcpListener;

use crate::{
    app::App,
    config::PublicUrl,
    entropy::Entropy,
    local::{
        assembly::assemble,
        data::Data,
        data_dir::DataDir,
        demo,
        hosts::{self, Listening},
        options::{Command, KeysCommand, Log, Options},
        routes::routes_with,
        start_error::StartError,
    },
    telemetry::{self, LogFormat},
};

type Result<T> = std::result::Result<T, StartError>;

/// Runs the command in the options. Serves the product if there is none.
///
/// # Errors
///
/// [`StartError`] says what went wrong and what to do.
pub async fn run(options: Options) -> Result<()> {
    match &options.command {
        Some(Command::Keys(command)) => manage_keys(&options, command),
        None => serve(options).await,
    }
}

async fn serve(options: Options) -> Result<()> {
    let format = if options.log == Log::Json { LogFormat::Json } else { LogFormat::Text };
    telemetry::start(format, io::stderr);
    let (listener, public_url) = listen(&options).await?;

    let data = Data::open(&options)?;
    let (app, controls) = assemble(&options, &data, public_url.clone()).await?;
    let has_admin =
        fill_in_demo(&options, &app.app).await.map_err(|fault| data.unusable(&fault))?;
    announce(&options, &public_url, has_admin);
    let own_hosts =
        middleware::from_fn_with_state(Listening(options.host), hosts::reject_other_hosts);
    let routes = routes_with(app, controls).layer(own_hosts);
    let service = routes.into_make_service_with_connect_info::<SocketAddr>();
    let served = axum::serve(listener, service).with_graceful_shutdown(wait_for_ctrl_c()).await;
    served.map_err(|fault| StartError::new("Cannot continue to serve", fault, "Start it again."))
}

/// Listens on the address in the options. Without `--expose-to-network`, it must be a loopback
/// address.
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

/// Creates the demo data, unless `--no-demo` is set. Returns whether the demo admin is an admin.
async fn fill_in_demo(options: &Options, app: &App) -> crate::error::Result<bool> {
    if !options.no_demo {
        demo::fill(app).await?;
    }
    demo::has_admin(app).await
}

#[expect(clippy::print_stdout, reason = "the keys are what the command line asks for")]
fn manage_keys(options: &Options, command: &KeysCommand) -> Result<()> {
    let entropy = Entropy::System;
    let directory = DataDir::open(&options.data_dir)?;
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
        println!("{} {}", entry.kid(), entry.state.name());
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a person or a script waits for the URL")]
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

async fn wait_for_ctrl_c() {
    let _either_way = tokio::signal::ctrl_c().await;
}
