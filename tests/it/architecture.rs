//! The rules of the house that no linter keeps.

mod cycles;
mod dependencies;
mod docs;
mod size;
mod source;

use std::fs;

use self::{
    dependencies::dependencies,
    source::{Source, room, root, rust_files, sources},
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
    &["identity", "graph"],
    &["web"],
    &["app", "routes"],
    &["local"],
    &["bin"],
];

/// Pairs on one floor, where the first may name the second.
const NEIGHBOURS: &[(&str, &str)] = &[("telemetry", "clock"), ("routes", "app")];

/// Circles of files that are still to be opened. This list must become empty.
const KNOWN_CYCLES: &[&[&str]] = &[];

/// The longest file, in lines, unit tests included.
const LONGEST_FILE: usize = 350;
/// The median length of a file, in lines of code without comments and unit tests.
const MEDIAN_FILE: usize = 95;
/// The median length of a function's body, in lines.
const MEDIAN_FUNCTION: usize = 5;
/// The longest line, in characters; a few in a thousand may be longer.
const LONGEST_LINE: usize = 100;

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&room))
}

#[test]
fn floors_look_only_downwards() {
    for (from, targets) in dependencies(&sources()) {
        let own = floor(room(&from)).unwrap_or_else(|| panic!("{from} is on no floor"));
        for to in &targets {
            let is_below = floor(room(to)).unwrap() < own;
            let pair = (room(&from), room(to));
            let is_allowed = is_below || pair.0 == pair.1 || NEIGHBOURS.contains(&pair);
            assert!(is_allowed, "{from} depends upwards or sideways on {to}");
        }
    }
}

#[test]
fn no_files_depend_on_each_other_in_a_circle() {
    let dependencies = dependencies(&sources());

    let is_known = |cycle: &&Vec<&str>| {
        KNOWN_CYCLES.iter().any(|known| cycle.iter().all(|file| known.contains(file)))
    };
    let cycles = cycles::cycles(&dependencies);
    let new = cycles.iter().filter(|it| !is_known(it));
    let described: Vec<_> = new.map(|it| cycles::describe(&dependencies, it)).collect();
    assert!(described.is_empty(), "a circle of dependencies:\n{}", described.join("\n"));
}

#[test]
fn the_domain_is_pure() {
    for source in sources().iter().filter(|it| it.room() == "domain") {
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
            assert!(!source.code.contains(word), "{} has `{word}`", source.name);
        }
    }
}

#[test]
fn only_the_store_speaks_to_dynamodb_and_only_its_keys_spell_one() {
    for Source { name: file, code, .. } in sources() {
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
        let found = sources().into_iter().map(|it| (it.name, it.code.matches(call).count()));
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
    let taken_apart = [("access/claims.rs", 1), ("access/jwt.rs", 3), ("identity/settings.rs", 1)];
    assert_eq!(places(".inspect("), counted(&taken_apart));
}

#[test]
fn the_development_mode_is_behind_its_feature() {
    let lib = fs::read_to_string(root().join("src/lib.rs")).unwrap();

    assert!(lib.contains("#[cfg(feature = \"local\")]\npub mod local;"));
}

#[test]
fn files_are_short_and_say_what_they_are_for() {
    for Source { name, text, .. } in sources() {
        assert!(text.starts_with("//!"), "{name} does not say what it is for");
        let lines = text.lines().count();
        assert!(lines <= LONGEST_FILE, "{name} has {lines} lines: two files in one?");
    }
}

#[test]
fn half_of_the_files_and_functions_are_very_short() {
    let sources = sources();

    let files = sources.iter().map(|it| size::lines_of_code(&it.code)).collect();
    let functions = sources.iter().flat_map(|it| size::function_lengths(&it.code)).collect();
    let (file, function) = (size::median(files), size::median(functions));

    assert!(file <= MEDIAN_FILE, "the median file has {file} lines of code");
    assert!(function <= MEDIAN_FUNCTION, "the median function has {function} lines");
}

#[test]
fn less_than_five_lines_in_a_thousand_are_long() {
    let texts =
        rust_files(root()).into_iter().map(|path| (fs::read_to_string(&path).unwrap(), path));
    let (mut lines, mut long) = (0, Vec::new());
    for (text, path) in texts {
        lines += text.lines().count();
        let found = text.lines().enumerate().filter(|(_, it)| it.chars().count() > LONGEST_LINE);
        long.extend(found.map(|(at, _)| format!("{}:{}", path.display(), at + 1)));
    }

    assert!(long.len() * 1000 < lines * 5, "{} of {lines}: {long:#?}", long.len());
}

#[test]
fn public_types_functions_and_constants_are_documented() {
    for Source { name, text, .. } in sources() {
        let undocumented = docs::undocumented(&text);

        assert!(undocumented.is_empty(), "{name} does not document {undocumented:?}");
    }
}
