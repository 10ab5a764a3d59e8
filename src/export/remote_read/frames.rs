//! Chunks of one series a frame: `ChunkedReadResponse`.
//!
//! A frame is its length (varint), the CRC-32C of its message (4 bytes, the highest first) and the
//! message. A series with more chunks than fit goes on in the next frame.

use crate::export::{
    Pieces, RowWriter,
    wire::{put_message, put_number, put_text, put_varint},
};
use crate::model::{Error, Labels, Rows};

use super::{
    histogram::HistogramChunk,
    last::{Last, Value},
    xor::XorChunk,
};

/// Rows of a chunk, as a TSDB cuts them.
const CHUNK_ROWS_MAX: u32 = 120;

/// Numbers of encodings, as they stand in messages.
const XOR: u64 = 1;
const HISTOGRAM: u64 = 2;
const FLOAT_HISTOGRAM: u64 = 3;

/// A chunk that grows.
enum Open {
    Xor(XorChunk),
    Histogram(Box<HistogramChunk>),
}

/// Writes frames.
pub struct Frames<'a> {
    pieces: Pieces<'a>,
    frame_bytes_max: usize,
    query: u64,
    /// The labels of the series, as fields of its message.
    labels: Vec<u8>,
    /// Its chunks that are not sent yet, as fields of its message.
    chunks: Vec<u8>,
    open: Option<Open>,
    rows: u32,
    times: (i64, i64),
    last: Last,
}

impl<'a> Frames<'a> {
    /// Frames of about `frame_bytes_max`.
    pub fn new(pieces: Pieces<'a>, frame_bytes_max: usize) -> Self {
        Self {
            pieces,
            frame_bytes_max,
            query: 0,
            labels: Vec::new(),
            chunks: Vec::new(),
            open: None,
            rows: 0,
            times: (0, 0),
            last: Last::default(),
        }
    }

    /// Series from here on answer the next query.
    ///
    /// # Errors
    /// What sending returned.
    pub fn end_query(&mut self) -> Result<(), Error> {
        self.end_series()?;
        self.query += 1;
        Ok(())
    }

    fn push(&mut self, time: i64, value: &Value) -> Result<(), Error> {
        let is_taken = self.rows < CHUNK_ROWS_MAX
            && match (&self.open, value) {
                (Some(Open::Xor(_)), Value::Float(_)) => true,
                (Some(Open::Histogram(chunk)), Value::Histogram(row)) => chunk.takes(row),
                _ => false,
            };
        if !is_taken {
            self.cut()?;
        }
        match (&mut self.open, value) {
            (Some(Open::Xor(chunk)), Value::Float(value)) => chunk.push(time, *value),
            (Some(Open::Histogram(chunk)), Value::Histogram(row)) => chunk.push(time, row),
            (open, Value::Float(value)) => {
                let mut chunk = XorChunk::new();
                chunk.push(time, *value);
                *open = Some(Open::Xor(chunk));
            }
            (open, Value::Histogram(row)) => {
                *open = Some(Open::Histogram(Box::new(HistogramChunk::new(time, row))));
            }
        }
        if self.rows == 0 {
            self.times.0 = time;
        }
        self.times.1 = time;
        self.rows += 1;
        Ok(())
    }

    /// Ends the chunk, and the frame if it is full.
    fn cut(&mut self) -> Result<(), Error> {
        self.rows = 0;
        let Some(open) = self.open.take() else { return Ok(()) };
        let (encoding, data) = match open {
            Open::Xor(chunk) => (XOR, chunk.bytes()),
            Open::Histogram(chunk) if chunk.is_integer() => (HISTOGRAM, chunk.bytes()),
            Open::Histogram(chunk) => (FLOAT_HISTOGRAM, chunk.bytes()),
        };
        let (first, last) = self.times;
        put_message(2, &mut self.chunks, |out| {
            put_number(1, first.cast_unsigned(), out);
            put_number(2, last.cast_unsigned(), out);
            put_number(3, encoding, out);
            put_message(4, out, |out| out.extend_from_slice(&data));
        });
        if self.labels.len() + self.chunks.len() < self.frame_bytes_max {
            return Ok(());
        }
        self.send()
    }

    fn send(&mut self) -> Result<(), Error> {
        if self.chunks.is_empty() {
            return Ok(());
        }
        let mut message = Vec::with_capacity(self.labels.len() + self.chunks.len() + 16);
        put_message(1, &mut message, |out| {
            out.extend_from_slice(&self.labels);
            out.append(&mut self.chunks);
        });
        put_number(2, self.query, &mut message);
        let out = &mut self.pieces.out;
        put_varint(message.len() as u64, out);
        out.extend_from_slice(&crc32c::crc32c(&message).to_be_bytes());
        out.append(&mut message);
        self.pieces.send_full()
    }

    fn end_series(&mut self) -> Result<(), Error> {
        if let Some((time, value)) = self.last.take() {
            self.push(time, &value)?;
        }
        self.cut()?;
        self.send()
    }

    /// Sends what is left. Call once, after the last row.
    ///
    /// # Errors
    /// What sending returned.
    pub fn end(&mut self) -> Result<(), Error> {
        self.end_series()?;
        self.pieces.send_rest()
    }
}

impl RowWriter for Frames<'_> {
    fn series(&mut self, labels: &Labels) -> Result<(), Error> {
        self.end_series()?;
        self.labels.clear();
        for (name, value) in labels.iter() {
            put_message(1, &mut self.labels, |out| {
                put_text(1, name, out);
                put_text(2, value, out);
            });
        }
        Ok(())
    }

    fn rows(&mut self, rows: Rows<'_>) -> Result<(), Error> {
        let mut last = std::mem::take(&mut self.last);
        let pushed = last.push(rows, |time, value| self.push(time, &value));
        self.last = last;
        pushed
    }

    fn finish(mut self: Box<Self>) -> Result<(), Error> {
        self.end()
    }
}
