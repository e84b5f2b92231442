//! Counts the instructions of an invocation with callgrind. The count does not depend on the load
//! of the machine.

use std::{fs, io, path::Path, process::Command};

use crate::{
    events::Event,
    function::{Environment, Function},
};

/// The number of invocations in the first run. The second run has twice as many, and the difference
/// does not contain the init phase.
const INVOCATIONS: u64 = 300;

/// Returns the number of instructions of one invocation.
pub(crate) fn per_invocation(
    bootstrap: &Path,
    event: &Event,
    environment: &Environment,
) -> io::Result<u64> {
    let few = total(bootstrap, event, INVOCATIONS, environment)?;
    let many = total(bootstrap, event, 2 * INVOCATIONS, environment)?;
    Ok(many.saturating_sub(few) / INVOCATIONS)
}

fn total(
    bootstrap: &Path,
    event: &Event,
    count: u64,
    environment: &Environment,
) -> io::Result<u64> {
    let log = environment.folder.join("callgrind.log");
    let mut valgrind = Command::new("/usr/bin/valgrind");
    valgrind
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(format!("--log-file={}", log.display()))
        .arg(bootstrap);
    let mut function = Function::start(valgrind, &environment.aws.amazon_roots, environment)?;
    function.invoke(vec![event.clone(); usize::try_from(count).unwrap_or_default()]);
    function.terminate()?;
    let text = fs::read_to_string(&log)?;
    let collected = text.lines().find_map(|it| it.split_once("Collected :")?.1.trim().parse().ok());
    collected.ok_or_else(|| io::Error::other(format!("callgrind printed no count:\n{text}")))
}
