//! Merges fields that a query selects more than once: all selections of a response key
//! are one field, which is executed once (GraphQL specification, section 6.3.2).
//!
//! async-graphql executes each selection and merges the answers, so a mutation that is
//! selected twice would run twice. It also compares the arguments of such fields within
//! one selection set only. Both are done here, after [`limits`](super::limits) has
//! bounded the query with its fragments expanded: each selection is visited once.
//!
//! The schema has no interfaces and no unions, so in a valid query a type condition is
//! the type that it stands in. It is ignored here.

use std::collections::{HashMap, HashSet};

use async_graphql::{
    Name, Pos, Positioned, Variables,
    parser::types::{
        Directive, DocumentOperations, ExecutableDocument, Field, FragmentDefinition,
        OperationDefinition, Selection, SelectionSet,
    },
};
use async_graphql_value::Value;

use crate::error::RequestFault;

type Fragments = HashMap<Name, Positioned<FragmentDefinition>>;

/// A field of the answer.
pub(super) struct Collected<'a> {
    /// The first of its selections.
    pub(super) first: &'a Positioned<Field>,
    /// The fields within it, of all its selections.
    pub(super) fields: Vec<Collected<'a>>,
    is_repeated: bool,
}

/// Collects the fields of an operation, whatever its directives say.
///
/// # Errors
///
/// [`RequestFault::Validation`] when selections of one response key differ in field or
/// arguments (rule `OverlappingFieldsCanBeMerged`).
pub(super) fn all<'a>(
    operation: &'a OperationDefinition,
    fragments: &'a Fragments,
) -> Result<Vec<Collected<'a>>, RequestFault> {
    Collector { fragments, is_included: |_: &[_]| true }.fields(&[&operation.selection_set.node])
}

/// Whether any field is selected more than once.
pub(super) fn are_repeated(fields: &[Collected<'_>]) -> bool {
    fields.iter().any(|it| it.is_repeated || are_repeated(&it.fields))
}

/// A document of one operation that selects each field once: no fragments, no fields that
/// `@skip` or `@include` leave out, and no arguments whose variable has no value, so that
/// the argument's default value counts. The operation must be valid, and each variable with
/// a default value must be in `variables`.
///
/// # Errors
///
/// As [`all`].
pub(super) fn merge(
    operation: &OperationDefinition,
    fragments: &Fragments,
    variables: &Variables,
) -> Result<ExecutableDocument, RequestFault> {
    let collector = Collector { fragments, is_included: |it: &[_]| is_included(it, variables) };
    let fields = collector.fields(&[&operation.selection_set.node])?;
    let mut used = HashSet::new();
    note_variables(&fields, variables, &mut used);
    let definitions = operation.variable_definitions.iter();
    let merged = OperationDefinition {
        ty: operation.ty,
        variable_definitions: definitions
            .filter(|it| used.contains(&it.node.name.node))
            .cloned()
            .collect(),
        directives: Vec::new(),
        selection_set: selection_set(&fields, variables, operation.selection_set.pos),
    };
    let operation = Positioned::new(merged, operation.selection_set.pos);
    Ok(ExecutableDocument {
        operations: DocumentOperations::Single(operation),
        fragments: HashMap::new(),
    })
}

struct Collector<'a, F> {
    fragments: &'a Fragments,
    is_included: F,
}

/// The selections of one response key.
struct Group<'a> {
    first: &'a Positioned<Field>,
    others: Vec<&'a Positioned<Field>>,
}

#[derive(Default)]
struct Groups<'a> {
    /// In the order of their first selections.
    list: Vec<Group<'a>>,
    places: HashMap<&'a str, usize>,
}

impl<'a> Groups<'a> {
    fn push(&mut self, field: &'a Positioned<Field>) {
        let place =
            *self.places.entry(field.node.response_key().node.as_str()).or_insert(self.list.len());
        match self.list.get_mut(place) {
            Some(group) => group.others.push(field),
            None => self.list.push(Group { first: field, others: Vec::new() }),
        }
    }
}

impl<'a, F: Fn(&[Positioned<Directive>]) -> bool> Collector<'a, F> {
    fn fields(&self, sets: &[&'a SelectionSet]) -> Result<Vec<Collected<'a>>, RequestFault> {
        let mut groups = Groups::default();
        for set in sets {
            self.group(set, &mut groups);
        }
        groups.list.into_iter().map(|group| self.field(&group)).collect()
    }

    fn group(&self, set: &'a SelectionSet, groups: &mut Groups<'a>) {
        for item in set.items.iter().filter(|it| (self.is_included)(it.node.directives())) {
            match &item.node {
                Selection::Field(field) => groups.push(field),
                Selection::InlineFragment(inline) => {
                    self.group(&inline.node.selection_set.node, groups);
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = self.fragments.get(&spread.node.fragment_name.node) {
                        self.group(&fragment.node.selection_set.node, groups);
                    }
                }
            }
        }
    }

    fn field(&self, group: &Group<'a>) -> Result<Collected<'a>, RequestFault> {
        group.others.iter().try_for_each(|other| can_be_merged(&group.first.node, &other.node))?;
        let selections = std::iter::once(&group.first).chain(&group.others);
        let sets: Vec<_> = selections.map(|it| &it.node.selection_set.node).collect();
        let is_repeated = !group.others.is_empty();
        Ok(Collected { first: group.first, fields: self.fields(&sets)?, is_repeated })
    }
}

fn can_be_merged(first: &Field, other: &Field) -> Result<(), RequestFault> {
    let why = if first.name.node != other.name.node {
        format!("\"{}\" and \"{}\" are different fields", first.name.node, other.name.node)
    } else if !have_same_arguments(first, other) {
        "they have differing arguments".to_owned()
    } else {
        return Ok(());
    };
    Err(RequestFault::Validation(format!(
        "Fields \"{}\" conflict because {why}. Use different aliases on the fields to fetch both if this was \
         intentional.",
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

fn note_variables<'a>(
    fields: &[Collected<'a>],
    variables: &Variables,
    used: &mut HashSet<&'a Name>,
) {
    for field in fields {
        let mut values: Vec<_> = field.arguments(variables).map(|(_, value)| &value.node).collect();
        while let Some(value) = values.pop() {
            match value {
                Value::Variable(name) => drop(used.insert(name)),
                Value::List(items) => values.extend(items),
                Value::Object(members) => values.extend(members.values()),
                _ => {}
            }
        }
        note_variables(&field.fields, variables, used);
    }
}

fn selection_set(
    fields: &[Collected<'_>],
    variables: &Variables,
    pos: Pos,
) -> Positioned<SelectionSet> {
    let items = fields.iter().map(|it| it.selection(variables)).collect();
    Positioned::new(SelectionSet { items }, pos)
}

impl<'a> Collected<'a> {
    /// The arguments, without those whose variable has no value.
    fn arguments(
        &self,
        variables: &Variables,
    ) -> impl Iterator<Item = &'a (Positioned<Name>, Positioned<Value>)> {
        self.first.node.arguments.iter().filter(|(_, value)| match &value.node {
            Value::Variable(name) => variables.contains_key(name),
            _ => true,
        })
    }

    fn selection(&self, variables: &Variables) -> Positioned<Selection> {
        let Positioned { pos, node: first } = self.first;
        let mut within = selection_set(&self.fields, variables, first.selection_set.pos);
        if within.node.items.is_empty() && !first.selection_set.node.items.is_empty() {
            within.node.items.push(nothing(*pos));
        }
        let field = Field {
            alias: first.alias.clone(),
            name: first.name.clone(),
            arguments: self.arguments(variables).cloned().collect(),
            directives: Vec::new(),
            selection_set: within,
        };
        Positioned::new(Selection::Field(Positioned::new(field, *pos)), *pos)
    }
}

/// A selection of nothing, for an object of which all fields are left out: without any
/// selection it would not be valid.
fn nothing(pos: Pos) -> Positioned<Selection> {
    let at = |name| Positioned::new(Name::new(name), pos);
    let arguments = vec![(at("if"), Positioned::new(Value::Boolean(true), pos))];
    let skip = Directive { name: at("skip"), arguments };
    let field = Field {
        alias: None,
        name: at("__typename"),
        arguments: Vec::new(),
        directives: vec![Positioned::new(skip, pos)],
        selection_set: Positioned::new(SelectionSet::default(), pos),
    };
    Positioned::new(Selection::Field(Positioned::new(field, pos)), pos)
}

#[cfg(test)]
mod tests {
    use async_graphql::{Request, parser::parse_query};
    use futures_util::FutureExt;
    use proptest::{prelude::*, sample::select};

    use super::*;
    use crate::graph;

    const FRAGMENTS: &str = "fragment f on __Type { kind fields { ...g } } \
        fragment g on __Field { name type { kind ofType { kind } } } \
        fragment h on __Type { ...f name fields { name description } }";

    /// How a selection may be left out; `$no` has a default value, `$yes` is given.
    fn directives() -> impl Strategy<Value = &'static str> {
        select(vec![
            "",
            "",
            "",
            "@skip(if: $no)",
            "@include(if: $yes)",
            "@include(if: $no) @skip(if: $yes)",
        ])
    }

    fn leaf(names: &[&'static str]) -> BoxedStrategy<String> {
        (select(names.to_vec()), directives()).prop_map(|(name, it)| format!("{name} {it}")).boxed()
    }

    fn set(selection: BoxedStrategy<String>) -> BoxedStrategy<String> {
        prop::collection::vec(selection, 1..5)
            .prop_map(|it| format!("{{ {} }}", it.join(" ")))
            .boxed()
    }

    fn object(name: &'static str, selection: BoxedStrategy<String>) -> BoxedStrategy<String> {
        (directives(), set(selection))
            .prop_map(move |(it, set)| format!("{name} {it} {set}"))
            .boxed()
    }

    /// Selections on a `__Type`, of so many levels.
    fn selections_of_type(levels: u32) -> BoxedStrategy<String> {
        let leaves = leaf(&["name", "k: kind", "kind", "description", "...f", "...h"]);
        if levels == 0 {
            return leaves;
        }
        let below = || selections_of_type(levels - 1);
        let fields =
            prop_oneof![leaf(&["name", "description", "...g"]), object("type", below())].boxed();
        prop_oneof![
            leaves,
            object("fields", fields),
            object("...", below()),
            object("... on __Type", below()),
            object("ofType", below()),
        ]
        .boxed()
    }

    fn json_of(document: ExecutableDocument, variables: Variables) -> String {
        let mut request = Request::new("").variables(variables);
        request.set_parsed_query(document);
        let response = graph::schema(None).execute(request).now_or_never().unwrap();
        assert!(response.is_ok(), "{:?}", response.errors);
        serde_json::to_string(&response.data).unwrap()
    }

    #[test]
    fn no_type_of_the_schema_is_abstract() {
        let sdl = graph::sdl();

        assert!(
            !sdl.contains("\ninterface ") && !sdl.contains("\nunion "),
            "type conditions are ignored here"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

        /// async-graphql's own way is to execute all selections and to merge the answers. For
        /// fields that change nothing both ways lead to the same answer, in the same order.
        #[test]
        fn a_merged_query_has_the_same_answer(
            queries in prop::collection::vec((directives(), set(selections_of_type(3))), 1..4),
        ) {
            let one = |(it, set): &(&str, String)| format!("__type(name: \"AccessToken\") {it} {set}");
            let roots = queries.iter().map(one).collect::<Vec<_>>().join(" ");
            let query = format!(
                "query ($no: Boolean! = false, $yes: Boolean!) {{ {roots} ...all @skip(if: $no) \
                 c: __type(name: \"Me\") @include(if: $yes) {{ ...h ...g2 @include(if: $yes) }} }} \
                 fragment all on Query {{ __type(name: \"AccessToken\") {{ ...h }} }} \
                 fragment g2 on __Type {{ fields {{ ...g }} }} {FRAGMENTS}"
            );
            let document = parse_query(&query).unwrap();
            let variables = Variables::from_json(serde_json::json!({ "yes": true, "no": false }));

            let operation = &document.operations.iter().next().unwrap().1.node;
            let merged = merge(operation, &document.fragments, &variables).unwrap();
            let selected = &merged.operations.iter().next().unwrap().1.node;

            prop_assert!(!are_repeated(&all(selected, &merged.fragments).unwrap()));
            prop_assert_eq!(json_of(merged, variables.clone()), json_of(document, variables));
        }
    }
}
