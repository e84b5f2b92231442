//! An instance of a function, and the resources that it uses.

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

/// The environment in which functions are started.
#[derive(Clone)]
pub(crate) struct Environment {
    pub(crate) aws: Aws,
    pub(crate) keys: Keys,
    /// A temporary directory.
    pub(crate) folder: PathBuf,
}

pub(crate) struct Function {
    process: Child,
    api: RuntimeApi,
    /// The time from the start until the function requests the first event.
    pub(crate) init: Duration,
}

impl Function {
    /// Starts a function with a command and the root certificates that it trusts. Waits until it is
    /// ready.
    pub(crate) fn start(
        mut command: Command,
        roots: &Path,
        environment: &Environment,
    ) -> io::Result<Self> {
        let api = RuntimeApi::start()?;
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
                ("SIGNING_KEYS", &environment.keys.signing),
                ("SIGNING_PUBLIC_KEYS", &environment.keys.public),
            ])
            .env("AWS_ENDPOINT_URL", &environment.aws.endpoint)
            .env("SSL_CERT_FILE", roots)
            .stdout(Stdio::null());
        let start = Instant::now();
        let process = command.spawn()?;
        let init = api.report().ready - start;
        Ok(Self { process, api, init })
    }

    /// Sends events, one after another.
    pub(crate) fn invoke(&self, events: Vec<Event>) -> Report {
        self.api.invoke(events)
    }

    /// Sends the same event many times.
    pub(crate) fn repeat(&self, event: &Event, times: usize) -> Report {
        self.invoke(vec![event.clone(); times])
    }

    /// Returns the CPU time that the function has used.
    pub(crate) fn cpu_time(&self) -> io::Result<Duration> {
        let mut nanoseconds = 0;
        for thread in fs::read_dir(self.proc("task"))? {
            let text = fs::read_to_string(thread?.path().join("schedstat"))?;
            nanoseconds += text.split(' ').next().and_then(|it| it.parse().ok()).unwrap_or(0);
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    /// Returns the peak memory, in KiB.
    pub(crate) fn peak_memory(&self) -> io::Result<u64> {
        let status = fs::read_to_string(self.proc("status"))?;
        let line = status.lines().find_map(|it| it.strip_prefix("VmHWM:"));
        let number = line.and_then(|it| it.split_whitespace().next()?.parse().ok());
        number.ok_or_else(|| io::Error::other("there is no VmHWM in /proc"))
    }

    /// Returns the process ID.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    fn proc(&self, name: &str) -> PathBuf {
        Path::new("/proc").join(self.id().to_string()).join(name)
    }

    /// Terminates the process and waits for it.
    pub(crate) fn terminate(&mut self) -> io::Result<()> {
        Command::new("kill").arg(self.id().to_string()).status()?;
        self.process.wait().map(|_| ())
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        let _already_exited = self.process.kill();
        let _exit_status = self.process.wait();
    }
}
