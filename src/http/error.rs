//! Why a request is refused: one cause, which each product prints in its own form.

use hyper::StatusCode;

use crate::ingest;
use crate::model;

/// A refusal. Texts say what is wrong and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The request is wrong; sending it again will not help.
    #[error("{0}")]
    Bad(String),
    /// A parameter is wrong.
    #[error("invalid parameter {name:?}: {why}")]
    Parameter {
        /// As the caller wrote it.
        name: &'static str,
        /// What is wrong with its value.
        why: String,
    },
    /// A question is none: with what is wrong, and where.
    #[error("{}{error}", prefix(*.is_named))]
    Parse {
        /// Whether the parameter is named in the text.
        is_named: bool,
        /// What is wrong.
        error: Box<query_lang::ParseError>,
    },
    /// More bytes than are taken. The text names the limit and the option that raises it.
    #[error("{0}")]
    TooLarge(String),
    /// A content type or encoding that this door does not read.
    #[error("{0}")]
    MediaType(String),
    /// The question is well-formed and cannot be answered.
    #[error("{0}")]
    Execution(String),
    /// The question ran into its deadline.
    #[error("{0}")]
    TimedOut(String),
    /// The asker went away.
    #[error("query was cancelled")]
    Cancelled,
    /// More work at once than is taken; try again.
    #[error("{what}; try again in a second, or raise {option}")]
    Busy {
        /// What there is too much of.
        what: &'static str,
        /// The option that sets the limit.
        option: &'static str,
    },
    /// More questions at once than are answered, for longer than one waits.
    #[error(
        "query timed out in query queue: {running} run already; try again in a second, or raise {option}"
    )]
    Queued {
        /// How many run at most.
        running: usize,
        /// The option that sets the limit.
        option: &'static str,
    },
    /// Not before saying who asks.
    #[error("{0}")]
    Unauthorized(String),
    /// Not from there, or not for them.
    #[error("{0}")]
    Forbidden(String),
    /// No such thing.
    #[error("{0}")]
    NotFound(String),
    /// Not with this method.
    #[error("{0}")]
    Method(String),
    /// Cannot be done now; may go later.
    #[error("{0}")]
    Unavailable(String),
    /// The disk is full.
    #[error("{0}")]
    Full(String),
    /// Our fault.
    #[error("{0}")]
    Internal(String),
}

impl Error {
    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Bad(_) | Self::Parameter { .. } | Self::Parse { .. } => StatusCode::BAD_REQUEST,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::MediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Execution(_) => StatusCode::UNPROCESSABLE_ENTITY,
            // Data sources read the envelope of 503, and of 429 only the first bytes.
            Self::TimedOut(_) | Self::Unavailable(_) | Self::Queued { .. } => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            // Not a registered status; Prometheus and nginx use it for "client closed request".
            Self::Cancelled => StatusCode::from_u16(499).unwrap_or(StatusCode::REQUEST_TIMEOUT),
            Self::Busy { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Full(_) => StatusCode::INSUFFICIENT_STORAGE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The word for it in the Prometheus API.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Bad(_)
            | Self::Parameter { .. }
            | Self::Parse { .. }
            | Self::TooLarge(_)
            | Self::MediaType(_)
            | Self::Method(_) => "bad_data",
            Self::Execution(_) => "execution",
            Self::TimedOut(_) | Self::Queued { .. } => "timeout",
            Self::Cancelled => "canceled",
            Self::Busy { .. } | Self::Unavailable(_) | Self::Full(_) => "unavailable",
            Self::Unauthorized(_) => "unauthorized",
            Self::Forbidden(_) => "forbidden",
            Self::NotFound(_) => "not_found",
            Self::Internal(_) => "internal",
        }
    }

    /// Whether the same request may succeed later, so that `Retry-After` is said.
    pub fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Busy { .. }
                | Self::Queued { .. }
                | Self::Unavailable(_)
                | Self::Full(_)
                | Self::TimedOut(_)
        )
    }

    /// A failed question.
    pub fn of_question(error: model::Error) -> Self {
        match error {
            model::Error::Cancelled => Self::Cancelled,
            model::Error::TimedOut => Self::TimedOut(error.to_string()),
            model::Error::Invalid(text) => Self::Bad(text),
            model::Error::Unavailable(text) => Self::Unavailable(text),
            model::Error::Full(text) => Self::Full(text),
            model::Error::Damaged(text) | model::Error::Io(text) => Self::Internal(text),
            limit => Self::Execution(limit.to_string()),
        }
    }

    /// A failed write. What a disk refuses may be taken later, so senders are asked to retry.
    pub fn of_write(error: model::Error) -> Self {
        match error {
            model::Error::Invalid(text) => Self::Bad(text),
            model::Error::Full(text) => Self::Full(text),
            other => Self::Unavailable(other.to_string()),
        }
    }

    /// The same without the name of the parameter, which some calls do not tell.
    #[must_use]
    pub fn unnamed(self) -> Self {
        match self {
            Self::Parameter { why, .. } => Self::Bad(why),
            Self::Parse { error, .. } => Self::Parse { is_named: false, error },
            other => other,
        }
    }

    /// Says how a body was packed that is too large only after unpacking.
    #[must_use]
    pub fn of_packed(self, encoding: ingest::Encoding) -> Self {
        match self {
            Self::TooLarge(text) if encoding != ingest::Encoding::Identity => {
                Self::TooLarge(format!("cannot decompress the {encoding} body: {text}"))
            }
            other => other,
        }
    }

    /// A body that could not be read.
    pub fn of_body(error: ingest::Error) -> Self {
        match error {
            ingest::Error::UnknownEncoding(_)
            | ingest::Error::UnknownMessage(_)
            | ingest::Error::UnknownForm(_) => Self::MediaType(error.to_string()),
            ingest::Error::Limit { .. } => Self::TooLarge(error.to_string()),
            ingest::Error::Registry(error) => Self::of_write(error),
            other => Self::Bad(other.to_string()),
        }
    }
}

/// How a text about a parameter begins.
fn prefix(is_named: bool) -> &'static str {
    if is_named { "invalid parameter \"query\": " } else { "" }
}
