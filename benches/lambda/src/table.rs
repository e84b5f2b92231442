//! Prints the results as the Markdown table in `benches/README.md`.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use flate2::{Compression, write::DeflateEncoder};

use crate::rounds::{Peer, Samples, median};

/// What a zip file of one file needs beside the file.
const ZIP_FRAME: usize = 122;

/// One row: what it says, of which samples, and in which unit.
struct Row(&'static str, fn(&Samples) -> &Vec<f64>, Unit);

#[derive(Clone, Copy)]
enum Unit {
    Milliseconds,
    Mebibytes,
    Kibibytes,
    /// Microseconds, and beside them how often those of hello: it does the same in each row.
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

/// Prints all rows. The first peer is hello.
pub(crate) fn print(peers: &[Peer]) -> io::Result<()> {
    let names: Vec<_> = peers.iter().map(|it| it.name).collect();
    println!("| | {} |\n|---|{}", names.join(" | "), "---|".repeat(peers.len()));
    for row in &ROWS {
        let cells: Vec<_> =
            peers.iter().map(|peer| cell(row, &peer.samples, &peers[0].samples)).collect();
        println!("| {} | {} |", row.0, cells.join(" | "));
    }
    let zips: io::Result<Vec<_>> = peers.iter().map(|peer| zipped(&peer.bootstrap)).collect();
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
