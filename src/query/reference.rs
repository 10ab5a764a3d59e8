//! Every example of the language's tables asked, over the rows that the reference names.

use std::fmt::Write as _;
use std::sync::Arc;

use query_lang::{Aggregation, EXAMPLE_ROWS, Function};

use super::memory::{MemoryRow, MemorySource, MemoryValue};
use super::{Engine, Point, Question, Value, When};
use crate::math::{histogram, number::plain};
use crate::model::{Budget, Histogram, Labels, Scope, Span};

const MINUTE: i64 = 60_000;

fn rows(values: impl IntoIterator<Item = MemoryValue>) -> Vec<MemoryRow> {
    let time = |minute: i64| minute * MINUTE * 1_000_000;
    (0..).zip(values).map(|(at, value)| MemoryRow { time: time(at), start: 0, value }).collect()
}

fn source() -> MemorySource {
    let mut source = MemorySource::new();
    for (series, values) in EXAMPLE_ROWS {
        let matchers = query_lang::parse_selector(series).unwrap();
        let labels = matchers.iter().map(|matcher| (matcher.name.as_str(), matcher.value.as_str()));
        let labels = Labels::new(labels).unwrap();
        source.add(&labels, rows(values.map(MemoryValue::Float)));
    }
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
