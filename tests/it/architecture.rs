//! The rules of the house that no linter keeps.

mod docs;

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The floors, from the lowest: a room may name those below its own, and its own.
const FLOORS: &[&[&str]] = &[
    &["domain"],
    &["clock", "entropy", "config", "telemetry"],
    &["aws"],
    &["secrets"],
    &["store"],
    &["error"],
    &["http"],
    &["access"],
    &["identity", "graph", "web"],
    &["app", "routes"],
    &["local"],
    &["bin"],
];

/// Pairs on one floor, where the first may name the second.
const NEIGHBOURS: &[(&str, &str)] = &[("telemetry", "clock"), ("routes", "app")];

fn sources() -> Vec<(String, String)> {
    fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|it| it == "rs") {
                found.push(path);
            }
        }
    }
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    walk(&src, &mut found);
    let named = |path: &PathBuf| path.strip_prefix(&src).unwrap().to_string_lossy().into_owned();
    found.iter().map(|path| (named(path), production(&fs::read_to_string(path).unwrap()))).collect()
}

/// The code without its comments and unit tests.
fn production(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn room(file: &str) -> &str {
    file.split(['/', '.']).next().unwrap()
}

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&room))
}

/// The rooms that a file names by `crate::…`, also inside of braces after `use crate::{`.
fn named_rooms(code: &str) -> Vec<String> {
    let flat: String = code.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut names = Vec::new();
    for (at, _) in flat.match_indices("crate::").chain(flat.match_indices("arm_api::")) {
        let rest = flat[at..].split_once("::").unwrap().1;
        match rest.strip_prefix('{') {
            Some(group) => names.extend(top_level_names(group)),
            None => {
                names.push(
                    rest.split(|c: char| !c.is_alphanumeric() && c != '_')
                        .next()
                        .unwrap()
                        .to_owned(),
                );
            }
        }
    }
    names
}

fn top_level_names(group: &str) -> Vec<String> {
    let (mut depth, mut names, mut word) = (0_i32, Vec::new(), String::new());
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(std::mem::take(&mut word)),
            _ if depth == 0 => word.push(c),
            _ => {}
        }
    }
    names.push(word);
    names.iter().map(|it| it.trim().split("::").next().unwrap().trim().to_owned()).collect()
}

#[test]
fn floors_look_only_downwards() {
    for (file, code) in sources().iter().filter(|(file, _)| file != "lib.rs") {
        let from = room(file);
        let own = floor(from).unwrap_or_else(|| panic!("{file} is on no floor"));
        for to in named_rooms(code) {
            let Some(other) = floor(&to) else { continue };
            let is_allowed = other < own || to == from || NEIGHBOURS.contains(&(from, to.as_str()));
            assert!(is_allowed, "{file} looks up or sideways at `{to}`");
        }
    }
}

#[test]
fn the_domain_is_pure() {
    for (file, code) in sources().iter().filter(|(file, _)| file.starts_with("domain/")) {
        for word in [
            "async ",
            "tokio",
            "http::",
            "axum",
            "aws_",
            "std::fs",
            "std::net::Tcp",
            "Timestamp::now",
        ] {
            assert!(!code.contains(word), "{file} has `{word}`");
        }
    }
}

#[test]
fn only_the_store_speaks_to_dynamodb_and_only_its_keys_spell_one() {
    for (file, code) in sources() {
        let is_composing = file == "app.rs" || file.starts_with("local/");
        if !file.starts_with("store/") && !is_composing {
            assert!(!code.contains("aws_sdk_dynamodb"), "{file} speaks to DynamoDB");
        }
        if file != "store/key.rs" {
            for prefix in ["\"U#", "\"E#", "\"S#", "\"T#", "\"N#", "\"A#", "\"L#", "\"I#", "\"C#"] {
                assert!(!code.contains(prefix), "{file} spells a key: {prefix}");
            }
        }
        assert!(file.starts_with("local/") || !code.contains(".scan("), "{file} scans");
    }
}

#[test]
fn a_secret_is_revealed_to_its_owner_and_to_identity_providers_alone() {
    let places = |call: &str| -> Vec<(String, usize)> {
        let found = sources().into_iter().map(|(file, code)| (file, code.matches(call).count()));
        let mut found: Vec<_> = found.filter(|(_, count)| *count > 0).collect();
        found.sort();
        found
    };
    let counted = |of: &[(&str, usize)]| {
        of.iter().map(|(file, count)| ((*file).to_owned(), *count)).collect::<Vec<_>>()
    };

    let to_their_owner = [
        ("access/sessions.rs", 1),
        ("graph/access_tokens.rs", 1),
        ("identity/mod.rs", 1),
        ("web/token_form.rs", 1),
    ];
    let to_a_provider = [("identity/oauth.rs", 5)];
    let mut expected = [&to_their_owner[..], &to_a_provider[..]].concat();
    expected.sort_unstable();
    assert_eq!(places(".reveal()"), counted(&expected));
    let taken_apart =
        [("access/jwt.rs", 3), ("access/sessions.rs", 1), ("identity/settings.rs", 1)];
    assert_eq!(places(".inspect("), counted(&taken_apart));
}

#[test]
fn the_development_mode_is_behind_its_feature() {
    let lib = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();

    assert!(lib.contains("#[cfg(feature = \"local\")]\npub mod local;"));
}

#[test]
fn rooms_are_small_and_say_what_they_are_for() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for (file, _) in sources() {
        let text = fs::read_to_string(root.join(&file)).unwrap();

        assert!(text.starts_with("//!"), "{file} does not say what it is for");
        let lines = text.lines().count();
        assert!(lines <= 350, "{file} has {lines} lines: two rooms joined?");
    }
}

#[test]
fn public_types_functions_and_constants_are_documented() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for (file, _) in sources() {
        let text = fs::read_to_string(root.join(&file)).unwrap();

        let undocumented = docs::undocumented(&text);

        assert!(undocumented.is_empty(), "{file} does not document {undocumented:?}");
    }
}
