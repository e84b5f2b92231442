//! Checks uses of `__typename`. async-graphql 7 validates neither its arguments nor its directives,
//! nor the variables in them.

use async_graphql::{
    Positioned,
    parser::types::{ExecutableDocument, Field, InlineFragment, Selection, SelectionSet},
};

use crate::{error::RequestFault, graph::selections};

/// Wraps each `__typename` with directives in an inline fragment that has the directives instead,
/// because async-graphql validates them there.
///
/// # Errors
///
/// [`RequestFault::Validation`] if a `__typename` has arguments or subfields.
pub(super) fn rewrite(document: &mut ExecutableDocument) -> Result<(), RequestFault> {
    selections::sets(document).into_iter().try_for_each(rewrite_selections)
}

fn rewrite_selections(set: &mut SelectionSet) -> Result<(), RequestFault> {
    for item in &mut set.items {
        match &mut item.node {
            Selection::Field(field) if field.node.name.node == "__typename" => {
                check(&field.node)?;
                if !field.node.directives.is_empty() {
                    item.node = Selection::InlineFragment(wrap(field.clone()));
                }
            }
            Selection::Field(field) => rewrite_selections(&mut field.node.selection_set.node)?,
            Selection::InlineFragment(inline) => {
                rewrite_selections(&mut inline.node.selection_set.node)?;
            }
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

/// Wraps a field in an inline fragment, and moves its directives there.
fn wrap(mut field: Positioned<Field>) -> Positioned<InlineFragment> {
    let pos = field.pos;
    let directives = std::mem::take(&mut field.node.directives);
    let items = vec![Positioned::new(Selection::Field(field), pos)];
    let selection_set = Positioned::new(SelectionSet { items }, pos);
    Positioned::new(InlineFragment { type_condition: None, directives, selection_set }, pos)
}
