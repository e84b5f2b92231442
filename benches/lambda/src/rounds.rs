//! What is measured of each peer, in rounds in which they take turns.

use std::{io, path::PathBuf, process::Command, time::Duration};

use crate::{
    account::Account,
    aws::Aws,
    events::{self, Event},
    function::{ClientInfo, Function},
    share::Share,
};

const COLD_ROUNDS: usize = 25;
const SHARED_ROUNDS: usize = 15;
const WARM_ROUNDS: usize = 5;
/// Invocations before the first that counts as warm.
const WARM_UP: usize = 500;
const INVOCATIONS: usize = 2_000;
/// After so many the peak of memory is read, and at a half of it, to see whether it grows.
const LONG: usize = 10_000;

/// A function that is measured.
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    pub(crate) bootstrap: PathBuf,
    kind: Kind,
    pub(crate) samples: Samples,
}

/// Which events a function can answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It answers every event with a constant.
    Hello,
    /// It answers `me` and `updateAccessToken`.
    Product,
}

/// What was measured: one entry a round. Times are in microseconds, memory in KiB.
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

impl Peer {
    pub(crate) fn new(name: &'static str, bootstrap: PathBuf, kind: Kind) -> Self {
        Self { name, bootstrap, kind, samples: Samples::default() }
    }

    fn started(&self, place: &ClientInfo) -> io::Result<Function> {
        let Aws { system_roots, amazon_roots, .. } = &place.aws;
        let roots = if self.kind == Kind::Product { amazon_roots } else { system_roots };
        Function::started(Command::new(&self.bootstrap), roots, place)
    }

    fn me(&self, account: &Account, token: usize) -> Event {
        if self.kind == Kind::Hello { events::hello(account) } else { events::me(account, token) }
    }
}

/// Measures all peers.
pub(crate) fn all(peers: &mut [Peer], account: &Account, place: &ClientInfo) -> io::Result<()> {
    in_turns(peers, "cold", COLD_ROUNDS, |peer| cold(peer, account, place))?;
    if let Err(why) = in_turns(peers, "share", SHARED_ROUNDS, |peer| shared(peer, account, place)) {
        eprintln!("the share of 128 MB is not measured here: {why}");
    }
    in_turns(peers, "warm", WARM_ROUNDS, |peer| warm(peer, account, place))?;
    in_turns(peers, "memory", 1, |peer| memory(peer, account, place))
}

fn in_turns(
    peers: &mut [Peer],
    name: &str,
    rounds: usize,
    mut measure: impl FnMut(&mut Peer) -> io::Result<()>,
) -> io::Result<()> {
    for round in 1..=rounds {
        eprintln!("{name}, round {round} of {rounds}");
        peers.iter_mut().try_for_each(&mut measure)?;
    }
    Ok(())
}

/// The product starts with a key in KMS, as it is deployed: with the public half given, and once
/// more without it, so that it has to ask KMS.
fn cold(peer: &mut Peer, account: &Account, place: &ClientInfo) -> io::Result<()> {
    let with = |keys| ClientInfo { keys, ..place.clone() };
    if peer.kind == Kind::Product {
        let (init, first) = cold_start(peer, account, &with(Account::kms_keys()))?;
        peer.samples.cold_asking_kms.push(init + first);
    }
    let keys =
        if peer.kind == Kind::Product { account.deployed_keys() } else { account.local_keys() };
    let (init, first) = cold_start(peer, account, &with(keys))?;
    peer.samples.init.push(init);
    peer.samples.first.push(first);
    peer.samples.cold.push(init + first);
    Ok(())
}

/// How long init and the first invocation take.
fn cold_start(peer: &Peer, account: &Account, place: &ClientInfo) -> io::Result<(f64, f64)> {
    let function = peer.started(place)?;
    let first = function.repeat(&peer.me(account, 0), 1).took[0];
    Ok((microseconds(function.init), microseconds(first)))
}

/// Each has a share of its own: what one has used up is not taken from the next.
fn shared(peer: &mut Peer, account: &Account, place: &ClientInfo) -> io::Result<()> {
    let share = Share::of_128_mb()?;
    let function = peer.started(place)?;
    share.limit(function.id())?;
    let first = function.repeat(&peer.me(account, 0), 1).took[0];
    peer.samples.shared.push(microseconds(first));
    Ok(())
}

fn warm(peer: &mut Peer, account: &Account, place: &ClientInfo) -> io::Result<()> {
    let function = peer.started(place)?;
    let me = peer.me(account, 0);
    function.repeat(&me, WARM_UP);
    let (cpu, took) = used(&function, vec![me; INVOCATIONS])?;
    peer.samples.cpu.push(cpu);
    peer.samples.warm.push(median(&took));
    if peer.kind == Kind::Hello {
        return Ok(());
    }
    let ever_new = (1..=INVOCATIONS).map(|token| events::me(account, token)).collect();
    peer.samples.cpu_new_tokens.push(used(&function, ever_new)?.0);
    let update = vec![events::update_by_token(account); INVOCATIONS];
    peer.samples.cpu_update.push(used(&function, update)?.0);
    let update = vec![events::update_by_session(account); INVOCATIONS];
    peer.samples.cpu_update_by_session.push(used(&function, update)?.0);
    Ok(())
}

/// The processor time of each invocation, and how long each took.
fn used(function: &Function, events: Vec<Event>) -> io::Result<(f64, Vec<f64>)> {
    let (count, before) = (events.len(), function.cpu()?);
    let took = function.invoke(events).took.into_iter().map(microseconds).collect();
    Ok((microseconds(function.cpu()?.saturating_sub(before)) / count as f64, took))
}

fn memory(peer: &mut Peer, account: &Account, place: &ClientInfo) -> io::Result<()> {
    let function = peer.started(place)?;
    let me = peer.me(account, 0);
    function.repeat(&me, LONG / 2);
    let half = function.peak_memory()?;
    function.repeat(&me, LONG / 2);
    let whole = function.peak_memory()?;
    peer.samples.peak.push(whole as f64);
    peer.samples.growth.push((whole - half) as f64);
    Ok(())
}

fn microseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// The middle of the samples; not a number where there are none.
pub(crate) fn median(samples: &[f64]) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}
