//! Prepares our JavaScript modules: removes comments, and replaces the file names in static imports
//! by the public names of the files.
//!
//! The file name of an import must be at the end of a line: `import { a } from './b.js';`.

use std::collections::BTreeMap;

use crate::{Prepared, Result};

/// Returns the files that a module imports.
pub(crate) fn imports(text: &str) -> Vec<&str> {
    text.lines().filter_map(imported_file).collect()
}

/// Returns the file that a line imports.
fn imported_file(line: &str) -> Option<&str> {
    let (before, file) = line.strip_suffix("';")?.rsplit_once("'./")?;
    (before == "import " || before.ends_with(" from ")).then_some(file)
}

/// Removes comments from a module and rewrites its imports.
///
/// # Errors
///
/// If an imported file has not been prepared.
pub(crate) fn rewrite(text: &str, prepared: &BTreeMap<String, Prepared>) -> Result<String> {
    let mut code = String::new();
    for line in remove_comments(text) {
        match imported_file(line) {
            Some(file) => {
                let import = prepared.get(file).ok_or_else(|| format!("unknown module: {file}"))?;
                code.push_str(&line.replace(file, &import.public_name));
            }
            None => code.push_str(line),
        }
        code.push('\n');
    }
    Ok(code)
}

/// Returns the lines that contain code.
fn remove_comments(text: &str) -> Vec<&str> {
    let mut is_in_comment = false;
    let is_code = |line: &&str| {
        let line = line.trim();
        let was_in_comment = is_in_comment;
        let begins = line.starts_with("/*");
        if begins || was_in_comment {
            is_in_comment = !line.contains("*/");
        }
        let is_comment = was_in_comment || begins && (is_in_comment || line.ends_with("*/"));
        !is_comment && !line.starts_with("//") && !line.is_empty()
    };
    text.lines().filter(is_code).collect()
}

/// Returns the public names of all modules that a module loads, directly or indirectly.
pub(crate) fn loaded_modules(text: &str, prepared: &BTreeMap<String, Prepared>) -> Vec<String> {
    let mut names = Vec::new();
    for module in imports(text).into_iter().filter_map(|file| prepared.get(file)) {
        let all = module.imports.iter().chain([&module.public_name]);
        for name in all {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
    }
    names
}
