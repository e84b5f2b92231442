//! Fuzzing: changes valid inputs at random, for a limited time.
//!
//! The seeds are in `tests/hardening/corpus/`, in a directory for each target. Each seed is first
//! tried without changes. proptest makes the changes. It needs only the stable toolchain and the
//! build of the tests. It reduces a failing input, and the same `FUZZ_SEED` makes it fail again.
//! `FUZZ_SECONDS` is the time for each target. Add an input that has failed to the corpus.

mod authorization;
mod callback;
mod claims;
mod cookies;
mod event;
mod mutation;
mod own_path;
mod query;
mod token;

use std::{fmt, fs, path::Path, time::Duration};

use arm_api::clock::Clock;
use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestCaseResult, TestRng, TestRunner},
};

/// How many inputs are tried before the product is started again.
const BATCH: u32 = 100;

/// A part of the product that must handle any input.
trait Target: Sized {
    /// The directory of the seeds.
    const NAME: &'static str;
    /// Words that are inserted as a whole.
    const WORDS: &'static [&'static str];

    /// Starts the target in its own world.
    fn new() -> Self;

    /// Checks what must hold for every input.
    fn check(&self, input: &[u8]) -> TestCaseResult;

    /// Returns the seeds.
    fn seeds(&self) -> Vec<Vec<u8>> {
        corpus(Self::NAME).into_iter().map(|text| self.fill_in(&text).into_bytes()).collect()
    }

    /// Fills in what differs between worlds.
    fn fill_in(&self, seed: &str) -> String {
        seed.to_owned()
    }

    /// Generates changed inputs.
    fn changed(&self) -> BoxedStrategy<Input> {
        mutation::of(self.seeds(), Self::WORDS)
    }
}

/// An input that is printed as text.
#[derive(Clone)]
struct Input(Vec<u8>);

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b\"{}\"", self.0.escape_ascii())
    }
}

/// Reads the seeds of a target, ordered by their names.
fn corpus(target: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hardening/corpus").join(target);
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    paths.sort();
    paths
        .iter()
        .map(|it| fs::read_to_string(it).unwrap().trim_end_matches('\n').to_owned())
        .collect()
}

/// Reads a number from the environment.
#[expect(
    clippy::disallowed_methods,
    reason = "a suite says by it how long, and where chance begins"
)]
fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name)
        .map_or(otherwise, |it| it.parse().unwrap_or_else(|_| panic!("{name} is no number")))
}

/// Returns the runner of one batch, with its own seed.
fn runner(seed: u64, batch: u64) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..16].copy_from_slice(&batch.to_le_bytes());
    let config = Config { failure_persistence: None, ..Config::with_cases(BATCH) };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

/// Tries the seeds of a target, and then changed ones until the time is over.
#[expect(clippy::print_stdout, reason = "a suite wants to know how much was tried")]
fn fuzz<T: Target>() {
    let (time, seed) = (Duration::from_secs(number("FUZZ_SECONDS", 0)), number("FUZZ_SEED", 1));
    let stopwatch = Clock::stopwatch();
    let target = T::new();
    for input in target.seeds() {
        let borne = target.check(&input);
        borne.unwrap_or_else(|fault| {
            panic!("{}: {fault}\nof the corpus: {:?}", T::NAME, Input(input))
        });
    }
    let mut batch = 0;
    while batch == 0 || stopwatch.elapsed() < time {
        let target = T::new();
        let borne = runner(seed, batch).run(&target.changed(), |input| target.check(&input.0));
        borne.unwrap_or_else(|fault| {
            panic!("{}: {fault}\nbatch {batch} of FUZZ_SEED={seed}", T::NAME)
        });
        batch += 1;
    }
    println!(
        "{}: {} inputs, FUZZ_SEED={seed}, {:?}",
        T::NAME,
        batch * u64::from(BATCH),
        stopwatch.elapsed()
    );
}

/// Returns a runtime for a target with a world.
fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}
