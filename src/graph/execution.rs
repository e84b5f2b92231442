//! Executes documents: those of HTTP requests, and those of our own pages.

use std::sync::Arc;

use async_graphql::ServerError;
use http::StatusCode;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    access::{Access, actor::Principal, loaders::Loaders},
    error::{Error, RequestFault, Result},
    graph::{
        self, Schema,
        document::Document,
        extension::{Report, ValidateOnly},
        warning::Warning,
    },
    http::{RequestContext, graphql::GraphqlRequest},
};

/// Executes documents against the schema.
pub struct Executor {
    schema: Schema,
    access: Arc<Access>,
}

/// Validates one of our own documents against the schema, without executing it. If a page size is a
/// variable, the cost is that of a page of 100 items.
///
/// # Errors
///
/// [`RequestFault::Syntax`] or [`RequestFault::Validation`] if the document is not valid.
pub async fn validate(document: &str) -> Result<(), RequestFault> {
    let request = Document::parse_to_validate(document)?;
    let response =
        graph::schema(None).execute(request.data(ValidateOnly { limits_cost: true })).await;
    let fault = |it: &ServerError| RequestFault::Validation(it.message.clone());
    response.errors.first().map_or(Ok(()), |it| Err(fault(it)))
}

/// The result of an execution.
pub(super) struct Execution {
    /// The data and the errors of async-graphql.
    pub(super) response: async_graphql::Response,
    /// Whether execution began. A document that is not valid is not executed.
    pub(super) is_executed: bool,
    /// The warnings of the fields that were executed.
    pub(super) warnings: Vec<Warning>,
}

impl Executor {
    /// Creates the executor. Resolvers call `access`.
    #[must_use]
    pub fn new(access: Arc<Access>) -> Self {
        Self { schema: graph::schema(Some(Arc::clone(&access))), access }
    }

    /// Executes one of our own documents, and deserializes its data to `T`. The document is a file
    /// that a test validates against the schema. `variables` serializes to an object.
    ///
    /// A field that the user may not see is null. If `T` has no `Option` for it, its error is
    /// returned. The use of the credential is not recorded here.
    ///
    /// # Errors
    ///
    /// The first error other than a denied permission; a denied permission if `T` needs the field;
    /// `Internal` if the document is not valid, or if its data does not match `T`.
    pub async fn execute<T: DeserializeOwned>(
        &self,
        document: &'static str,
        variables: impl Serialize,
        principal: Principal,
        context: &RequestContext,
    ) -> Result<T> {
        let request = GraphqlRequest {
            query: document.to_owned(),
            operation_name: None,
            variables: to_map(variables)?,
        };
        let document = Document::parse(request, context.now)?;
        let execution = self.run(document, principal, context).await;
        execution.into_data()
    }

    /// Executes a document. If its fields were merged, the original is validated first.
    pub(super) async fn run(
        &self,
        document: Document,
        principal: Principal,
        context: &RequestContext,
    ) -> Execution {
        let report = Report::default();
        let (mut request, merged) = document.into_requests();
        if let Some(merged) = merged {
            let validate = ValidateOnly { limits_cost: false };
            let response = self.schema.execute(request.data(validate)).await;
            if response.is_err() {
                return Execution { response, is_executed: false, warnings: Vec::new() };
            }
            request = merged;
        }
        let request = request
            .data(principal)
            .data(context.clone())
            .data(report.clone())
            .data(Loaders::new(&self.access));
        let response = self.schema.execute(request).await;
        let is_executed = report.is_executed();
        Execution { response, is_executed, warnings: report.take_warnings() }
    }
}

impl Execution {
    /// Whether a mutation returned an object, and there were no errors.
    pub(super) fn has_succeeded(&self) -> bool {
        let async_graphql::Value::Object(fields) = &self.response.data else { return false };
        let is_object = |it| matches!(it, &async_graphql::Value::Object(_));
        self.response.is_ok() && fields.values().any(is_object)
    }

    /// Whether the service failed in one of the fields.
    pub(super) fn has_service_failure(&self) -> bool {
        let mut errors = self.response.errors.iter().filter_map(|it| it.source::<Error>());
        errors.any(|it| it.status().is_server_error())
    }

    fn into_data<T: DeserializeOwned>(self) -> Result<T> {
        let mut errors: Vec<_> = self.response.errors.iter().map(to_error).collect();
        if let Some(at) = errors.iter().position(|it| it.status() != StatusCode::FORBIDDEN) {
            return Err(errors.swap_remove(at));
        }
        let data = self.response.data.into_json().map_err(Error::internal)?;
        let denied = errors.into_iter().next();
        serde_json::from_value(data).map_err(|fault| denied.unwrap_or(Error::internal(fault)))
    }
}

/// Returns the error of the resolver. If the error is from async-graphql itself, our document is
/// not valid, which is a bug.
fn to_error(error: &ServerError) -> Error {
    error.source().cloned().unwrap_or_else(|| Error::internal(error.message.clone()))
}

fn to_map(variables: impl Serialize) -> Result<serde_json::Map<String, Value>> {
    match serde_json::to_value(variables).map_err(Error::internal)? {
        Value::Object(variables) => Ok(variables),
        Value::Null => Ok(serde_json::Map::new()),
        _ => Err(Error::internal("the variables are not an object")),
    }
}
