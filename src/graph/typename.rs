//! `__typename`, which async-graphql 7 does not validate at all: neither its arguments, nor
//! its directives, nor the variables in them.

use async_graphql::{
    Positioned,
    parser::types::{
        DocumentOperations, ExecutableDocument, Field, InlineFragment, Selection, SelectionSet,
    },
};

use crate::error::RequestFault;

/// Puts each `__typename` that has directives into an inline fragment that has them
/// instead, where they are validated.
///
/// # Errors
///
/// [`RequestFault::Validation`] when it has arguments or fields.
pub(super) fn read(document: &mut ExecutableDocument) -> Result<(), RequestFault> {
    let fragments = document.fragments.values_mut().map(|it| &mut it.node.selection_set.node);
    let operations: Vec<_> = match &mut document.operations {
        DocumentOperations::Single(operation) => vec![&mut operation.node.selection_set.node],
        DocumentOperations::Multiple(operations) => {
            operations.values_mut().map(|it| &mut it.node.selection_set.node).collect()
        }
    };
    fragments.chain(operations).try_for_each(selections)
}

fn selections(set: &mut SelectionSet) -> Result<(), RequestFault> {
    for item in &mut set.items {
        match &mut item.node {
            Selection::Field(field) if field.node.name.node == "__typename" => {
                check(&field.node)?;
                if !field.node.directives.is_empty() {
                    item.node = Selection::InlineFragment(with_directives(field.clone()));
                }
            }
            Selection::Field(field) => selections(&mut field.node.selection_set.node)?,
            Selection::InlineFragment(inline) => selections(&mut inline.node.selection_set.node)?,
            Selection::FragmentSpread(_) => {}
        }
    }
    Ok(())
}

fn check(field: &Field) -> Result<(), RequestFault> {
    let text = match field.arguments.first() {
        Some((name, _)) => format!("Unknown argument \"{}\" on field \"__typename\"", name.node),
        None if !field.selection_set.node.items.is_empty() => {
            "Field \"__typename\" must not have a selection since type \"String!\" has no subfields"
                .to_owned()
        }
        None => return Ok(()),
    };
    Err(RequestFault::Validation(text))
}

fn with_directives(mut field: Positioned<Field>) -> Positioned<InlineFragment> {
    let (pos, directives) = (field.pos, std::mem::take(&mut field.node.directives));
    let items = vec![Positioned::new(Selection::Field(field), pos)];
    let selection_set = Positioned::new(SelectionSet { items }, pos);
    Positioned::new(InlineFragment { type_condition: None, directives, selection_set }, pos)
}
