//! Requests that are rejected before authentication, and queries that are not executed.

use http::StatusCode;

use crate::error::info::{BAD_REQUEST, BAD_USER_INPUT, Code, ErrorInfo, NOT_FOUND};

const PARSE_FAILED: Code = ("GRAPHQL_PARSE_FAILED", StatusCode::BAD_REQUEST);
const VALIDATION_FAILED: Code = ("GRAPHQL_VALIDATION_FAILED", StatusCode::BAD_REQUEST);
const PERSISTED_QUERY: Code = ("PERSISTED_QUERY_NOT_SUPPORTED", StatusCode::OK);

/// Why a request is invalid, independent of its credential.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestFault {
    /// The request cannot be parsed, for this reason.
    #[error("{0}")]
    Malformed(String),
    #[error("There is nothing at this path")]
    UnknownPath,
    #[error("This method is not allowed here")]
    Method {
        /// The allowed methods.
        allow: &'static str,
    },
    #[error("The cookie {name} was sent twice")]
    DuplicateCookie { name: &'static str },
    #[error("None of the accepted media types can be given")]
    NotAcceptable,
    #[error("The request is too large")]
    TooLarge {
        /// In bytes.
        limit: usize,
        /// What is too large, such as `a body`.
        part: &'static str,
    },
    #[error("The body must be JSON")]
    MediaType,
    #[error("The charset {0} is not supported")]
    Charset(String),
    #[error("The Content-Encoding {0} is not supported")]
    ContentEncoding(String),
    /// The request has the hash of a query instead of a query.
    #[error("PersistedQueryNotSupported")]
    PersistedQuery,
    #[error("Syntax Error: {text}")]
    Syntax {
        text: String,
        /// The line and the column, from 1.
        at: Option<(usize, usize)>,
    },
    /// An argument or a variable has a value of the wrong type.
    #[error("{0}")]
    Argument(String),
    /// An argument is out of range, or a cursor does not belong to the list.
    #[error("Exception - Parameter is not valid")]
    InvalidArgument {
        argument: &'static str,
        /// What is allowed.
        hint: String,
    },
    /// The lists without pagination in a response have too many items in total.
    #[error("Exception - The answer is too large")]
    ResultTooLarge {
        /// The maximum number of items.
        limit: usize,
    },
    /// The query does not match the schema or the variables, or exceeds a limit.
    #[error("{0}")]
    Validation(String),
}

impl RequestFault {
    pub(super) fn describe(&self) -> ErrorInfo {
        let info = ErrorInfo::new;
        let bad_request = |status| info(BAD_REQUEST).status(status);
        match self {
            Self::Malformed(_) => info(BAD_REQUEST),
            Self::Syntax { .. } => info(PARSE_FAILED),
            Self::Validation(_) => info(VALIDATION_FAILED),
            Self::Argument(_) => info(BAD_USER_INPUT),
            Self::InvalidArgument { argument, hint } => info(BAD_USER_INPUT)
                .reason("INVALID_ARGUMENT")
                .hint(hint.clone())
                .member("argument", *argument),
            Self::ResultTooLarge { limit } => info(BAD_USER_INPUT)
                .reason("RESULT_TOO_LARGE")
                .hint(format!(
                    "The plain lists of a response can have {limit} items. Use connection fields."
                ))
                .member("limit", *limit),
            Self::PersistedQuery => info(PERSISTED_QUERY).hint("send the query itself"),
            Self::UnknownPath => info(NOT_FOUND).hint("GraphQL is at /api: POST your query there"),
            Self::Method { allow } => bad_request(StatusCode::METHOD_NOT_ALLOWED)
                .hint(format!("allowed are {allow}; mutations need POST")),
            Self::NotAcceptable => bad_request(StatusCode::NOT_ACCEPTABLE)
                .hint("accept application/json or application/graphql-response+json"),
            Self::TooLarge { limit, part } => bad_request(StatusCode::PAYLOAD_TOO_LARGE)
                .hint(format!("{part} may have {limit} bytes at most"))
                .member("limit", *limit),
            Self::MediaType => bad_request(StatusCode::UNSUPPORTED_MEDIA_TYPE)
                .hint("add -H 'Content-Type: application/json'"),
            Self::Charset(_) => bad_request(StatusCode::UNSUPPORTED_MEDIA_TYPE)
                .hint("send the body in UTF-8, and no other charset"),
            Self::ContentEncoding(_) => bad_request(StatusCode::UNSUPPORTED_MEDIA_TYPE)
                .hint("send the body without compression"),
            Self::DuplicateCookie { .. } => info(BAD_REQUEST).hint(
                "Another site may have planted one of them. Delete the cookies of this site and \
                 of its parent domain in the browser, then log in again.",
            ),
        }
    }
}
