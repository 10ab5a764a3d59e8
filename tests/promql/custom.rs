//! Native histograms with custom buckets, from the classic ones of a load.

use std::collections::BTreeMap;

use quipu::math::histogram::compact;
use quipu::model::{CUSTOM_BUCKETS_SCHEMA, Histogram, Span};

use crate::script::{Load, Pairs, ScriptSeries};
use crate::values::{Value, number};

/// A classic histogram at one step.
#[derive(Default)]
struct Classic {
    buckets: Vec<(f64, f64)>,
    sum: f64,
    count: Option<f64>,
}

/// Which part of a classic histogram a series is.
#[derive(Clone, Copy)]
enum Part {
    Bucket(f64),
    Sum,
    Count,
}

/// Labels of each histogram, and its values by time in ms.
pub(crate) fn custom_series(load: &Load) -> Vec<(Pairs, Vec<(i64, Histogram)>)> {
    let mut groups: BTreeMap<Pairs, BTreeMap<i64, Classic>> = BTreeMap::new();
    for series in &load.series {
        let Some((labels, part)) = part_of(series) else { continue };
        let steps = groups.entry(labels).or_default();
        for (step, value) in (0..).zip(&series.values) {
            let value = match value {
                Some(Value::Float(value)) => *value,
                Some(Value::Stale) => f64::NAN,
                Some(Value::Histogram(_)) | None => continue,
            };
            steps.entry(step * load.step).or_default().put(part, value);
        }
    }
    groups
        .into_iter()
        .map(|(labels, steps)| {
            let values = steps.into_iter().map(|(time, classic)| (time, classic.into_custom()));
            (labels, values.collect())
        })
        .collect()
}

/// The labels of the histogram that a series is part of, and which part.
fn part_of(series: &ScriptSeries) -> Option<(Pairs, Part)> {
    let get = |name: &str| {
        series.labels.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value.as_str())
    };
    let name = get("__name__");
    let (name, part) = if let Some(name) = name.strip_suffix("_bucket") {
        (name, Part::Bucket(number(get("le")).filter(|bound| !bound.is_nan())?))
    } else if let Some(name) = name.strip_suffix("_sum") {
        (name, Part::Sum)
    } else {
        (name.strip_suffix("_count")?, Part::Count)
    };
    let others = series.labels.iter().filter(|(n, _)| n != "le" && n != "__name__").cloned();
    let mut labels: Pairs = others.collect();
    labels.push(("__name__".to_owned(), name.to_owned()));
    labels.sort();
    Some((labels, part))
}

impl Classic {
    fn put(&mut self, part: Part, value: f64) {
        match part {
            Part::Bucket(bound) if self.buckets.iter().any(|(known, _)| *known == bound) => {}
            Part::Bucket(bound) => self.buckets.push((bound, value)),
            Part::Sum => self.sum = value,
            Part::Count => self.count = Some(value),
        }
    }

    fn into_custom(mut self) -> Histogram {
        self.buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
        let last = self.buckets.last().copied();
        let count = self.count.unwrap_or(last.map_or(0.0, |(_, count)| count));
        if last.is_none_or(|(bound, _)| bound != f64::INFINITY) {
            self.buckets.push((f64::INFINITY, count));
        }
        let mut before = 0.0;
        let mut custom_values = Vec::new();
        let mut positive = Vec::new();
        for (bound, count) in self.buckets {
            positive.push(count - before);
            before = count;
            custom_values.extend((bound != f64::INFINITY).then_some(bound));
        }
        let mut histogram = Histogram {
            schema: CUSTOM_BUCKETS_SCHEMA,
            sum: self.sum,
            count,
            custom_values,
            positive_spans: vec![Span {
                offset: 0,
                length: u32::try_from(positive.len()).unwrap(),
            }],
            positive,
            ..Histogram::default()
        };
        compact(&mut histogram);
        histogram
    }
}
