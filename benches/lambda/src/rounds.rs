//! The measurements, in rounds in which the functions take turns.

use std::{io, path::PathBuf, process::Command, time::Duration};

use crate::{
    account::Account,
    aws::Aws,
    cpu_limit::CpuLimit,
    events::{self, Event},
    function::{Environment, Function},
};

const COLD_ROUNDS: usize = 25;
const SHARED_ROUNDS: usize = 15;
const WARM_ROUNDS: usize = 5;
/// The number of invocations before the warm measurements.
const WARM_UP: usize = 500;
const INVOCATIONS: usize = 2_000;
/// The number of invocations in the measurement of memory. The peak is read after half of them and
/// at the end.
const MEMORY_INVOCATIONS: usize = 10_000;

/// A function that is measured.
pub(crate) struct Candidate {
    pub(crate) name: &'static str,
    pub(crate) bootstrap: PathBuf,
    kind: Kind,
    pub(crate) samples: Samples,
}

/// The events that a function supports.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Returns a constant response to every event.
    Hello,
    /// Supports `me` and `updateAccessToken`.
    Product,
}

/// The results, with an entry per round. Times are in microseconds, memory is in KiB.
#[derive(Default)]
pub(crate) struct Samples {
    pub(crate) init: Vec<f64>,
    pub(crate) first: Vec<f64>,
    pub(crate) cold: Vec<f64>,
    pub(crate) cold_asking_kms: Vec<f64>,
    pub(crate) shared: Vec<f64>,
    pub(crate) warm: Vec<f64>,
    pub(crate) cpu: Vec<f64>,
    pub(crate) cpu_new_tokens: Vec<f64>,
    pub(crate) cpu_update: Vec<f64>,
    pub(crate) cpu_update_by_session: Vec<f64>,
    pub(crate) peak: Vec<f64>,
    pub(crate) growth: Vec<f64>,
}

impl Candidate {
    pub(crate) fn new(name: &'static str, bootstrap: PathBuf, kind: Kind) -> Self {
        Self { name, bootstrap, kind, samples: Samples::default() }
    }

    fn start(&self, environment: &Environment) -> io::Result<Function> {
        let Aws { system_roots, amazon_roots, .. } = &environment.aws;
        let roots = if self.kind == Kind::Product { amazon_roots } else { system_roots };
        Function::start(Command::new(&self.bootstrap), roots, environment)
    }

    fn me(&self, account: &Account, token: usize) -> Event {
        if self.kind == Kind::Hello { events::hello(account) } else { events::me(account, token) }
    }
}

/// Runs all measurements.
pub(crate) fn run(
    candidates: &mut [Candidate],
    account: &Account,
    environment: &Environment,
) -> io::Result<()> {
    run_rounds(candidates, "cold", COLD_ROUNDS, |candidate| cold(candidate, account, environment))?;
    if let Err(error) = run_rounds(candidates, "share", SHARED_ROUNDS, |candidate| {
        shared(candidate, account, environment)
    }) {
        eprintln!("the CPU share of 128 MB cannot be measured on this machine: {error}");
    }
    run_rounds(candidates, "warm", WARM_ROUNDS, |candidate| warm(candidate, account, environment))?;
    run_rounds(candidates, "memory", 1, |candidate| memory(candidate, account, environment))
}

fn run_rounds(
    candidates: &mut [Candidate],
    name: &str,
    rounds: usize,
    mut measure: impl FnMut(&mut Candidate) -> io::Result<()>,
) -> io::Result<()> {
    for round in 1..=rounds {
        eprintln!("{name}, round {round} of {rounds}");
        candidates.iter_mut().try_for_each(&mut measure)?;
    }
    Ok(())
}

/// Measures cold starts. The product starts with a key in KMS, with and without its public key.
fn cold(candidate: &mut Candidate, account: &Account, environment: &Environment) -> io::Result<()> {
    let with = |keys| Environment { keys, ..environment.clone() };
    if candidate.kind == Kind::Product {
        let (init, first) = cold_start(candidate, account, &with(Account::kms_keys()))?;
        candidate.samples.cold_asking_kms.push(init + first);
    }
    let keys = if candidate.kind == Kind::Product {
        account.deployed_keys()
    } else {
        account.local_keys()
    };
    let (init, first) = cold_start(candidate, account, &with(keys))?;
    candidate.samples.init.push(init);
    candidate.samples.first.push(first);
    candidate.samples.cold.push(init + first);
    Ok(())
}

/// Returns the durations of the init phase and the first invocation.
fn cold_start(
    candidate: &Candidate,
    account: &Account,
    environment: &Environment,
) -> io::Result<(f64, f64)> {
    let function = candidate.start(environment)?;
    let first = function.repeat(&candidate.me(account, 0), 1).durations[0];
    Ok((microseconds(function.init), microseconds(first)))
}

/// Measures the first invocation with the CPU share of 128 MB. Each instance has its own limit.
fn shared(
    candidate: &mut Candidate,
    account: &Account,
    environment: &Environment,
) -> io::Result<()> {
    let limit = CpuLimit::of_128_mb()?;
    let function = candidate.start(environment)?;
    limit.add(function.id())?;
    let first = function.repeat(&candidate.me(account, 0), 1).durations[0];
    candidate.samples.shared.push(microseconds(first));
    Ok(())
}

fn warm(candidate: &mut Candidate, account: &Account, environment: &Environment) -> io::Result<()> {
    let function = candidate.start(environment)?;
    let me = candidate.me(account, 0);
    function.repeat(&me, WARM_UP);
    let (cpu, durations) = measure(&function, vec![me; INVOCATIONS])?;
    candidate.samples.cpu.push(cpu);
    candidate.samples.warm.push(median(&durations));
    if candidate.kind == Kind::Hello {
        return Ok(());
    }
    let new_tokens = (1..=INVOCATIONS).map(|token| events::me(account, token)).collect();
    candidate.samples.cpu_new_tokens.push(measure(&function, new_tokens)?.0);
    let update = vec![events::update_by_token(account); INVOCATIONS];
    candidate.samples.cpu_update.push(measure(&function, update)?.0);
    let update = vec![events::update_by_session(account); INVOCATIONS];
    candidate.samples.cpu_update_by_session.push(measure(&function, update)?.0);
    Ok(())
}

/// Returns the CPU time per invocation, and the duration of each.
fn measure(function: &Function, events: Vec<Event>) -> io::Result<(f64, Vec<f64>)> {
    let count = events.len();
    let before = function.cpu_time()?;
    let durations = function.invoke(events).durations.into_iter().map(microseconds).collect();
    Ok((microseconds(function.cpu_time()?.saturating_sub(before)) / count as f64, durations))
}

fn memory(
    candidate: &mut Candidate,
    account: &Account,
    environment: &Environment,
) -> io::Result<()> {
    let function = candidate.start(environment)?;
    let me = candidate.me(account, 0);
    function.repeat(&me, MEMORY_INVOCATIONS / 2);
    let half = function.peak_memory()?;
    function.repeat(&me, MEMORY_INVOCATIONS / 2);
    let whole = function.peak_memory()?;
    candidate.samples.peak.push(whole as f64);
    candidate.samples.growth.push((whole - half) as f64);
    Ok(())
}

fn microseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// Returns the median of the samples, or NaN if there are none.
pub(crate) fn median(samples: &[f64]) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}
