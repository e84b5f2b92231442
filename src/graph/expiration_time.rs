//! Checks the argument `expirationTime` before the schema does. It accepts whole numbers in every
//! notation, such as `1.8e9`. Its error contains the allowed times, unlike that of the type `Int`.

use async_graphql::{
    Name, Variables,
    parser::types::{ExecutableDocument, Selection, SelectionSet},
};
use async_graphql_value::Value;
use jiff::Timestamp;

use crate::{
    domain::access_token::ExpirationPolicy, error::Result, graph::selections, http::graphql,
};

/// The name of the argument, in all fields.
const ARGUMENT: &str = "expirationTime";
/// The maximum length of a string that an error quotes, in characters.
const MAX_QUOTED: usize = 40;

/// Converts each `expirationTime` to an integer.
///
/// # Errors
///
/// `INVALID_EXPIRATION_TIME` if one is not a whole number.
pub(super) fn rewrite(
    document: &mut ExecutableDocument,
    variables: &Variables,
    now: Timestamp,
) -> Result<()> {
    let rewriter = Rewriter { variables, now };
    let mut sets = selections::sets(document).into_iter();
    sets.try_for_each(|set| rewriter.rewrite_selections(set))
}

struct Rewriter<'a> {
    variables: &'a Variables,
    now: Timestamp,
}

impl Rewriter<'_> {
    fn rewrite_selections(&self, set: &mut SelectionSet) -> Result<()> {
        set.items.iter_mut().try_for_each(|item| match &mut item.node {
            Selection::Field(field) => {
                let arguments =
                    field.node.arguments.iter_mut().filter(|(name, _)| name.node == ARGUMENT);
                arguments
                    .map(|(_, value)| &mut value.node)
                    .try_for_each(|it| self.rewrite_argument(it))?;
                self.rewrite_selections(&mut field.node.selection_set.node)
            }
            Selection::InlineFragment(inline) => {
                self.rewrite_selections(&mut inline.node.selection_set.node)
            }
            Selection::FragmentSpread(_) => Ok(()),
        })
    }

    fn rewrite_argument(&self, value: &mut Value) -> Result<()> {
        match value {
            Value::Variable(name) => self.check_variable(name),
            literal => {
                let mut json = literal.clone().into_json().unwrap_or_default();
                graphql::normalize_numbers(&mut json);
                self.check(&json)?;
                *literal = Value::from_json(json).unwrap_or_default();
                Ok(())
            }
        }
    }

    fn check_variable(&self, name: &Name) -> Result<()> {
        match self.variables.get(name) {
            Some(value) => self.check(&value.clone().into_json().unwrap_or_default()),
            None => Ok(()),
        }
    }

    fn check(&self, value: &serde_json::Value) -> Result<()> {
        if value.is_i64() {
            return Ok(());
        }
        Err(ExpirationPolicy::at(self.now).reject_type(shorten(value)).into())
    }
}

/// Shortens a value, so that an error can quote it.
fn shorten(value: &serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::String(text) => text.chars().take(MAX_QUOTED).collect::<String>().into(),
        serde_json::Value::Array(_) => "a list".into(),
        serde_json::Value::Object(_) => "an object".into(),
        scalar => scalar.clone(),
    }
}
