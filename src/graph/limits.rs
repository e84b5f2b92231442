//! How large a query may be, found out before anything is validated or executed.
//!
//! async-graphql 7 counts neither aliases nor what fragments expand to, and its
//! validation walks a fragment as often as it is spread, also for operations that
//! are not asked for. So the query is walked here first, fragments expanded, with a
//! budget of steps: bombs and cycles end there. How deep its brackets are nested is known
//! already ([`source`](super::source)).

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
    graph::collect::{self, Collected},
};

/// The deepest query. The playground's own introspection is 13 deep.
const DEEPEST: usize = 15;
/// The deepest nesting of fields and fragments: a walk has frames on the stack for each
/// level, and so has async-graphql, which stops there too.
const DEEPEST_NESTING: usize = 32;
/// The most fields, with fragments expanded. Lists make it more complex still.
const MOST_STEPS: usize = 1_500;
/// The most arguments and variables; validation compares some of them in pairs.
const MOST_ARGUMENTS: usize = 1_500;
/// The most aliases of one field, with equal ones merged.
const MOST_ALIASES: usize = 30;
/// The most directives.
const MOST_DIRECTIVES: usize = 50;

/// Checks all operations of a document against the limits, with one budget for all
/// of them: each is validated, whichever is executed. Returns whether any of them selects
/// a field more than once.
///
/// # Errors
///
/// [`RequestFault::Validation`]: which limit, and what it is; or which fragment is not
/// used by any of them, and so was not measured; or which fields cannot be merged.
pub(super) fn check(document: &ExecutableDocument) -> Result<bool, RequestFault> {
    let mut walk = Walk {
        fragments: &document.fragments,
        used: HashSet::new(),
        nesting: 0,
        steps: 0,
        arguments: 0,
        directives: 0,
    };
    document.operations.iter().try_for_each(|(_, operation)| walk.operation(&operation.node))?;
    if let Some(name) = document.fragments.keys().find(|name| !walk.used.contains(name.as_str())) {
        return Err(over(&format!("Fragment \"{name}\" is never used")));
    }
    let mut is_repetitive = false;
    for (_, operation) in document.operations.iter() {
        let fields = collect::all(&operation.node, &document.fragments)?;
        aliases(&fields, &mut HashMap::new())?;
        is_repetitive |= collect::are_repeated(&fields);
    }
    Ok(is_repetitive)
}

/// Counts the aliases of each field.
fn aliases<'a>(
    fields: &[Collected<'a>],
    counts: &mut HashMap<&'a str, usize>,
) -> Result<(), RequestFault> {
    for field in fields {
        if field.first.node.alias.is_some() {
            let count = counts.entry(field.first.node.name.node.as_str()).or_default();
            *count += 1;
            if *count > MOST_ALIASES {
                return Err(over(&format!(
                    "A field has too many aliases: at most {MOST_ALIASES} are allowed"
                )));
            }
        }
        aliases(&field.fields, counts)?;
    }
    Ok(())
}

struct Walk<'a> {
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    used: HashSet<&'a str>,
    nesting: usize,
    steps: usize,
    arguments: usize,
    directives: usize,
}

impl<'a> Walk<'a> {
    fn operation(&mut self, operation: &'a OperationDefinition) -> Result<(), RequestFault> {
        self.directives = 0;
        self.step()?;
        self.arguments(operation.variable_definitions.len())?;
        self.directives(&operation.directives)?;
        self.selections(&operation.selection_set.node, 1)
    }

    fn selections(&mut self, set: &'a SelectionSet, depth: usize) -> Result<(), RequestFault> {
        self.nesting += 1;
        if self.nesting > DEEPEST_NESTING {
            return Err(over(&format!(
                "The query is too deep: at most {DEEPEST_NESTING} levels of fields and fragments are allowed"
            )));
        }
        set.items.iter().try_for_each(|item| self.selection(&item.node, depth))?;
        self.nesting -= 1;
        Ok(())
    }

    fn selection(&mut self, selection: &'a Selection, depth: usize) -> Result<(), RequestFault> {
        match selection {
            Selection::Field(field) => self.field(&field.node, depth),
            Selection::InlineFragment(inline) => {
                self.step()?;
                self.directives(&inline.node.directives)?;
                self.selections(&inline.node.selection_set.node, depth)
            }
            Selection::FragmentSpread(spread) => {
                self.step()?;
                self.directives(&spread.node.directives)?;
                self.fragment(&spread.node.fragment_name.node, depth)
            }
        }
    }

    /// What a fragment expands to; validation tells of one that does not exist.
    fn fragment(&mut self, name: &Name, depth: usize) -> Result<(), RequestFault> {
        let Some((name, fragment)) = self.fragments.get_key_value(name) else { return Ok(()) };
        self.used.insert(name);
        self.selections(&fragment.node.selection_set.node, depth)
    }

    fn field(&mut self, field: &'a Field, depth: usize) -> Result<(), RequestFault> {
        self.step()?;
        self.arguments(field.arguments.len())?;
        self.directives(&field.directives)?;
        if depth > DEEPEST {
            return Err(over(&format!(
                "The query is too deep: at most {DEEPEST} levels are allowed"
            )));
        }
        self.selections(&field.selection_set.node, depth + 1)
    }

    fn step(&mut self) -> Result<(), RequestFault> {
        self.steps += 1;
        if self.steps > MOST_STEPS {
            return Err(over(&format!(
                "The query is too complex: at most {MOST_STEPS} fields are allowed"
            )));
        }
        Ok(())
    }

    fn arguments(&mut self, count: usize) -> Result<(), RequestFault> {
        self.arguments += count;
        if self.arguments > MOST_ARGUMENTS {
            return Err(over(&format!(
                "The query has too many arguments and variables: at most {MOST_ARGUMENTS} are allowed"
            )));
        }
        Ok(())
    }

    fn directives(&mut self, directives: &[Positioned<Directive>]) -> Result<(), RequestFault> {
        self.directives += directives.len();
        self.arguments(directives.iter().map(|it| it.node.arguments.len()).sum())?;
        if self.directives > MOST_DIRECTIVES {
            return Err(over(&format!(
                "The query has too many directives: at most {MOST_DIRECTIVES} are allowed"
            )));
        }
        Ok(())
    }
}

fn over(text: &str) -> RequestFault {
    RequestFault::Validation(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_graphql::parser::parse_query;
    use rstest::rstest;

    fn checked(query: &str) -> Result<(), RequestFault> {
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
    fn a_query_has_limits(#[case] query: String, #[case] is_within: bool) {
        assert_eq!(checked(&query).is_ok(), is_within, "{query}");
    }

    #[rstest]
    #[case::in_the_one_operation("{ ...f0 }")]
    #[case::in_the_second_operation("query A { a } query B { ...f0 }")]
    fn a_fragment_bomb_ends_at_the_budget(#[case] operations: &str) {
        let level = |it: u32| format!("fragment f{it} on Query {{ ...f{0} ...f{0} }}", it + 1);
        let levels = (0..28).map(level).collect::<Vec<_>>().join(" ");

        assert!(
            checked(&format!("{operations} {levels} fragment f28 on Query {{ me {{ role }} }}"))
                .is_err()
        );
    }

    #[test]
    fn a_fragment_cycle_ends_at_the_budget() {
        assert!(
            checked("{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }").is_err()
        );
    }
}
