//! How many instructions one invocation takes, by valgrind's callgrind: the same on a busy
//! machine as on an idle one.

use std::{fs, io, path::Path, process::Command};

use crate::{
    events::Event,
    function::{ClientInfo, Function},
};

/// How many invocations; then twice as many: the difference has no init in it.
const INVOCATIONS: u64 = 300;

/// The instructions of one invocation.
pub(crate) fn of_each(bootstrap: &Path, event: &Event, place: &ClientInfo) -> io::Result<u64> {
    let few = of_all(bootstrap, event, INVOCATIONS, place)?;
    let many = of_all(bootstrap, event, 2 * INVOCATIONS, place)?;
    Ok(many.saturating_sub(few) / INVOCATIONS)
}

fn of_all(bootstrap: &Path, event: &Event, count: u64, place: &ClientInfo) -> io::Result<u64> {
    let log = place.folder.join("callgrind.log");
    let mut valgrind = Command::new("/usr/bin/valgrind");
    valgrind
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(format!("--log-file={}", log.display()))
        .arg(bootstrap);
    let mut function = Function::started(valgrind, &place.aws.amazon_roots, place)?;
    function.invoke(vec![event.clone(); usize::try_from(count).unwrap_or_default()]);
    function.terminated()?;
    let text = fs::read_to_string(&log)?;
    let collected = text.lines().find_map(|it| it.split_once("Collected :")?.1.trim().parse().ok());
    collected.ok_or_else(|| io::Error::other(format!("callgrind told no count:\n{text}")))
}
