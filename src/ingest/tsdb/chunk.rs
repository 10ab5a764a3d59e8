//! One chunk to columns, whatever its encoding.

use super::{
    columns::Columns,
    error::{Error, Fault},
    float_histogram, integer_histogram, xor, xor2,
};

/// How a chunk is written. Numbers stand in files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Floats.
    Xor,
    /// Histograms that count in integers.
    Histogram,
    /// Histograms that count in floats.
    FloatHistogram,
    /// Floats, with start timestamps.
    Xor2,
    /// Histograms that count in integers, with start timestamps.
    HistogramStarted,
    /// Histograms that count in floats, with start timestamps.
    FloatHistogramStarted,
}

impl Encoding {
    /// The encoding of a number.
    pub fn of(number: u8) -> Option<Self> {
        Some(match number {
            1 => Self::Xor,
            2 => Self::Histogram,
            3 => Self::FloatHistogram,
            4 => Self::Xor2,
            5 => Self::HistogramStarted,
            6 => Self::FloatHistogramStarted,
            _ => return None,
        })
    }
}

/// Appends the rows of a chunk to `out`; on an error nothing is appended.
///
/// # Errors
/// [`Error`] with the place in the chunk.
pub fn decode(encoding: u8, data: &[u8], out: &mut Columns) -> Result<(), Error> {
    let (rows, histograms) = (out.times.len(), out.histograms.len());
    let decoded = match Encoding::of(encoding) {
        Some(Encoding::Xor) => xor::decode(data, out),
        Some(Encoding::Xor2) => xor2::decode(data, out),
        Some(Encoding::Histogram) => integer_histogram::decode(data, false, out),
        Some(Encoding::HistogramStarted) => integer_histogram::decode(data, true, out),
        Some(Encoding::FloatHistogram) => float_histogram::decode(data, false, out),
        Some(Encoding::FloatHistogramStarted) => float_histogram::decode(data, true, out),
        None => Err(Fault::Encoding(encoding)),
    };
    decoded.map_err(|fault| {
        out.truncate(rows, histograms);
        fault.at("chunk", 0)
    })
}
