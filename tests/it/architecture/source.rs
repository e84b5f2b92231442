//! The files of `src`, without comments and unit tests.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A file in `src`.
pub(super) struct Source {
    /// The path in `src`, such as `store/key.rs`.
    pub(super) name: String,
    /// The whole text.
    pub(super) text: String,
    /// The text without comments and unit tests.
    pub(super) code: String,
}

/// Reads all files in `src`, sorted by name.
pub(super) fn sources() -> Vec<Source> {
    let src = root().join("src");
    let mut sources: Vec<Source> =
        rust_files(&src).iter().map(|path| Source::read(&src, path)).collect();
    sources.sort_by(|a, b| a.name.cmp(&b.name));
    sources
}

/// Returns the directory of the project.
pub(super) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns all Rust files in a directory and its subdirectories.
pub(super) fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|it| it == "rs") {
            found.push(path);
        }
    }
    found
}

impl Source {
    fn read(src: &Path, path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let name = path.strip_prefix(src).unwrap().to_string_lossy().into_owned();
        Self { name, code: code(&text), text }
    }

    pub(super) fn top_level_module(&self) -> &str {
        top_level_module(&self.name)
    }
}

/// Returns the top-level module of a file: `store` for `store/key.rs`, `app` for `app.rs`.
pub(super) fn top_level_module(name: &str) -> &str {
    name.split(['/', '.']).next().unwrap()
}

/// Removes comments and unit tests.
fn code(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}
