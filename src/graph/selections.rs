//! The selection sets of a document.

use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, SelectionSet};

/// Returns the selection sets of all fragments and operations.
pub(super) fn sets(document: &mut ExecutableDocument) -> Vec<&mut SelectionSet> {
    let fragments = document.fragments.values_mut().map(|it| &mut it.node.selection_set.node);
    let mut sets: Vec<_> = fragments.collect();
    match &mut document.operations {
        DocumentOperations::Single(operation) => sets.push(&mut operation.node.selection_set.node),
        DocumentOperations::Multiple(operations) => {
            sets.extend(operations.values_mut().map(|it| &mut it.node.selection_set.node));
        }
    }
    sets
}
