//! How large a query may be, found out before anything is validated or executed.
//!
//! async-graphql 7 counts neither aliases nor what fragments expand to, and its
//! validation walks a fragment as often as it is spread. So the query is walked here
//! first, fragments expanded, with a budget of steps: bombs and cycles end there.

use std::collections::HashMap;

use async_graphql::{
    Name, Positioned,
    parser::types::{
        Directive, ExecutableDocument, Field, FragmentDefinition, OperationDefinition, Selection,
        SelectionSet,
    },
};

use crate::error::RequestFault;

/// The deepest query. The playground's own introspection is 13 deep.
const DEEPEST: usize = 15;
/// The most fields, with fragments expanded. Lists make it more complex still.
const MOST_STEPS: usize = 1_500;
/// The most aliases of one field.
const MOST_ALIASES: usize = 30;
/// The most directives.
const MOST_DIRECTIVES: usize = 50;

/// Checks an operation of a document against the limits.
///
/// # Errors
///
/// [`RequestFault::Validation`]: which limit, and what it is.
pub(super) fn check(
    document: &ExecutableDocument,
    operation: &OperationDefinition,
) -> Result<(), RequestFault> {
    let mut walk = Walk { fragments: &document.fragments, steps: 0, directives: 0, aliases: HashMap::new() };
    walk.directives(&operation.directives)?;
    walk.selections(&operation.selection_set.node, 1)
}

struct Walk<'a> {
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    steps: usize,
    directives: usize,
    aliases: HashMap<&'a str, usize>,
}

impl<'a> Walk<'a> {
    fn selections(&mut self, set: &'a SelectionSet, depth: usize) -> Result<(), RequestFault> {
        set.items.iter().try_for_each(|item| match &item.node {
            Selection::Field(field) => self.field(&field.node, depth),
            Selection::InlineFragment(inline) => {
                self.step()?;
                self.directives(&inline.node.directives)?;
                self.selections(&inline.node.selection_set.node, depth)
            }
            Selection::FragmentSpread(spread) => {
                self.step()?;
                self.directives(&spread.node.directives)?;
                let fragment = self.fragments.get(&spread.node.fragment_name.node);
                fragment.map_or(Ok(()), |it| self.selections(&it.node.selection_set.node, depth))
            }
        })
    }

    fn field(&mut self, field: &'a Field, depth: usize) -> Result<(), RequestFault> {
        self.step()?;
        self.directives(&field.directives)?;
        if depth > DEEPEST {
            return Err(over(&format!("The query is too deep: at most {DEEPEST} levels are allowed")));
        }
        if field.alias.is_some() {
            let count = self.aliases.entry(field.name.node.as_str()).or_default();
            *count += 1;
            if *count > MOST_ALIASES {
                return Err(over(&format!(
                    "A field has too many aliases: at most {MOST_ALIASES} are allowed"
                )));
            }
        }
        self.selections(&field.selection_set.node, depth + 1)
    }

    fn step(&mut self) -> Result<(), RequestFault> {
        self.steps += 1;
        if self.steps > MOST_STEPS {
            return Err(over(&format!("The query is too complex: at most {MOST_STEPS} fields are allowed")));
        }
        Ok(())
    }

    fn directives(&mut self, directives: &[Positioned<Directive>]) -> Result<(), RequestFault> {
        self.directives += directives.len();
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
        let document = parse_query(query).unwrap();
        let operation = document.operations.iter().next().unwrap().1.node.clone();
        check(&document, &operation)
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
    #[case::h01_fifty_levels(nested(50), false)]
    #[case::thirty_aliases(aliased(30), true)]
    #[case::h02_thousand_aliases(aliased(1000), false)]
    #[case::fifty_directives(format!("{{ a {} }}", "@x ".repeat(50)), true)]
    #[case::more_directives(format!("{{ a {} }}", "@x ".repeat(51)), false)]
    fn a_query_has_limits(#[case] query: String, #[case] is_within: bool) {
        assert_eq!(checked(&query).is_ok(), is_within, "{query}");
    }

    #[test]
    fn a_fragment_bomb_ends_at_the_budget() {
        let level = |it: u32| format!("fragment f{it} on Query {{ ...f{0} ...f{0} }}", it + 1);
        let levels = (0..60).map(level).collect::<Vec<_>>().join(" ");

        assert!(checked(&format!("{{ ...f0 }} {levels} fragment f60 on Query {{ me {{ role }} }}")).is_err());
    }

    #[test]
    fn a_fragment_cycle_ends_at_the_budget() {
        assert!(checked("{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }").is_err());
    }
}
