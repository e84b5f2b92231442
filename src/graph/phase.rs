//! Whether a query got as far as being executed: the status of its answer depends on it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_graphql::{
    Response, async_trait,
    extensions::{Extension, ExtensionContext, ExtensionFactory, NextExecute},
};

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
    async fn execute(
        &self,
        ctx: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        let phase = ctx.query_data.and_then(|data| data.get(&std::any::TypeId::of::<Phase>()));
        if let Some(phase) = phase.and_then(|it| it.downcast_ref::<Phase>()) {
            phase.0.store(true, Ordering::Relaxed);
        }
        next.run(ctx, operation_name).await
    }
}
