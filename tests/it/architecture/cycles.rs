//! Circles of files that depend on each other.

use std::collections::{BTreeMap, BTreeSet};

use super::dependencies::Dependencies;

/// The circles, each as the set of its files: files that can reach each other.
pub(super) fn cycles(dependencies: &Dependencies) -> BTreeSet<Vec<&str>> {
    let reachable: BTreeMap<&str, BTreeSet<&str>> =
        dependencies.keys().map(|file| (file.as_str(), reachable(dependencies, file))).collect();
    let circle = |file: &str| -> Vec<&str> {
        let others = reachable[file].iter().copied();
        others.filter(|other| reachable[*other].contains(file)).collect()
    };
    let circles = reachable.keys().map(|file| circle(file));
    circles.filter(|it| !it.is_empty()).collect()
}

/// The files that a file depends on, directly or not.
fn reachable<'a>(dependencies: &'a Dependencies, file: &'a str) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut next = vec![file];
    while let Some(file) = next.pop() {
        let direct = dependencies.get(file).into_iter().flatten();
        next.extend(direct.map(String::as_str).filter(|it| found.insert(*it)));
    }
    found
}

/// The dependencies within a circle, one a line, for the message of a test.
pub(super) fn describe(dependencies: &Dependencies, circle: &[&str]) -> String {
    let within = |from: &&str| -> Vec<String> {
        let targets = dependencies[*from].iter().filter(|it| circle.contains(&it.as_str()));
        targets.map(|to| format!("  {from} -> {to}")).collect()
    };
    circle.iter().flat_map(within).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_circle_is_found_and_a_chain_is_none() {
    let to = |names: &[&str]| names.iter().map(|it| (*it).to_owned()).collect();
    let dependencies = Dependencies::from([
        ("a".to_owned(), to(&["b"])),
        ("b".to_owned(), to(&["c", "d"])),
        ("c".to_owned(), to(&["a"])),
        ("d".to_owned(), to(&[])),
    ]);

    let found = cycles(&dependencies);

    assert_eq!(found, BTreeSet::from([vec!["a", "b", "c"]]));
    assert_eq!(describe(&dependencies, &["a", "b", "c"]), "  a -> b\n  b -> c\n  c -> a");
}
