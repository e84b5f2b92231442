//! The dependencies between the files of `src`.
//!
//! A file depends on another if it contains a path to an item that the other defines, such as
//! `use crate::store::key::Key`, `super::fetch()`, `crate::clock::Clock::System`, or
//! `child::name()` in a `mod.rs`. Re-exports are followed to the file with the definition. `mod
//! child;` and the re-exports of a `mod.rs` are not dependencies. Methods and macros that are
//! called without a path are not found.

use std::collections::{BTreeMap, BTreeSet};

use super::source::Source;

/// A path in the code, such as `["crate", "store", "Store"]`.
type Path<'a> = Vec<&'a str>;

/// The files that each file depends on.
pub(super) type Dependencies = BTreeMap<String, BTreeSet<String>>;

/// Reads the dependencies of all files. `lib.rs` has none: it only declares the modules.
pub(super) fn dependencies(sources: &[Source]) -> Dependencies {
    let sources: Vec<_> = sources.iter().filter(|it| it.name != "lib.rs").collect();
    let files: Vec<_> = sources.iter().map(|it| File::parse(&it.name, &it.code)).collect();
    let modules = Modules::new(&files);
    let targets = |file: &File<'_>| {
        let targets = file.paths.iter().filter_map(|path| modules.definition(path));
        targets.filter(|it| it != file.name).collect()
    };
    files.iter().map(|file| (file.name.to_owned(), targets(file))).collect()
}

/// The paths in a file, relative to the crate root.
struct File<'a> {
    name: &'a str,
    module: Path<'a>,
    paths: Vec<Path<'a>>,
    reexports: Vec<Path<'a>>,
}

impl<'a> File<'a> {
    fn parse(name: &'a str, code: &'a str) -> Self {
        let tokens = tokens(code);
        let mut file =
            Self { name, module: module(name), paths: Vec::new(), reexports: Vec::new() };
        let children = children(&tokens);
        let is_mod_file = name.ends_with("/mod.rs");
        let mut at = 0;
        while at < tokens.len() {
            if let Some(length) = reexport_length(&tokens[at..]) {
                let paths = paths(&tokens[at + length..]);
                // A path with a single name, such as that of a macro, refers to an item of the file itself.
                let paths = paths.iter().filter(|it| it.len() > 1);
                let paths: Vec<_> = paths.map(|it| file.absolute(it)).collect();
                if !is_mod_file {
                    file.paths.extend(paths.clone());
                }
                file.reexports.extend(paths);
                at += tokens[at..].iter().position(|it| *it == ";").unwrap_or(0);
            } else if is_path_start(&tokens, at, &children) {
                let paths = paths(&tokens[at..]);
                file.paths.extend(paths.iter().map(|it| file.absolute(it)).collect::<Vec<_>>());
            }
            at += 1;
        }
        file
    }

    /// Returns the path relative to the crate root.
    fn absolute(&self, path: &[&'a str]) -> Path<'a> {
        let mut module = self.module.clone();
        let mut rest = path;
        match path[0] {
            "crate" | "arm_api" => return path[1..].to_vec(),
            "self" => rest = &path[1..],
            _ => {}
        }
        while let Some(above) = rest.strip_prefix(&["super"]) {
            module.pop();
            rest = above;
        }
        [&module, rest].concat()
    }
}

/// Returns the path of a file's module: `store::key` for `store/key.rs`, `store` for
/// `store/mod.rs`.
fn module(name: &str) -> Path<'_> {
    let path = name.trim_end_matches(".rs").trim_end_matches("/mod");
    path.split('/').collect()
}

/// Returns the modules that are declared with `mod child;`.
fn children<'a>(tokens: &[&'a str]) -> Vec<&'a str> {
    let declarations = tokens.windows(3).filter(|it| it[0] == "mod" && it[2] == ";");
    declarations.map(|it| it[1]).collect()
}

/// Returns the number of tokens in `pub use` or `pub(crate) use`, if the tokens start with it.
fn reexport_length(tokens: &[&str]) -> Option<usize> {
    match tokens {
        ["pub", "use", ..] => Some(2),
        ["pub", "(", _, ")", "use", ..] => Some(5),
        _ => None,
    }
}

fn is_path_start(tokens: &[&str], at: usize, children: &[&str]) -> bool {
    let before = tokens[..at].last();
    let is_first = before.is_none_or(|it| !["::", "."].contains(it));
    let is_visibility = tokens[..at].ends_with(&["pub", "(", "in"]);
    let is_root = ["crate", "super", "self", "arm_api"].contains(&tokens[at]);
    let is_followed = tokens.get(at + 1) == Some(&"::");
    is_first && is_followed && !is_visibility && (is_root || children.contains(&tokens[at]))
}

/// Returns the paths that start at the first token. With braces there can be several.
fn paths<'a>(tokens: &[&'a str]) -> Vec<Path<'a>> {
    match tokens {
        ["{", rest @ ..] => group(rest),
        [name, "::", rest @ ..] => {
            let rests = paths(rest);
            rests.into_iter().map(|it| [vec![*name], it].concat()).collect()
        }
        [name, ..] => vec![vec![*name]],
        [] => Vec::new(),
    }
}

/// Returns the paths in braces, after the opening brace.
fn group<'a>(tokens: &[&'a str]) -> Vec<Path<'a>> {
    let mut found = Vec::new();
    let mut depth = 0;
    let mut is_start = true;
    for (at, token) in tokens.iter().enumerate() {
        if depth == 0 && *token == "}" {
            break;
        }
        if depth == 0 && is_start {
            found.extend(paths(&tokens[at..]));
        }
        is_start = *token == ",";
        match *token {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {}
        }
    }
    found
}

/// Returns the tokens of the code, without string and character literals.
fn tokens(code: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => string_length(rest, '"'),
            '\'' if rest.chars().nth(2) == Some('\'') || rest.starts_with("'\\") => {
                string_length(rest, '\'')
            }
            'r' if rest.starts_with("r\"") || rest.starts_with("r#\"") => raw_length(rest),
            _ if is_in_name(first) => rest.find(|c| !is_in_name(c)).unwrap_or(rest.len()),
            ':' if rest.starts_with("::") => 2,
            other => other.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        if !token.contains(['"', '\'']) {
            found.push(token);
        }
        rest = after.trim_start();
    }
    found
}

fn is_in_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Returns the length of the literal between two `quote`s at the start of the text.
fn string_length(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if c == quote && !is_escaped {
            return at + 1;
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    text.len()
}

/// Returns the length of the raw string at the start of the text.
fn raw_length(text: &str) -> usize {
    let end = if text.starts_with("r#") { "\"#" } else { "\"" };
    let begin = end.len() + 1;
    text[begin..].find(end).map_or(text.len(), |at| begin + at + end.len())
}

/// The files of modules, and the paths of re-exports.
struct Modules<'a> {
    files: BTreeMap<&'a [&'a str], &'a str>,
    reexports: BTreeMap<(&'a str, &'a str), &'a Path<'a>>,
}

impl<'a> Modules<'a> {
    fn new(files: &'a [File<'a>]) -> Self {
        let reexports = files.iter().flat_map(|file| {
            let name = |path: &'a Path<'a>| *path.last().unwrap();
            file.reexports.iter().map(move |path| ((file.name, name(path)), path))
        });
        Self {
            files: files.iter().map(|it| (it.module.as_slice(), it.name)).collect(),
            reexports: reexports.collect(),
        }
    }

    /// Returns the file that defines the item of a path, unless it is in another crate.
    fn definition(&self, path: &[&str]) -> Option<String> {
        let lengths = (1..=path.len()).rev();
        let found = lengths.map(|it| path.split_at(it));
        let (file, rest) =
            found.into_iter().find_map(|(it, rest)| Some((*self.files.get(it)?, rest)))?;
        let reexport = rest.first().and_then(|it| self.reexports.get(&(file, *it)));
        match reexport {
            Some(path) => self.definition(path).or_else(|| Some(file.to_owned())),
            None => Some(file.to_owned()),
        }
    }
}

#[test]
fn paths_are_resolved_to_the_files_that_define_the_items() {
    let source = |name: &str, code: &str| Source {
        name: name.to_owned(),
        text: String::new(),
        code: code.to_owned(),
    };
    let sources = [
        source("a/mod.rs", "mod b; pub mod c; pub use self::b::B; fn f() { c::f(\"d::g\") }"),
        source("a/b.rs", "use super::c::{self, C}; pub struct B;"),
        source("a/c.rs", "pub struct C;"),
        source("d.rs", "use crate::{a::{B, c::C}, std}; fn f() { crate::e::f(); }"),
        source("e.rs", "pub fn f() {}"),
    ];

    let found = dependencies(&sources);

    let of = |name: &str| found[name].iter().map(String::as_str).collect::<Vec<_>>();
    assert_eq!(of("a/mod.rs"), ["a/c.rs"]);
    assert_eq!(of("a/b.rs"), ["a/c.rs"]);
    assert_eq!(of("a/c.rs"), [""; 0]);
    assert_eq!(of("d.rs"), ["a/b.rs", "a/c.rs", "e.rs"]);
}
