//! Requests to batches: each kind of metric, each option, each refusal, both forms.

mod any;
mod rows;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::oracle::{
    Buckets, Data, Exemplar, Exponential, ExponentialPoint, Gauge, Histogram, HistogramPoint,
    KeyValue, Metric, Number, Quantile, Request, Resource, ResourceMetrics, Scope, ScopeMetrics,
    Sum, Summary, SummaryPoint, attributes, encode, to_json,
};
use super::{Config, Form, Receiver, Sent};
use crate::ingest::{self, Error, Intake, LabelBook, Report, Session};
use crate::model::{Batch, Labels, SeriesRef, TenantId, Timestamp};

const SECOND: u64 = 1_000_000_000;
const DELTA: i32 = 1;
const CUMULATIVE: i32 = 2;

/// A store in memory, and the door to it.
struct House {
    receiver: Receiver,
    limits: ingest::Config,
    book: LabelBook,
    session: Session,
    batch: Batch,
}

impl House {
    fn new(config: Config) -> Self {
        Self {
            receiver: Receiver::new(config),
            limits: ingest::Config::default(),
            book: LabelBook::default(),
            session: Session::new(),
            batch: Batch::default(),
        }
    }

    fn send(&mut self, form: Form, body: &[u8]) -> Result<Report, Error> {
        let intake =
            Intake { config: &self.limits, registry: &self.book, tenant: TenantId::default() };
        let now = Timestamp(10 * SECOND.cast_signed());
        self.receiver.decode(Sent { form, body, now }, &mut self.session, &intake, &mut self.batch)
    }

    fn take(&mut self, request: &Request) -> Report {
        self.send(Form::Protobuf, &encode(request)).unwrap()
    }

    fn labels(&self, series: SeriesRef) -> Labels {
        self.book.labels(series).unwrap()
    }

    /// `{labels} value @ seconds`, sorted; a start follows after `from`.
    fn rows(&self) -> Vec<String> {
        let rows = &self.batch.rows;
        let mut out = Vec::new();
        for (series, range) in rows.runs() {
            for row in range {
                let start = rows.starts().get(row).copied().unwrap_or(0);
                let from = if start == 0 { String::new() } else { format!(" from {}", at(start)) };
                let value = rows.values()[row];
                let value =
                    if crate::model::is_stale(value) { "stale".into() } else { value.to_string() };
                out.push(format!(
                    "{} {value} @ {}{from}",
                    shown(&self.labels(series)),
                    at(rows.times()[row])
                ));
            }
        }
        out.sort();
        out
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = (0..self.book.len() as u64)
            .map(|series| shown(&self.labels(SeriesRef(series))))
            .collect();
        names.sort();
        names
    }
}

fn at(nanos: i64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "whole seconds")]
    let seconds = nanos as f64 / 1e9;
    seconds.to_string()
}

fn shown(labels: &Labels) -> String {
    let pairs = labels.iter().filter(|(name, _)| *name != "__name__");
    let pairs: Vec<_> = pairs.map(|(name, value)| format!("{name}={value}")).collect();
    format!("{}{{{}}}", labels.metric(), pairs.join(","))
}

fn keyed(value: &Value) -> Vec<KeyValue> {
    attributes(value.as_object().unwrap())
}

/// A request of one resource without a name, and one scope.
fn request(metrics: Vec<Metric>) -> Request {
    described(&json!({}), Scope::default(), metrics)
}

fn described(resource: &Value, scope: Scope, metrics: Vec<Metric>) -> Request {
    let scope_metrics =
        vec![ScopeMetrics { scope: Some(scope), metrics, schema_url: "https://schema".into() }];
    let resource = Some(Resource { attributes: keyed(resource) });
    Request {
        resource_metrics: vec![ResourceMetrics {
            resource,
            scope_metrics,
            schema_url: String::new(),
        }],
    }
}

fn metric(name: &str, unit: &str, data: Data) -> Metric {
    Metric {
        name: name.into(),
        description: format!("What {name} is."),
        unit: unit.into(),
        data: Some(data),
    }
}

fn gauge(data_points: Vec<Number>) -> Data {
    Data::Gauge(Gauge { data_points })
}

fn counter(temporality: i32, data_points: Vec<Number>) -> Data {
    Data::Sum(Sum { data_points, temporality, is_monotonic: true })
}

/// A data point at some second, of what is counted since second 1.
fn number(time: u64, value: f64, found: &Value) -> Number {
    Number {
        start: SECOND,
        time: time * SECOND,
        as_double: Some(value),
        attributes: keyed(found),
        ..Number::default()
    }
}

fn buckets(time: u64, counts: &[u64], bounds: &[f64]) -> HistogramPoint {
    HistogramPoint {
        start: SECOND,
        time: time * SECOND,
        count: counts.iter().sum(),
        sum: Some(12.5),
        counts: counts.to_vec(),
        bounds: bounds.to_vec(),
        ..HistogramPoint::default()
    }
}

fn histogram(temporality: i32, data_points: Vec<HistogramPoint>) -> Data {
    Data::Histogram(Histogram { data_points, temporality })
}

fn exponents(time: u64, scale: i32, offset: i32, counts: &[u64]) -> ExponentialPoint {
    ExponentialPoint {
        start: SECOND,
        time: time * SECOND,
        count: counts.iter().sum(),
        sum: Some(12.5),
        scale,
        positive: Some(Buckets { offset, counts: counts.to_vec() }),
        ..ExponentialPoint::default()
    }
}

fn exponential(temporality: i32, data_points: Vec<ExponentialPoint>) -> Data {
    Data::Exponential(Exponential { data_points, temporality })
}
