//! Whether a query got as far as being executed: the status of its answer depends on it.
//! A query whose fields must be merged first is only validated, and what it costs is
//! limited where it is executed.

use std::{
    any::{Any, TypeId},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use async_graphql::{
    Response, ServerError, ValidationResult, async_trait,
    extensions::{Extension, ExtensionContext, ExtensionFactory, NextExecute, NextValidation},
};

/// The highest cost of a query: each field counts one, and what is within a list counts as
/// often as the list may have items.
const HIGHEST_COST: usize = 10_000;

/// Marks a request that is validated and not executed.
pub(super) struct ValidateOnly;

/// Whether execution began. One lies beside each request.
#[derive(Clone, Default)]
pub(super) struct Phase(Arc<AtomicBool>);

impl Phase {
    pub(super) fn is_executed(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Marks the [`Phase`] of requests that are executed.
pub(super) struct Observe;

impl ExtensionFactory for Observe {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_trait::async_trait]
impl Extension for Observe {
    async fn validation(
        &self,
        ctx: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        let result = next.run(ctx).await?;
        if result.complexity > HIGHEST_COST && mark::<ValidateOnly>(ctx).is_none() {
            let text = format!(
                "The query is too complex: it costs {}, and {HIGHEST_COST} is allowed",
                result.complexity
            );
            return Err(vec![ServerError::new(text, None)]);
        }
        Ok(result)
    }

    async fn execute(
        &self,
        ctx: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        if mark::<ValidateOnly>(ctx).is_some() {
            return Response::default();
        }
        if let Some(phase) = mark::<Phase>(ctx) {
            phase.0.store(true, Ordering::Relaxed);
        }
        next.run(ctx, operation_name).await
    }
}

/// What lies beside the request, of this type.
fn mark<'a, T: Any>(ctx: &ExtensionContext<'a>) -> Option<&'a T> {
    ctx.query_data?.get(&TypeId::of::<T>())?.downcast_ref()
}
