//! The two requests.

use std::sync::Arc;

use crate::export::wire::{
    put_float, put_message, put_number, put_present_text, put_text, put_varint,
};
use crate::model::{Exemplar, Histogram, Label, Labels, Metadata};

use super::{
    rows::{last_of_each, put_histogram, put_sample, time_bits},
    symbols::Symbols,
};

/// Which message a request is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Message {
    /// `prometheus.WriteRequest`, remote write 1: every receiver reads it.
    #[default]
    WriteRequest,
    /// `io.prometheus.write.v2.Request`, remote write 2.
    Request,
}

impl Message {
    /// The value of `Content-Type`.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::WriteRequest => "application/x-protobuf",
            Self::Request => "application/x-protobuf;proto=io.prometheus.write.v2.Request",
        }
    }

    /// The value of `X-Prometheus-Remote-Write-Version`.
    pub fn version(self) -> &'static str {
        match self {
            Self::WriteRequest => "0.1.0",
            Self::Request => "2.0.0",
        }
    }
}

/// A float at a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// ns.
    pub time: i64,
    /// ns; 0 = unknown.
    pub start: i64,
    /// The value, bit for bit.
    pub value: f64,
}

/// A histogram at a time.
#[derive(Clone, Debug, PartialEq)]
pub struct TimedHistogram {
    /// ns.
    pub time: i64,
    /// ns; 0 = unknown.
    pub start: i64,
    /// The value.
    pub value: Arc<Histogram>,
}

/// A series with rows on their way out, each kind sorted by time.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// Who it is.
    pub labels: Labels,
    /// Rows that are floats.
    pub samples: Vec<Sample>,
    /// Rows that are histograms.
    pub histograms: Vec<TimedHistogram>,
    /// Rows that point to traces.
    pub exemplars: Vec<Exemplar>,
    /// What its metric is: only message 2 tells it with the series.
    pub metadata: Option<Arc<Metadata>>,
}

impl Outgoing {
    /// One without rows.
    pub fn new(labels: Labels) -> Self {
        Self {
            labels,
            samples: Vec::new(),
            histograms: Vec::new(),
            exemplars: Vec::new(),
            metadata: None,
        }
    }
}

/// Appends a request that holds `series`.
pub fn encode(message: Message, series: &[Outgoing], out: &mut Vec<u8>) {
    match message {
        Message::WriteRequest => series.iter().for_each(|it| put_series_1(it, out)),
        Message::Request => put_request_2(series, out),
    }
}

/// Appends a request of message 1 that says what metrics are.
pub fn encode_metadata<'a>(metadata: impl IntoIterator<Item = &'a Metadata>, out: &mut Vec<u8>) {
    for it in metadata {
        put_message(3, out, |out| {
            put_number(1, it.kind as u64, out);
            put_text(2, &it.metric, out);
            put_text(4, &it.help, out);
            put_text(5, &it.unit, out);
        });
    }
}

/// Compresses a request as receivers expect it: snappy's block format.
///
/// # Errors
/// Where it has more than 4 GiB.
pub fn pack(body: &[u8]) -> Result<Vec<u8>, snap::Error> {
    snap::raw::Encoder::new().compress_vec(body)
}

fn put_series_1(series: &Outgoing, out: &mut Vec<u8>) {
    put_message(1, out, |out| {
        series.labels.iter().for_each(|label| put_label(label, out));
        last_of_each(&series.samples, |it| it.time).for_each(|it| put_sample(it, false, out));
        for exemplar in &series.exemplars {
            put_message(3, out, |out| {
                exemplar.labels.iter().for_each(|label| put_label(label, out));
                put_float(2, exemplar.value, out);
                put_number(3, time_bits(exemplar.time), out);
            });
        }
        let histograms = last_of_each(&series.histograms, |it| it.time);
        histograms.for_each(|it| put_histogram(4, it, false, out));
    });
}

fn put_label((name, value): Label<'_>, out: &mut Vec<u8>) {
    put_message(1, out, |out| {
        put_text(1, name, out);
        put_text(2, value, out);
    });
}

/// Texts come first, as the protocol asks, but are known only after the series: those are written
/// apart.
fn put_request_2(series: &[Outgoing], out: &mut Vec<u8>) {
    let mut symbols = Symbols::new();
    let mut body = Vec::new();
    for it in series {
        put_series_2(it, &mut symbols, &mut body);
    }
    symbols.texts().iter().for_each(|text| put_present_text(4, text, out));
    out.extend_from_slice(&body);
}

fn put_series_2<'a>(series: &'a Outgoing, symbols: &mut Symbols<'a>, out: &mut Vec<u8>) {
    put_message(5, out, |out| {
        put_references(&series.labels, symbols, out);
        last_of_each(&series.samples, |it| it.time).for_each(|it| put_sample(it, true, out));
        let histograms = last_of_each(&series.histograms, |it| it.time);
        histograms.for_each(|it| put_histogram(3, it, true, out));
        for exemplar in &series.exemplars {
            put_message(4, out, |out| {
                put_references(&exemplar.labels, symbols, out);
                put_float(2, exemplar.value, out);
                put_number(3, time_bits(exemplar.time), out);
            });
        }
        if let Some(metadata) = &series.metadata {
            put_message(5, out, |out| {
                put_number(1, metadata.kind as u64, out);
                put_number(3, symbols.number(&metadata.help), out);
                put_number(4, symbols.number(&metadata.unit), out);
            });
        }
    });
}

fn put_references<'a>(labels: &'a Labels, symbols: &mut Symbols<'a>, out: &mut Vec<u8>) {
    put_message(1, out, |out| {
        for (name, value) in labels.iter() {
            put_varint(symbols.number(name), out);
            put_varint(symbols.number(value), out);
        }
    });
}
