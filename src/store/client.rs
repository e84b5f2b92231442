//! The client that talks to DynamoDB.

use aws_runtime::{
    invocation_id::InvocationIdInterceptor, request_info::RequestInfoInterceptor,
    user_agent::UserAgentInterceptor,
};
use aws_sdk_dynamodb::{
    Client,
    config::{
        Builder, ConfigBag, Intercept, RuntimeComponents, SharedHttpClient,
        interceptors::{
            BeforeSerializationInterceptorContextRef, BeforeTransmitInterceptorContextMut,
            BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
        },
        retry::{RetryPartition, TokenBucket},
    },
    error::BoxError,
};
use aws_smithy_runtime_api::client::interceptors::disable_interceptor;
use aws_smithy_types::config_bag::{Storable, StoreReplace};

use crate::{
    aws,
    clock::{Clock, Stopwatch},
    config::Aws,
    telemetry,
};

/// The `User-Agent` of this program, which `CloudTrail` records.
const USER_AGENT: &str = concat!("arm-api/", env!("CARGO_PKG_VERSION"));

/// Creates a client that sends its requests through `http`. Tests pass the embedded DynamoDB.
///
/// The client has its own retry quota. By default, all clients of a process share one.
#[must_use]
pub fn client_on(aws: &Aws, http: SharedHttpClient) -> Client {
    let mut config = Builder::from(&aws::sdk_config(aws, http))
        .retry_partition(
            RetryPartition::custom("client").token_bucket(TokenBucket::default()).build(),
        )
        .interceptor(PlainHeaders)
        .interceptor(Count);
    config.set_endpoint_url(aws.dynamodb_endpoint.clone());
    Client::from_conf(config.build())
}

/// Sends a short `User-Agent` instead of the headers in which the SDK describes itself and its
/// attempts. DynamoDB does not need those, and writing and signing them takes 6 % of a call.
#[derive(Debug)]
struct PlainHeaders;

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for PlainHeaders {
    fn name(&self) -> &'static str {
        "plain headers"
    }

    fn read_before_execution(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let state = config.interceptor_state();
        state.store_put(disable_interceptor::<UserAgentInterceptor>("replaced by `PlainHeaders`"));
        state.store_put(disable_interceptor::<InvocationIdInterceptor>(
            "replaced by `PlainHeaders`",
        ));
        state
            .store_put(disable_interceptor::<RequestInfoInterceptor>("replaced by `PlainHeaders`"));
        Ok(())
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        context.request_mut().headers_mut().insert("user-agent", USER_AGENT);
        Ok(())
    }
}

/// Counts and times the calls to DynamoDB, for the request's log line.
#[derive(Debug)]
struct Count;

/// Measures how long a call takes.
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
        telemetry::update_log_line(|line| line.dynamodb_calls += 1);
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
        telemetry::update_log_line(|line| line.dynamodb_time += took);
        Ok(())
    }
}
