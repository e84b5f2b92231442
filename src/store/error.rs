//! Why a request to DynamoDB failed, and whether it may be sent again.

use std::error::Error;

use aws_sdk_dynamodb::{
    error::{ProvideErrorMetadata, SdkError},
    operation::transact_write_items::TransactWriteItemsError,
};

use crate::{domain::rule::BrokenRule, telemetry};

/// Error codes with a 4xx status after which the request may be sent again.
const TEMPORARY: [&str; 6] = [
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "Throttling",
    "ThrottlingException",
    "TransactionInProgressException",
];
/// Cancellation reasons after which a transaction may be sent again.
const PASSING: [&str; 4] = [
    "TransactionConflict",
    "ProvisionedThroughputExceeded",
    "RequestLimitExceeded",
    "ThrottlingError",
];

/// Why a read or write of the table failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The record to be inserted already exists.
    #[error("the record exists already")]
    Exists,
    /// A record was changed or deleted after it was read.
    #[error("the record was changed or deleted after it was read")]
    Stale,
    /// The write depends on a record, such as its active owner, that no longer permits it.
    #[error("a record that the write depends on no longer permits it")]
    Guard,
    /// A counter has reached its limit.
    #[error("the limit is reached")]
    LimitReached {
        /// The number of seconds until the next window begins.
        retry_after: u32,
    },
    /// Other transactions wrote to the same records during every attempt of the write.
    #[error("other transactions kept writing to the same records")]
    Raced,
    /// A rule of the domain forbids the change, as the records are now.
    #[error(transparent)]
    Rule(#[from] BrokenRule),
    /// A transaction has more writes than DynamoDB accepts. It was not sent.
    #[error("a transaction has {writes} writes, and DynamoDB accepts 100")]
    TooManyWrites { writes: usize },
    /// DynamoDB failed, throttled the request, or did not respond in time.
    #[error("DynamoDB is unavailable")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// DynamoDB rejected the request, because it is invalid, too large or not permitted, or
    /// because the table does not exist. Sending it again does not help.
    #[error("DynamoDB rejected the request")]
    Rejected(#[source] Box<dyn Error + Send + Sync>),
    /// An item cannot be deserialized as a record of the expected type.
    #[error("a record cannot be read")]
    Corrupt(#[source] Box<dyn Error + Send + Sync>),
}

/// What the condition of a write requires. It determines the error if the condition fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Requirement {
    /// The record does not exist.
    New,
    /// The record has not changed since it was read.
    Unchanged,
    /// Another record, such as an active owner, permits the write.
    Guard,
    /// A counter is below its limit.
    BelowLimit { retry_after: u32 },
}

impl Requirement {
    /// Returns the error of a write whose condition failed.
    fn failure(self) -> StoreError {
        match self {
            Self::New => StoreError::Exists,
            Self::Unchanged => StoreError::Stale,
            Self::Guard => StoreError::Guard,
            Self::BelowLimit { retry_after } => StoreError::LimitReached { retry_after },
        }
    }
}

/// Classifies the failure of a request that has no condition.
pub(super) fn classify<E>(error: SdkError<E>) -> StoreError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let service_error = match &error {
        SdkError::ServiceError(it) => it,
        SdkError::ConstructionFailure(_) => return rejected(error),
        _ => return StoreError::Unavailable(Box::new(error)),
    };
    let status = service_error.raw().status();
    match service_error.err().code() {
        Some("TransactionConflictException") => StoreError::Raced,
        Some(code) if TEMPORARY.contains(&code) => StoreError::Unavailable(Box::new(error)),
        _ if status.is_client_error() => rejected(error),
        _ => StoreError::Unavailable(Box::new(error)),
    }
}

/// Classifies the failure of a single write.
pub(super) fn classify_write<E>(error: SdkError<E>, requirement: Requirement) -> StoreError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    match error.as_service_error().and_then(ProvideErrorMetadata::code) {
        Some("ConditionalCheckFailedException") => requirement.failure(),
        _ => classify(error),
    }
}

/// Classifies the failure of a transaction. `requirements` are in the order of its writes, like
/// the cancellation reasons that DynamoDB returns.
pub(super) fn classify_transaction(
    error: SdkError<TransactWriteItemsError>,
    requirements: &[Requirement],
) -> StoreError {
    match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
            let reasons = cancelled.cancellation_reasons();
            let codes: Vec<_> = reasons.iter().map(|it| it.code().unwrap_or("None")).collect();
            classify_cancellation(&codes, requirements).unwrap_or_else(|| rejected(error))
        }
        _ => classify(error),
    }
}

/// Classifies the reasons of a cancelled transaction, one for each write. The first failed
/// condition decides. It takes precedence over a conflict, because a retry would fail, too.
fn classify_cancellation(codes: &[&str], requirements: &[Requirement]) -> Option<StoreError> {
    let mut writes = codes.iter().zip(requirements);
    if let Some((_, failed)) = writes.find(|(code, _)| **code == "ConditionalCheckFailed") {
        return Some(failed.failure());
    }
    let mut codes = codes.iter().filter(|it| **it != "None").peekable();
    let all_pass = codes.peek().is_some() && codes.all(|it| PASSING.contains(it));
    all_pass.then_some(StoreError::Raced)
}

/// Counts and wraps the failure of a request that DynamoDB rejects. The cause is a mistake in the
/// code or the deployment.
pub(super) fn rejected(error: impl Error + Send + Sync + 'static) -> StoreError {
    telemetry::update_log_line(|line| line.database_errors += 1);
    StoreError::Rejected(Box::new(error))
}

/// Counts and wraps the failure to serialize or deserialize a record. The cause is a mistake in
/// the code or invalid data.
pub(super) fn corrupt(error: impl Error + Send + Sync + 'static) -> StoreError {
    telemetry::update_log_line(|line| line.database_errors += 1);
    StoreError::Corrupt(Box::new(error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    /// What the writes of the transaction require.
    const REQUIREMENTS: [Requirement; 4] = [
        Requirement::Guard,
        Requirement::New,
        Requirement::BelowLimit { retry_after: 7 },
        Requirement::Unchanged,
    ];
    const NONE: &str = "None";
    const FAILED: &str = "ConditionalCheckFailed";
    const RACED: &str = "TransactionConflict";

    #[rstest]
    #[case::a_guard(&[FAILED, NONE, NONE, NONE], "Some(Guard)")]
    #[case::an_insert(&[NONE, FAILED, NONE, NONE], "Some(Exists)")]
    #[case::a_limit(&[NONE, NONE, FAILED, NONE], "Some(LimitReached { retry_after: 7 })")]
    #[case::a_change(&[NONE, NONE, NONE, FAILED], "Some(Stale)")]
    #[case::a_guard_and_a_change(&[FAILED, NONE, NONE, FAILED], "Some(Guard)")]
    #[case::a_limit_and_a_change(
        &[NONE, NONE, FAILED, FAILED],
        "Some(LimitReached { retry_after: 7 })"
    )]
    #[case::another_transaction(&[RACED, NONE, NONE, NONE], "Some(Raced)")]
    #[case::too_many_writes(&[NONE, "ThrottlingError", RACED, NONE], "Some(Raced)")]
    #[case::a_race_and_a_change(&[RACED, NONE, NONE, FAILED], "Some(Stale)")]
    #[case::an_invalid_write(&[RACED, "ValidationError", NONE, NONE], "None")]
    #[case::an_unknown_reason(&["Other", NONE, NONE, NONE], "None")]
    #[case::no_reason(&[NONE, NONE, NONE, NONE], "None")]
    fn the_first_write_whose_condition_fails_decides_the_outcome(
        #[case] codes: &[&str],
        #[case] expected: &str,
    ) {
        let outcome = classify_cancellation(codes, &REQUIREMENTS);

        assert_eq!(format!("{outcome:?}"), expected);
    }
}
