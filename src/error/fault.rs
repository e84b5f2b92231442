//! What is wrong with the form of a request.

use http::StatusCode;

/// What is wrong with a request before anybody looks at who asks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestFault {
    /// It cannot be read; the text says why.
    #[error("{0}")]
    Malformed(String),
    /// There is nothing at the path.
    #[error("There is nothing at this path")]
    UnknownPath,
    /// The path does not know the method.
    #[error("This method is not allowed here")]
    Method {
        /// What is allowed.
        allow: &'static str,
    },
    /// It has one of our cookies twice.
    #[error("The cookie {name} was sent twice")]
    DuplicateCookie {
        /// The cookie's name.
        name: &'static str,
    },
    /// None of the media types that the client accepts can be given.
    #[error("None of the accepted media types can be given")]
    NotAcceptable,
    /// It is larger than is read.
    #[error("The request is too large")]
    TooLarge {
        /// How many bytes are read at most, of what.
        limit: usize,
        /// Of what.
        part: &'static str,
    },
    /// The body's type is not JSON.
    #[error("The body must be JSON")]
    MediaType,
    /// The body's charset is not UTF-8.
    #[error("The charset {0} is not supported")]
    Charset(String),
    /// The body is compressed.
    #[error("The Content-Encoding {0} is not supported")]
    ContentEncoding(String),
    /// It names the hash of a query instead of a query.
    #[error("PersistedQueryNotSupported")]
    PersistedQuery,
    /// The query is no GraphQL.
    #[error("Syntax Error: {text}")]
    Syntax {
        /// What the parser missed.
        text: String,
        /// In which line and column, from 1, where the parser knows.
        at: Option<(usize, usize)>,
    },
    /// The value of an argument or a variable is not one of its type.
    #[error("{0}")]
    Argument(String),
    /// The query does not fit the schema, the variables, or the limits.
    #[error("{0}")]
    Validation(String),
}

impl RequestFault {
    /// The status of an answer that is this fault.
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Malformed(_)
            | Self::DuplicateCookie { .. }
            | Self::Syntax { .. }
            | Self::Argument(_)
            | Self::Validation(_) => StatusCode::BAD_REQUEST,
            Self::UnknownPath => StatusCode::NOT_FOUND,
            Self::Method { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::MediaType | Self::Charset(_) | Self::ContentEncoding(_) => {
                StatusCode::UNSUPPORTED_MEDIA_TYPE
            }
            Self::PersistedQuery => StatusCode::OK,
        }
    }

    /// The stable name of the fault.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Syntax { .. } => "GRAPHQL_PARSE_FAILED",
            Self::Validation(_) => "GRAPHQL_VALIDATION_FAILED",
            Self::Argument(_) => "BAD_USER_INPUT",
            Self::PersistedQuery => "PERSISTED_QUERY_NOT_SUPPORTED",
            Self::UnknownPath => "NOT_FOUND",
            Self::Malformed(_)
            | Self::DuplicateCookie { .. }
            | Self::Method { .. }
            | Self::NotAcceptable
            | Self::TooLarge { .. }
            | Self::MediaType
            | Self::Charset(_)
            | Self::ContentEncoding(_) => "BAD_REQUEST",
        }
    }

    /// What to do about it, where there is more to say than what is wrong.
    pub(super) fn hint(&self) -> Option<String> {
        match self {
            Self::MediaType => Some("add -H 'Content-Type: application/json'".to_owned()),
            Self::Charset(_) => Some("send the body in UTF-8, and no other charset".to_owned()),
            Self::ContentEncoding(_) => Some("send the body without compression".to_owned()),
            Self::UnknownPath => Some("GraphQL is at /api: POST your query there".to_owned()),
            Self::NotAcceptable => {
                Some("accept application/json or application/graphql-response+json".to_owned())
            }
            Self::Method { allow } => Some(format!("allowed are {allow}; mutations need POST")),
            Self::TooLarge { limit, part } => Some(format!("{part} may have {limit} bytes at most")),
            Self::PersistedQuery => Some("send the query itself".to_owned()),
            Self::DuplicateCookie { .. } => Some(
                "Another site may have planted one of them. Delete the cookies of this site and of its \
                 parent domain in the browser, then log in again."
                    .to_owned(),
            ),
            Self::Malformed(_) | Self::Syntax { .. } | Self::Argument(_) | Self::Validation(_) => None,
        }
    }
}
