//! What one can say on the command line of local mode.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum, builder::FalseyValueParser};
use jiff::SignedDuration;

use crate::config::{DEFAULT_RENEWAL_DAYS, parse_renewal_days};

/// The whole product on localhost: web application, GraphQL IDE and API, with an
/// embedded DynamoDB, a development sign-in and demo data. No AWS account is needed.
#[derive(Debug, Parser)]
#[command(name = "local", version)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub struct Options {
    /// The port to listen on; 0 is any free one.
    #[arg(long, env = "ARM_PORT", default_value_t = 3000)]
    pub port: u16,
    /// The address to listen on.
    #[arg(long, env = "ARM_HOST", default_value = "127.0.0.1")]
    pub host: std::net::IpAddr,
    /// Allow `--host` to be an address that other machines can reach. Everybody who reaches
    /// it can log in as anybody, without a password.
    #[arg(long, env = "ARM_EXPOSE_TO_NETWORK", value_parser = FalseyValueParser::new())]
    pub expose_to_network: bool,
    /// Where the embedded database and the signing keys live.
    #[arg(long, env = "ARM_DATA_DIR", default_value = ".arm", global = true)]
    pub data_dir: PathBuf,
    /// Keep nothing: database and keys are gone when the process ends.
    #[arg(long, env = "ARM_IN_MEMORY", value_parser = FalseyValueParser::new())]
    pub in_memory: bool,
    /// Start with an empty table.
    #[arg(long, env = "ARM_NO_DEMO", value_parser = FalseyValueParser::new())]
    pub no_demo: bool,
    /// How the request log on standard error is written.
    #[arg(long, env = "ARM_LOG", default_value = "text")]
    pub log: Log,
    /// Print one line of JSON on standard output when ready.
    #[arg(long, env = "ARM_READY_JSON", value_parser = FalseyValueParser::new())]
    pub ready_json: bool,
    /// Let the clock stand still, moved by `POST /development/clock` alone.
    #[arg(long, env = "ARM_TEST_CLOCK", value_parser = FalseyValueParser::new())]
    pub test_clock: bool,
    /// Let calls fail on demand, by `POST /development/faults`.
    #[arg(long, env = "ARM_TEST_FAULTS", value_parser = FalseyValueParser::new())]
    pub test_faults: bool,
    /// Refuse to make new tokens, with this text as the reason.
    #[arg(long, env = "ARM_TOKEN_CREATION_DISABLED", value_name = "TEXT")]
    pub token_creation_disabled: Option<String>,
    /// For how many days API tokens can renew themselves, counted from the last that a session made.
    #[arg(
        long = "token-renewal-days",
        env = "ARM_TOKEN_RENEWAL_DAYS",
        value_name = "DAYS",
        default_value = DEFAULT_RENEWAL_DAYS,
        value_parser = parse_renewal_days
    )]
    pub token_renewal_limit: SignedDuration,
    /// Identity providers, as a JSON file: the README shows one.
    #[arg(long, env = "ARM_PROVIDERS", value_name = "FILE")]
    pub providers: Option<PathBuf>,
    /// Another DynamoDB than the embedded one.
    #[arg(long, env = "AWS_ENDPOINT_URL_DYNAMODB", value_name = "URL")]
    pub dynamodb_endpoint: Option<String>,
    /// Do something else than serving.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Log {
    /// One JSON object a line.
    Json,
    /// One sentence a line.
    Text,
}

/// What else than serving can be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Looks after the signing keys of the data directory. A running server takes up
    /// a change when it is started again.
    #[command(subcommand)]
    Keys(KeysCommand),
}

/// What can be done with signing keys.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Lists the keys and their states.
    List,
    /// Makes a new active key; tokens of the one before still hold.
    Rotate,
    /// Makes a key dead: its tokens no longer hold.
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
    fn the_id_of_a_key_may_begin_with_a_hyphen() {
        let options = Options::try_parse_from(["local", "keys", "retire", "-AbC_123"]).unwrap();

        let Some(Command::Keys(KeysCommand::Retire { kid })) = options.command else {
            panic!("no key is retired")
        };
        assert_eq!(kid, "-AbC_123");
    }
}
