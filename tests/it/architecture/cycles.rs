//! Dependency cycles between files.

use std::collections::{BTreeMap, BTreeSet};

use super::dependencies::Dependencies;

/// Returns the cycles, each as the list of its files.
pub(super) fn cycles(dependencies: &Dependencies) -> BTreeSet<Vec<&str>> {
    let reachable: BTreeMap<&str, BTreeSet<&str>> =
        dependencies.keys().map(|file| (file.as_str(), reachable(dependencies, file))).collect();
    let cycle = |file: &str| -> Vec<&str> {
        let others = reachable[file].iter().copied();
        others.filter(|other| reachable[*other].contains(file)).collect()
    };
    let cycles = reachable.keys().map(|file| cycle(file));
    cycles.filter(|it| !it.is_empty()).collect()
}

/// Returns the files that a file depends on, directly or indirectly.
fn reachable<'a>(dependencies: &'a Dependencies, file: &'a str) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut next = vec![file];
    while let Some(file) = next.pop() {
        let direct = dependencies.get(file).into_iter().flatten();
        next.extend(direct.map(String::as_str).filter(|it| found.insert(*it)));
    }
    found
}

/// Describes the dependencies within a cycle, one per line.
pub(super) fn describe(dependencies: &Dependencies, cycle: &[&str]) -> String {
    let within = |from: &&str| -> Vec<String> {
        let targets = dependencies[*from].iter().filter(|it| cycle.contains(&it.as_str()));
        targets.map(|to| format!("  {from} -> {to}")).collect()
    };
    cycle.iter().flat_map(within).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_cycle_is_found_and_a_chain_is_not_a_cycle() {
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
