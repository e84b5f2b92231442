//! The benchmark of whole functions. It starts release binaries with a fake Lambda and a fake AWS.
//!
//! `lambda-bench table HELLO API` measures both functions alternately and prints a table.
//! `lambda-bench instructions API` prints the number of instructions of one query of `me`.

#![expect(
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    reason = "a benchmark has small numbers and reads the clock"
)]

mod account;
mod aws;
mod cpu_limit;
mod events;
mod function;
mod http;
mod instructions;
mod rounds;
mod runtime_api;
mod table;

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use account::Account;
use aws::Aws;
use events::Event;
use function::Environment;
use rounds::{Candidate, Kind};

/// The number of tokens, which is larger than the cache of verified tokens.
const TOKENS: usize = 4_000;

fn main() -> io::Result<()> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let account = Arc::new(Account::with_tokens(TOKENS));
    let folder = env::temp_dir().join(format!("lambda-bench-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let aws = Aws::start(Arc::clone(&account), &folder)?;
    let environment = Environment { aws, keys: account.local_keys(), folder: folder.clone() };
    let result = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["table", hello, api] => compare(hello, api, &account, &environment),
        ["instructions", api] => count(Path::new(api), &events::me(&account, 0), &environment),
        _ => Err(io::Error::other("usage: lambda-bench table HELLO API | instructions API")),
    };
    fs::remove_dir_all(folder)?;
    result
}

fn compare(hello: &str, api: &str, account: &Account, environment: &Environment) -> io::Result<()> {
    let install = |name, file| install(Path::new(file), &environment.folder.join(name));
    let mut candidates = [
        Candidate::new("hello", install("hello", hello)?, Kind::Hello),
        Candidate::new("`api`", install("api", api)?, Kind::Product),
    ];
    rounds::run(&mut candidates, account, environment)?;
    table::print(&candidates)
}

/// Copies a binary, as Lambda does when it unpacks it. The number of page faults depends on how a
/// file was written, and linkers write files differently.
fn install(file: &Path, target: &Path) -> io::Result<PathBuf> {
    fs::copy(file, target)?;
    Ok(target.to_owned())
}

fn count(bootstrap: &Path, event: &Event, environment: &Environment) -> io::Result<()> {
    println!("{}", instructions::per_invocation(bootstrap, event, environment)?);
    Ok(())
}
