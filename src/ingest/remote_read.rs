//! Answers of Prometheus remote read, streamed: frames of series with their chunks.
//!
//! A frame is its length (varint), the CRC-32C of its message (4 bytes, the highest first) and the
//! message `ChunkedReadResponse`. The chunks are those of a TSDB (`ingest::tsdb`).
//! Source: `prompb/remote.proto` and `storage/remote/chunked.go` of prometheus/prometheus.

use crate::ingest::{
    tsdb,
    wire::{Malformed, Value, Wire},
};
use crate::model::Labels;

/// A frame is not longer: servers aim at 1 MiB.
const FRAME_BYTES_MAX: u64 = 64 << 20;

/// Why an answer cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A frame is longer than any server makes one.
    #[error("a frame of {0} bytes is over the limit of {FRAME_BYTES_MAX}")]
    TooLong(u64),
    /// Its checksum does not hold.
    #[error("a frame's checksum is {found:#010x}, its bytes give {expected:#010x}")]
    Checksum {
        /// What the bytes give.
        expected: u32,
        /// As it is written.
        found: u32,
    },
    /// The message is none.
    #[error("a frame cannot be read: {0}")]
    Message(&'static str),
    /// A chunk does not decode.
    #[error(transparent)]
    Chunk(#[from] tsdb::Error),
}

impl From<Malformed> for ReadError {
    fn from(_: Malformed) -> Self {
        Self::Message("it is no protobuf message")
    }
}

/// The message at the front of `bytes`, and how many bytes it takes with its frame; None where there
/// are not enough bytes yet.
///
/// # Errors
/// [`ReadError`] for a frame that is too long or damaged.
pub fn take_frame(bytes: &[u8]) -> Result<Option<(&[u8], usize)>, ReadError> {
    let mut length = 0_u64;
    for (i, byte) in bytes.iter().take(10).enumerate() {
        length |= u64::from(byte & 0x7f) << (7 * i);
        if *byte >= 0x80 {
            continue;
        }
        if length > FRAME_BYTES_MAX {
            return Err(ReadError::TooLong(length));
        }
        let begin = i + 5;
        let size = usize::try_from(length).unwrap_or(usize::MAX);
        let Some(message) = bytes.get(begin..begin.saturating_add(size)) else { return Ok(None) };
        let crc = bytes.get(i + 1..).and_then(|rest| rest.first_chunk().copied());
        let (expected, found) = (crc32c::crc32c(message), crc.map_or(0, u32::from_be_bytes));
        if expected != found {
            return Err(ReadError::Checksum { expected, found });
        }
        return Ok(Some((message, begin + size)));
    }
    if bytes.len() >= 10 { Err(ReadError::TooLong(u64::MAX)) } else { Ok(None) }
}

/// Reads a message: `visit` is given each series with the rows of its chunks, in milliseconds.
///
/// # Errors
/// [`ReadError`], and what `visit` returned.
pub fn read_message<E: From<ReadError>>(
    message: &[u8],
    mut visit: impl FnMut(&Labels, &tsdb::Columns) -> Result<(), E>,
) -> Result<(), E> {
    let mut wire = Wire::new(message);
    let mut columns = tsdb::Columns::default();
    while let Some((number, value)) = wire.field().map_err(ReadError::from)? {
        if let (1, Value::Bytes(series)) = (number, value) {
            columns.clear();
            let labels = read_series(series, &mut columns)?;
            visit(&labels, &columns)?;
        }
    }
    Ok(())
}

fn read_series(mut wire: Wire<'_>, columns: &mut tsdb::Columns) -> Result<Labels, ReadError> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    while let Some((number, value)) = wire.field()? {
        match (number, value) {
            (1, Value::Bytes(label)) => pairs.push(read_label(label)?),
            (2, Value::Bytes(chunk)) => read_chunk(chunk, columns)?,
            _ => {}
        }
    }
    let texts = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    Labels::new(texts).map_err(|_| ReadError::Message("a series has a label twice"))
}

fn read_label(mut wire: Wire<'_>) -> Result<(String, String), ReadError> {
    let (mut name, mut text) = (String::new(), String::new());
    while let Some((number, value)) = wire.field()? {
        let Value::Bytes(bytes) = value else { continue };
        let read = std::str::from_utf8(bytes.bytes())
            .map_err(|_| ReadError::Message("a label is not UTF-8"))?;
        match number {
            1 => read.clone_into(&mut name),
            2 => read.clone_into(&mut text),
            _ => {}
        }
    }
    Ok((name, text))
}

fn read_chunk(mut wire: Wire<'_>, columns: &mut tsdb::Columns) -> Result<(), ReadError> {
    let (mut encoding, mut data) = (0, &[][..]);
    while let Some((number, value)) = wire.field()? {
        match (number, value) {
            // Numbers of encodings are those of chunks on disk.
            (3, Value::Varint(number)) => encoding = u8::try_from(number).unwrap_or(u8::MAX),
            (4, Value::Bytes(bytes)) => data = bytes.bytes(),
            _ => {}
        }
    }
    Ok(tsdb::decode(encoding, data, columns)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// One series, `up{job="a"}`, with an XOR chunk of one row.
    fn message() -> Vec<u8> {
        let chunk = [&[0, 1, 0x14][..], &1.5_f64.to_be_bytes()].concat();
        let field = |number: u8, bytes: &[u8]| {
            [&[number << 3 | 2, u8::try_from(bytes.len()).unwrap()], bytes].concat()
        };
        let label = |name: &str, value: &str| {
            field(1, &[field(1, name.as_bytes()), field(2, value.as_bytes())].concat())
        };
        let chunk = [&[8, 10, 16, 10, 24, 1][..], &field(4, &chunk)].concat();
        let series = [label("__name__", "up"), label("job", "a"), field(2, &chunk)].concat();
        field(1, &series)
    }

    fn frame(message: &[u8]) -> Vec<u8> {
        let length = u8::try_from(message.len()).unwrap();
        [&[length], &crc32c::crc32c(message).to_be_bytes()[..], message].concat()
    }

    #[test]
    fn frames_are_taken_when_they_are_whole() {
        let bytes = frame(&message());
        for end in 0..bytes.len() {
            assert!(take_frame(&bytes[..end]).unwrap().is_none());
        }
        let (taken, used) = take_frame(&bytes).unwrap().unwrap();
        assert_eq!((taken, used), (&message()[..], bytes.len()));
        let mut found = Vec::new();
        read_message(taken, |labels, columns| {
            found.push((labels.to_string(), columns.times.clone(), columns.values.clone()));
            Ok::<_, ReadError>(())
        })
        .unwrap();
        assert_eq!(found, [(r#"{__name__="up", job="a"}"#.to_owned(), vec![10], vec![1.5])]);
        let mut damaged = bytes.clone();
        damaged[9] ^= 1;
        assert!(matches!(take_frame(&damaged), Err(ReadError::Checksum { .. })));
    }

    proptest! {
        #[test]
        fn any_bytes_are_frames_or_an_error(bytes: Vec<u8>) {
            drop(take_frame(&bytes));
            drop(read_message(&bytes, |_, _| Ok::<_, ReadError>(())));
        }

        #[test]
        fn damaged_messages_are_read_or_an_error(at: usize, flip in 1_u8..) {
            let mut bytes = message();
            let at = at % bytes.len();
            bytes[at] ^= flip;
            drop(read_message(&bytes, |_, _| Ok::<_, ReadError>(())));
        }
    }
}
