//! Why a whole request was refused. A single bad row is a [`Reason`](super::Reason) instead.

use std::io;

use crate::ingest::{Encoding, Place, Reason, Refusal};
use crate::model;

/// Why nothing of a request was taken. Callers choose a status by variant.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// 415: the body is packed in a way that is not known here.
    #[error(
        "content encoding {0:?} is not known; send snappy, zstd, gzip, deflate, or identity for none"
    )]
    UnknownEncoding(String),
    /// 415: the content type names another message.
    #[error(
        "content type {0:?} is not known; send application/x-protobuf with \
         proto=prometheus.WriteRequest or proto=io.prometheus.write.v2.Request"
    )]
    UnknownMessage(String),
    /// 400: there is no body, and an empty one means nothing in this encoding.
    #[error("the body is empty; a {0} body has at least its length")]
    Empty(Encoding),
    /// 400: a snappy block says it holds more than its bytes can make.
    #[error(
        "cannot decompress the snappy body: it claims a length of {claimed} bytes, but its {size} \
         bytes can hold at most {possible}"
    )]
    Claim {
        /// The length written in the block.
        claimed: u64,
        /// Bytes of the body.
        size: usize,
        /// The most that many bytes can become.
        possible: u64,
    },
    /// 400: the body does not decompress.
    #[error("cannot decompress the {encoding} body of {size} bytes")]
    Compressed {
        /// The encoding it was read as.
        encoding: Encoding,
        /// Bytes of the body.
        size: usize,
        /// What the decoder met.
        source: io::Error,
    },
    /// 413: a limit of the request was met.
    #[error("{what} over the limit of {limit}; send less at once or raise it with {option}")]
    Limit {
        /// What there is too much of.
        what: &'static str,
        /// How much is allowed.
        limit: usize,
        /// The option that raises it.
        option: &'static str,
    },
    /// 400: the bytes are no protobuf message, or not the one expected here.
    #[error("cannot decode the protobuf message: {what} at byte {at}")]
    Protobuf {
        /// Where, counted in the inflated body.
        at: usize,
        /// What is wrong there.
        what: Damage,
    },
    /// 400: a row was bad and the request was to be taken whole or not at all.
    #[error("{}", Refusal { place: place.clone(), reason: reason.clone() })]
    Refused {
        /// Where it stands.
        place: Place,
        /// What is wrong with it.
        reason: Reason,
    },
    /// 503 and the like: series cannot be registered now.
    #[error("cannot register a series")]
    Registry(#[from] model::Error),
}

/// What is wrong with a protobuf message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// The message ends inside a field.
    #[error("truncated field: the message ends inside it")]
    Truncated,
    /// A length points past the end.
    #[error("field length {length} reaches past the end, {left} bytes are left")]
    Length {
        /// The length as written.
        length: u64,
        /// Bytes that are left.
        left: usize,
    },
    /// A varint of more than 64 bits.
    #[error("varint is longer than 64 bits")]
    Varint,
    /// Groups went out of use before protobuf 2; none of these messages has one.
    #[error("field {0} is a group, a wire type that no sender uses")]
    Group(u64),
    /// Wire types 6 and 7 do not exist.
    #[error("field {field} has wire type {wire}, which does not exist")]
    WireType {
        /// The field's number.
        field: u64,
        /// The wire type as written.
        wire: u8,
    },
    /// A known field in a foreign wire type.
    #[error("field {field} of {message} has the wrong wire type")]
    Mismatch {
        /// The message it stands in.
        message: &'static str,
        /// The field's number.
        field: u32,
    },
    /// Field numbers go from 1 to 2^29-1.
    #[error("field number {0} is invalid")]
    FieldNumber(u64),
}
