//! The command line of local mode.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum, builder::FalseyValueParser};
use jiff::SignedDuration;

use crate::config::{DEFAULT_RENEWAL_DAYS, parse_renewal_days};

/// The whole product on localhost: web application, GraphQL IDE and API, with an
/// embedded DynamoDB, a development login and demo data. No AWS account is needed.
#[derive(Debug, Parser)]
#[command(name = "local", version)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub struct Options {
    /// The port to listen on. 0 stands for any free port.
    #[arg(long, env = "ARM_PORT", default_value_t = 3000)]
    pub port: u16,
    /// The address to listen on.
    #[arg(long, env = "ARM_HOST", default_value = "127.0.0.1")]
    pub host: std::net::IpAddr,
    /// Allow `--host` to be an address that other machines can reach. Everybody who reaches it can
    /// log in as anybody, without a password.
    #[arg(long, env = "ARM_EXPOSE_TO_NETWORK", value_parser = FalseyValueParser::new())]
    pub expose_to_network: bool,
    /// The directory of the embedded database and the signing keys.
    #[arg(long, env = "ARM_DATA_DIR", default_value = ".arm", global = true)]
    pub data_dir: PathBuf,
    /// Keep the database and the keys in memory only: both are lost when the process ends.
    #[arg(long, env = "ARM_IN_MEMORY", value_parser = FalseyValueParser::new())]
    pub in_memory: bool,
    /// Do not create the demo data.
    #[arg(long, env = "ARM_NO_DEMO", value_parser = FalseyValueParser::new())]
    pub no_demo: bool,
    /// The format of the log on standard error.
    #[arg(long, env = "ARM_LOG", default_value = "text")]
    pub log: Log,
    /// Print one line of JSON on standard output when requests can be sent.
    #[arg(long, env = "ARM_READY_JSON", value_parser = FalseyValueParser::new())]
    pub ready_json: bool,
    /// Stop the clock. Only `POST /development/clock` moves it.
    #[arg(long, env = "ARM_TEST_CLOCK", value_parser = FalseyValueParser::new())]
    pub test_clock: bool,
    /// Enable `POST /development/faults`, which makes calls of DynamoDB or signing fail.
    #[arg(long, env = "ARM_TEST_FAULTS", value_parser = FalseyValueParser::new())]
    pub test_faults: bool,
    /// Do not create API tokens. The text is shown as the reason.
    #[arg(long, env = "ARM_TOKEN_CREATION_DISABLED", value_name = "TEXT")]
    pub token_creation_disabled: Option<String>,
    /// For how many days API tokens can renew themselves, counted from the last one that was
    /// created in a session.
    #[arg(
        long = "token-renewal-days",
        env = "ARM_TOKEN_RENEWAL_DAYS",
        value_name = "DAYS",
        default_value = DEFAULT_RENEWAL_DAYS,
        value_parser = parse_renewal_days
    )]
    pub token_renewal_limit: SignedDuration,
    /// A JSON file with identity providers. The README shows an example.
    #[arg(long, env = "ARM_PROVIDERS", value_name = "FILE")]
    pub providers: Option<PathBuf>,
    /// The URL of a DynamoDB to use instead of the embedded one.
    #[arg(long, env = "AWS_ENDPOINT_URL_DYNAMODB", value_name = "URL")]
    pub dynamodb_endpoint: Option<String>,
    /// The command to run instead of serving the product.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The format of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Log {
    /// One JSON object a line.
    Json,
    /// One sentence a line.
    Text,
}

/// A command other than serving the product.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Manages the signing keys in the data directory. Restart a running server to apply changes.
    #[command(subcommand)]
    Keys(KeysCommand),
}

/// A command that manages signing keys.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Lists the keys and their states.
    List,
    /// Creates a new active key. Tokens of the previous key stay valid.
    Rotate,
    /// Retires a key. Its tokens become invalid.
    Retire {
        /// The key's id.
        #[arg(allow_hyphen_values = true)]
        kid: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_id_may_begin_with_a_hyphen() {
        let options = Options::try_parse_from(["local", "keys", "retire", "-AbC_123"]).unwrap();

        let Some(Command::Keys(KeysCommand::Retire { kid })) = options.command else {
            panic!("no key is retired")
        };
        assert_eq!(kid, "-AbC_123");
    }
}
