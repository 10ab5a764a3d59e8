//! The messages as another implementation writes them, in both forms: prost for protobuf, and JSON by
//! the mapping that the specification gives.

use prost::{Message, Oneof};
use serde_json::{Value, json};

use crate::ingest::otlp::encodings::{put_base64, put_hex};

pub(super) fn encode(message: &impl Message) -> Vec<u8> {
    message.encode_to_vec()
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Request {
    #[prost(message, repeated, tag = "1")]
    pub(super) resource_metrics: Vec<ResourceMetrics>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ResourceMetrics {
    #[prost(message, optional, tag = "1")]
    pub(super) resource: Option<Resource>,
    #[prost(message, repeated, tag = "2")]
    pub(super) scope_metrics: Vec<ScopeMetrics>,
    #[prost(string, tag = "3")]
    pub(super) schema_url: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Resource {
    #[prost(message, repeated, tag = "1")]
    pub(super) attributes: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ScopeMetrics {
    #[prost(message, optional, tag = "1")]
    pub(super) scope: Option<Scope>,
    #[prost(message, repeated, tag = "2")]
    pub(super) metrics: Vec<Metric>,
    #[prost(string, tag = "3")]
    pub(super) schema_url: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Scope {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) version: String,
    #[prost(message, repeated, tag = "3")]
    pub(super) attributes: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Metric {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) description: String,
    #[prost(string, tag = "3")]
    pub(super) unit: String,
    #[prost(oneof = "Data", tags = "5, 7, 9, 10, 11")]
    pub(super) data: Option<Data>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(super) enum Data {
    #[prost(message, tag = "5")]
    Gauge(Gauge),
    #[prost(message, tag = "7")]
    Sum(Sum),
    #[prost(message, tag = "9")]
    Histogram(Histogram),
    #[prost(message, tag = "10")]
    Exponential(Exponential),
    #[prost(message, tag = "11")]
    Summary(Summary),
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Gauge {
    #[prost(message, repeated, tag = "1")]
    pub(super) data_points: Vec<Number>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Sum {
    #[prost(message, repeated, tag = "1")]
    pub(super) data_points: Vec<Number>,
    #[prost(int32, tag = "2")]
    pub(super) temporality: i32,
    #[prost(bool, tag = "3")]
    pub(super) is_monotonic: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Histogram {
    #[prost(message, repeated, tag = "1")]
    pub(super) data_points: Vec<HistogramPoint>,
    #[prost(int32, tag = "2")]
    pub(super) temporality: i32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Exponential {
    #[prost(message, repeated, tag = "1")]
    pub(super) data_points: Vec<ExponentialPoint>,
    #[prost(int32, tag = "2")]
    pub(super) temporality: i32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Summary {
    #[prost(message, repeated, tag = "1")]
    pub(super) data_points: Vec<SummaryPoint>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Number {
    #[prost(fixed64, tag = "2")]
    pub(super) start: u64,
    #[prost(fixed64, tag = "3")]
    pub(super) time: u64,
    #[prost(double, optional, tag = "4")]
    pub(super) as_double: Option<f64>,
    #[prost(message, repeated, tag = "5")]
    pub(super) exemplars: Vec<Exemplar>,
    #[prost(sfixed64, optional, tag = "6")]
    pub(super) as_int: Option<i64>,
    #[prost(message, repeated, tag = "7")]
    pub(super) attributes: Vec<KeyValue>,
    #[prost(uint32, tag = "8")]
    pub(super) flags: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct HistogramPoint {
    #[prost(fixed64, tag = "2")]
    pub(super) start: u64,
    #[prost(fixed64, tag = "3")]
    pub(super) time: u64,
    #[prost(fixed64, tag = "4")]
    pub(super) count: u64,
    #[prost(double, optional, tag = "5")]
    pub(super) sum: Option<f64>,
    #[prost(fixed64, repeated, tag = "6")]
    pub(super) counts: Vec<u64>,
    #[prost(double, repeated, tag = "7")]
    pub(super) bounds: Vec<f64>,
    #[prost(message, repeated, tag = "8")]
    pub(super) exemplars: Vec<Exemplar>,
    #[prost(message, repeated, tag = "9")]
    pub(super) attributes: Vec<KeyValue>,
    #[prost(uint32, tag = "10")]
    pub(super) flags: u32,
    #[prost(double, optional, tag = "11")]
    pub(super) min: Option<f64>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ExponentialPoint {
    #[prost(message, repeated, tag = "1")]
    pub(super) attributes: Vec<KeyValue>,
    #[prost(fixed64, tag = "2")]
    pub(super) start: u64,
    #[prost(fixed64, tag = "3")]
    pub(super) time: u64,
    #[prost(fixed64, tag = "4")]
    pub(super) count: u64,
    #[prost(double, optional, tag = "5")]
    pub(super) sum: Option<f64>,
    #[prost(sint32, tag = "6")]
    pub(super) scale: i32,
    #[prost(fixed64, tag = "7")]
    pub(super) zero_count: u64,
    #[prost(message, optional, tag = "8")]
    pub(super) positive: Option<Buckets>,
    #[prost(message, optional, tag = "9")]
    pub(super) negative: Option<Buckets>,
    #[prost(uint32, tag = "10")]
    pub(super) flags: u32,
    #[prost(message, repeated, tag = "11")]
    pub(super) exemplars: Vec<Exemplar>,
    #[prost(double, tag = "14")]
    pub(super) zero_threshold: f64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Buckets {
    #[prost(sint32, tag = "1")]
    pub(super) offset: i32,
    #[prost(uint64, repeated, tag = "2")]
    pub(super) counts: Vec<u64>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct SummaryPoint {
    #[prost(fixed64, tag = "2")]
    pub(super) start: u64,
    #[prost(fixed64, tag = "3")]
    pub(super) time: u64,
    #[prost(fixed64, tag = "4")]
    pub(super) count: u64,
    #[prost(double, tag = "5")]
    pub(super) sum: f64,
    #[prost(message, repeated, tag = "6")]
    pub(super) quantiles: Vec<Quantile>,
    #[prost(message, repeated, tag = "7")]
    pub(super) attributes: Vec<KeyValue>,
    #[prost(uint32, tag = "8")]
    pub(super) flags: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Quantile {
    #[prost(double, tag = "1")]
    pub(super) quantile: f64,
    #[prost(double, tag = "2")]
    pub(super) value: f64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Exemplar {
    #[prost(fixed64, tag = "2")]
    pub(super) time: u64,
    #[prost(double, optional, tag = "3")]
    pub(super) as_double: Option<f64>,
    #[prost(bytes = "vec", tag = "4")]
    pub(super) span_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "5")]
    pub(super) trace_id: Vec<u8>,
    #[prost(sfixed64, optional, tag = "6")]
    pub(super) as_int: Option<i64>,
    #[prost(message, repeated, tag = "7")]
    pub(super) attributes: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct KeyValue {
    #[prost(string, tag = "1")]
    pub(super) key: String,
    #[prost(message, optional, tag = "2")]
    pub(super) value: Option<AnyValue>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct AnyValue {
    #[prost(oneof = "Any", tags = "1, 2, 3, 4, 5, 6, 7")]
    pub(super) any: Option<Any>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(super) enum Any {
    #[prost(string, tag = "1")]
    Text(String),
    #[prost(bool, tag = "2")]
    Bool(bool),
    #[prost(int64, tag = "3")]
    Int(i64),
    #[prost(double, tag = "4")]
    Double(f64),
    #[prost(message, tag = "5")]
    Array(Array),
    #[prost(message, tag = "6")]
    Map(Map),
    #[prost(bytes = "vec", tag = "7")]
    Bytes(Vec<u8>),
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Array {
    #[prost(message, repeated, tag = "1")]
    pub(super) values: Vec<AnyValue>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Map {
    #[prost(message, repeated, tag = "1")]
    pub(super) values: Vec<KeyValue>,
}

/// A value of OTLP from one of JSON.
pub(super) fn any_value(value: &Value) -> AnyValue {
    let any = match value {
        Value::Null => None,
        Value::Bool(value) => Some(Any::Bool(*value)),
        Value::Number(number) => Some(match number.as_i64() {
            Some(integer) => Any::Int(integer),
            None => Any::Double(number.as_f64().unwrap()),
        }),
        Value::String(text) => Some(Any::Text(text.clone())),
        Value::Array(values) => {
            Some(Any::Array(Array { values: values.iter().map(any_value).collect() }))
        }
        Value::Object(map) => Some(Any::Map(Map { values: attributes(map.iter()) })),
    };
    AnyValue { any }
}

/// Attributes from names and values of JSON.
pub(super) fn attributes<'a>(
    pairs: impl IntoIterator<Item = (&'a String, &'a Value)>,
) -> Vec<KeyValue> {
    let pair = |(key, value): (&String, &Value)| KeyValue {
        key: key.clone(),
        value: Some(any_value(value)),
    };
    pairs.into_iter().map(pair).collect()
}

/// The request in OTLP's JSON.
pub(super) fn to_json(request: &Request) -> Vec<u8> {
    let resources = list(&request.resource_metrics, |it| {
        json!({
            "resource": it.resource.as_ref().map(|it| json!({"attributes": pairs(&it.attributes)})),
            "scopeMetrics": list(&it.scope_metrics, |it| json!({
                "scope": it.scope.as_ref().map(|it| json!({
                    "name": it.name, "version": it.version, "attributes": pairs(&it.attributes)
                })),
                "metrics": list(&it.metrics, metric),
                "schemaUrl": it.schema_url,
            })),
            "schemaUrl": it.schema_url,
        })
    });
    serde_json::to_vec(&json!({"resourceMetrics": resources})).unwrap()
}

fn list<T>(items: &[T], of: impl Fn(&T) -> Value) -> Value {
    items.iter().map(of).collect()
}

fn metric(metric: &Metric) -> Value {
    let mut value = json!({
        "name": metric.name, "description": metric.description, "unit": metric.unit
    });
    let (name, data) = match &metric.data {
        None => return value,
        Some(Data::Gauge(it)) => ("gauge", json!({"dataPoints": list(&it.data_points, number)})),
        Some(Data::Sum(it)) => (
            "sum",
            json!({
                "dataPoints": list(&it.data_points, number),
                "aggregationTemporality": it.temporality,
                "isMonotonic": it.is_monotonic,
            }),
        ),
        Some(Data::Histogram(it)) => (
            "histogram",
            json!({
                "dataPoints": list(&it.data_points, histogram),
                "aggregationTemporality": if it.temporality == 2 {
                    json!("AGGREGATION_TEMPORALITY_CUMULATIVE")
                } else {
                    json!(it.temporality)
                },
            }),
        ),
        Some(Data::Exponential(it)) => (
            "exponentialHistogram",
            json!({
                "dataPoints": list(&it.data_points, exponential),
                "aggregationTemporality": it.temporality,
            }),
        ),
        Some(Data::Summary(it)) => {
            ("summary", json!({"dataPoints": list(&it.data_points, summary)}))
        }
    };
    value[name] = data;
    value
}

fn number(it: &Number) -> Value {
    json!({
        "startTimeUnixNano": it.start.to_string(), "timeUnixNano": it.time.to_string(),
        "asDouble": it.as_double.map(double), "asInt": it.as_int.map(|value| value.to_string()),
        "exemplars": list(&it.exemplars, exemplar), "attributes": pairs(&it.attributes),
        "flags": it.flags,
    })
}

fn histogram(it: &HistogramPoint) -> Value {
    json!({
        "startTimeUnixNano": it.start.to_string(), "timeUnixNano": it.time,
        "count": it.count.to_string(), "sum": it.sum.map(double),
        "bucketCounts": list(&it.counts, |count| json!(count.to_string())),
        "explicitBounds": list(&it.bounds, |bound| double(*bound)),
        "exemplars": list(&it.exemplars, exemplar), "attributes": pairs(&it.attributes),
        "flags": it.flags, "min": it.min.map(double),
    })
}

fn exponential(it: &ExponentialPoint) -> Value {
    let buckets = |it: &Buckets| json!({"offset": it.offset, "bucketCounts": list(&it.counts, |count| json!(count.to_string()))});
    json!({
        "startTimeUnixNano": it.start, "timeUnixNano": it.time.to_string(),
        "count": it.count, "sum": it.sum.map(double), "scale": it.scale,
        "zeroCount": it.zero_count.to_string(), "zeroThreshold": double(it.zero_threshold),
        "positive": it.positive.as_ref().map(buckets), "negative": it.negative.as_ref().map(buckets),
        "exemplars": list(&it.exemplars, exemplar), "attributes": pairs(&it.attributes),
        "flags": it.flags,
    })
}

fn summary(it: &SummaryPoint) -> Value {
    json!({
        "startTimeUnixNano": it.start, "timeUnixNano": it.time, "count": it.count,
        "sum": double(it.sum),
        "quantileValues": list(&it.quantiles, |it| json!({
            "quantile": double(it.quantile), "value": double(it.value)
        })),
        "attributes": pairs(&it.attributes), "flags": it.flags,
    })
}

fn exemplar(it: &Exemplar) -> Value {
    let hex = |bytes: &[u8]| {
        let mut out = String::new();
        put_hex(bytes, &mut out);
        out
    };
    json!({
        "timeUnixNano": it.time.to_string(), "asDouble": it.as_double.map(double),
        "asInt": it.as_int, "spanId": hex(&it.span_id), "traceId": hex(&it.trace_id),
        "filteredAttributes": pairs(&it.attributes),
    })
}

fn pairs(attributes: &[KeyValue]) -> Value {
    list(attributes, |it| json!({"key": it.key, "value": it.value.as_ref().map(any)}))
}

fn any(value: &AnyValue) -> Value {
    match &value.any {
        None => json!({}),
        Some(Any::Text(text)) => json!({"stringValue": text}),
        Some(Any::Bool(value)) => json!({"boolValue": value}),
        Some(Any::Int(value)) => json!({"intValue": value.to_string()}),
        Some(Any::Double(value)) => json!({"doubleValue": double(*value)}),
        Some(Any::Array(it)) => json!({"arrayValue": {"values": list(&it.values, any)}}),
        Some(Any::Map(it)) => json!({"kvlistValue": {"values": pairs(&it.values)}}),
        Some(Any::Bytes(bytes)) => {
            let mut out = String::new();
            put_base64(bytes, &mut out);
            json!({"bytesValue": out})
        }
    }
}

/// JSON has no word for some numbers; protobuf's mapping has.
fn double(value: f64) -> Value {
    if value.is_nan() {
        json!("NaN")
    } else if value.is_infinite() {
        json!(if value > 0.0 { "Infinity" } else { "-Infinity" })
    } else {
        json!(value)
    }
}
