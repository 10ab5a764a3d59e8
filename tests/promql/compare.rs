//! Whether an answer is the one that was expected.

use quipu::math::histogram::{is_custom, negative_buckets, positive_buckets};
use quipu::model::{Histogram, Labels};
use quipu::query::{Answer, Point, Series, Value as Got};

use crate::script::{Eval, Pairs, Rule, ScriptSeries};
use crate::values::Value;

pub(crate) type Outcome = Result<(), String>;

fn almost(a: f64, b: f64) -> bool {
    if a == b || (a.is_nan() && b.is_nan()) {
        return true;
    }
    if !a.is_finite() || !b.is_finite() {
        return false;
    }
    let (sum, difference) = (a.abs() + b.abs(), (a - b).abs());
    if a == 0.0 || b == 0.0 || sum < f64::MIN_POSITIVE {
        return difference < 1e-6 * f64::MIN_POSITIVE;
    }
    difference / sum.min(f64::MAX) < 1e-6
}

/// Populated buckets as the HTTP API lists them: rule, bounds, count.
fn listing(histogram: &Histogram) -> Vec<(u8, f64, f64, f64)> {
    let mut buckets: Vec<_> = negative_buckets(histogram)
        .filter(|b| b.count != 0.0)
        .map(|b| (1, b.lower, b.upper, b.count))
        .collect();
    buckets.reverse();
    if histogram.zero_count > 0.0 {
        let edge = histogram.zero_threshold;
        buckets.push((3, -edge, edge, histogram.zero_count));
    }
    let custom = is_custom(histogram);
    buckets.extend(positive_buckets(histogram).filter(|b| b.count != 0.0).map(|b| {
        (if custom && b.lower == f64::NEG_INFINITY { 3 } else { 0 }, b.lower, b.upper, b.count)
    }));
    buckets
}

fn same_histogram(expected: &Histogram, got: &Histogram) -> bool {
    let (a, b) = (listing(expected), listing(got));
    almost(expected.count, got.count)
        && almost(expected.sum, got.sum)
        && a.len() == b.len()
        && a.iter()
            .zip(&b)
            .all(|(x, y)| x.0 == y.0 && almost(x.1, y.1) && almost(x.2, y.2) && almost(x.3, y.3))
}

fn show(labels: &Pairs) -> String {
    format!("{labels:?}")
}

fn pairs(labels: &Labels) -> Pairs {
    labels.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn same_point(expected: &Value, got: &Point) -> bool {
    match (expected, got) {
        (Value::Float(a), Point::Float(b)) => almost(*a, *b),
        (Value::Histogram(a), Point::Histogram(b)) => same_histogram(a, b),
        _ => false,
    }
}

pub(crate) fn annotations(case: &Eval, answer: &Answer) -> Outcome {
    let kinds = [
        ("warn", &case.warn, case.no_warn, &answer.warnings),
        ("info", &case.info, case.no_info, &answer.infos),
    ];
    for (kind, rules, refused, got) in kinds {
        if refused && !got.is_empty() {
            return Err(format!("expected no {kind}, got {got:?}"));
        }
        for rule in rules {
            if !got.iter().any(|text| rule.matches(text)) {
                return Err(format!("expected {kind} {rule:?}, got {got:?}"));
            }
        }
        if !rules.is_empty()
            && let Some(text) = got.iter().find(|text| !rules.iter().any(|r| r.matches(text)))
        {
            return Err(format!("unexpected {kind} {text:?}"));
        }
    }
    Ok(())
}

pub(crate) fn failure(rules: &[Rule], text: &str) -> Outcome {
    match rules.iter().find(|rule| !rule.matches(text)) {
        Some(rule) => Err(format!("expected error {rule:?}, got {text:?}")),
        None => Ok(()),
    }
}

pub(crate) fn value(case: &Eval, got: &Got) -> Outcome {
    match got {
        Got::Scalar(_, value) => match case.scalar {
            Some(expected) if almost(expected, *value) => Ok(()),
            expected => Err(format!("expected {expected:?}, got scalar {value}")),
        },
        Got::String(_, text) => match &case.string {
            Some(expected) if expected == text => Ok(()),
            expected => Err(format!("expected {expected:?}, got text {text:?}")),
        },
        Got::Vector(samples) => {
            let points: Vec<(Pairs, Point)> =
                samples.iter().map(|s| (pairs(&s.labels), s.value.clone())).collect();
            if case.scalar.is_some() || case.window.is_some() || case.steps.is_some() {
                return Err(format!("got an unexpected vector {points:?}"));
            }
            vector(case, &points, case.is_ordered)
        }
        Got::Matrix(series) => {
            let stepped = case.steps.map(|(_, step)| (case.start, step));
            let Some(first) = case.window.map(|(start, _, step)| (start, step)).or(stepped) else {
                return Err("an instant question gave a matrix".to_owned());
            };
            if !series.is_sorted_by(|a, b| a.labels <= b.labels) {
                return Err("a matrix is sorted by labels".to_owned());
            }
            matrix(case, series, first)
        }
    }
}

pub(crate) fn vector(case: &Eval, got: &[(Pairs, Point)], is_ordered: bool) -> Outcome {
    let mut seen: Vec<&Pairs> = Vec::new();
    for (position, (labels, point)) in got.iter().enumerate() {
        let Some((n, expected)) = find(case, labels) else {
            return Err(format!("unexpected series {} = {point:?}", show(labels)));
        };
        if seen.contains(&labels) {
            return Err(format!("series {} comes twice", show(labels)));
        }
        if is_ordered && n != position {
            return Err(format!("{} is at {position}, expected at {n}", show(labels)));
        }
        let Some(Some(value)) = expected.values.first() else {
            return Err("no value expected".to_owned());
        };
        if !same_point(value, point) {
            return Err(format!("{}: expected {value:?}, got {point:?}", show(labels)));
        }
        seen.push(labels);
    }
    missing(case, |labels| seen.contains(&labels))
}

fn find<'a>(case: &'a Eval, labels: &Pairs) -> Option<(usize, &'a ScriptSeries)> {
    // Of equal series, the last is meant.
    case.series.iter().enumerate().rev().find(|(_, series)| series.labels == *labels)
}

fn missing(case: &Eval, is_there: impl Fn(&Pairs) -> bool) -> Outcome {
    match case.series.iter().find(|series| !is_there(&series.labels)) {
        Some(series) => {
            Err(format!("series {} = {:?} is missing", show(&series.labels), series.values))
        }
        None => Ok(()),
    }
}

fn matrix(case: &Eval, got: &[Series], (start, step): (i64, i64)) -> Outcome {
    let mut seen = Vec::new();
    for series in got {
        let labels = pairs(&series.labels);
        let Some((_, expected)) = find(case, &labels) else {
            return Err(format!("unexpected series {} {:?}", show(&labels), series.floats));
        };
        let (mut floats, mut histograms) = (Vec::new(), Vec::new());
        for (i, value) in expected.values.iter().enumerate() {
            let time = start + i64::try_from(i).unwrap() * step;
            match value {
                Some(Value::Float(value)) => floats.push((time, *value)),
                Some(Value::Histogram(value)) => histograms.push((time, value)),
                Some(Value::Stale) | None => {}
            }
        }
        let same_floats = floats.len() == series.floats.len()
            && floats.iter().zip(&series.floats).all(|(a, b)| a.0 == b.0 && almost(a.1, b.1));
        if !same_floats {
            return Err(format!(
                "{}: expected {floats:?}, got {:?} and {} histograms",
                show(&labels),
                series.floats,
                series.histograms.len(),
            ));
        }
        let same = histograms.len() == series.histograms.len()
            && histograms
                .iter()
                .zip(&series.histograms)
                .all(|(a, b)| a.0 == b.0 && same_histogram(a.1, &b.1));
        if !same {
            return Err(format!(
                "{}: expected {histograms:?}, got {:?}",
                show(&labels),
                series.histograms
            ));
        }
        seen.push(labels);
    }
    missing(case, |labels| seen.contains(labels))
}

/// The cells of a matrix at one time.
pub(crate) fn cells_at(series: &[Series], time: i64) -> Vec<(Pairs, Point)> {
    let mut cells = Vec::new();
    for series in series {
        let float = series.floats.iter().find(|(at, _)| *at == time);
        let histogram = series.histograms.iter().find(|(at, _)| *at == time);
        let labels = || pairs(&series.labels);
        cells.extend(float.map(|(_, value)| (labels(), Point::Float(*value))));
        cells.extend(histogram.map(|(_, value)| (labels(), Point::Histogram(value.clone()))));
    }
    cells
}
