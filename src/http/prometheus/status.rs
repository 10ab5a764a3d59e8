//! What the server says of itself to tools that know Prometheus.

use axum::{
    body::Body,
    extract::{Request, State},
};
use hyper::{Response, StatusCode};
use serde::Serialize;

use crate::http::{
    Error,
    answer::{JSON, answer},
    outlet::Page,
    prometheus::envelope::success,
    question::{self, Job, asked},
    routes::Shared,
};
use crate::model::{Cardinality, Scope, Timestamp};

fn told<T: Serialize>(data: &T) -> Result<Vec<u8>, Error> {
    let json = serde_json::to_vec(data).map_err(|error| Error::Internal(error.to_string()))?;
    Ok(success(&[], &[], |out| out.extend_from_slice(&json)))
}

pub(super) fn shown<T: Serialize>(data: &T) -> Result<Response<Body>, Error> {
    Ok(answer(StatusCode::OK, JSON, told(data)?))
}

/// Data sources decide by this what to ask for. `features` stays empty: a filled one makes Grafana
/// take the server for a Mimir with a ruler API.
pub(super) async fn build() -> Result<Response<Body>, Error> {
    shown(&build_data())
}

pub(super) fn build_data() -> serde_json::Value {
    serde_json::json!({
        "application": "Quipu",
        "version": env!("CARGO_PKG_VERSION"),
        "revision": "",
        "branch": "",
        "buildUser": "",
        "buildDate": "",
        "goVersion": "",
        "features": {},
    })
}

pub(super) async fn runtime(State(context): State<Shared>) -> Result<Response<Body>, Error> {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let flag = |name: &str| {
        let flags = context.options.flags.iter();
        flags.clone().find(|(there, _)| there == name).map(|(_, value)| value.as_str())
    };
    let reload = context.control.last_reload();
    shown(&serde_json::json!({
        "startTime": rfc3339(context.started_ms),
        "serverTime": rfc3339(context.now_ms()),
        "reloadConfigSuccess": reload.is_good,
        "lastConfigTime": rfc3339(reload.good_ms),
        "CWD": std::env::current_dir().unwrap_or_default(),
        "GOMAXPROCS": threads,
        "storageRetention": flag("retention").unwrap_or(""),
    }))
}

pub(super) async fn flags(State(context): State<Shared>) -> Result<Response<Body>, Error> {
    let flags: serde_json::Map<String, serde_json::Value> = context
        .options
        .flags
        .iter()
        .map(|(name, value)| (name.clone(), value.as_str().into()))
        .collect();
    shown(&flags)
}

/// What is in effect, secrets left out.
pub(super) async fn config(State(context): State<Shared>) -> Result<Response<Body>, Error> {
    shown(&serde_json::json!({ "yaml": context.control.config() }))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Tsdb<'a> {
    head_stats: HeadStats,
    series_count_by_metric_name: Vec<Named<'a>>,
    label_value_count_by_label_name: Vec<Named<'a>>,
    memory_in_bytes_by_label_name: Vec<Named<'a>>,
    series_count_by_label_value_pair: Vec<Named<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HeadStats {
    num_series: u64,
    num_label_pairs: u64,
    num_rows: u64,
    min_time: i64,
    max_time: i64,
}

#[derive(Serialize)]
struct Named<'a> {
    name: &'a str,
    value: u64,
}

/// Entries of a list of cardinalities.
const CARDINALITY_MAX: usize = 10_000;

pub(super) async fn cardinality(
    State(context): State<Shared>,
    request: Request,
) -> Result<Response<Body>, Error> {
    let asked = asked(&context, request).await?;
    let limit = match asked.params.get("limit").map(str::parse::<usize>) {
        None => 10,
        Some(Ok(limit)) if (1..=CARDINALITY_MAX).contains(&limit) => limit,
        Some(Ok(limit)) if limit > 0 => {
            return Err(Error::Bad(format!("limit must not exceed {CARDINALITY_MAX}")));
        }
        Some(_) => return Err(Error::Bad("limit must be a positive number".into())),
    };
    question::answer(&context, Job::json(&context, &asked), move |context, _, outlet| {
        let counted = context.doors.source.cardinality(&Scope::METRICS, limit);
        *outlet.out() = told(&tsdb(&counted))?;
        Ok(())
    })
    .await
}

fn tsdb(counted: &Cardinality) -> Tsdb<'_> {
    // Prometheus shows these where its head is empty.
    let (first, last) = counted.time.unwrap_or((i64::MAX, i64::MIN));
    let ends = counted.time.is_some();
    Tsdb {
        head_stats: HeadStats {
            num_series: counted.series,
            num_label_pairs: counted.label_pairs,
            num_rows: counted.head_rows,
            min_time: if ends { Timestamp(first).millis() } else { first },
            max_time: if ends { Timestamp(last).millis() } else { last },
        },
        series_count_by_metric_name: names(&counted.by_metric),
        label_value_count_by_label_name: names(&counted.values_by_name),
        memory_in_bytes_by_label_name: names(&counted.bytes_by_name),
        series_count_by_label_value_pair: names(&counted.by_pair),
    }
}

fn names(list: &[(String, u64)]) -> Vec<Named<'_>> {
    list.iter().map(|(name, value)| Named { name, value: *value }).collect()
}

/// `2026-11-23T08:30:00.5Z`, to the nanosecond, as Go writes it.
pub(super) fn rfc3339_nanos(nanos: i64) -> String {
    let (millis, fraction) = (nanos.div_euclid(1_000_000), nanos.rem_euclid(1_000_000_000));
    let whole = rfc3339(millis);
    if fraction == 0 {
        return whole;
    }
    let digits = format!("{fraction:09}");
    format!("{}.{}Z", whole.trim_end_matches('Z'), digits.trim_end_matches('0'))
}

/// `2026-11-23T08:30:00Z` of milliseconds since 1970.
pub fn rfc3339(millis: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(millis).unwrap_or_default();
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::parse_time;

    #[test]
    fn dates_read_back() {
        for millis in [0, 951_782_400_000, 1_435_781_451_000, -86_400_000, 4_102_444_799_000] {
            assert_eq!(parse_time(&rfc3339(millis)), Some(millis), "{}", rfc3339(millis));
        }
    }
}
