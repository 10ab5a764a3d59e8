//! What has to hold for any rows and any question about them: an answer within the limits, or an error.
//!
//! Bytes: the length of the rows' part, then rows, then the question. A question that begins with a byte
//! below 0x20 is words by number, so that few bytes say much; any other is text.

use std::sync::Arc;

use query_lang::Function;
use quipu::model::{Budget, Histogram, Labels, Limits, STALE_BITS, Scope, Span, Stop};
use quipu::query::memory::{MemoryRow, MemorySource, MemoryValue};
use quipu::query::{Config, Engine, Point, Question, Value, When};

/// A row every so often, ms.
const PACE: i64 = 5_000;
/// Points that an answer may have: steps times series.
const STEPS_MAX: usize = 120;

const LIMITS: Limits = Limits { series_max: 64, samples_max: 200_000, memory_max: 4 << 20 };

/// Words that are no function's name. Numbers in brackets and without.
const WORDS: [&str; 96] = [
    "a",
    "b",
    "h",
    "c_total",
    "{x=\"0\"}",
    "{y!~\"0|1\"}",
    "{__name__=~\".+\"}",
    "(",
    ")",
    ")",
    "(",
    ",",
    "[1m]",
    "[10s]",
    "[7s]",
    "[5m:20s]",
    "[1m:]",
    "[step()]",
    "offset 10s",
    "offset -7s",
    "@ 30",
    "@ start()",
    "@ end()",
    "anchored",
    "smoothed",
    "sum",
    "avg",
    "min",
    "max",
    "count",
    "group",
    "stddev",
    "stdvar",
    "topk",
    "bottomk",
    "quantile",
    "count_values",
    "limitk",
    "limit_ratio",
    "by (x)",
    "by (y, x)",
    "without (x)",
    "by ()",
    "without ()",
    "on (x)",
    "on ()",
    "ignoring (y)",
    "group_left",
    "group_left (y)",
    "group_right (x)",
    "bool",
    "fill (1)",
    "fill_left (0)",
    "fill_right (2)",
    "+",
    "-",
    "*",
    "/",
    "%",
    "^",
    "atan2",
    "==",
    "!=",
    ">",
    "<",
    ">=",
    "<=",
    "and",
    "or",
    "unless",
    "</",
    ">/",
    "0",
    "1",
    "2",
    "0.5",
    "-1",
    "1e300",
    "Inf",
    "NaN",
    "5m",
    "\"x\"",
    "\"y\"",
    "\"z\"",
    "\"\"",
    "\"(.*)\"",
    "\"$1\"",
    "\",\"",
    "le",
    "step()",
    "range()",
    "start()",
    "end()",
    "time()",
    "vector(1)",
    "-",
];

/// Rows and a question.
pub(crate) fn pair(bytes: &[u8]) {
    let Some((length, rest)) = bytes.split_first() else { return };
    let (rows, question) = rest.split_at(rest.len().min(usize::from(*length)));
    let text = match question {
        [first, words @ ..] if *first < 0x20 => spelled(words),
        text => String::from_utf8_lossy(text).into_owned(),
    };
    let when = rows.first().map_or(0, |byte| i64::from(*byte));
    ask(&source(rows), &text, when);
}

/// The words that bytes stand for.
fn spelled(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        let index = usize::from(*byte);
        if let Some(word) = WORDS.get(index) {
            text.push_str(word);
        } else {
            let number = (index - WORDS.len()) % Function::ALL.len();
            text.push_str(Function::ALL.get(number).map_or("", |function| function.name()));
            text.push('(');
        }
        text.push(' ');
    }
    text
}

/// Series of rows: a byte for the labels, then a byte a row, until a zero.
fn source(bytes: &[u8]) -> MemorySource {
    let mut source = MemorySource::new();
    for (place, part) in (0..16).zip(bytes.split(|byte| *byte == 0)) {
        let Some((head, rows)) = part.split_first() else { continue };
        let name = pick(["a", "b", "h", "c_total"], *head);
        let (x, y) = ((head >> 2 & 3).to_string(), (head >> 4 & 3).to_string());
        let mut labels = vec![("__name__", name), ("x", &x), ("y", &y)];
        let le = pick(["", "0.1", "1", "+Inf"], head >> 6);
        if !le.is_empty() {
            labels.push(("le", le));
        }
        labels.sort_unstable();
        let Ok(labels) = Labels::new(labels) else { continue };
        let mut millis = place * 777;
        let rows = rows.iter().map(|byte| {
            millis += PACE + i64::from(byte & 7) * 499 * i64::from(byte >> 7);
            row(millis, *byte)
        });
        source.add(&labels, rows.collect::<Vec<_>>());
    }
    source
}

fn pick<T: Copy>(of: [T; 4], number: u8) -> T {
    let [first, second, third, fourth] = of;
    match number & 3 {
        0 => first,
        1 => second,
        2 => third,
        _ => fourth,
    }
}

fn row(millis: i64, byte: u8) -> MemoryRow {
    let float = |value| MemoryValue::Float(value);
    let value = match byte {
        0..=99 => float(f64::from(byte)),
        100..=139 => float((f64::from(byte) - 120.0) / 8.0),
        140..=143 => float(f64::INFINITY),
        144..=147 => float(f64::NAN),
        148..=151 => float(f64::from_bits(STALE_BITS)),
        152..=155 => float(-0.0),
        156..=159 => float(1e300),
        160..=163 => float(-5e-324),
        164..=167 => float(f64::NEG_INFINITY),
        168.. => MemoryValue::Histogram(Arc::new(histogram(byte))),
    };
    let start = if byte.is_multiple_of(5) { (millis - 3000) * 1_000_000 } else { 0 };
    MemoryRow { time: millis * 1_000_000, start, value }
}

fn histogram(byte: u8) -> Histogram {
    let count = f64::from(byte & 15);
    let mut histogram = Histogram {
        schema: if byte & 64 == 0 {
            pick([0, 1, 3, -4], byte >> 4)
        } else {
            pick([-53, -53, 8, 0], byte >> 4)
        },
        count: 2.0 * count,
        sum: count * 1.5,
        positive_spans: vec![Span { offset: i32::from(byte & 3), length: 2 }],
        positive: vec![count, 1.0],
        ..Histogram::default()
    };
    if histogram.schema == -53 {
        histogram.positive_spans = vec![Span { offset: 0, length: 2 }];
        histogram.custom_values = vec![1.0, 2.0 + f64::from(byte & 1)];
    } else if byte & 1 == 1 {
        histogram.zero_threshold = 0.001;
        histogram.zero_count = 3.0;
        histogram.negative_spans = vec![Span { offset: -2, length: 1 }];
        histogram.negative = vec![count];
    }
    histogram
}

fn ask(source: &MemorySource, text: &str, when: i64) {
    let start = when * 500;
    let whens =
        [When::At(start + 60_000), When::Over { start, end: start + 90_000, step: 7_000 + when }];
    let engine = Engine::new(Config { steps_max: STEPS_MAX, ..Config::default() });
    for when in whens {
        let Ok(question) = Question::parse(text, when) else { return };
        let budget = Budget::new(LIMITS, Stop::default());
        match engine.ask(source, Scope::METRICS, &question, &budget) {
            Ok(answer) => check(&answer.value),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}

/// Answers are sorted where they are said to be, and no series of them is empty.
fn check(value: &Value) {
    match value {
        Value::Matrix(all) => {
            assert!(all.is_sorted_by(|a, b| a.labels < b.labels), "series come once, in order");
            for series in all {
                assert!(!series.floats.is_empty() || !series.histograms.is_empty());
                assert!(series.floats.is_sorted_by(|a, b| a.0 < b.0));
                assert!(series.histograms.iter().all(|(_, histogram)| is_whole(histogram)));
            }
        }
        Value::Vector(all) => {
            let mut labels: Vec<_> = all.iter().map(|sample| &sample.labels).collect();
            labels.sort();
            assert!(labels.is_sorted_by(|a, b| a < b), "a series comes once");
            let whole = |value: &Point| match value {
                Point::Float(_) => true,
                Point::Histogram(histogram) => is_whole(histogram),
            };
            assert!(all.iter().all(|sample| whole(&sample.value)));
        }
        Value::Scalar(..) | Value::String(..) => {}
    }
}

/// There is a count for each bucket of the spans.
fn is_whole(histogram: &Histogram) -> bool {
    let length = |spans: &[Span]| spans.iter().map(|span| span.length as usize).sum::<usize>();
    length(&histogram.positive_spans) == histogram.positive.len()
        && length(&histogram.negative_spans) == histogram.negative.len()
}
