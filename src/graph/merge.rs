//! Rewrites an operation so that it selects each field once.
//!
//! async-graphql executes each selection of a field and merges the results, so a mutation that is
//! selected twice would run twice.

use std::collections::{HashMap, HashSet};

use async_graphql::{
    Name, Pos, Positioned, Variables,
    parser::types::{
        Directive, DocumentOperations, ExecutableDocument, Field, OperationDefinition, Selection,
        SelectionSet,
    },
};
use async_graphql_value::Value;

use crate::{
    error::RequestFault,
    graph::collect::{self, CollectedField, Fragments},
};

/// Returns a document with one operation that selects each field once, and without fragments. It
/// omits fields that `@skip` or `@include` exclude. It also omits arguments whose variable has no
/// value, so that the default value of the argument applies.
///
/// `variables` must include default values. The result is meaningful only if the operation is
/// valid. Validate the original before you execute the result.
///
/// # Errors
///
/// As [`collect::all`].
pub(super) fn merge(
    operation: &OperationDefinition,
    fragments: &Fragments,
    variables: &Variables,
) -> Result<ExecutableDocument, RequestFault> {
    let fields = collect::included(operation, fragments, variables)?;
    let mut used = HashSet::new();
    collect_variables(&fields, variables, &mut used);
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

fn collect_variables<'a>(
    fields: &[CollectedField<'a>],
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
        collect_variables(&field.fields, variables, used);
    }
}

fn selection_set(
    fields: &[CollectedField<'_>],
    variables: &Variables,
    pos: Pos,
) -> Positioned<SelectionSet> {
    let items = fields.iter().map(|it| it.selection(variables)).collect();
    Positioned::new(SelectionSet { items }, pos)
}

impl<'a> CollectedField<'a> {
    /// Returns the arguments, except those whose variable has no value.
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
        let mut selection_set = selection_set(&self.fields, variables, first.selection_set.pos);
        if selection_set.node.items.is_empty() && !first.selection_set.node.items.is_empty() {
            selection_set.node.items.push(skipped_selection(*pos));
        }
        let field = Field {
            alias: first.alias.clone(),
            name: first.name.clone(),
            arguments: self.arguments(variables).cloned().collect(),
            directives: Vec::new(),
            selection_set,
        };
        Positioned::new(Selection::Field(Positioned::new(field, *pos)), *pos)
    }
}

/// Returns a selection that is skipped, for an object whose fields are all excluded. An object
/// without any selection would not be valid.
fn skipped_selection(pos: Pos) -> Positioned<Selection> {
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

    /// Directives of a selection. The test passes `$no` = false and `$yes` = true.
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

    /// Selections on a `__Type` with this many levels.
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

        // Merging ignores type conditions, which only matter for abstract types.
        assert!(!sdl.contains("\ninterface "));
        assert!(!sdl.contains("\nunion "));
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            failure_persistence: None,
            ..ProptestConfig::with_cases(64)
        })]

        /// async-graphql executes all selections and merges the results. For fields without side
        /// effects both ways give the same response in the same order.
        #[test]
        fn a_merged_query_has_the_same_response(
            queries in prop::collection::vec((directives(), set(selections_of_type(3))), 1..4),
        ) {
            let field = "__type(name: \"AccessToken\")";
            let one = |(it, set): &(&str, String)| format!("{field} {it} {set}");
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

            let fields = collect::all(selected, &merged.fragments).unwrap();
            prop_assert!(!collect::has_repeated_fields(&fields));
            prop_assert_eq!(json_of(merged, variables.clone()), json_of(document, variables));
        }
    }
}
