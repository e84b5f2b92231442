//! Why a request to DynamoDB failed: whose fault it is, and whether it may be sent again.

use std::error::Error;

use aws_sdk_dynamodb::{
    error::{ProvideErrorMetadata, SdkError},
    operation::transact_write_items::TransactWriteItemsError,
};

use crate::telemetry;

/// Codes with a status of 4xx that are not about the request: it may be sent again.
const TEMPORARY: [&str; 6] = [
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "Throttling",
    "ThrottlingException",
    "TransactionInProgressException",
];
/// Reasons of a cancelled transaction that pass: another transaction, or too many writes.
const PASSING: [&str; 4] = [
    "TransactionConflict",
    "ProvisionedThroughputExceeded",
    "RequestLimitExceeded",
    "ThrottlingError",
];

/// Why the table did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A condition does not hold: somebody else changed the record first, or it is gone.
    #[error("the record is not as expected")]
    Conflict,
    /// A counter has reached its limit.
    #[error("the limit is reached")]
    LimitReached {
        /// In how many seconds the next window begins.
        retry_after: u32,
    },
    /// Other transactions wrote to the same records for as long as the write was retried.
    #[error("other transactions kept writing to the same records")]
    Raced,
    /// DynamoDB failed, was throttled, or did not answer in time.
    #[error("DynamoDB is unavailable")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// DynamoDB rejected the request: it is invalid, too large or not permitted, or there is no
    /// such table. To send it again does not help.
    #[error("DynamoDB rejected the request")]
    Rejected(#[source] Box<dyn Error + Send + Sync>),
    /// A record cannot be read as what it should be.
    #[error("a record cannot be read")]
    Corrupt(#[source] Box<dyn Error + Send + Sync>),
}

/// Classifies the failure of a request.
pub(super) fn failure<E>(error: SdkError<E>) -> StoreError
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
        Some("ConditionalCheckFailedException") => StoreError::Conflict,
        Some("TransactionConflictException") => StoreError::Raced,
        Some(code) if TEMPORARY.contains(&code) => StoreError::Unavailable(Box::new(error)),
        _ if status.is_client_error() => rejected(error),
        _ => StoreError::Unavailable(Box::new(error)),
    }
}

/// Classifies the failure of a transaction: one that was cancelled says why for each write.
/// `limit` says which write counts against a limit, and when the next window begins.
pub(super) fn transaction_failure(
    error: SdkError<TransactWriteItemsError>,
    limit: Option<(usize, u32)>,
) -> StoreError {
    match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
            let reasons = cancelled.cancellation_reasons();
            let codes: Vec<_> = reasons.iter().map(|it| it.code().unwrap_or("None")).collect();
            cancellation(&codes, limit).unwrap_or_else(|| rejected(error))
        }
        _ => failure(error),
    }
}

/// What the reasons of a cancelled transaction amount to, one for each write. A condition that
/// does not hold outweighs a race: the same transaction could not succeed any more.
fn cancellation(codes: &[&str], limit: Option<(usize, u32)>) -> Option<StoreError> {
    let mut failed =
        codes.iter().enumerate().filter(|(_, code)| **code == "ConditionalCheckFailed");
    match (failed.next(), limit) {
        (Some((at, _)), Some((counter, retry_after))) if at == counter => {
            Some(StoreError::LimitReached { retry_after })
        }
        (Some(_), _) => Some(StoreError::Conflict),
        (None, _) => {
            let mut codes = codes.iter().filter(|it| **it != "None").peekable();
            let all_pass = codes.peek().is_some() && codes.all(|it| PASSING.contains(it));
            all_pass.then_some(StoreError::Raced)
        }
    }
}

/// A request that DynamoDB does not accept is a mistake of ours, or of the deployment.
pub(super) fn rejected(error: impl Error + Send + Sync + 'static) -> StoreError {
    telemetry::note(|line| line.database_errors += 1);
    StoreError::Rejected(Box::new(error))
}

/// A record that cannot be read, or written, is a mistake of ours or of whoever edited the table.
pub(super) fn corrupt(error: impl Error + Send + Sync + 'static) -> StoreError {
    telemetry::note(|line| line.database_errors += 1);
    StoreError::Corrupt(Box::new(error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::a_condition(&["None", "ConditionalCheckFailed"], "Some(Conflict)")]
    #[case::another_transaction(&["TransactionConflict", "None"], "Some(Raced)")]
    #[case::too_many_writes(&["None", "ThrottlingError", "TransactionConflict"], "Some(Raced)")]
    #[case::both(&["TransactionConflict", "ConditionalCheckFailed"], "Some(Conflict)")]
    #[case::an_invalid_write(&["TransactionConflict", "ValidationError"], "None")]
    #[case::an_unknown_reason(&["Other"], "None")]
    #[case::no_reason(&["None"], "None")]
    #[case::the_limit(&["None", "None", "ConditionalCheckFailed"], "Some(LimitReached { retry_after: 7 })")]
    #[case::the_limit_and_another(&["ConditionalCheckFailed", "None", "ConditionalCheckFailed"], "Some(Conflict)")]
    fn the_reasons_of_a_cancelled_transaction_are_weighed(
        #[case] codes: &[&str],
        #[case] expected: &str,
    ) {
        assert_eq!(format!("{:?}", cancellation(codes, Some((2, 7)))), expected);
    }
}
