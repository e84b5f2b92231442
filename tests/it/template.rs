//! `template.yaml` beside the code that it deploys.

use std::{collections::BTreeSet, fs, path::Path};

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The variables that Lambda sets by itself, or that are for emulators alone.
const SET_BY_LAMBDA: [&str; 5] = [
    "AWS_REGION",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_ENDPOINT_URL_DYNAMODB",
];

#[test]
fn the_functions_get_exactly_the_variables_that_the_configuration_reads() {
    let config = read("src/config.rs");
    let production = config.split("#[cfg(test)]").next().unwrap();
    let calls = ["required(\"", "optional(\""].into_iter().flat_map(|call| production.split(call).skip(1));
    let read_by_code: BTreeSet<&str> = calls.map(|rest| rest.split('"').next().unwrap()).collect();

    let template = read("template.yaml");
    let set: BTreeSet<&str> = template.split(" Variables:\n").skip(1).flat_map(names).collect();

    let expected: BTreeSet<&str> =
        read_by_code.into_iter().filter(|it| !SET_BY_LAMBDA.contains(it)).collect();
    assert_eq!(set, expected);
}

/// The names of the map that a text begins with.
fn names(text: &str) -> impl Iterator<Item = &str> {
    let depth = |line: &str| line.len() - line.trim_start().len();
    let own = text.lines().next().map(depth).unwrap();
    let lines =
        text.lines().take_while(move |line| depth(line) >= own).filter(move |line| depth(line) == own);
    lines.map(|line| line.trim().split(':').next().unwrap())
}

#[test]
fn the_table_is_the_one_that_the_store_expects() {
    let template = read("template.yaml");

    for line in [
        "AttributeName: PK, KeyType: HASH",
        "AttributeName: SK, KeyType: RANGE",
        "AttributeName: ttl, Enabled: true",
    ] {
        assert!(template.contains(line), "{line}");
    }
}

#[test]
fn the_readme_names_the_commands_that_there_are() {
    let (readme, makefile) = (read("README.md"), read("Makefile"));

    let commands = readme.split("`make ").skip(1).chain(readme.split("\nmake ").skip(1));
    for command in commands {
        let target: String = command.chars().take_while(|c| c.is_ascii_lowercase() || *c == '-').collect();
        assert!(makefile.contains(&format!("\n{target}:")), "make {target}");
    }
}
