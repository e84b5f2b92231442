//! Executes a document on the schema, with and without HTTP.

use std::sync::Arc;

use async_graphql::ServerError;
use http::StatusCode;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    access::{Access, actor::Principal, organizations::Loaders},
    error::{Error, RequestFault, Result},
    graph::{
        self, Schema,
        document::Document,
        extension::{Report, ValidateOnly},
        warning::Warning,
    },
    http::{RequestContext, graphql::GraphqlRequest},
};

/// The schema with what its resolvers need.
pub struct Executor {
    schema: Schema,
    access: Arc<Access>,
}

/// Validates a document of the product itself against the schema, without executing it. Its pages
/// cost what a hundred items cost.
///
/// # Errors
///
/// [`RequestFault::Syntax`] or [`RequestFault::Validation`].
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
    /// Makes the executor for the users of `access`.
    #[must_use]
    pub fn new(access: Arc<Access>) -> Self {
        Self { schema: graph::schema(Some(Arc::clone(&access))), access }
    }

    /// Executes a document of the product itself, without HTTP, and reads its data as a `T`. The
    /// document is a file that a test compares with the schema; `variables` is a struct or a map.
    ///
    /// A field that the visitor may not see is null. Where `T` has no `Option` for it, its error
    /// is returned. The use of the credential is not recorded here.
    ///
    /// # Errors
    ///
    /// The first error of a field that is not only denied. `Internal` where the document is not
    /// valid, or `T` does not fit it.
    pub async fn execute<T: DeserializeOwned>(
        &self,
        document: &'static str,
        variables: impl Serialize,
        visitor: Principal,
        context: &RequestContext,
    ) -> Result<T> {
        let request = GraphqlRequest {
            query: document.to_owned(),
            operation_name: None,
            variables: to_map(variables)?,
        };
        let document = Document::parse(request, context.now)?;
        let execution = self.run(document, visitor, context).await;
        execution.into_data()
    }

    /// Executes a document. One whose fields are merged is first validated as it was sent.
    pub(super) async fn run(
        &self,
        document: Document,
        visitor: Principal,
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
        let request = request.data(visitor).data(context.clone()).data(report.clone());
        let request = request.data(Loaders::new(&self.access));
        let response = self.schema.execute(request).await;
        let is_executed = report.is_executed();
        Execution { response, is_executed, warnings: report.take_warnings() }
    }
}

impl Execution {
    /// Whether a mutation returned an object without any error.
    pub(super) fn has_changed_something(&self) -> bool {
        let async_graphql::Value::Object(fields) = &self.response.data else { return false };
        let is_object = |it| matches!(it, &async_graphql::Value::Object(_));
        self.response.is_ok() && fields.values().any(is_object)
    }

    /// Whether the service failed in one of the fields.
    pub(super) fn has_failed(&self) -> bool {
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

/// Returns our error behind an error of async-graphql. Its own errors are about a document that
/// is not valid, which is a mistake of ours.
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
