//! The error for the person at the terminal: what failed, why, and what to do.

use std::{
    error::Error,
    fmt::Display,
    io::{self, ErrorKind},
    net::SocketAddr,
};

use crate::telemetry::Chain;

/// Local mode cannot start, or one of its commands failed. The message names the file, directory,
/// port or address, and then says what to do.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {cause}. {remedy}")]
pub struct StartError {
    what: String,
    cause: String,
    remedy: String,
}

impl StartError {
    /// Creates the error for `what`, which failed because of `cause`. `remedy` is a sentence that
    /// says what to do.
    pub(super) fn new(what: impl Display, cause: impl Display, remedy: impl Display) -> Self {
        Self { what: what.to_string(), cause: cause.to_string(), remedy: remedy.to_string() }
    }

    /// Like [`new`](Self::new), but the message also contains the sources of `cause`.
    pub(super) fn caused_by(
        what: impl Display,
        cause: &(dyn Error + 'static),
        remedy: impl Display,
    ) -> Self {
        Self::new(what, Chain(cause), remedy)
    }

    /// Creates the error for an address that local mode cannot listen on.
    pub(super) fn cannot_listen(address: SocketAddr, cause: &io::Error) -> Self {
        let remedy = match cause.kind() {
            ErrorKind::AddrInUse => {
                "Stop the program that uses the port, or choose another one with --port"
            }
            ErrorKind::PermissionDenied => "Choose a port above 1023 with --port",
            _ => "--host must be an address of this machine, and --port a free port of it",
        };
        Self::new(format!("Cannot listen on {address}"), cause, format!("{remedy}."))
    }
}
