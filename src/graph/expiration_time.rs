//! `expirationTime` as clients send it: whole numbers are taken however they are written,
//! and what is no integer is told what is allowed, which the type `Int` cannot.

use async_graphql::{
    Name, Variables,
    parser::types::{DocumentOperations, ExecutableDocument, Selection, SelectionSet},
};
use async_graphql_value::Value;
use jiff::Timestamp;

use crate::{domain::access_token::ExpirationPolicy, error::Result, http::graphql};

/// The argument's name, in every field.
const ARGUMENT: &str = "expirationTime";
/// How much of a text that was sent is repeated, in characters.
const LONGEST_TEXT: usize = 40;

/// Makes each `expirationTime` an integer.
///
/// # Errors
///
/// `INVALID_EXPIRATION_TIME` if it is not an integer.
pub(super) fn read(
    document: &mut ExecutableDocument,
    variables: &Variables,
    now: Timestamp,
) -> Result<()> {
    let reader = Reader { variables, now };
    let fragments = document.fragments.values_mut().map(|it| &mut it.node.selection_set.node);
    let operations: Vec<_> = match &mut document.operations {
        DocumentOperations::Single(operation) => vec![&mut operation.node.selection_set.node],
        DocumentOperations::Multiple(operations) => {
            operations.values_mut().map(|it| &mut it.node.selection_set.node).collect()
        }
    };
    fragments.chain(operations).try_for_each(|set| reader.selections(set))
}

struct Reader<'a> {
    variables: &'a Variables,
    now: Timestamp,
}

impl Reader<'_> {
    fn selections(&self, set: &mut SelectionSet) -> Result<()> {
        set.items.iter_mut().try_for_each(|item| match &mut item.node {
            Selection::Field(field) => {
                let arguments =
                    field.node.arguments.iter_mut().filter(|(name, _)| name.node == ARGUMENT);
                arguments.map(|(_, value)| &mut value.node).try_for_each(|it| self.argument(it))?;
                self.selections(&mut field.node.selection_set.node)
            }
            Selection::InlineFragment(inline) => {
                self.selections(&mut inline.node.selection_set.node)
            }
            Selection::FragmentSpread(_) => Ok(()),
        })
    }

    fn argument(&self, value: &mut Value) -> Result<()> {
        match value {
            Value::Variable(name) => self.variable(name),
            literal => {
                let mut json = literal.clone().into_json().unwrap_or_default();
                graphql::make_whole(&mut json);
                self.check(&json)?;
                *literal = Value::from_json(json).unwrap_or_default();
                Ok(())
            }
        }
    }

    fn variable(&self, name: &Name) -> Result<()> {
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

/// What was sent, for the answer.
fn shorten(value: &serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::String(text) => {
            text.chars().take(LONGEST_TEXT).collect::<String>().into()
        }
        serde_json::Value::Array(_) => "a list".into(),
        serde_json::Value::Object(_) => "an object".into(),
        scalar => scalar.clone(),
    }
}
