//! One instance of a function: a process, what it is told, and what it has used.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::{
    account::{Keys, URL},
    aws::Aws,
    events::Event,
    runtime_api::{Report, RuntimeApi},
};

/// What all functions of a run are started with.
#[derive(Clone)]
pub(crate) struct ClientInfo {
    pub(crate) aws: Aws,
    pub(crate) keys: Keys,
    /// Where files may be written.
    pub(crate) folder: PathBuf,
}

pub(crate) struct Function {
    process: Child,
    api: RuntimeApi,
    /// From its start until it asked for the first event.
    pub(crate) init: Duration,
}

impl Function {
    /// Starts a bootstrap, by a command that runs it and with the roots that it trusts, and
    /// waits until it is ready.
    pub(crate) fn started(
        mut command: Command,
        roots: &Path,
        place: &ClientInfo,
    ) -> io::Result<Self> {
        let api = RuntimeApi::listening()?;
        command
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", api.address.to_string())
            .envs([
                ("AWS_LAMBDA_FUNCTION_NAME", "bench"),
                ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ])
            .envs([("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"), ("AWS_REGION", "eu-west-1")])
            .envs([("AWS_ACCESS_KEY_ID", "bench"), ("AWS_SECRET_ACCESS_KEY", "bench")])
            .envs([("TABLE_NAME", "arm"), ("PUBLIC_URL", URL)])
            .envs([
                ("SIGNING_KEYS", &place.keys.signing),
                ("SIGNING_PUBLIC_KEYS", &place.keys.public),
            ])
            .env("AWS_ENDPOINT_URL", &place.aws.endpoint)
            .env("SSL_CERT_FILE", roots)
            .stdout(Stdio::null());
        let began = Instant::now();
        let process = command.spawn()?;
        let init = api.report().ready - began;
        Ok(Self { process, api, init })
    }

    /// Gives it events, one after the other.
    pub(crate) fn invoke(&self, events: Vec<Event>) -> Report {
        self.api.invoke(events)
    }

    /// Gives it the same event many times.
    pub(crate) fn repeat(&self, event: &Event, times: usize) -> Report {
        self.invoke(vec![event.clone(); times])
    }

    /// How long its threads have run so far.
    pub(crate) fn cpu(&self) -> io::Result<Duration> {
        let mut nanoseconds = 0;
        for thread in fs::read_dir(self.proc("task"))? {
            let text = fs::read_to_string(thread?.path().join("schedstat"))?;
            nanoseconds += text.split(' ').next().and_then(|it| it.parse().ok()).unwrap_or(0);
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    /// The most memory that it has had so far, in KiB.
    pub(crate) fn peak_memory(&self) -> io::Result<u64> {
        let status = fs::read_to_string(self.proc("status"))?;
        let line = status.lines().find_map(|it| it.strip_prefix("VmHWM:"));
        let number = line.and_then(|it| it.split_whitespace().next()?.parse().ok());
        number.ok_or_else(|| io::Error::other("/proc tells no VmHWM"))
    }

    /// The process, for a group that limits it.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    fn proc(&self, name: &str) -> PathBuf {
        Path::new("/proc").join(self.id().to_string()).join(name)
    }

    /// Asks it to end, and waits for it.
    pub(crate) fn terminated(&mut self) -> io::Result<()> {
        Command::new("kill").arg(self.id().to_string()).status()?;
        self.process.wait().map(|_| ())
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        let _it_may_have_ended = self.process.kill();
        let _it_is_reaped = self.process.wait();
    }
}
