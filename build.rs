//! Writes `OUT_DIR/assets.rs`, which `src/web/assets.rs` includes: the table of static assets.
//! They are our own files in `src/web/static` and two files of GraphQL Playground.
//!
//! The public name of an asset contains a hash of its content. Assets are compressed here,
//! because neither API Gateway nor the Lambda function compresses them. The imports of our
//! JavaScript modules are rewritten to public names.
//!
//! Playground is installed by `npm ci` from a lock file that contains only that package. Its
//! dependencies are bundled in the two files, so a full install would download hundreds of
//! packages for nothing. npm verifies the locked SHA-512. The package is installed once in each
//! `OUT_DIR`; npm's cache makes that possible offline.
//!
//! Also writes `OUT_DIR/amazon-roots.pem`, which `src/aws.rs` includes.

#[path = "build/modules.rs"]
mod modules;
#[path = "build/roots.rs"]
mod roots;

use std::{
    collections::BTreeMap,
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

/// The folder of our own assets. All its files are served.
const STATIC_DIR: &str = "src/web/static";

/// The folder that pins the npm package.
const IDE_DIR: &str = "src/web/ide";

/// The path under which assets are served.
const PATH: &str = "/static";

/// The files in [`IDE_DIR`] that determine what npm installs.
const IDE_FILES: [&str; 3] = ["package.json", "package-lock.json", ".npmrc"];

/// The files of the npm package that are served: our name, and the path in the package.
const PLAYGROUND_FILES: [(&str, &str); 2] = [
    ("playground.css", "build/static/css/middleware.css"),
    ("playground.js", "build/static/js/middleware.js"),
];

/// Brotli's best quality, for releases.
const RELEASE_QUALITY: i32 = 11;

/// A faster quality for Playground in development builds. Our own files are small, so they are
/// compressed as in a release.
const DEBUG_QUALITY: i32 = 4;

/// A file to be served.
struct Source {
    name: String,
    path: PathBuf,
}

/// An asset that is ready for the table. Its content is in `OUT_DIR`, in a file with its public
/// name, and compressed in files with `.gz` and `.br` added.
struct Prepared {
    public_name: String,
    content_type: &'static str,
    /// The public names of all modules that it loads, if it is one of our modules.
    imports: Vec<String>,
    is_module: bool,
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

    let mut assets = BTreeMap::new();
    for Source { name, path } in playground_sources(&out)? {
        let asset = prepare(&name, &read(&path)?, &out, quality)?;
        assets.insert(name, asset);
    }
    prepare_own(own_sources()?, &out, &mut assets)?;
    write(&out.join("assets.rs"), render_table(&assets)?.as_bytes())
}

/// Prepares our own files. A module is prepared after its imports, because its content contains
/// their public names, and its own public name contains a hash of its content.
fn prepare_own(
    mut sources: Vec<(String, String)>,
    out: &Path,
    assets: &mut BTreeMap<String, Prepared>,
) -> Result<()> {
    while !sources.is_empty() {
        let is_ready = |(_, text): &(String, String)| {
            modules::imports(text).iter().all(|it| assets.contains_key(*it))
        };
        let (ready, waiting): (Vec<_>, Vec<_>) = sources.into_iter().partition(is_ready);
        if ready.is_empty() {
            let names: Vec<_> = waiting.iter().map(|(name, _)| name.as_str()).collect();
            let fault = "these modules import each other, or a file that does not exist";
            return Err(format!("{fault}: {names:?}").into());
        }
        for (name, text) in ready {
            let asset = prepare_own_file(&name, &text, out, assets)?;
            assets.insert(name, asset);
        }
        sources = waiting;
    }
    Ok(())
}

fn prepare_own_file(
    name: &str,
    text: &str,
    out: &Path,
    assets: &BTreeMap<String, Prepared>,
) -> Result<Prepared> {
    if Path::new(name).extension() != Some("js".as_ref()) {
        return prepare(name, text.as_bytes(), out, RELEASE_QUALITY);
    }
    let code = modules::rewrite(text, assets)?;
    let asset = prepare(name, code.as_bytes(), out, RELEASE_QUALITY)?;
    Ok(Prepared { imports: modules::loaded_modules(text, assets), is_module: true, ..asset })
}

/// Reads a variable that cargo sets for build scripts.
#[expect(
    clippy::disallowed_methods,
    reason = "cargo passes everything to build scripts in environment variables"
)]
fn variable(name: &str) -> Result<String> {
    env::var(name).map_err(|error| format!("{name}: {error}").into())
}

fn announce_inputs() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed={STATIC_DIR}");
    for file in IDE_FILES {
        println!("cargo::rerun-if-changed={IDE_DIR}/{file}");
    }
}

/// Reads the files in [`STATIC_DIR`]: their names and texts.
fn own_sources() -> Result<Vec<(String, String)>> {
    let mut sources = Vec::new();
    for entry in fs::read_dir(STATIC_DIR).map_err(|error| format!("{STATIC_DIR}: {error}"))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        sources.push((name, String::from_utf8(read(&path)?)?));
    }
    Ok(sources)
}

/// Returns the files of GraphQL Playground. Installs the package if necessary.
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

/// Whether the folder contains the package that the repository pins. The file `installed` is
/// written last, after npm succeeded.
fn is_installed(folder: &Path) -> bool {
    let same = |file: &str| {
        let pinned = fs::read(Path::new(IDE_DIR).join(file));
        let used = fs::read(folder.join(file));
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

/// Runs `npm ci`, which installs exactly what the lock file says.
fn npm_ci(folder: &Path) -> Result<()> {
    let status = Command::new("npm").arg("ci").current_dir(folder).status().map_err(|error| {
        format!("cannot run npm to install {IDE_DIR}: {error}. Install Node.js 18 or later")
    })?;
    if status.success() {
        return Ok(());
    }
    Err(format!("`npm ci` in {IDE_DIR} failed ({status}); see the output of npm").into())
}

/// Writes an asset to `out`: plain, in gzip and in Brotli.
fn prepare(name: &str, bytes: &[u8], out: &Path, quality: i32) -> Result<Prepared> {
    let (stem, extension) =
        name.rsplit_once('.').ok_or_else(|| format!("{name}: an asset needs an extension"))?;
    let public_name = format!("{stem}.{}.{extension}", content_hash(bytes)?);
    let content_type = content_type(extension)?;

    write_new(&out.join(&public_name), || Ok(bytes.to_vec()))?;
    write_new(&out.join(format!("{public_name}.gz")), || gzip(bytes))?;
    write_new(&out.join(format!("{public_name}.br")), || brotli(bytes, quality))?;
    Ok(Prepared { public_name, content_type, imports: Vec::new(), is_module: false })
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

/// Returns the first 16 hexadecimal digits (64 bits) of the SHA-256. They only have to differ
/// between our own versions, since no attacker chooses our files.
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

/// Returns the Rust source that `src/web/assets.rs` includes. Paths are constants apart from the
/// table: a binary that only uses paths does not link the contents.
fn render_table(assets: &BTreeMap<String, Prepared>) -> Result<String> {
    let mut code = String::new();
    for (name, asset) in assets {
        write_constant(&mut code, name, asset)?;
    }
    writeln!(code, "static ASSETS: [Asset; {}] = [", assets.len())?;
    for Prepared { public_name, content_type, .. } in assets.values() {
        writeln!(code, "    Asset {{ name: {public_name:?}, content_type: {content_type:?},")?;
        for (field, suffix) in [("bytes", ""), ("gzip", ".gz"), ("brotli", ".br")] {
            writeln!(code, "        {field}: include_bytes!(\"{public_name}{suffix}\"),")?;
        }
        writeln!(code, "    }},")?;
    }
    writeln!(code, "];")?;
    Ok(code)
}

/// Adds the constant by which templates refer to an asset: a path or, for one of our modules, a
/// `Module`.
fn write_constant(code: &mut String, name: &str, asset: &Prepared) -> Result<()> {
    let constant = name.to_uppercase().replace(|it: char| !it.is_ascii_alphanumeric(), "_");
    let path = |name: &String| format!("{PATH}/{name}");
    let own = path(&asset.public_name);
    if asset.is_module {
        let imports: Vec<_> = asset.imports.iter().map(path).collect();
        let value = format!("Module {{ path: {own:?}, imports: &{imports:?} }}");
        writeln!(code, "/// The module `{name}`.\npub const {constant}: Module = {value};\n")?;
    } else {
        writeln!(code, "/// The path of `{name}`.\npub const {constant}: &str = {own:?};\n")?;
    }
    Ok(())
}

/// Writes a file if it does not exist. Its name contains a hash of its content, so a changed
/// stylesheet does not make Playground's 2 MB be compressed again.
fn write_new(path: &Path, content: impl FnOnce() -> Result<Vec<u8>>) -> Result<()> {
    if path.exists() {
        return Ok(());
    }
    // An interrupted build must not leave an incomplete file with the final name.
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
