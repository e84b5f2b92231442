//! Parses a request into a document, and makes the checks that do not need the schema.

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

/// The maximum length of a logged operation name, in characters.
const MAX_LOGGED_NAME: usize = 100;

/// A well-formed document within the limits, with one operation to execute.
pub(super) struct Document {
    request: Request,
    merged: Option<Request>,
    name: Option<String>,
}

impl Document {
    /// Parses a request.
    ///
    /// # Errors
    ///
    /// [`RequestFault::Syntax`] or [`RequestFault::Validation`] if the document is not valid;
    /// `INVALID_EXPIRATION_TIME` if an `expirationTime` is not an integer.
    pub(super) fn parse(mut request: GraphqlRequest, now: Timestamp) -> Result<Self> {
        let mut parsed = parse(&request.query)?;
        typename::rewrite(&mut parsed)?;
        let has_repeated_fields = limits::check(&parsed)?;
        let members = std::mem::take(&mut request.variables);
        let mut variables = Variables::from_json(Value::Object(members));
        expiration_time::rewrite(&mut parsed, &variables, now)?;
        let operation = &find_operation(&parsed, request.operation_name.as_deref())?.node;
        if operation.ty == OperationType::Subscription {
            return Err(invalid("Subscriptions are not supported").into());
        }
        check_variables(operation, &variables)?;

        let name = operation_name(&parsed, &request);
        set_defaults(operation, &mut variables);
        let definitions = &operation.variable_definitions;
        let has_all_variables =
            definitions.iter().all(|it| variables.contains_key(&it.node.name.node));
        let has_one_operation = parsed.operations.iter().len() == 1;
        let merged = if has_one_operation && has_all_variables && !has_repeated_fields {
            None
        } else {
            let merged = merge::merge(operation, &parsed.fragments, &variables)?;
            Some(to_request(String::new(), merged, variables.clone()))
        };
        set_missing_integers(operation, &mut variables, 1);
        let GraphqlRequest { query, operation_name, .. } = request;
        let mut request = to_request(query, parsed, variables);
        request.operation_name = operation_name;
        Ok(Self { request, merged, name })
    }

    /// Parses one of our own documents for validation. Integer variables, such as page sizes, get
    /// the value 100.
    ///
    /// # Errors
    ///
    /// [`RequestFault::Syntax`] or [`RequestFault::Validation`] if the document is not valid.
    pub(super) fn parse_to_validate(query: &str) -> Result<Request, RequestFault> {
        let mut parsed = parse(query)?;
        typename::rewrite(&mut parsed)?;
        limits::check(&parsed)?;
        let mut variables = Variables::default();
        for (_, operation) in parsed.operations.iter() {
            set_missing_integers(&operation.node, &mut variables, 100);
        }
        Ok(to_request(query.to_owned(), parsed, variables))
    }

    /// Whether the operation of a request is a mutation. The document need not be valid.
    pub(super) fn is_mutation(request: &GraphqlRequest) -> bool {
        let Ok(parsed) = parse(&request.query) else { return false };
        let operation = find_operation(&parsed, request.operation_name.as_deref());
        operation.is_ok_and(|it| it.node.ty == OperationType::Mutation)
    }

    /// Returns the name of the operation for the log, shortened.
    pub(super) fn name(&self) -> Option<String> {
        self.name.as_ref().map(|it| it.chars().take(MAX_LOGGED_NAME).collect())
    }

    /// Returns the original request, and the merged one if the original cannot be executed as it
    /// is. The merged request has one operation, which selects each field once.
    pub(super) fn into_requests(self) -> (Request, Option<Request>) {
        (self.request, self.merged)
    }
}

fn parse(query: &str) -> Result<ExecutableDocument, RequestFault> {
    parse_query(source::rewrite(query)?).map_err(|fault| to_syntax_fault(&fault))
}

fn to_request(query: String, parsed: ExecutableDocument, variables: Variables) -> Request {
    let mut request = Request::new(query).variables(variables);
    request.set_parsed_query(parsed);
    request
}

fn find_operation<'a>(
    parsed: &'a ExecutableDocument,
    name: Option<&str>,
) -> Result<&'a Positioned<OperationDefinition>, RequestFault> {
    match (&parsed.operations, name) {
        (DocumentOperations::Single(operation), None) => Ok(operation),
        (DocumentOperations::Multiple(operations), None) if operations.len() == 1 => {
            operations.values().next().ok_or_else(|| invalid("The query has no operation"))
        }
        (DocumentOperations::Multiple(operations), Some(name)) if operations.contains_key(name) => {
            operations.get(name).ok_or_else(|| invalid("The query has no operation"))
        }
        (DocumentOperations::Multiple(_), None) => {
            Err(invalid("Must provide operation name if query contains multiple operations."))
        }
        (DocumentOperations::Single(_) | DocumentOperations::Multiple(_), Some(name)) => {
            Err(invalid(&format!("Unknown operation named '{name}'.")))
        }
    }
}

fn operation_name(parsed: &ExecutableDocument, request: &GraphqlRequest) -> Option<String> {
    let first = || parsed.operations.iter().next()?.0.map(ToString::to_string);
    request.operation_name.clone().or_else(first)
}

/// Converts a syntax error. The reason is the last line of the parser's message; the other lines
/// quote the query.
fn to_syntax_fault(fault: &parser::Error) -> RequestFault {
    let message = fault.to_string();
    let text = message.lines().last().unwrap_or_default().trim().trim_start_matches("= ");
    let at = fault.positions().next().map(|it| (it.line, it.column));
    RequestFault::Syntax { text: text.to_owned(), at }
}

/// Checks that required variables have values (GraphQL specification, section 6.1.2), and that no
/// variable has a directive: the schema defines none for variables. async-graphql checks neither.
fn check_variables(
    operation: &OperationDefinition,
    variables: &Variables,
) -> Result<(), RequestFault> {
    for definition in operation.variable_definitions.iter().map(|it| &it.node) {
        let name = definition.name.node.as_str();
        if let Some(directive) = definition.directives.first() {
            let name = &directive.node.name.node;
            let text = format!("Directive \"@{name}\" may not be used on VARIABLE_DEFINITION");
            return Err(invalid(&text));
        }
        let ty = &definition.var_type.node;
        let value = variables.get(name);
        let is_missing = value.is_none() && definition.default_value.is_none();
        if !ty.nullable && (is_missing || value == Some(&ConstValue::Null)) {
            let text = format!("Variable '${name}' of required type '{ty}' was not provided.");
            return Err(invalid(&text));
        }
    }
    Ok(())
}

/// Sets each variable without a value to its default value. async-graphql ignores default values
/// in `@skip` and `@include`.
fn set_defaults(operation: &OperationDefinition, variables: &mut Variables) {
    for definition in operation.variable_definitions.iter().map(|it| &it.node) {
        if let Some(value) = &definition.default_value {
            variables.entry(definition.name.node.clone()).or_insert_with(|| value.node.clone());
        }
    }
}

/// Sets each integer variable without a value to `number`, for validation only. Validation reads
/// page sizes to compute the cost of a list, and would treat a missing value as null.
fn set_missing_integers(operation: &OperationDefinition, variables: &mut Variables, number: i32) {
    for definition in operation.variable_definitions.iter().map(|it| &it.node) {
        if matches!(definition.var_type.node.to_string().as_str(), "Int" | "Int!") {
            variables.entry(definition.name.node.clone()).or_insert_with(|| number.into());
        }
    }
}

fn invalid(text: &str) -> RequestFault {
    RequestFault::Validation(text.to_owned())
}
