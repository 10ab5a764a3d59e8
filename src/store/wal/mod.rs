//! The write-ahead log: what was acknowledged, until files hold it.
//!
//! `record` is one entry as bytes, `rows` its columns, `segment` a file of entries being written,
//! `replay` the reading back and the judgement of what is a torn tail and what is damage, `cursor` the
//! reading of one record after the other while more are written.

mod cursor;
mod record;
mod replay;
mod rows;
mod segment;

pub(super) use cursor::Cursor;
pub(super) use record::{Form, RECORD_BYTES_MAX, Sealed, seal};
pub(super) use replay::{Expected, Judgement, Scan, judge, scan};
pub(super) use rows::{
    decode_rows, encode_rows, put_labels, put_metadata, take_labels, take_metadata,
};
pub(super) use segment::{
    Closed, End, Known, SEGMENT_HEADER_BYTES, Wal, make_durable, segment_number, segment_path,
    segments,
};

/// The folder of the segments, below the root.
pub(super) const FOLDER: &str = "wal";
