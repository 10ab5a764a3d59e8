//! Every example of the language's tables asked, over the rows that the reference names.

use std::fmt::Write as _;
use std::sync::Arc;

use query_lang::{Aggregation, Function};

use super::memory::{MemoryRow, MemorySource, MemoryValue};
use super::{Engine, Point, Question, Value, When};
use crate::math::{histogram, number::plain};
use crate::model::{Budget, Histogram, Labels, Scope, Span};

const MINUTE: i64 = 60_000;

/// Rows a minute apart from 0 on; examples are asked at the tenth minute.
const FLOATS: [(&[(&str, &str)], [f64; 11]); 9] = [
    (
        &[("__name__", "requests_total"), ("job", "web"), ("path", "/a")],
        [0.0, 60.0, 120.0, 180.0, 240.0, 300.0, 360.0, 420.0, 480.0, 540.0, 600.0],
    ),
    (
        &[("__name__", "requests_total"), ("job", "web"), ("path", "/b")],
        [0.0, 30.0, 60.0, 90.0, 120.0, 150.0, 180.0, 10.0, 40.0, 70.0, 100.0],
    ),
    (
        &[("__name__", "temperature"), ("room", "attic")],
        [20.0, 21.0, 22.0, 23.0, 24.0, 25.0, 24.0, 23.0, 22.0, 21.0, 20.0],
    ),
    (
        &[("__name__", "temperature"), ("room", "hall")],
        [18.0, 18.0, 18.0, 18.0, 19.0, 19.0, 19.0, 19.0, 20.0, 20.0, 21.0],
    ),
    (&[("__name__", "latency_bucket"), ("le", "0.1")], [10.0; 11]),
    (&[("__name__", "latency_bucket"), ("le", "0.5")], [30.0; 11]),
    (&[("__name__", "latency_bucket"), ("le", "1")], [40.0; 11]),
    (&[("__name__", "latency_bucket"), ("le", "+Inf")], [40.0; 11]),
    (&[("__name__", "up"), ("instance", "a"), ("job", "web")], [1.0; 11]),
];

fn rows(values: impl IntoIterator<Item = MemoryValue>) -> Vec<MemoryRow> {
    let time = |minute: i64| minute * MINUTE * 1_000_000;
    (0..).zip(values).map(|(at, value)| MemoryRow { time: time(at), start: 0, value }).collect()
}

fn source() -> MemorySource {
    let mut source = MemorySource::new();
    for (labels, values) in FLOATS {
        let labels = Labels::new(labels.iter().copied()).unwrap();
        source.add(&labels, rows(values.map(MemoryValue::Float)));
    }
    let version =
        [("__name__", "target_info"), ("instance", "a"), ("job", "web"), ("version", "2")];
    source.add(&Labels::new(version).unwrap(), rows([1.0; 11].map(MemoryValue::Float)));
    // Four observations in (1, 2], and in (2, 4] as many.
    let sizes = Histogram {
        count: 8.0,
        sum: 18.0,
        positive_spans: vec![Span { offset: 1, length: 2 }],
        positive: vec![4.0, 4.0],
        ..Histogram::default()
    };
    let sizes: Vec<MemoryValue> =
        (0..11).map(|_| MemoryValue::Histogram(Arc::new(sizes.clone()))).collect();
    source.add(&Labels::new([("__name__", "sizes")]).unwrap(), rows(sizes));
    source
}

/// What a question yields at the tenth minute, a line a series.
fn answer(source: &MemorySource, text: &str) -> String {
    let question = match Question::parse(text, When::At(10 * MINUTE)) {
        Ok(question) => question,
        Err(error) => return error.to_string(),
    };
    let answer = Engine::default().ask(source, Scope::METRICS, &question, &Budget::default());
    let value = match answer {
        Ok(answer) => answer.value,
        Err(error) => return error.to_string(),
    };
    let rounded = |value: f64| {
        let places = 1e9;
        let is_exact = value.abs() >= 1e6 || !value.is_finite();
        plain(if is_exact { value } else { (value * places).round() / places })
    };
    let mut lines = Vec::new();
    match value {
        Value::Scalar(_, value) => return rounded(value),
        Value::String(_, text) => return text,
        Value::Vector(samples) => {
            for sample in samples {
                let value = match &sample.value {
                    Point::Float(value) => rounded(*value),
                    Point::Histogram(value) => histogram::text(value),
                };
                lines.push(format!("{} {value}", sample.labels));
            }
        }
        Value::Matrix(_) => return "rows".to_owned(),
    }
    if lines.is_empty() {
        return "nothing".to_owned();
    }
    if !text.contains("sort") {
        lines.sort();
    }
    lines.join("\n")
}

#[test]
fn every_example_yields_what_the_reference_says() {
    let source = source();
    let functions = Function::ALL.iter().map(|it| (it.signature().example, it.signature().answer));
    let aggregations = Aggregation::ALL.iter().map(|it| it.example());
    let mut wrong = String::new();
    for (example, expected) in functions.chain(aggregations) {
        let found = answer(&source, example);
        if found != expected {
            let _ = writeln!(wrong, "{example}\n=>{}", found.replace('\n', "\n=>"));
        }
    }
    assert!(wrong.is_empty(), "answers differ; found:\n{wrong}");
}
