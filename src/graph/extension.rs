//! An extension of async-graphql. It limits the cost of a query, skips the execution of requests
//! that are only validated, and collects a report of the execution.

use std::{
    any::{Any, TypeId},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use async_graphql::{
    Response, ServerError, ValidationResult, async_trait,
    extensions::{Extension, ExtensionContext, ExtensionFactory, NextExecute, NextValidation},
};

use crate::graph::warning::Warning;

/// The maximum cost of a query. [`paging`](super::paging) defines the cost of a field.
const MAX_COST: usize = 10_000;

/// Marks a request that is validated but not executed.
pub(super) struct ValidateOnly {
    /// Whether its cost is limited. If a merged request is executed instead, only the cost of that
    /// one is limited.
    pub(super) limits_cost: bool,
}

/// What the execution of a request reports in addition to its data. Clones share the same report.
#[derive(Clone, Default)]
pub(super) struct Report(Arc<Entries>);

#[derive(Default)]
struct Entries {
    is_executed: AtomicBool,
    list_items: AtomicUsize,
    warnings: Mutex<Vec<Warning>>,
}

impl Report {
    /// Whether execution began. The status of the response depends on it.
    pub(super) fn is_executed(&self) -> bool {
        self.0.is_executed.load(Ordering::Relaxed)
    }

    /// Counts items of a plain list. Returns the number of such items in the response so far.
    pub(super) fn count_items(&self, count: usize) -> usize {
        self.0.list_items.fetch_add(count, Ordering::Relaxed) + count
    }

    /// Adds a warning to the response.
    pub(super) fn warn(&self, warning: Warning) {
        self.0.warnings.lock().unwrap_or_else(PoisonError::into_inner).push(warning);
    }

    /// Removes the warnings from the report, and returns them.
    pub(super) fn take_warnings(&self) -> Vec<Warning> {
        std::mem::take(&mut *self.0.warnings.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Adds the cost limit, [`ValidateOnly`] and [`Report`] to a schema.
pub(super) struct Control;

impl ExtensionFactory for Control {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_trait::async_trait]
impl Extension for Control {
    async fn validation(
        &self,
        ctx: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        let result = next.run(ctx).await?;
        let is_limited = request_data::<ValidateOnly>(ctx).is_none_or(|it| it.limits_cost);
        if is_limited && result.complexity > MAX_COST {
            let text = format!(
                "The query is too complex: it costs {}, and {MAX_COST} is allowed",
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
        if request_data::<ValidateOnly>(ctx).is_some() {
            return Response::default();
        }
        if let Some(report) = request_data::<Report>(ctx) {
            report.0.is_executed.store(true, Ordering::Relaxed);
        }
        next.run(ctx, operation_name).await
    }
}

/// Returns the data of type `T` of the request.
fn request_data<'a, T: Any>(ctx: &ExtensionContext<'a>) -> Option<&'a T> {
    ctx.query_data?.get(&TypeId::of::<T>())?.downcast_ref()
}
