//! Makes the table of the web's static assets: our own files in
//! `src/web/static` and the two prebuilt files of GraphQL Playground.
//!
//! Each is named by its content and compressed here, once, because neither API
//! Gateway nor the Lambda function compresses. What comes out is
//! `OUT_DIR/assets.rs`, which `src/web/assets.rs` includes.
//!
//! Playground comes by `npm ci` from a lock that holds that package alone.
//! Its dependencies are already bundled in the two files, so a full install
//! would fetch hundreds of packages for nothing; and npm itself, not code of
//! ours, verifies the locked SHA-512 and refuses anything else. The install is
//! made once in `OUT_DIR`; npm's own cache serves a new `OUT_DIR` offline.
//!
//! Beside them, `OUT_DIR/amazon-roots.pem` is written, which `src/aws.rs` includes.

#[path = "build/roots.rs"]
mod roots;

use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use brotli::enc::BrotliEncoderParams;
use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Our own assets; every file in it is served.
const STATIC_DIR: &str = "src/web/static";

/// Where the npm package is pinned.
const IDE_DIR: &str = "src/web/ide";

/// The files of [`IDE_DIR`] that decide what npm installs.
const IDE_FILES: [&str; 3] = ["package.json", "package-lock.json", ".npmrc"];

/// What we serve of the npm package: our name, and its place in the package.
const PLAYGROUND_FILES: [(&str, &str); 2] = [
    ("playground.css", "build/static/css/middleware.css"),
    ("playground.js", "build/static/js/middleware.js"),
];

/// Brotli's best, for what is shipped.
const RELEASE_QUALITY: i32 = 11;

/// Brotli's quick middle, so that a development build does not wait for Playground. Our own
/// files are small: tests see them as they are shipped.
const DEBUG_QUALITY: i32 = 4;

/// A file to be served: its plain name and where it lies now.
struct Source {
    name: String,
    path: PathBuf,
}

/// An asset ready for the table; its bytes lie in `OUT_DIR`, under its name,
/// and with `.gz` and `.br`.
struct Prepared {
    constant: String,
    source: String,
    public_name: String,
    content_type: &'static str,
}

fn main() -> ExitCode {
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("cargo::error={error}");
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<()> {
    let out = PathBuf::from(variable("OUT_DIR")?);
    let quality = if variable("PROFILE")? == "release" { RELEASE_QUALITY } else { DEBUG_QUALITY };
    announce_inputs();
    roots::prepare(&out.join("amazon-roots.pem"))?;

    let own = own_sources()?.into_iter().map(|source| (source, RELEASE_QUALITY));
    let playground = playground_sources(&out)?.into_iter().map(|source| (source, quality));
    let prepared = own.chain(playground).map(|(source, quality)| prepare(&source, &out, quality));
    let assets = prepared.collect::<Result<Vec<_>>>()?;

    write(&out.join("assets.rs"), table(&assets)?.as_bytes())
}

/// One of the variables by which cargo speaks to build scripts.
#[expect(
    clippy::disallowed_methods,
    reason = "cargo tells a build script everything by its environment"
)]
fn variable(name: &str) -> Result<String> {
    env::var(name).map_err(|error| format!("{name}: {error}").into())
}

fn announce_inputs() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build/roots.rs");
    println!("cargo::rerun-if-changed={STATIC_DIR}");
    for file in IDE_FILES {
        println!("cargo::rerun-if-changed={IDE_DIR}/{file}");
    }
}

/// The files of [`STATIC_DIR`], sorted, so that the same tree gives the same table.
fn own_sources() -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    for entry in fs::read_dir(STATIC_DIR).map_err(|error| format!("{STATIC_DIR}: {error}"))? {
        let entry = entry?;
        sources.push(Source {
            name: entry.file_name().to_string_lossy().into_owned(),
            path: entry.path(),
        });
    }
    sources.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(sources)
}

/// The files of GraphQL Playground, fetched if they are not there yet.
fn playground_sources(out: &Path) -> Result<Vec<Source>> {
    let folder = out.join("ide");
    if !is_installed(&folder) {
        install(&folder)?;
    }
    let package = folder.join("node_modules/graphql-playground-react");
    Ok(PLAYGROUND_FILES
        .map(|(name, path)| Source { name: name.to_owned(), path: package.join(path) })
        .into())
}

/// Whether the folder holds what the repository pins now: the pinning files are
/// copied one by one and the stamp is written last, after npm succeeded.
fn is_installed(folder: &Path) -> bool {
    let same = |file: &str| {
        let (pinned, used) = (fs::read(Path::new(IDE_DIR).join(file)), fs::read(folder.join(file)));
        matches!((pinned, used), (Ok(pinned), Ok(used)) if pinned == used)
    };
    folder.join("installed").exists() && IDE_FILES.into_iter().all(same)
}

fn install(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    remove_if_there(&folder.join("installed"))?;
    for file in IDE_FILES {
        write(&folder.join(file), &read(&Path::new(IDE_DIR).join(file))?)?;
    }
    npm_ci(folder)?;
    write(&folder.join("installed"), b"")
}

fn remove_if_there(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// Runs `npm ci`, which installs what the lock says, verified, or fails.
fn npm_ci(folder: &Path) -> Result<()> {
    let status = Command::new("npm").arg("ci").current_dir(folder).status().map_err(|error| {
        format!("npm, which fetches GraphQL Playground ({IDE_DIR}), cannot be run: {error}. Install Node.js 18 or later")
    })?;
    if status.success() {
        return Ok(());
    }
    Err(format!(
        "`npm ci` of {IDE_DIR} failed ({status}): npm says why in this build script's output"
    )
    .into())
}

/// Puts an asset into `out` in its three forms, named by its content.
fn prepare(source: &Source, out: &Path, quality: i32) -> Result<Prepared> {
    let bytes = read(&source.path)?;
    let (stem, extension) = source
        .name
        .rsplit_once('.')
        .ok_or_else(|| format!("{}: an asset needs an extension", source.name))?;
    let public_name = format!("{stem}.{}.{extension}", content_hash(&bytes)?);
    let content_type = content_type(extension)?;

    write_new(&out.join(&public_name), || Ok(bytes.clone()))?;
    write_new(&out.join(format!("{public_name}.gz")), || gzip(&bytes))?;
    write_new(&out.join(format!("{public_name}.br")), || brotli(&bytes, quality))?;

    let constant =
        source.name.to_uppercase().replace(|letter: char| !letter.is_ascii_alphanumeric(), "_");
    Ok(Prepared { constant, source: source.name.clone(), public_name, content_type })
}

fn content_type(extension: &str) -> Result<&'static str> {
    match extension {
        "css" => Ok("text/css; charset=utf-8"),
        "ico" => Ok("image/x-icon"),
        "js" => Ok("text/javascript; charset=utf-8"),
        "png" => Ok("image/png"),
        "svg" => Ok("image/svg+xml"),
        "txt" => Ok("text/plain; charset=utf-8"),
        "woff2" => Ok("font/woff2"),
        _ => Err(format!("no content type is known for .{extension}: add it to build.rs").into()),
    }
}

/// The first 16 hexadecimal digits (64 bits) of the SHA-256: no attacker
/// chooses our files, so it only has to tell our own versions apart.
fn content_hash(bytes: &[u8]) -> Result<String> {
    let mut hash = String::new();
    for byte in Sha256::digest(bytes).iter().take(8) {
        write!(hash, "{byte:02x}")?;
    }
    Ok(hash)
}

fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

fn brotli(bytes: &[u8], quality: i32) -> Result<Vec<u8>> {
    let parameters = BrotliEncoderParams { quality, size_hint: bytes.len(), ..Default::default() };
    let mut compressed = Vec::new();
    brotli::BrotliCompress(&mut &*bytes, &mut compressed, &parameters)?;
    Ok(compressed)
}

/// The Rust source that `src/web/assets.rs` includes. Names stand apart from
/// the table: a binary that only writes the names does not link the bytes.
fn table(assets: &[Prepared]) -> Result<String> {
    let mut code = String::new();
    for Prepared { constant, source, public_name, .. } in assets {
        writeln!(
            code,
            "/// The public name of `{source}`.\npub const {constant}: &str = {public_name:?};\n"
        )?;
    }
    writeln!(code, "static ASSETS: [Asset; {}] = [", assets.len())?;
    for Prepared { constant, public_name, content_type, .. } in assets {
        writeln!(code, "    Asset {{ name: {constant}, content_type: {content_type:?},")?;
        for (field, suffix) in [("bytes", ""), ("gzip", ".gz"), ("brotli", ".br")] {
            writeln!(code, "        {field}: include_bytes!(\"{public_name}{suffix}\"),")?;
        }
        writeln!(code, "    }},")?;
    }
    writeln!(code, "];")?;
    Ok(code)
}

/// Writes a file unless it is there: its name tells its content, so a changed
/// stylesheet does not cost the compression of the 2 MB beside it.
fn write_new(path: &Path, content: impl FnOnce() -> Result<Vec<u8>>) -> Result<()> {
    if path.exists() {
        return Ok(());
    }
    // A build that is interrupted must not leave half a file under the final name.
    let unfinished = path.with_extension("unfinished");
    write(&unfinished, &content()?)?;
    fs::rename(&unfinished, path).map_err(|error| format!("{}: {error}", path.display()).into())
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|error| format!("{}: {error}", path.display()).into())
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes).map_err(|error| format!("{}: {error}", path.display()).into())
}
