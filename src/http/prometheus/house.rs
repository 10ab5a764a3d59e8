//! What the server says of its files, its log, its own metrics, and of what it can do.

use std::collections::BTreeMap;

use axum::{
    body::Body,
    extract::{Request, State},
};
use hyper::{Response, StatusCode};
use query_lang::{Aggregation, BinaryOp, Function};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use crate::http::{
    Context, Error, Kind, RowFile, Sample,
    answer::{JSON, answer},
    outlet::Page,
    prometheus::{envelope::success, status::shown},
    question::{self, Job, asked},
    routes::Shared,
};
use crate::model::{Error as Failure, Timestamp};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Block {
    ulid: String,
    min_time: i64,
    /// The ms after the last row.
    max_time: i64,
    stats: BlockStats,
    compaction: Compaction,
    version: u8,
    /// Ours: part or block.
    kind: &'static str,
    bytes: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BlockStats {
    num_samples: u64,
    num_series: u64,
}

#[derive(Serialize)]
struct Compaction {
    level: u8,
    sources: Vec<String>,
}

fn block(file: &RowFile) -> Block {
    let (first, last) = (Timestamp(file.times.0).millis(), Timestamp(file.times.1).millis());
    let ulid = ulid(last, file.id);
    Block {
        min_time: first,
        max_time: last.saturating_add(1),
        stats: BlockStats { num_samples: file.rows, num_series: file.series },
        compaction: Compaction { level: 1 + u8::from(file.is_block), sources: vec![ulid.clone()] },
        ulid,
        version: 1,
        kind: if file.is_block { "block" } else { "part" },
        bytes: file.bytes,
    }
}

/// A time of 48 bits and a number, in 26 digits to the base of 32.
fn ulid(millis: i64, id: u64) -> String {
    const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let time = u128::from(millis.max(0).cast_unsigned() & 0xffff_ffff_ffff);
    let bits = time << 80 | u128::from(id);
    let digit =
        |i: u32| DIGITS.get((bits >> (5 * i) & 31) as usize).copied().map_or('0', char::from);
    (0..26).rev().map(digit).collect()
}

/// Asks the store where blocking is allowed.
async fn of_store<T: Send + 'static>(
    context: &Shared,
    ask: impl FnOnce(&Context) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Error> {
    let inside = Shared::clone(context);
    let done = spawn_blocking(move || ask(&inside)).await;
    done.map_err(|panic| Error::Internal(panic.to_string()))?.map_err(Error::of_question)
}

pub(super) async fn blocks(State(context): State<Shared>) -> Result<Response<Body>, Error> {
    let files = of_store(&context, |context| Ok(context.doors.operations.row_files())).await?;
    let blocks: Vec<Block> = files.iter().map(block).collect();
    shown(&json!({ "blocks": blocks }))
}

/// The log was read when this is answered: while it is, nothing is.
pub(super) async fn wal_replay(State(context): State<Shared>) -> Result<Response<Body>, Error> {
    let segments = of_store(&context, |context| context.doors.operations.log_segments()).await?;
    let (first, last) = segments.unwrap_or((0, 0));
    shown(&json!({ "min": first, "max": last, "current": last }))
}

pub(super) async fn version() -> Response<Body> {
    answer(StatusCode::OK, JSON, super::status::build_data().to_string())
}

/// What the server counts of itself, as JSON of `io.prometheus.client.MetricFamily`.
pub(super) async fn self_metrics(
    State(context): State<Shared>,
    request: Request,
) -> Result<Response<Body>, Error> {
    let asked = asked(&context, request).await?;
    let pattern = asked.params.get("metric_name_pattern").map(|pattern| {
        regex::Regex::new(&format!("^(?:{pattern})$"))
            .map_err(|error| Error::Bad(format!("invalid metric_name_pattern: {error}")))
    });
    let pattern = pattern.transpose()?;
    question::answer(&context, Job::json(&context, &asked), move |context, _, outlet| {
        let samples = context.metrics.samples();
        let is_wanted = |name: &str| pattern.as_ref().is_none_or(|pattern| pattern.is_match(name));
        let families = families(samples.iter().filter(|sample| is_wanted(sample.family)));
        *outlet.out() = success(&[], &[], |out| {
            out.extend_from_slice(Value::Array(families).to_string().as_bytes());
        });
        Ok(())
    })
    .await
}

/// Families with their metrics; the samples of one family stand together.
fn families<'a>(samples: impl Iterator<Item = &'a Sample>) -> Vec<Value> {
    let mut families: Vec<(&Sample, Vec<Value>)> = Vec::new();
    let mut histogram: Option<(Vec<Value>, Vec<Value>, Value)> = None;
    for sample in samples {
        if families.last().is_none_or(|(first, _)| first.family != sample.family) {
            families.push((sample, Vec::new()));
        }
        let Some((_, metrics)) = families.last_mut() else { continue };
        let labels: Vec<Value> = sample
            .labels
            .iter()
            .filter(|(name, _)| *name != "le")
            .map(|(name, value)| json!({ "name": name, "value": value }))
            .collect();
        match (sample.kind, sample.suffix) {
            (Kind::Counter, _) => {
                metrics
                    .push(json!({ "label": labels, "counter": { "value": number(sample.value) } }));
            }
            (Kind::Gauge, _) => {
                metrics
                    .push(json!({ "label": labels, "gauge": { "value": number(sample.value) } }));
            }
            (Kind::Histogram, "_bucket") => {
                let bound = sample.labels.iter().find(|(name, _)| *name == "le");
                let bound = bound.and_then(|(_, value)| value.parse::<f64>().ok());
                let (_, buckets, _) =
                    histogram.get_or_insert_with(|| (labels, Vec::new(), json!(0)));
                buckets.push(json!({
                    "cumulativeCount": whole(sample.value),
                    "upperBound": number(bound.unwrap_or(f64::INFINITY)),
                }));
            }
            (Kind::Histogram, "_sum") => {
                if let Some((_, _, sum)) = &mut histogram {
                    *sum = number(sample.value);
                }
            }
            (Kind::Histogram, _) => {
                if let Some((labels, bucket, sum)) = histogram.take() {
                    let histogram = json!({
                        "sampleCount": whole(sample.value), "sampleSum": sum, "bucket": bucket,
                    });
                    metrics.push(json!({ "label": labels, "histogram": histogram }));
                }
            }
        }
    }
    let family = |(first, metric): (&Sample, Vec<Value>)| {
        let kind = match first.kind {
            Kind::Counter => "COUNTER",
            Kind::Gauge => "GAUGE",
            Kind::Histogram => "HISTOGRAM",
        };
        json!({ "name": first.family, "help": first.help, "type": kind, "metric": metric })
    };
    families.into_iter().map(family).collect()
}

/// A float as protobuf's JSON has it: what is none of JSON's numbers is a text.
fn number(value: f64) -> Value {
    if value.is_nan() {
        json!("NaN")
    } else if value.is_infinite() {
        json!(if value > 0.0 { "Infinity" } else { "-Infinity" })
    } else {
        json!(value)
    }
}

/// A number of 64 bits, which is a text there.
fn whole(value: f64) -> Value {
    json!(format!("{value:.0}"))
}

type Features = BTreeMap<&'static str, BTreeMap<&'static str, bool>>;

/// What this server can do, under the names that Prometheus has for it.
pub(super) async fn features(State(context): State<Shared>) -> Result<Response<Body>, Error> {
    let allows_quit =
        context.options.flags.iter().any(|(name, value)| name == "allow-quit" && value == "true");
    let on = |names: &[&'static str]| names.iter().map(|name| (*name, true)).collect();
    let mut features: Features = BTreeMap::from([
        (
            "api",
            on(&[
                "admin",
                "exclude_alerts",
                "label_values_match",
                "openapi_3.1",
                "otlp_write_receiver",
                "query_stats",
                "query_warnings",
                "remote_write_receiver",
                "search",
                "search_fuzz_alg_jarowinkler",
                "search_fuzz_alg_subsequence",
                "time_range_labels",
                "time_range_series",
            ]),
        ),
        ("otlp_receiver", on(&["delta_conversion"])),
        ("prometheus", on(&[if context.options.is_agent { "agent_mode" } else { "server_mode" }])),
        (
            "promql",
            on(&[
                "anchored",
                "at_modifier",
                "bool",
                "by",
                "delayed_name_removal",
                "duration_expr",
                "fill",
                "fill_left",
                "fill_right",
                "group_left",
                "group_right",
                "ignoring",
                "negative_offset",
                "offset",
                "on",
                "per_query_lookback_delta",
                "per_step_stats",
                "smoothed",
                "subqueries",
                "without",
            ]),
        ),
        ("tsdb", on(&["exemplar_storage", "isolation", "native_histograms", "st_storage"])),
    ]);
    features.entry("api").or_default().insert("lifecycle", allows_quit);
    let functions = Function::ALL.iter().map(|function| (function.name(), true));
    features.insert("promql_functions", functions.collect());
    let operators = OPERATORS.iter().map(|op| (op.symbol(), true));
    let aggregations = Aggregation::ALL.iter().map(|op| (op.name(), true));
    features.insert("promql_operators", operators.chain(aggregations).collect());
    shown(&features)
}

const OPERATORS: [BinaryOp; 18] = [
    BinaryOp::Add,
    BinaryOp::Sub,
    BinaryOp::Mul,
    BinaryOp::Div,
    BinaryOp::Mod,
    BinaryOp::Pow,
    BinaryOp::Atan2,
    BinaryOp::Equal,
    BinaryOp::NotEqual,
    BinaryOp::Less,
    BinaryOp::LessEqual,
    BinaryOp::Greater,
    BinaryOp::GreaterEqual,
    BinaryOp::TrimUpper,
    BinaryOp::TrimLower,
    BinaryOp::And,
    BinaryOp::Or,
    BinaryOp::Unless,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_has_the_keys_of_its_meta_json() {
        let file = RowFile {
            id: 7,
            is_block: true,
            times: (1_000_000, 9_999_999),
            series: 2,
            rows: 5,
            bytes: 99,
        };
        let json = serde_json::to_value(block(&file)).unwrap();
        assert_eq!((&json["minTime"], &json["maxTime"]), (&json!(1), &json!(10)));
        assert_eq!(
            (&json["stats"]["numSamples"], &json["compaction"]["level"]),
            (&json!(5), &json!(2))
        );
        assert_eq!(json["ulid"].as_str().unwrap().len(), 26);
        assert!(ulid(10, 7) > ulid(9, 8) && ulid(9, 8) > ulid(9, 7));
    }

    #[test]
    fn families_have_the_form_of_protobufs_json() {
        let sample = |kind, suffix, labels, value| Sample {
            family: if kind == Kind::Histogram { "h" } else { "c" },
            help: "Help.",
            kind,
            suffix,
            labels,
            value,
        };
        let samples = [
            sample(Kind::Counter, "", vec![("a", "b".into())], f64::NAN),
            sample(Kind::Histogram, "_bucket", vec![("le", "0.5".into())], 1.0),
            sample(Kind::Histogram, "_bucket", vec![("le", "+Inf".into())], 3.0),
            sample(Kind::Histogram, "_sum", Vec::new(), 2.5),
            sample(Kind::Histogram, "_count", Vec::new(), 3.0),
        ];
        let expected = json!([
            { "name": "c", "help": "Help.", "type": "COUNTER", "metric": [
                { "label": [{ "name": "a", "value": "b" }], "counter": { "value": "NaN" } },
            ] },
            { "name": "h", "help": "Help.", "type": "HISTOGRAM", "metric": [
                { "label": [], "histogram": { "sampleCount": "3", "sampleSum": 2.5, "bucket": [
                    { "cumulativeCount": "1", "upperBound": 0.5 },
                    { "cumulativeCount": "3", "upperBound": "Infinity" },
                ] } },
            ] },
        ]);
        assert_eq!(Value::Array(families(samples.iter())), expected);
    }
}
