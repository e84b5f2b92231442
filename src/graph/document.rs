//! A query, parsed and found fit to be executed: all that can be refused before the
//! schema is asked.

use async_graphql::{
    Positioned, Request, Value as ConstValue, Variables,
    parser::{
        self, parse_query,
        types::{DocumentOperations, ExecutableDocument, OperationDefinition, OperationType},
    },
};
use jiff::Timestamp;
use serde_json::Value;

use crate::{
    error::{RequestFault, Result},
    graph::{expiration_time, limits, merge, source, typename},
    http::graphql::GraphqlRequest,
};

/// How much of an operation's name is logged, in characters.
const LONGEST_NAME: usize = 100;

/// A query that is well-formed, names one operation, and is within the limits.
pub(super) struct Document {
    request: Request,
    merged: Option<Request>,
    name: Option<String>,
}

impl Document {
    /// Parses a query.
    ///
    /// # Errors
    ///
    /// [`RequestFault::Syntax`], [`RequestFault::Validation`], or the broken rule of
    /// `expirationTime`.
    pub(super) fn parse(mut sent: GraphqlRequest, now: Timestamp) -> Result<Self> {
        let mut parsed = parsed(&sent.query)?;
        typename::read(&mut parsed)?;
        let is_repetitive = limits::check(&parsed)?;
        let mut variables =
            Variables::from_json(Value::Object(std::mem::take(&mut sent.variables)));
        expiration_time::read(&mut parsed, &variables, now)?;
        let operation = &operation(&parsed, sent.operation_name.as_deref())?.node;
        if operation.ty == OperationType::Subscription {
            return Err(refused("Subscriptions are not offered").into());
        }
        variables_are_given(operation, &variables)?;

        let name = name(&parsed, &sent);
        set_defaults(operation, &mut variables);
        let has_all = operation
            .variable_definitions
            .iter()
            .all(|it| variables.contains_key(&it.node.name.node));
        let merged = if is_repetitive || !has_all || parsed.operations.iter().len() > 1 {
            Some(merge::merge(operation, &parsed.fragments, &variables)?)
        } else {
            None
        };
        let merged = merged.map(|it| request(String::new(), it, variables.clone()));
        set_numbers(operation, &mut variables);
        let mut request = request(sent.query, parsed, variables);
        request.operation_name = sent.operation_name;
        Ok(Self { request, merged, name })
    }

    /// Whether this is a query that would change something, fit to be executed or not.
    pub(super) fn is_change(sent: &GraphqlRequest) -> bool {
        let parsed = parsed(&sent.query).ok();
        let operation = parsed.as_ref().map(|it| operation(it, sent.operation_name.as_deref()));
        matches!(operation, Some(Ok(it)) if it.node.ty == OperationType::Mutation)
    }

    /// The operation's name, shortened, for the log.
    pub(super) fn name(&self) -> Option<String> {
        self.name.as_ref().map(|it| it.chars().take(LONGEST_NAME).collect())
    }

    /// The request to validate, and the one to execute where that is another: the
    /// operation alone, with fields that are selected more than once merged.
    pub(super) fn into_requests(self) -> (Request, Option<Request>) {
        (self.request, self.merged)
    }
}

fn parsed(query: &str) -> Result<ExecutableDocument, RequestFault> {
    parse_query(source::read(query)?).map_err(|fault| not_graphql(&fault))
}

fn request(query: String, parsed: ExecutableDocument, variables: Variables) -> Request {
    let mut request = Request::new(query).variables(variables);
    request.set_parsed_query(parsed);
    request
}

fn operation<'a>(
    parsed: &'a ExecutableDocument,
    name: Option<&str>,
) -> Result<&'a Positioned<OperationDefinition>, RequestFault> {
    match (&parsed.operations, name) {
        (DocumentOperations::Single(operation), None) => Ok(operation),
        (DocumentOperations::Multiple(operations), None) if operations.len() == 1 => {
            operations.values().next().ok_or_else(|| refused("The query has no operation"))
        }
        (DocumentOperations::Multiple(operations), Some(name)) if operations.contains_key(name) => {
            operations.get(name).ok_or_else(|| refused("The query has no operation"))
        }
        (DocumentOperations::Multiple(_), None) => {
            Err(refused("Must provide operation name if query contains multiple operations."))
        }
        (DocumentOperations::Single(_) | DocumentOperations::Multiple(_), Some(name)) => {
            Err(refused(&format!("Unknown operation named '{name}'.")))
        }
    }
}

fn name(parsed: &ExecutableDocument, sent: &GraphqlRequest) -> Option<String> {
    let only =
        || parsed.operations.iter().next().and_then(|(name, _)| name.map(ToString::to_string));
    sent.operation_name.clone().or_else(only)
}

/// The parser draws a picture of the line that it stumbled over; its last line says why.
fn not_graphql(fault: &parser::Error) -> RequestFault {
    let picture = fault.to_string();
    let text =
        picture.lines().last().unwrap_or_default().trim().trim_start_matches("= ").to_owned();
    RequestFault::Syntax { text, at: fault.positions().next().map(|it| (it.line, it.column)) }
}

/// async-graphql looks for a variable's value only where it is used; GraphQL wants
/// all of them before anything is executed (specification, section 6.1.2). Nor does it look
/// at directives of variables, of which there are none.
fn variables_are_given(
    operation: &OperationDefinition,
    variables: &Variables,
) -> Result<(), RequestFault> {
    for definition in operation.variable_definitions.iter().map(|it| &it.node) {
        let name = definition.name.node.as_str();
        if let Some(directive) = definition.directives.first() {
            let name = &directive.node.name.node;
            return Err(refused(&format!(
                "Directive \"@{name}\" may not be used on VARIABLE_DEFINITION"
            )));
        }
        let (ty, value) = (&definition.var_type.node, variables.get(name));
        let is_missing = value.is_none() && definition.default_value.is_none();
        if !ty.nullable && (is_missing || value == Some(&ConstValue::Null)) {
            return Err(refused(&format!(
                "Variable '${name}' of required type '{ty}' was not provided."
            )));
        }
    }
    Ok(())
}

/// Gives each variable without a value its default value: async-graphql forgets them in
/// `@skip` and `@include`.
fn set_defaults(operation: &OperationDefinition, variables: &mut Variables) {
    for definition in operation.variable_definitions.iter().map(|it| &it.node) {
        if let Some(value) = &definition.default_value {
            variables.entry(definition.name.node.clone()).or_insert_with(|| value.node.clone());
        }
    }
}

/// Gives each variable of type `Int` that has no value a number, for validation alone: it
/// computes what a list costs, and takes an argument without a value for null.
fn set_numbers(operation: &OperationDefinition, variables: &mut Variables) {
    let definitions = operation.variable_definitions.iter().map(|it| &it.node);
    for definition in definitions.filter(|it| it.var_type.node.to_string() == "Int") {
        variables.entry(definition.name.node.clone()).or_insert_with(|| 1.into());
    }
}

fn refused(text: &str) -> RequestFault {
    RequestFault::Validation(text.to_owned())
}
