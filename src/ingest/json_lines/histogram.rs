//! Native histograms as our own export writes them.

use serde::Deserialize;

use crate::ingest::Reason;
use crate::ingest::config::BUCKETS_OPTION;
use crate::ingest::labels::limit;
use crate::ingest::native::validate as validate_histogram;
use crate::model::{CUSTOM_BUCKETS_SCHEMA, Histogram, Span};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    count: Number,
    sum: Number,
    schema: i8,
    #[serde(default)]
    zero_threshold: Number,
    #[serde(default)]
    zero_count: Number,
    #[serde(default)]
    positive_spans: Vec<(i32, u32)>,
    #[serde(default)]
    positive: Vec<Number>,
    #[serde(default)]
    negative_spans: Vec<(i32, u32)>,
    #[serde(default)]
    negative: Vec<Number>,
    #[serde(default)]
    custom_values: Vec<Number>,
}

/// A number, or what JSON has no number for.
#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Plain(f64),
    Word(String),
    Nothing,
}

impl Default for Number {
    fn default() -> Self {
        Self::Plain(0.0)
    }
}

impl Number {
    fn value(&self) -> f64 {
        match self {
            Self::Plain(value) => *value,
            Self::Word(word) => word.parse().unwrap_or(f64::NAN),
            Self::Nothing => f64::NAN,
        }
    }
}

/// Reads one, whose text is small: a line has a limit.
pub(super) fn read(text: &[u8], buckets_max: usize) -> Result<Histogram, Reason> {
    let text: Text = serde_json::from_slice(text).map_err(|error| Reason::Unreadable {
        text: crate::ingest::labels::shown(text),
        what: format!("cannot read the histogram: {error}").into(),
    })?;
    for count in [text.positive.len(), text.negative.len(), text.custom_values.len()] {
        limit("count of histogram buckets", count, buckets_max, BUCKETS_OPTION)?;
    }
    for count in [text.positive_spans.len(), text.negative_spans.len()] {
        limit("count of histogram spans", count, buckets_max, BUCKETS_OPTION)?;
    }
    let schema = text.schema;
    if !matches!(schema, -4..=8 | CUSTOM_BUCKETS_SCHEMA) {
        return Err(Reason::Histogram(format!("histogram has an invalid schema {schema}")));
    }
    let values = |numbers: &[Number]| numbers.iter().map(Number::value).collect::<Vec<f64>>();
    let spans = |spans: &[(i32, u32)]| {
        spans.iter().map(|(offset, length)| Span { offset: *offset, length: *length }).collect()
    };
    let (positive, negative) = (values(&text.positive), values(&text.negative));
    let (count, zero_count) = (text.count.value(), text.zero_count.value());
    let is_whole = |count: &f64| count.fract() == 0.0 && *count < 9e15;
    let counts = positive.iter().chain(&negative).chain([&count, &zero_count]);
    let is_integer = counts.into_iter().all(is_whole);
    let histogram = Histogram {
        // The text does not say: whole counts are taken for integers.
        is_integer,
        schema,
        zero_threshold: text.zero_threshold.value(),
        zero_count,
        count,
        sum: text.sum.value(),
        positive_spans: spans(&text.positive_spans),
        negative_spans: spans(&text.negative_spans),
        positive,
        negative,
        custom_values: values(&text.custom_values),
        ..Histogram::default()
    };
    validate_histogram(&histogram)?;
    Ok(histogram)
}
