//! Fuzzing: changes valid inputs randomly, for a limited time.
//!
//! The inputs are in `tests/hardening/corpus/`, with a directory for each target. Each is first
//! tried unchanged. proptest makes the changes and shrinks failing inputs. It works on stable Rust.
//! `FUZZ_SECONDS` is the time for each target. The same `FUZZ_SEED` reproduces a failure. Add
//! failing inputs to the corpus.

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

/// The number of inputs that are tried before the target is restarted.
const BATCH: u32 = 100;

/// A part of the product that must handle any input.
trait Target: Sized {
    /// The name of the directory in the corpus.
    const NAME: &'static str;
    /// Words that changes insert.
    const WORDS: &'static [&'static str];

    /// Starts the target.
    fn new() -> Self;

    /// Checks the properties that hold for every input.
    fn check(&self, input: &[u8]) -> TestCaseResult;

    /// Returns the inputs of the corpus.
    fn seeds(&self) -> Vec<Vec<u8>> {
        corpus(Self::NAME).into_iter().map(|text| self.fill_in(&text).into_bytes()).collect()
    }

    /// Replaces the placeholders in an input.
    fn fill_in(&self, seed: &str) -> String {
        seed.to_owned()
    }

    /// Generates changed inputs.
    fn mutations(&self) -> BoxedStrategy<Input> {
        mutation::mutations(self.seeds(), Self::WORDS)
    }
}

/// An input, which is printed as text.
#[derive(Clone)]
struct Input(Vec<u8>);

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b\"{}\"", self.0.escape_ascii())
    }
}

/// Reads the corpus of a target, sorted by file name.
fn corpus(target: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hardening/corpus").join(target);
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    paths.sort();
    paths
        .iter()
        .map(|it| fs::read_to_string(it).unwrap().trim_end_matches('\n').to_owned())
        .collect()
}

/// Reads a number from an environment variable.
#[expect(clippy::disallowed_methods, reason = "the suite sets the duration and the random seed")]
fn env_number(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .map_or(default, |it| it.parse().unwrap_or_else(|_| panic!("{name} is not a number")))
}

/// Returns the runner of one batch, with its own seed.
fn runner(seed: u64, batch: u64) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..16].copy_from_slice(&batch.to_le_bytes());
    let config = Config { failure_persistence: None, ..Config::with_cases(BATCH) };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

/// Tries the inputs of the corpus, and then changed inputs until the time is over.
#[expect(clippy::print_stdout, reason = "the suite shows the number of inputs")]
fn fuzz<T: Target>() {
    let duration = Duration::from_secs(env_number("FUZZ_SECONDS", 0));
    let seed = env_number("FUZZ_SEED", 1);
    let stopwatch = Clock::stopwatch();
    let target = T::new();
    for input in target.seeds() {
        let result = target.check(&input);
        result.unwrap_or_else(|error| {
            panic!("{}: {error}\nthe input is in the corpus: {:?}", T::NAME, Input(input))
        });
    }
    let mut batch = 0;
    while batch == 0 || stopwatch.elapsed() < duration {
        let target = T::new();
        let result = runner(seed, batch).run(&target.mutations(), |input| target.check(&input.0));
        result.unwrap_or_else(|error| {
            panic!("{}: {error}\nbatch {batch} of FUZZ_SEED={seed}", T::NAME)
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

/// Returns a tokio runtime.
fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}
