//! What Prometheus' scripts do not look at: schemas, spans and reset hints of result histograms.
//!
//! Expected layouts follow `model/histogram/float_histogram.go` and `promql/engine.go`.

use std::sync::Arc;

use quipu::model::{CUSTOM_BUCKETS_SCHEMA, Histogram, Labels, ResetHint, Span};
use quipu::query::memory::{MemoryRow, MemorySource, MemoryValue};
use quipu::query::{Point, Value, When};

use crate::ask;

fn spans(spans: &[(i32, u32)]) -> Vec<Span> {
    spans.iter().map(|(offset, length)| Span { offset: *offset, length: *length }).collect()
}

/// Positive buckets only.
fn exponential(schema: i8, runs: &[(i32, u32)], counts: &[f64]) -> Histogram {
    let count: f64 = counts.iter().sum();
    let (positive_spans, positive) = (spans(runs), counts.to_vec());
    Histogram { schema, count, sum: 2.0 * count, positive_spans, positive, ..Histogram::default() }
}

fn custom(bounds: &[f64], counts: &[f64]) -> Histogram {
    let length = u32::try_from(counts.len()).unwrap();
    let histogram = exponential(CUSTOM_BUCKETS_SCHEMA, &[(0, length)], counts);
    Histogram { custom_values: bounds.to_vec(), ..histogram }
}

fn hinted(reset_hint: ResetHint, histogram: &Histogram) -> Histogram {
    Histogram { reset_hint, ..histogram.clone() }
}

fn times(histogram: &Histogram, factor: f64) -> Histogram {
    let mut histogram = histogram.clone();
    quipu::math::histogram::multiply(&mut histogram, factor);
    histogram
}

/// Series of three rows 15 s apart, each a multiple of the first.
fn source() -> MemorySource {
    use ResetHint::{Gauge, NoReset, Reset};

    let fine = Histogram {
        zero_threshold: 0.001,
        zero_count: 2.0,
        count: 10.0,
        sum: 20.0,
        negative_spans: spans(&[(0, 1)]),
        negative: vec![2.0],
        ..exponential(1, &[(0, 2), (1, 1)], &[1.0, 2.0, 3.0])
    };
    let coarse = Histogram {
        zero_threshold: 0.001,
        zero_count: 1.0,
        count: 7.0,
        sum: 5.0,
        ..exponential(0, &[(0, 2)], &[2.0, 4.0])
    };
    let plain = exponential(0, &[(0, 2)], &[1.0, 3.0]);
    let wide =
        Histogram { zero_threshold: 0.5, zero_count: 1.0, ..exponential(0, &[(1, 1)], &[4.0]) };
    let narrow = Histogram {
        zero_threshold: 0.001,
        zero_count: 2.0,
        ..exponential(0, &[(-1, 2)], &[3.0, 5.0])
    };
    let all = [
        ("h", "0", fine),
        ("h", "1", coarse),
        ("n", "0", hinted(NoReset, &plain)),
        ("n", "1", hinted(Reset, &plain)),
        ("g", "0", hinted(Gauge, &plain)),
        ("z", "0", wide),
        ("z", "1", narrow),
        ("c", "0", custom(&[1.0, 2.0, 4.0], &[1.0, 2.0, 3.0, 4.0])),
        ("c", "1", custom(&[1.0, 4.0], &[5.0, 6.0, 7.0])),
        ("gap", "0", exponential(0, &[(-3, 1), (4, 1)], &[1.0, 1.0])),
        ("gap", "1", exponential(0, &[(-3, 1), (1, 2)], &[1.0, 1.0, 1.0])),
    ];
    let mut source = MemorySource::new();
    for (name, number, first) in all {
        let labels = Labels::new([("__name__", name), ("i", number)]).unwrap();
        let row = |step: u32| MemoryRow {
            time: i64::from(step) * 15_000_000_000,
            start: 0,
            value: MemoryValue::Histogram(Arc::new(times(&first, f64::from(step + 1)))),
        };
        source.add(&labels, (0..3).map(row));
    }
    source
}

/// All of a histogram in a line.
fn line(h: &Histogram) -> String {
    let side = |spans: &[Span], counts: &[f64]| {
        let runs: Vec<_> =
            spans.iter().map(|span| format!("{}:{}", span.offset, span.length)).collect();
        format!("[{}]{counts:?}", runs.join(" "))
    };
    let text = format!(
        "schema {} {:?} count {} sum {} zero {}:{} + {} - {}",
        h.schema,
        h.reset_hint,
        h.count,
        h.sum,
        h.zero_threshold,
        h.zero_count,
        side(&h.positive_spans, &h.positive),
        side(&h.negative_spans, &h.negative),
    );
    if h.custom_values.is_empty() { text } else { format!("{text} at {:?}", h.custom_values) }
}

/// The only histogram of an answer at 30 s.
fn answer(source: &MemorySource, question: &str) -> String {
    match ask(source, question, When::At(30_000)).unwrap().value {
        Value::Vector(samples) => match samples.as_slice() {
            [sample] => match &sample.value {
                Point::Histogram(histogram) => line(histogram),
                Point::Float(value) => format!("{value}"),
            },
            others => format!("{} samples", others.len()),
        },
        other => format!("{other:?}"),
    }
}

/// The last digits follow from the order of the operations. Hints that collide leave a warning in place
/// of the sum.
const CASES: &[(&str, &str)] = &[
    (
        "sum(h)",
        "schema 0 Unknown count 51 sum 75 zero 0.001:9 + [0:3][9.0, 18.0, 9.0] - [0:1][6.0]",
    ),
    (
        "avg(h)",
        "schema 0 Unknown count 25.5 sum 37.5 zero 0.001:4.5 + [0:3][4.5, 9.0, 4.5] - [0:1][3.0]",
    ),
    (
        "h{i='0'} + ignoring(i) h{i='1'}",
        "schema 0 Unknown count 51 sum 75 zero 0.001:9 + [0:3][9.0, 18.0, 9.0] - [0:1][6.0]",
    ),
    (
        "h{i='0'} - ignoring(i) h{i='1'}",
        "schema 0 Gauge count 9 sum 45 zero 0.001:3 + [0:3][-3.0, -6.0, 9.0] - [0:1][6.0]",
    ),
    ("h{i='0'} - h{i='0'}", "schema 1 Gauge count 0 sum 0 zero 0.001:0 + [][] - [][]"),
    (
        "h{i='0'} * 2",
        "schema 1 Unknown count 60 sum 120 zero 0.001:12 + [0:2 1:1][6.0, 12.0, 18.0] - [0:1][12.0]",
    ),
    (
        "2 * h{i='0'}",
        "schema 1 Unknown count 60 sum 120 zero 0.001:12 + [0:2 1:1][6.0, 12.0, 18.0] - [0:1][12.0]",
    ),
    (
        "h{i='0'} * -1",
        "schema 1 Gauge count -30 sum -60 zero 0.001:-6 + [0:2 1:1][-3.0, -6.0, -9.0] - [0:1][-6.0]",
    ),
    (
        "-h{i='0'}",
        "schema 1 Gauge count -30 sum -60 zero 0.001:-6 + [0:2 1:1][-3.0, -6.0, -9.0] - [0:1][-6.0]",
    ),
    (
        "h{i='0'} / 2",
        "schema 1 Unknown count 15 sum 30 zero 0.001:3 + [0:2 1:1][1.5, 3.0, 4.5] - [0:1][3.0]",
    ),
    (
        "h{i='0'} / -2",
        "schema 1 Gauge count -15 sum -30 zero 0.001:-3 + [0:2 1:1][-1.5, -3.0, -4.5] - [0:1][-3.0]",
    ),
    ("h{i='0'} / 0", "schema 1 Unknown count inf sum inf zero 0.001:inf + [][] - [][]"),
    ("h{i='0'} * 0", "schema 1 Unknown count 0 sum 0 zero 0.001:0 + [][] - [][]"),
    (
        "increase(h{i='0'}[31s])",
        "schema 1 Gauge count 20.666666666666668 sum 41.333333333333336 zero 0.001:4.133333333333334 + [0:2 1:1][2.066666666666667, 4.133333333333334, 6.200000000000001] - [0:1][4.133333333333334]",
    ),
    (
        "delta(g[31s])",
        "schema 0 Gauge count 8.266666666666667 sum 16.533333333333335 zero 0:0 + [0:2][2.066666666666667, 6.200000000000001] - [][]",
    ),
    (
        "irate(h{i='1'}[31s])",
        "schema 0 Gauge count 0.4666666666666667 sum 0.3333333333333333 zero 0.001:0.06666666666666667 + [0:2][0.13333333333333333, 0.26666666666666666] - [][]",
    ),
    ("idelta(g[31s])", "schema 0 Gauge count 4 sum 8 zero 0:0 + [0:2][1.0, 3.0] - [][]"),
    (
        "sum_over_time(h{i='1'}[31s])",
        "schema 0 Unknown count 42 sum 30 zero 0.001:6 + [0:2][12.0, 24.0] - [][]",
    ),
    (
        "avg_over_time(h{i='1'}[31s])",
        "schema 0 Unknown count 14 sum 10 zero 0.001:2 + [0:2][4.0, 8.0] - [][]",
    ),
    ("sum(n)", "schema 0 Unknown count 24 sum 48 zero 0:0 + [0:2][6.0, 18.0] - [][]"),
    ("avg(n)", "schema 0 Unknown count 12 sum 24 zero 0:0 + [0:2][3.0, 9.0] - [][]"),
    ("sum(n{i='0'})", "schema 0 NoReset count 12 sum 24 zero 0:0 + [0:2][3.0, 9.0] - [][]"),
    ("sum(g)", "schema 0 Gauge count 12 sum 24 zero 0:0 + [0:2][3.0, 9.0] - [][]"),
    ("sum({__name__=~'n|g'})", "schema 0 Gauge count 36 sum 72 zero 0:0 + [0:2][9.0, 27.0] - [][]"),
    ("n{i='0'} + n{i='0'}", "schema 0 NoReset count 24 sum 48 zero 0:0 + [0:2][6.0, 18.0] - [][]"),
    ("n{i='0'} + ignoring(i) n{i='1'}", "0 samples"),
    (
        "n{i='0'} + ignoring(i) g",
        "schema 0 Gauge count 24 sum 48 zero 0:0 + [0:2][6.0, 18.0] - [][]",
    ),
    ("n{i='1'} * 2", "schema 0 Reset count 24 sum 48 zero 0:0 + [0:2][6.0, 18.0] - [][]"),
    (
        "last_over_time(n{i='0'}[31s])",
        "schema 0 NoReset count 12 sum 24 zero 0:0 + [0:2][3.0, 9.0] - [][]",
    ),
    (
        "first_over_time(n{i='1'}[31s])",
        "schema 0 Reset count 4 sum 8 zero 0:0 + [0:2][1.0, 3.0] - [][]",
    ),
    (
        "last_over_time(n{i='0'}[31s:15s])",
        "schema 0 Unknown count 12 sum 24 zero 0:0 + [0:2][3.0, 9.0] - [][]",
    ),
    (
        "last_over_time(g[31s:15s])",
        "schema 0 Gauge count 12 sum 24 zero 0:0 + [0:2][3.0, 9.0] - [][]",
    ),
    (
        "sum_over_time(n{i='0'}[31s])",
        "schema 0 NoReset count 24 sum 48 zero 0:0 + [0:2][6.0, 18.0] - [][]",
    ),
    ("sum(z)", "schema 0 Unknown count 36 sum 72 zero 0.5:18 + [0:2][15.0, 12.0] - [][]"),
    (
        "z{i='1'} - ignoring(i) z{i='0'}",
        "schema 0 Gauge count 12 sum 24 zero 0.5:12 + [0:2][15.0, -12.0] - [][]",
    ),
    (
        "sum(c)",
        "schema -53 Unknown count 84 sum 168 zero 0:0 + [0:3][18.0, 33.0, 33.0] - [][] at [1.0, 4.0]",
    ),
    (
        "c{i='1'} - ignoring(i) c{i='0'}",
        "schema -53 Gauge count 24 sum 48 zero 0:0 + [0:3][12.0, 3.0, 9.0] - [][] at [1.0, 4.0]",
    ),
    (
        "increase(c{i='1'}[31s])",
        "schema -53 Gauge count 37.2 sum 74.4 zero 0:0 + [0:3][10.333333333333334, 12.400000000000002, 14.466666666666669] - [][] at [1.0, 4.0]",
    ),
    (
        "sum(gap)",
        "schema 0 Unknown count 15 sum 30 zero 0:0 + [-3:1 1:2 1:1][6.0, 3.0, 3.0, 3.0] - [][]",
    ),
    (
        "gap{i='0'} - ignoring(i) gap{i='1'}",
        "schema 0 Gauge count -3 sum -6 zero 0:0 + [-1:2 1:1][-3.0, -3.0, 3.0] - [][]",
    ),
    (
        "n{i='0'} </ 1",
        "schema 0 NoReset count 3 sum 2.121320343559643 zero 0:0 + [0:1][3.0] - [][]",
    ),
    (
        "n{i='0'} >/ 1",
        "schema 0 NoReset count 9 sum 12.727922061357857 zero 0:0 + [1:1][9.0] - [][]",
    ),
    ("n{i='0'} </ 100", "schema 0 NoReset count 12 sum 24 zero 0:0 + [0:2][3.0, 9.0] - [][]"),
    ("n{i='0'} >/ 100", "schema 0 NoReset count 0 sum 0 zero 0:0 + [][] - [][]"),
    (
        "c{i='0'} </ 2",
        "schema -53 Unknown count 9 sum 10.5 zero 0:0 + [0:2][3.0, 6.0] - [][] at [1.0, 2.0, 4.0]",
    ),
    (
        "h{i='0'} >/ 0",
        "schema 1 Unknown count 21 sum 31.06516000582645 zero 0.001:3 + [0:2 1:1][3.0, 6.0, 9.0] - [][]",
    ),
    (
        "(h{i='0'} and h{i='0'}) or h{i='0'}",
        "schema 1 Unknown count 30 sum 60 zero 0.001:6 + [0:2 1:1][3.0, 6.0, 9.0] - [0:1][6.0]",
    ),
];

#[test]
fn result_histograms_have_the_layout_and_the_hint_of_prometheus() {
    let source = source();
    let mut wrong = Vec::new();
    for (question, expected) in CASES {
        let found = answer(&source, question);
        if found != *expected {
            wrong.push(format!("{question}\n  expected {expected}\n  found    {found}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
