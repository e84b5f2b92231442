//! Collects the fields that an operation selects. All selections with the same response key are one
//! field (GraphQL specification, section 6.3.2).
//!
//! async-graphql compares the arguments of such selections within one selection set only. This
//! module compares all of them. It visits each selection once, and [`limits`](super::limits) has
//! already limited the number of selections with fragments expanded.
//!
//! Type conditions are ignored. The schema has no interfaces and no unions, so in a valid query
//! every type condition is true.

use std::collections::HashMap;

use async_graphql::{
    Name, Positioned, Variables,
    parser::types::{
        Directive, Field, FragmentDefinition, OperationDefinition, Selection, SelectionSet,
    },
};
use async_graphql_value::Value;

use crate::error::RequestFault;

/// The fragments of a document, by name.
pub(super) type Fragments = HashMap<Name, Positioned<FragmentDefinition>>;

/// A field of the response.
pub(super) struct CollectedField<'a> {
    /// The first selection of the field.
    pub(super) first: &'a Positioned<Field>,
    /// The subfields, from all selections of the field.
    pub(super) fields: Vec<CollectedField<'a>>,
    is_repeated: bool,
}

/// Collects all fields of an operation. Ignores `@skip` and `@include`.
///
/// # Errors
///
/// [`RequestFault::Validation`] if selections with the same response key have different fields or
/// arguments (rule `OverlappingFieldsCanBeMerged`).
pub(super) fn all<'a>(
    operation: &'a OperationDefinition,
    fragments: &'a Fragments,
) -> Result<Vec<CollectedField<'a>>, RequestFault> {
    Collector { fragments, is_included: |_: &[_]| true }.collect(&[&operation.selection_set.node])
}

/// Collects the fields of an operation, except those that `@skip` or `@include` exclude.
///
/// # Errors
///
/// As [`all`].
pub(super) fn included<'a>(
    operation: &'a OperationDefinition,
    fragments: &'a Fragments,
    variables: &Variables,
) -> Result<Vec<CollectedField<'a>>, RequestFault> {
    let collector = Collector { fragments, is_included: |it: &[_]| is_included(it, variables) };
    collector.collect(&[&operation.selection_set.node])
}

/// Whether any field is selected more than once.
pub(super) fn has_repeated_fields(fields: &[CollectedField<'_>]) -> bool {
    fields.iter().any(|it| it.is_repeated || has_repeated_fields(&it.fields))
}

struct Collector<'a, F> {
    fragments: &'a Fragments,
    is_included: F,
}

/// The selections with the same response key.
struct Group<'a> {
    first: &'a Positioned<Field>,
    others: Vec<&'a Positioned<Field>>,
}

#[derive(Default)]
struct Groups<'a> {
    /// In the order of their first selections.
    list: Vec<Group<'a>>,
    indexes: HashMap<&'a str, usize>,
}

impl<'a> Groups<'a> {
    fn push(&mut self, field: &'a Positioned<Field>) {
        let index =
            *self.indexes.entry(field.node.response_key().node.as_str()).or_insert(self.list.len());
        match self.list.get_mut(index) {
            Some(group) => group.others.push(field),
            None => self.list.push(Group { first: field, others: Vec::new() }),
        }
    }
}

impl<'a, F: Fn(&[Positioned<Directive>]) -> bool> Collector<'a, F> {
    fn collect(&self, sets: &[&'a SelectionSet]) -> Result<Vec<CollectedField<'a>>, RequestFault> {
        let mut groups = Groups::default();
        for set in sets {
            self.group_selections(set, &mut groups);
        }
        groups.list.into_iter().map(|group| self.collect_field(&group)).collect()
    }

    fn group_selections(&self, set: &'a SelectionSet, groups: &mut Groups<'a>) {
        for item in set.items.iter().filter(|it| (self.is_included)(it.node.directives())) {
            match &item.node {
                Selection::Field(field) => groups.push(field),
                Selection::InlineFragment(inline) => {
                    self.group_selections(&inline.node.selection_set.node, groups);
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = self.fragments.get(&spread.node.fragment_name.node) {
                        self.group_selections(&fragment.node.selection_set.node, groups);
                    }
                }
            }
        }
    }

    fn collect_field(&self, group: &Group<'a>) -> Result<CollectedField<'a>, RequestFault> {
        group
            .others
            .iter()
            .try_for_each(|other| check_mergeable(&group.first.node, &other.node))?;
        let selections = std::iter::once(&group.first).chain(&group.others);
        let sets: Vec<_> = selections.map(|it| &it.node.selection_set.node).collect();
        let is_repeated = !group.others.is_empty();
        Ok(CollectedField { first: group.first, fields: self.collect(&sets)?, is_repeated })
    }
}

fn check_mergeable(first: &Field, other: &Field) -> Result<(), RequestFault> {
    let reason = if first.name.node != other.name.node {
        format!("\"{}\" and \"{}\" are different fields", first.name.node, other.name.node)
    } else if !have_same_arguments(first, other) {
        "they have differing arguments".to_owned()
    } else {
        return Ok(());
    };
    Err(RequestFault::Validation(format!(
        "Fields \"{}\" conflict because {reason}. Use different aliases on the fields to fetch \
         both if this was intentional.",
        first.response_key().node
    )))
}

fn have_same_arguments(first: &Field, other: &Field) -> bool {
    let is_in_other = |(name, value): &(Positioned<Name>, Positioned<Value>)| {
        other.get_argument(&name.node).is_some_and(|it| it.node == value.node)
    };
    first.arguments.len() == other.arguments.len() && first.arguments.iter().all(is_in_other)
}

fn is_included(directives: &[Positioned<Directive>], variables: &Variables) -> bool {
    directives.iter().all(|directive| {
        let condition = match directive.node.get_argument("if").map(|it| &it.node) {
            Some(Value::Boolean(value)) => *value,
            Some(Value::Variable(name)) => variables.get(name) == Some(&true.into()),
            _ => false,
        };
        match directive.node.name.node.as_str() {
            "skip" => !condition,
            "include" => condition,
            _ => true,
        }
    })
}
