//! The client that talks to DynamoDB.

use aws_sdk_dynamodb::{
    Client,
    config::{
        Builder, ConfigBag, Intercept, RuntimeComponents, SharedHttpClient,
        interceptors::{BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef},
        retry::{RetryPartition, TokenBucket},
    },
    error::BoxError,
};
use aws_smithy_types::config_bag::{Storable, StoreReplace};

use crate::{
    aws,
    clock::{Clock, Stopwatch},
    config::Aws,
    telemetry,
};

/// The client that talks to DynamoDB through `http`, where tests have the embedded one. Its
/// quota of retries is its own; the SDK would share one among all clients of the process.
#[must_use]
pub fn client_on(aws: &Aws, http: SharedHttpClient) -> Client {
    let mut config = Builder::from(&aws::sdk_config(aws, http))
        .retry_partition(RetryPartition::custom("client").token_bucket(TokenBucket::default()).build())
        .interceptor(Count);
    config.set_endpoint_url(aws.dynamodb_endpoint.clone());
    Client::from_conf(config.build())
}

/// Counts what a request costs, for its log line.
#[derive(Debug)]
struct Count;

/// Runs while a call is on its way.
#[derive(Debug)]
struct Running(Stopwatch);

impl Storable for Running {
    type Storer = StoreReplace<Self>;
}

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for Count {
    fn name(&self) -> &'static str {
        "count"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        telemetry::note(|line| line.dynamodb_calls += 1);
        config.interceptor_state().store_put(Running(Clock::stopwatch()));
        Ok(())
    }

    fn read_after_attempt(
        &self,
        _: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let took = config.load::<Running>().map(|it| it.0.elapsed()).unwrap_or_default();
        telemetry::note(|line| line.dynamodb_time += took);
        Ok(())
    }
}
