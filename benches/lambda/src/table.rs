//! Prints the results as the Markdown table in `benches/README.md`.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use flate2::{Compression, write::DeflateEncoder};

use crate::rounds::{Candidate, Samples, median};

/// The size of the headers in a zip file with one file.
const ZIP_FRAME: usize = 122;

/// A row: its title, its samples and its unit.
struct Row(&'static str, fn(&Samples) -> &Vec<f64>, Unit);

#[derive(Clone, Copy)]
enum Unit {
    Milliseconds,
    Mebibytes,
    Kibibytes,
    /// Microseconds, and the ratio to these samples of hello.
    TimesHello(fn(&Samples) -> &Vec<f64>),
}

const ROWS: [Row; 12] = [
    Row("init, ms", |it| &it.init, Unit::Milliseconds),
    Row("first invocation after init, ms", |it| &it.first, Unit::Milliseconds),
    Row("first invocation with the CPU share of 128 MB, ms", |it| &it.shared, Unit::Milliseconds),
    Row(
        "cold start with configured public keys, µs",
        |it| &it.cold,
        Unit::TimesHello(|it| &it.cold),
    ),
    Row(
        "cold start with public keys from KMS, µs",
        |it| &it.cold_asking_kms,
        Unit::TimesHello(|it| &it.cold),
    ),
    Row("warm `me`, p50, µs", |it| &it.warm, Unit::TimesHello(|it| &it.warm)),
    Row("CPU of `me`, µs", |it| &it.cpu, Unit::TimesHello(|it| &it.cpu)),
    Row(
        "CPU of `me` with a new token each time, µs",
        |it| &it.cpu_new_tokens,
        Unit::TimesHello(|it| &it.cpu),
    ),
    Row(
        "CPU of `updateAccessToken` in a session, µs",
        |it| &it.cpu_update_by_session,
        Unit::TimesHello(|it| &it.cpu),
    ),
    Row(
        "CPU of `updateAccessToken` with a token (renewal), µs",
        |it| &it.cpu_update,
        Unit::TimesHello(|it| &it.cpu),
    ),
    Row("peak memory after 10,000 invocations, MiB", |it| &it.peak, Unit::Mebibytes),
    Row("memory growth over the last 5,000 invocations, KiB", |it| &it.growth, Unit::Kibibytes),
];

/// Prints the table. The first candidate is hello.
pub(crate) fn print(candidates: &[Candidate]) -> io::Result<()> {
    let names: Vec<_> = candidates.iter().map(|it| it.name).collect();
    println!("| | {} |\n|---|{}", names.join(" | "), "---|".repeat(candidates.len()));
    for row in &ROWS {
        let cells: Vec<_> = candidates
            .iter()
            .map(|candidate| cell(row, &candidate.samples, &candidates[0].samples))
            .collect();
        println!("| {} | {} |", row.0, cells.join(" | "));
    }
    let zips: io::Result<Vec<_>> =
        candidates.iter().map(|candidate| zipped(&candidate.bootstrap)).collect();
    println!("| zip, MB | {} |", zips?.join(" | "));
    Ok(())
}

fn cell(Row(_, of, unit): &Row, samples: &Samples, hello: &Samples) -> String {
    let value = median(of(samples));
    if value.is_nan() {
        return "-".to_owned();
    }
    match unit {
        Unit::Milliseconds => format!("{:.2}", value / 1000.0),
        Unit::Kibibytes => format!("{value:.0}"),
        Unit::Mebibytes => format!("{:.1}", value / 1024.0),
        Unit::TimesHello(own) => format!("{value:.0} (x {:.1})", value / median(own(hello))),
    }
}

fn zipped(bootstrap: &Path) -> io::Result<String> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&fs::read(bootstrap)?)?;
    Ok(format!("{:.2}", (encoder.finish()?.len() + ZIP_FRAME) as f64 / 1e6))
}
