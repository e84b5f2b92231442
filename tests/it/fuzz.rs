//! Fuzzing: real inputs, changed a little, again and again, for a bounded time.
//!
//! Seeds lie in `tests/hardening/corpus/`, a folder a target; each is tried as it is first.
//! Changes are proptest's: on the stable toolchain, in the tests' own build, a failure is
//! reduced to its smallest input and comes back with the same seed. `FUZZ_SECONDS` is the
//! time of each target, `FUZZ_SEED` where chance begins. An input that once failed belongs
//! into the corpus.

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

/// How many inputs are tried before the product is started anew.
const BATCH: u32 = 100;

/// Something that must bear any input.
trait Target: Sized {
    /// The folder of its seeds.
    const NAME: &'static str;
    /// Words that change more than their length in bytes.
    const WORDS: &'static [&'static str];

    /// The target, in a world of its own.
    fn new() -> Self;

    /// What must hold for an input.
    fn bears(&self, input: &[u8]) -> TestCaseResult;

    /// The inputs to begin with.
    fn seeds(&self) -> Vec<Vec<u8>> {
        corpus(Self::NAME).into_iter().map(|text| self.filled(&text).into_bytes()).collect()
    }

    /// A seed with what differs from world to world filled in.
    fn filled(&self, seed: &str) -> String {
        seed.to_owned()
    }

    /// Changed inputs.
    fn changed(&self) -> BoxedStrategy<Input> {
        mutation::of(self.seeds(), Self::WORDS)
    }
}

/// An input, shown so that it can be typed.
#[derive(Clone)]
struct Input(Vec<u8>);

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b\"{}\"", self.0.escape_ascii())
    }
}

/// The seeds of a target, in the order of their names.
fn corpus(target: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hardening/corpus").join(target);
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    paths.sort();
    paths
        .iter()
        .map(|it| fs::read_to_string(it).unwrap().trim_end_matches('\n').to_owned())
        .collect()
}

/// A number that the environment may set.
#[expect(
    clippy::disallowed_methods,
    reason = "a suite says by it how long, and where chance begins"
)]
fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name)
        .map_or(otherwise, |it| it.parse().unwrap_or_else(|_| panic!("{name} is no number")))
}

/// The source of chance of one batch.
fn runner(seed: u64, batch: u64) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..16].copy_from_slice(&batch.to_le_bytes());
    let config = Config { failure_persistence: None, ..Config::with_cases(BATCH) };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

/// Tries the seeds of a target, and then changes of them until the time is over.
#[expect(clippy::print_stdout, reason = "a suite wants to know how much was tried")]
fn fuzz<T: Target>() {
    let (time, seed) = (Duration::from_secs(number("FUZZ_SECONDS", 0)), number("FUZZ_SEED", 1));
    let stopwatch = Clock::stopwatch();
    let target = T::new();
    for input in target.seeds() {
        let borne = target.bears(&input);
        borne.unwrap_or_else(|fault| {
            panic!("{}: {fault}\nof the corpus: {:?}", T::NAME, Input(input))
        });
    }
    let mut batch = 0;
    while batch == 0 || stopwatch.elapsed() < time {
        let target = T::new();
        let borne = runner(seed, batch).run(&target.changed(), |input| target.bears(&input.0));
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

/// A runtime for a target that lives in a world.
fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}
