//! What a remote read asks for: `ReadRequest`, unpacked.
//!
//! Hints are read over: they allow to answer with less, never ask for more.
//! Source: `prompb/remote.proto` and `prompb/types.proto` of prometheus/prometheus.

use crate::ingest::wire::{Malformed, Value, Wire};
use crate::model::{MatchOp, Matcher};

/// Queries of a request: Prometheus sends one.
const QUERIES_MAX: usize = 64;

/// Matchers of a query.
const MATCHERS_MAX: usize = 256;

/// Kinds of answers that a request may name.
const KINDS_MAX: usize = 64;

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadRequest {
    /// Each is answered on its own.
    pub queries: Vec<ReadQuery>,
    /// Whether frames of chunks are to be sent, not one message.
    pub is_streamed: bool,
}

/// Series and a time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadQuery {
    /// The first ms.
    pub start_ms: i64,
    /// The last ms.
    pub end_ms: i64,
    /// Tests that a series passes, all of them.
    pub matchers: Vec<Matcher>,
}

/// Why a request cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The message is none.
    #[error("the request is no protobuf message of a remote read")]
    Message,
    /// It asks for more than is answered at once.
    #[error("the request has more than {limit} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many are taken.
        limit: usize,
    },
    /// A matcher is of a kind that there is not.
    #[error("a matcher has the unknown type {0}")]
    Matcher(u64),
    /// No kind of answer is one that is known.
    #[error(
        "server does not support any of the requested response types: {0:?}; supported: SAMPLES, STREAMED_XOR_CHUNKS"
    )]
    Kinds(Vec<u64>),
}

impl From<Malformed> for RequestError {
    fn from(_: Malformed) -> Self {
        Self::Message
    }
}

impl ReadRequest {
    /// Reads an unpacked request.
    ///
    /// # Errors
    /// [`RequestError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, RequestError> {
        let mut wire = Wire::new(bytes);
        let mut request = Self::default();
        let mut kinds: Vec<u64> = Vec::new();
        while let Some((number, value)) = wire.field()? {
            match (number, value) {
                (1, Value::Bytes(query)) => {
                    within("queries", request.queries.len(), QUERIES_MAX)?;
                    request.queries.push(parse_query(query)?);
                }
                (2, Value::Varint(kind)) => {
                    within("response types", kinds.len(), KINDS_MAX)?;
                    kinds.push(kind);
                }
                (2, Value::Bytes(mut packed)) => {
                    while !packed.is_empty() {
                        within("response types", kinds.len(), KINDS_MAX)?;
                        kinds.push(packed.varint()?);
                    }
                }
                (1 | 2, _) => return Err(RequestError::Message),
                _ => {}
            }
        }
        // The first that is known; the oldest where none is named.
        request.is_streamed = match kinds.iter().find(|kind| **kind <= 1) {
            Some(kind) => *kind == 1,
            None if kinds.is_empty() => false,
            None => return Err(RequestError::Kinds(kinds)),
        };
        Ok(request)
    }
}

fn within(what: &'static str, count: usize, limit: usize) -> Result<(), RequestError> {
    if count < limit { Ok(()) } else { Err(RequestError::TooMany { what, limit }) }
}

fn parse_query(mut wire: Wire<'_>) -> Result<ReadQuery, RequestError> {
    let mut query = ReadQuery::default();
    while let Some((number, value)) = wire.field()? {
        match (number, value) {
            (1, Value::Varint(millis)) => query.start_ms = millis.cast_signed(),
            (2, Value::Varint(millis)) => query.end_ms = millis.cast_signed(),
            (3, Value::Bytes(matcher)) => {
                within("matchers in a query", query.matchers.len(), MATCHERS_MAX)?;
                query.matchers.push(parse_matcher(matcher)?);
            }
            (1..=3, _) => return Err(RequestError::Message),
            _ => {}
        }
    }
    Ok(query)
}

fn parse_matcher(mut wire: Wire<'_>) -> Result<Matcher, RequestError> {
    let mut matcher = Matcher { name: String::new(), op: MatchOp::Equal, value: String::new() };
    let text = |wire: Wire<'_>| {
        let text = std::str::from_utf8(wire.bytes()).map_err(|_| RequestError::Message)?;
        Ok::<_, RequestError>(text.to_owned())
    };
    while let Some((number, value)) = wire.field()? {
        match (number, value) {
            (1, Value::Varint(op)) => {
                matcher.op = match op {
                    0 => MatchOp::Equal,
                    1 => MatchOp::NotEqual,
                    2 => MatchOp::Regex,
                    3 => MatchOp::NotRegex,
                    unknown => return Err(RequestError::Matcher(unknown)),
                };
            }
            (2, Value::Bytes(name)) => matcher.name = text(name)?,
            (3, Value::Bytes(value)) => matcher.value = text(value)?,
            (1..=3, _) => return Err(RequestError::Message),
            _ => {}
        }
    }
    Ok(matcher)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        [&[number << 3 | 2, u8::try_from(bytes.len()).unwrap()], bytes].concat()
    }

    /// One query for `up` and a job, with hints and an accepted type.
    fn message(kinds: &[u8]) -> Vec<u8> {
        let matcher = |op: u8, name: &str, value: &str| {
            let texts = [field(2, name.as_bytes()), field(3, value.as_bytes())].concat();
            field(3, &[&[8, op][..], &texts].concat())
        };
        let times = [8, 10, 16, 0xd0, 0x0f];
        let query = [
            &times[..],
            &matcher(0, "__name__", "up"),
            &matcher(3, "job", "a|b"),
            &field(4, &[8, 60]),
        ]
        .concat();
        [field(1, &query), field(2, kinds)].concat()
    }

    #[test]
    fn a_request_says_what_when_and_how() {
        let request = ReadRequest::parse(&message(&[1, 0])).unwrap();
        assert!(request.is_streamed);
        let query = &request.queries[0];
        assert_eq!((query.start_ms, query.end_ms), (10, 2000));
        assert_eq!(query.matchers[1].op, MatchOp::NotRegex);
        assert_eq!(query.matchers[0].value, "up");
        assert!(!ReadRequest::parse(&message(&[0])).unwrap().is_streamed);
        assert!(ReadRequest::parse(&message(&[9, 1])).unwrap().is_streamed);
        assert!(matches!(ReadRequest::parse(&message(&[9])), Err(RequestError::Kinds(_))));
        assert!(!ReadRequest::parse(&[]).unwrap().is_streamed);
    }

    #[test]
    fn too_much_at_once_is_refused() {
        let many = field(1, &[]).repeat(QUERIES_MAX + 1);
        let error = ReadRequest::parse(&many).unwrap_err();
        assert_eq!(error.to_string(), "the request has more than 64 queries");
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_request_or_an_error(bytes: Vec<u8>) {
            drop(ReadRequest::parse(&bytes));
        }

        #[test]
        fn damaged_requests_are_read_or_an_error(at: usize, flip in 1_u8..) {
            let mut bytes = message(&[1]);
            let at = at % bytes.len();
            bytes[at] ^= flip;
            drop(ReadRequest::parse(&bytes));
        }
    }
}
