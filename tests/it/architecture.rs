//! Rules about the structure of the source code that no linter checks.

mod cycles;
mod dependencies;
mod docs;
mod size;
mod source;

use std::fs;

use self::{
    dependencies::dependencies,
    source::{Source, root, rust_files, sources, top_level_module},
};

/// The layers of top-level modules, from the lowest. A module may depend on modules in lower
/// layers.
const LAYERS: &[&[&str]] = &[
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

/// Exceptions within a layer: the first module may depend on the second.
const ALLOWED_WITHIN_LAYER: &[(&str, &str)] = &[("telemetry", "clock"), ("routes", "app")];

/// Cycles that are tolerated until they are removed. This list should stay empty.
const KNOWN_CYCLES: &[&[&str]] = &[];

/// The maximum length of a file, in lines, including unit tests.
const MAX_FILE_LINES: usize = 350;
/// The maximum median length of files, in lines of code without comments and unit tests.
const MAX_MEDIAN_FILE_LINES: usize = 95;
/// The maximum median length of function bodies, in lines.
const MAX_MEDIAN_FUNCTION_LINES: usize = 5;
/// The maximum length of a line, in characters. A few in a thousand may be longer.
const MAX_LINE_LENGTH: usize = 100;

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

#[test]
fn layers_depend_only_on_lower_layers() {
    for (from, targets) in dependencies(&sources()) {
        let module = top_level_module(&from);
        let own_layer = layer(module).unwrap_or_else(|| panic!("{from} is in no layer"));
        for to in &targets {
            let target = top_level_module(to);
            let is_below = layer(target).unwrap() < own_layer;
            let is_allowed =
                is_below || module == target || ALLOWED_WITHIN_LAYER.contains(&(module, target));
            assert!(is_allowed, "{from} depends on {to}, which is not in a lower layer");
        }
    }
}

#[test]
fn there_are_no_dependency_cycles() {
    let dependencies = dependencies(&sources());

    let is_known = |cycle: &&Vec<&str>| {
        KNOWN_CYCLES.iter().any(|known| cycle.iter().all(|file| known.contains(file)))
    };
    let cycles = cycles::cycles(&dependencies);
    let new = cycles.iter().filter(|it| !is_known(it));
    let described: Vec<_> = new.map(|it| cycles::describe(&dependencies, it)).collect();
    assert!(described.is_empty(), "dependency cycles:\n{}", described.join("\n"));
}

#[test]
fn the_domain_is_pure() {
    for source in sources().iter().filter(|it| it.top_level_module() == "domain") {
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
            assert!(!source.code.contains(word), "{} contains `{word}`", source.name);
        }
    }
}

#[test]
fn only_the_store_uses_dynamodb_and_only_its_key_module_builds_keys() {
    for Source { name: file, code, .. } in sources() {
        let is_exempt = file == "app.rs" || file.starts_with("local/");
        if !file.starts_with("store/") && !is_exempt {
            assert!(!code.contains("aws_sdk_dynamodb"), "{file} uses the DynamoDB SDK");
        }
        if file != "store/key.rs" {
            for prefix in "ACEGILMNOSTU".chars().map(|it| format!("\"{it}#")) {
                assert!(!code.contains(&prefix), "{file} contains the key prefix {prefix}");
            }
        }
        assert!(file.starts_with("local/") || !code.contains(".scan("), "{file} scans the table");
        let needs_a_permission = file.starts_with("graph/") || file.starts_with("web/");
        assert!(!needs_a_permission || !code.contains(".store."), "{file} bypasses `access`");
    }
}

#[test]
fn secrets_are_revealed_only_to_their_owner_and_to_identity_providers() {
    let count_calls = |call: &str| -> Vec<(String, usize)> {
        let found = sources().into_iter().map(|it| (it.name, it.code.matches(call).count()));
        let mut found: Vec<_> = found.filter(|(_, count)| *count > 0).collect();
        found.sort();
        found
    };
    let owned = |expected: &[(&str, usize)]| {
        expected.iter().map(|(file, count)| ((*file).to_owned(), *count)).collect::<Vec<_>>()
    };

    let revealed_to_owners = [
        ("access/sessions.rs", 1),
        ("graph/access_tokens.rs", 1),
        ("identity/mod.rs", 1),
        ("web/token_form.rs", 1),
    ];
    let revealed_to_providers = [("identity/oauth.rs", 5)];
    let mut expected = [&revealed_to_owners[..], &revealed_to_providers[..]].concat();
    expected.sort_unstable();
    assert_eq!(count_calls(".reveal()"), owned(&expected));
    let inspected = [("access/claims.rs", 1), ("access/jwt.rs", 3), ("identity/settings.rs", 1)];
    assert_eq!(count_calls(".inspect("), owned(&inspected));
}

#[test]
fn local_mode_requires_its_feature() {
    let lib = fs::read_to_string(root().join("src/lib.rs")).unwrap();

    assert!(lib.contains("#[cfg(feature = \"local\")]\npub mod local;"));
}

#[test]
fn files_are_short_and_start_with_a_module_comment() {
    for Source { name, text, .. } in sources() {
        assert!(text.starts_with("//!"), "{name} has no module comment");
        let lines = text.lines().count();
        assert!(lines <= MAX_FILE_LINES, "{name} has {lines} lines");
    }
}

#[test]
fn the_median_file_and_function_are_short() {
    let sources = sources();

    let files = sources.iter().map(|it| size::lines_of_code(&it.code)).collect();
    let functions = sources.iter().flat_map(|it| size::function_lengths(&it.code)).collect();
    let file = size::median(files);
    let function = size::median(functions);

    assert!(file <= MAX_MEDIAN_FILE_LINES, "the median file has {file} lines of code");
    assert!(function <= MAX_MEDIAN_FUNCTION_LINES, "the median function has {function} lines");
}

#[test]
fn fewer_than_five_lines_in_a_thousand_are_long() {
    let texts =
        rust_files(root()).into_iter().map(|path| (fs::read_to_string(&path).unwrap(), path));
    let mut lines = 0;
    let mut long = Vec::new();
    for (text, path) in texts {
        lines += text.lines().count();
        let found = text.lines().enumerate().filter(|(_, it)| it.chars().count() > MAX_LINE_LENGTH);
        long.extend(found.map(|(at, _)| format!("{}:{}", path.display(), at + 1)));
    }

    assert!(long.len() * 1000 < lines * 5, "{} of {lines} lines: {long:#?}", long.len());
}

#[test]
fn public_types_functions_and_constants_are_documented() {
    for Source { name, text, .. } in sources() {
        let undocumented = docs::undocumented(&text);

        assert!(undocumented.is_empty(), "{name} does not document {undocumented:?}");
    }
}
