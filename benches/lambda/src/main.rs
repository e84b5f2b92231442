//! The bench of whole functions: plays Lambda and AWS to release binaries.
//!
//! `lambda-bench table HELLO API` measures both in turns and prints the table;
//! `lambda-bench instructions API` prints how many instructions one `me` takes.

#![expect(
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    reason = "a bench's numbers are small, and it reads the clock wherever it measures"
)]

mod account;
mod aws;
mod events;
mod function;
mod http;
mod instructions;
mod rounds;
mod runtime_api;
mod share;
mod table;

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use account::Account;
use aws::Aws;
use events::Event;
use function::ClientInfo;
use rounds::{Kind, Peer};

/// How many tokens there are: more than a process remembers.
const TOKENS: usize = 4_000;

fn main() -> io::Result<()> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let account = Arc::new(Account::with_tokens(TOKENS));
    let folder = env::temp_dir().join(format!("lambda-bench-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let aws = Aws::serving(Arc::clone(&account), &folder)?;
    let place = ClientInfo { aws, keys: account.local_keys(), folder: folder.clone() };
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["table", hello, api] => compare(hello, api, &account, &place),
        ["instructions", api] => count(Path::new(api), &events::me(&account, 0), &place),
        _ => Err(io::Error::other("usage: lambda-bench table HELLO API | instructions API")),
    };
    fs::remove_dir_all(folder)?;
    done
}

fn compare(hello: &str, api: &str, account: &Account, place: &ClientInfo) -> io::Result<()> {
    let installed = |name, file| installed(Path::new(file), &place.folder.join(name));
    let mut peers = [
        Peer::new("hello", installed("hello", hello)?, Kind::Hello),
        Peer::new("`api`", installed("api", api)?, Kind::Product),
    ];
    rounds::all(&mut peers, account, place)?;
    table::print(&peers)
}

/// Copies a bootstrap, as Lambda unpacks it: how a linker has written a file decides how many
/// page faults it takes to read it.
fn installed(file: &Path, place: &Path) -> io::Result<PathBuf> {
    fs::copy(file, place)?;
    Ok(place.to_owned())
}

fn count(bootstrap: &Path, event: &Event, place: &ClientInfo) -> io::Result<()> {
    println!("{}", instructions::of_each(bootstrap, event, place)?);
    Ok(())
}
