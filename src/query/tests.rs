//! The executor as a whole: what must hold whatever the rows are.

mod explained;
mod kept;
mod repeats;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;

use super::memory::{MemoryRow, MemorySource, MemoryValue};
use super::{Answer, Config, Engine, Error, ErrorKind, Point, Pool, Question, Value, When};
use crate::model::{Budget, Histogram, Labels, Limits, STALE_BITS, Scope, Span, Stop};

fn ask(engine: &Engine, source: &MemorySource, text: &str, when: When) -> Result<Answer, Error> {
    let question = Question::parse(text, when).unwrap();
    engine.ask(source, Scope::METRICS, &question, &Budget::default())
}

fn row(time: i64, value: MemoryValue) -> MemoryRow {
    MemoryRow { time, start: 0, value }
}

fn float_row(millis: i64, value: f64) -> MemoryRow {
    row(millis * 1_000_000, MemoryValue::Float(value))
}

fn histogram(counts: [u8; 3]) -> Histogram {
    let counts = counts.map(f64::from);
    Histogram {
        count: counts.iter().sum(),
        sum: counts[0] + 3.0 * counts[2],
        positive_spans: vec![Span { offset: 0, length: 3 }],
        positive: counts.to_vec(),
        ..Histogram::default()
    }
}

fn any_row() -> impl Strategy<Value = MemoryRow> {
    let value = prop_oneof![
        12 => (0..50u8).prop_map(|v| MemoryValue::Float(f64::from(v) / 4.0)),
        1 => Just(MemoryValue::Float(f64::NAN)),
        1 => Just(MemoryValue::Float(f64::from_bits(STALE_BITS))),
        1 => Just(MemoryValue::Float(f64::INFINITY)),
        2 => any::<[u8; 3]>().prop_map(|c| MemoryValue::Histogram(Arc::new(histogram(c)))),
    ];
    // Several rows fall in one ms, some on the edges of windows.
    (0..6_000_000_000i64, prop::bool::ANY, value).prop_map(|(time, rounds, value)| {
        row(if rounds { time / 100_000_000 * 100_000_000 } else { time }, value)
    })
}

fn any_source() -> impl Strategy<Value = MemorySource> {
    let series = prop::collection::vec(any_row(), 0..60);
    prop::collection::vec(series, 1..5).prop_map(|all| {
        let mut source = MemorySource::new();
        for (i, rows) in all.into_iter().enumerate() {
            let host = (i % 3).to_string();
            let name = if i < 3 { "a_total" } else { "b_total" };
            let labels = [("__name__", name), ("host", host.as_str())];
            source.add(&Labels::new(labels).unwrap(), rows);
        }
        source
    })
}

const QUESTIONS: [&str; 36] = [
    "a_total",
    "a_total offset 300ms",
    "rate(a_total[1s])",
    "increase(a_total[700ms] anchored)",
    "delta(a_total[900ms] smoothed)",
    "a_total smoothed",
    "irate(a_total[2s])",
    "resets(a_total[3s])",
    "changes(a_total[3s])",
    "deriv(a_total[2s])",
    "predict_linear(a_total[2s], 5)",
    "sum_over_time(a_total[3s])",
    "avg_over_time(a_total[3s])",
    "min_over_time(a_total[2s])",
    "max_over_time(a_total[2s])",
    "quantile_over_time(0.3, a_total[4s])",
    "stddev_over_time(a_total[2s])",
    "mad_over_time(a_total[2s])",
    "last_over_time(a_total[1s])",
    "count_over_time(a_total[500ms])",
    "absent_over_time(b_total[400ms])",
    "absent(b_total)",
    "sum by (host) (rate(a_total[2s]))",
    "avg(a_total)",
    "quantile(0.4, a_total)",
    "count without (host) (a_total)",
    "topk(1, a_total)",
    "count_values(\"v\", a_total)",
    "a_total + on (host) b_total",
    "a_total > bool 3",
    "a_total and on (host) b_total",
    "a_total or b_total",
    "max_over_time(sum(a_total)[2s:300ms])",
    "histogram_quantile(0.5, a_total)",
    "a_total @ 3 * 2",
    "label_replace(a_total, \"x\", \"$1\", \"host\", \"(.)\") - timestamp(a_total)",
];

/// Cells of a vector as comparable text, sorted: order is no part of a vector.
fn cells(samples: impl Iterator<Item = (Labels, Point)>) -> Vec<String> {
    let mut cells: Vec<String> = samples
        .map(|(labels, point)| match point {
            Point::Float(value) => format!("{labels} {:x}", value.to_bits()),
            Point::Histogram(value) => format!("{labels} {value:?}"),
        })
        .collect();
    cells.sort();
    cells
}

fn cells_at(answer: &Answer, time: i64) -> Vec<String> {
    match &answer.value {
        Value::Vector(samples) => {
            cells(samples.iter().map(|s| (s.labels.clone(), s.value.clone())))
        }
        Value::Matrix(all) => {
            let floats = all.iter().flat_map(|series| {
                let at = series.floats.iter().filter(move |(at, _)| *at == time);
                at.map(|(_, value)| (series.labels.clone(), Point::Float(*value)))
            });
            let histograms = all.iter().flat_map(|series| {
                let at = series.histograms.iter().filter(move |(at, _)| *at == time);
                at.map(|(_, value)| (series.labels.clone(), Point::Histogram(value.clone())))
            });
            cells(floats.chain(histograms))
        }
        Value::Scalar(_, value) => vec![format!("{value}")],
        Value::String(_, text) => vec![text.clone()],
    }
}

/// A pool that does its jobs last first.
struct Backwards(AtomicUsize);

impl Pool for Backwards {
    fn run(&self, count: usize, job: &(dyn Fn(usize) + Sync)) {
        self.0.fetch_add(count, Ordering::Relaxed);
        (0..count).rev().for_each(job);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn steps_have_the_values_of_instants(source in any_source(), start in 0..2_000i64) {
        let engine = Engine::default();
        for text in QUESTIONS {
            let when = When::Over { start, end: start + 5_000, step: 411 };
            let over = match ask(&engine, &source, text, when) {
                Ok(over) => over,
                // Only series that meet may be refused.
                Err(error) => {
                    prop_assert_eq!(error.kind(), ErrorKind::Execution, "{}: {}", text, error);
                    prop_assert!(text.contains('b') || text.contains("_over"), "{}: {}", text, error);
                    continue;
                }
            };
            for time in (start..=start + 5_000).step_by(411) {
                let at = ask(&engine, &source, text, When::At(time)).unwrap();
                prop_assert_eq!(cells_at(&at, time), cells_at(&over, time), "{} at {}", text, time);
            }
        }
    }

    #[test]
    fn slices_do_not_matter(source in any_source(), rows in 1..5usize) {
        let engine = Engine::default();
        let when = When::Over { start: 0, end: 6_000, step: 250 };
        let other = source.clone().with_slices(rows);
        for text in QUESTIONS {
            let answers = [&source, &other].map(|source| ask(&engine, source, text, when).is_ok());
            prop_assert_eq!(answers[0], answers[1]);
            if let (Ok(a), Ok(b)) = (ask(&engine, &source, text, when), ask(&engine, &other, text, when)) {
                prop_assert_eq!(format!("{:?}", a.value), format!("{:?}", b.value));
            }
        }
    }
}

fn many_series(count: usize) -> MemorySource {
    let mut source = MemorySource::new().with_slices(1024);
    for i in 0..count {
        let (series, group) = (i.to_string(), (i % 7).to_string());
        let labels =
            [("__name__", "many_total"), ("group", group.as_str()), ("series", series.as_str())];
        let rate = f64::from(u16::try_from(i).unwrap()).sin().abs();
        let value = |t: i32| rate * f64::from(t) / 1e3;
        source.add(
            &Labels::new(labels).unwrap(),
            (0..20).map(|t| float_row(i64::from(t) * 15_000, value(t * 15_000))),
        );
    }
    source
}

#[test]
fn a_pool_changes_nothing() {
    let source = many_series(3_000);
    let pool = Arc::new(Backwards(AtomicUsize::new(0)));
    let pooled = Engine::new(Config { pool: Some(pool.clone()), ..Config::default() });
    let when = When::Over { start: 60_000, end: 240_000, step: 30_000 };
    for text in [
        "sum by (group) (rate(many_total[1m]))",
        "avg(many_total)",
        "stddev(many_total)",
        "max without (series) (many_total)",
        "topk(3, many_total)",
    ] {
        let one = ask(&Engine::default(), &source, text, when).unwrap();
        let many = ask(&pooled, &source, text, when).unwrap();
        assert_eq!(one, many, "{text}");
    }
    assert!(pool.0.load(Ordering::Relaxed) > 0, "the pool was used");
}

#[test]
fn a_spent_budget_ends_a_question_by_name() {
    let source = many_series(50);
    let question = Question::parse("sum(many_total)", When::At(200_000)).unwrap();
    let budget = |limits| Budget::new(limits, Stop::default());
    let error = |budget: &Budget| {
        Engine::default().ask(&source, Scope::METRICS, &question, budget).unwrap_err()
    };
    let few = budget(Limits { series_max: 10, ..Limits::default() });
    assert_eq!(error(&few).kind(), ErrorKind::Execution);
    let short = budget(Limits { samples_max: 10, ..Limits::default() });
    assert!(error(&short).to_string().contains("--query-samples-max"));
    let stop = Stop::default();
    stop.time_out();
    assert_eq!(error(&Budget::new(Limits::default(), stop)).kind(), ErrorKind::Timeout);
}

#[test]
fn a_question_over_too_many_steps_is_refused() {
    let when = When::Over { start: 0, end: 11_000_000, step: 1_000 };
    let error = ask(&Engine::default(), &MemorySource::new(), "1", when).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadData);
    assert!(error.to_string().starts_with("exceeded maximum resolution of 11,000 points"));
}

#[test]
fn the_last_row_of_a_millisecond_is_the_one_that_counts() {
    let mut source = MemorySource::new();
    source.add(
        &Labels::new([("__name__", "a")]).unwrap(),
        [(5_000_000, 1.0), (5_999_999, 2.0)].map(|(t, v)| row(t, MemoryValue::Float(v))),
    );
    let answer = ask(&Engine::default(), &source, "sum_over_time(a[10ms])", When::At(5)).unwrap();
    assert_eq!(cells_at(&answer, 5), cells([(Labels::empty(), Point::Float(2.0))].into_iter()));
}

#[test]
fn times_at_the_edge_of_what_there_is_do_not_overflow() {
    let mut source = MemorySource::new();
    source.add(&Labels::new([("__name__", "a")]).unwrap(), [float_row(0, 1.0)]);
    for at in [i64::MIN, i64::MIN / 2, -1, i64::MAX / 1000, i64::MAX] {
        for text in ["a", "rate(a[5m])", "sum_over_time(a[1h:1m])", "a offset 290y", "a @ 1e15"] {
            let _ = ask(&Engine::default(), &source, text, When::At(at));
        }
    }
    let when = When::Over { start: i64::MIN, end: i64::MAX, step: i64::MAX };
    assert!(ask(&Engine::default(), &source, "a", when).is_err());
}
