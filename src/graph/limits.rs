//! Limits the size of a query before it is validated or executed.
//!
//! async-graphql 7 counts neither aliases nor the fields of expanded fragments. Its validation
//! visits a fragment each time it is spread, even in operations that are not executed. So this
//! module visits the query first, with fragments expanded. It stops after a limited number of
//! steps, which protects against fragment bombs and cycles. [`source`](super::source) has already
//! limited the nesting of brackets.

use std::collections::{HashMap, HashSet};

use async_graphql::{
    Name, Positioned,
    parser::types::{
        Directive, ExecutableDocument, Field, FragmentDefinition, OperationDefinition, Selection,
        SelectionSet,
    },
};

use crate::{
    error::RequestFault,
    graph::collect::{self, CollectedField},
};

/// The maximum depth of fields. The introspection query of GraphQL Playground has 13 levels.
const MAX_DEPTH: usize = 15;
/// The maximum depth of fields and fragments. Each level uses stack space here and in
/// async-graphql, which has the same limit.
const MAX_NESTING: usize = 32;
/// The maximum number of fields, with fragments expanded. Fragments count as fields.
const MAX_STEPS: usize = 1_500;
/// The maximum number of arguments and variables. Validation compares some of them in pairs.
const MAX_ARGUMENTS: usize = 1_500;
/// The maximum number of aliases of a field, after merging.
const MAX_ALIASES: usize = 30;
/// The maximum number of directives in an operation, with fragments expanded.
const MAX_DIRECTIVES: usize = 50;

/// Checks all operations of a document, since async-graphql validates all of them. Returns whether
/// any of them selects a field more than once.
///
/// # Errors
///
/// [`RequestFault::Validation`] if a limit is exceeded, a fragment is not used by any operation, or
/// fields cannot be merged.
pub(super) fn check(document: &ExecutableDocument) -> Result<bool, RequestFault> {
    let mut visitor = Visitor {
        fragments: &document.fragments,
        used: HashSet::new(),
        nesting: 0,
        steps: 0,
        arguments: 0,
        directives: 0,
    };
    document
        .operations
        .iter()
        .try_for_each(|(_, operation)| visitor.visit_operation(&operation.node))?;
    if let Some(name) = document.fragments.keys().find(|name| !visitor.used.contains(name.as_str()))
    {
        return Err(invalid(&format!("Fragment \"{name}\" is never used")));
    }
    let mut has_repeated_fields = false;
    for (_, operation) in document.operations.iter() {
        let fields = collect::all(&operation.node, &document.fragments)?;
        check_aliases(&fields, &mut HashMap::new())?;
        has_repeated_fields |= collect::has_repeated_fields(&fields);
    }
    Ok(has_repeated_fields)
}

/// Checks the number of aliases of each field.
fn check_aliases<'a>(
    fields: &[CollectedField<'a>],
    counts: &mut HashMap<&'a str, usize>,
) -> Result<(), RequestFault> {
    for field in fields {
        if field.first.node.alias.is_some() {
            let count = counts.entry(field.first.node.name.node.as_str()).or_default();
            *count += 1;
            if *count > MAX_ALIASES {
                return Err(invalid(&format!(
                    "A field has too many aliases: at most {MAX_ALIASES} are allowed"
                )));
            }
        }
        check_aliases(&field.fields, counts)?;
    }
    Ok(())
}

struct Visitor<'a> {
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    used: HashSet<&'a str>,
    nesting: usize,
    steps: usize,
    arguments: usize,
    directives: usize,
}

impl<'a> Visitor<'a> {
    fn visit_operation(&mut self, operation: &'a OperationDefinition) -> Result<(), RequestFault> {
        self.directives = 0;
        self.count_step()?;
        self.count_arguments(operation.variable_definitions.len())?;
        self.count_directives(&operation.directives)?;
        self.visit_selections(&operation.selection_set.node, 1)
    }

    fn visit_selections(
        &mut self,
        set: &'a SelectionSet,
        depth: usize,
    ) -> Result<(), RequestFault> {
        self.nesting += 1;
        if self.nesting > MAX_NESTING {
            return Err(invalid(&format!(
                "The query is too deep: at most {MAX_NESTING} levels of fields and fragments are \
                 allowed"
            )));
        }
        set.items.iter().try_for_each(|item| self.visit_selection(&item.node, depth))?;
        self.nesting -= 1;
        Ok(())
    }

    fn visit_selection(
        &mut self,
        selection: &'a Selection,
        depth: usize,
    ) -> Result<(), RequestFault> {
        match selection {
            Selection::Field(field) => self.visit_field(&field.node, depth),
            Selection::InlineFragment(inline) => {
                self.count_step()?;
                self.count_directives(&inline.node.directives)?;
                self.visit_selections(&inline.node.selection_set.node, depth)
            }
            Selection::FragmentSpread(spread) => {
                self.count_step()?;
                self.count_directives(&spread.node.directives)?;
                self.visit_fragment(&spread.node.fragment_name.node, depth)
            }
        }
    }

    /// Visits the selections of a fragment. Ignores an unknown fragment, which validation reports.
    fn visit_fragment(&mut self, name: &Name, depth: usize) -> Result<(), RequestFault> {
        let Some((name, fragment)) = self.fragments.get_key_value(name) else { return Ok(()) };
        self.used.insert(name);
        self.visit_selections(&fragment.node.selection_set.node, depth)
    }

    fn visit_field(&mut self, field: &'a Field, depth: usize) -> Result<(), RequestFault> {
        self.count_step()?;
        self.count_arguments(field.arguments.len())?;
        self.count_directives(&field.directives)?;
        if depth > MAX_DEPTH {
            return Err(invalid(&format!(
                "The query is too deep: at most {MAX_DEPTH} levels are allowed"
            )));
        }
        self.visit_selections(&field.selection_set.node, depth + 1)
    }

    fn count_step(&mut self) -> Result<(), RequestFault> {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            return Err(invalid(&format!(
                "The query is too complex: at most {MAX_STEPS} fields are allowed"
            )));
        }
        Ok(())
    }

    fn count_arguments(&mut self, count: usize) -> Result<(), RequestFault> {
        self.arguments += count;
        if self.arguments > MAX_ARGUMENTS {
            return Err(invalid(&format!(
                "The query has too many arguments and variables: at most {MAX_ARGUMENTS} are \
                 allowed"
            )));
        }
        Ok(())
    }

    fn count_directives(
        &mut self,
        directives: &[Positioned<Directive>],
    ) -> Result<(), RequestFault> {
        self.directives += directives.len();
        self.count_arguments(directives.iter().map(|it| it.node.arguments.len()).sum())?;
        if self.directives > MAX_DIRECTIVES {
            return Err(invalid(&format!(
                "The query has too many directives: at most {MAX_DIRECTIVES} are allowed"
            )));
        }
        Ok(())
    }
}

fn invalid(text: &str) -> RequestFault {
    RequestFault::Validation(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_graphql::parser::parse_query;
    use rstest::rstest;

    fn check_text(query: &str) -> Result<(), RequestFault> {
        check(&parse_query(query).unwrap()).map(drop)
    }

    fn nested(levels: usize) -> String {
        format!("{}a{}", "{a".repeat(levels - 1) + "{", "}".repeat(levels))
    }

    fn aliased(count: usize) -> String {
        let fields: Vec<_> = (0..count).map(|it| format!("a{it}: me {{ role }}")).collect();
        format!("{{ {} }}", fields.join(" "))
    }

    #[rstest]
    #[case::fifteen_levels(nested(15), true)]
    #[case::sixteen_levels(nested(16), false)]
    #[case::fifty_levels(nested(50), false)]
    #[case::thirty_aliases(aliased(30), true)]
    #[case::thousand_aliases(aliased(1000), false)]
    #[case::fifty_directives(format!("{{ a {} }}", "@x ".repeat(50)), true)]
    #[case::more_directives(format!("{{ a {} }}", "@x ".repeat(51)), false)]
    #[case::many_arguments(format!("{{ a({}) }}", "a: 1 ".repeat(1501)), false)]
    #[case::many_variables(format!("query ({}) {{ a }}", "$a: A ".repeat(1501)), false)]
    #[case::many_operations("query A { a } query B { a }".to_owned(), true)]
    #[case::an_unused_fragment("{ a } fragment b on Query { a }".to_owned(), false)]
    fn a_query_beyond_a_limit_is_rejected(#[case] query: String, #[case] is_within: bool) {
        assert_eq!(check_text(&query).is_ok(), is_within, "{query}");
    }

    #[rstest]
    #[case::in_the_one_operation("{ ...f0 }")]
    #[case::in_the_second_operation("query A { a } query B { ...f0 }")]
    fn a_fragment_bomb_is_rejected(#[case] operations: &str) {
        let level = |it: u32| format!("fragment f{it} on Query {{ ...f{0} ...f{0} }}", it + 1);
        let levels = (0..28).map(level).collect::<Vec<_>>().join(" ");

        assert!(
            check_text(&format!("{operations} {levels} fragment f28 on Query {{ me {{ role }} }}"))
                .is_err()
        );
    }

    #[test]
    fn a_fragment_cycle_is_rejected() {
        assert!(
            check_text("{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }")
                .is_err()
        );
    }
}
