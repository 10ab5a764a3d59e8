//! What the server says of itself to tools that know Prometheus.

use axum::{
    body::Body,
    extract::{Request, State},
};
use hyper::{Response, StatusCode};
use serde::Serialize;

use crate::http::{
    Error,
    answer::{JSON, accepts_gzip, answer, packed},
    prometheus::{envelope::success, scope::limit},
    question::{asked, run},
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
    shown(&serde_json::json!({
        "application": "Quipu",
        "version": env!("CARGO_PKG_VERSION"),
        "revision": "",
        "branch": "",
        "buildUser": "",
        "buildDate": "",
        "goVersion": "",
        "features": {},
    }))
}

pub(super) async fn runtime(State(context): State<Shared>) -> Result<Response<Body>, Error> {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let flag = |name: &str| {
        let flags = context.options.flags.iter();
        flags.clone().find(|(there, _)| there == name).map(|(_, value)| value.as_str())
    };
    shown(&serde_json::json!({
        "startTime": rfc3339(context.started_ms),
        "serverTime": rfc3339(context.now_ms()),
        "reloadConfigSuccess": true,
        "lastConfigTime": rfc3339(context.started_ms),
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

/// There is no configuration file yet: the flags say it all.
pub(super) async fn config() -> Result<Response<Body>, Error> {
    shown(&serde_json::json!({ "yaml": "" }))
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

pub(super) async fn cardinality(
    State(context): State<Shared>,
    request: Request,
) -> Result<Response<Body>, Error> {
    let asked = asked(&context, request).await?;
    let limit = match limit(&asked.params)? {
        0 => 10,
        limit => limit.min(10_000),
    };
    let gzip = accepts_gzip(&asked.head.headers);
    run(&context, None, move |context, _| {
        let counted = context.doors.source.cardinality(&Scope::METRICS, limit);
        Ok(packed(JSON, told(&tsdb(&counted))?, gzip))
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

/// `2026-11-23T08:30:00Z`. Civil date from days: Howard Hinnant, `civil_from_days`.
fn rfc3339(millis: i64) -> String {
    let (days, second) = (millis.div_euclid(86_400_000), millis.rem_euclid(86_400_000) / 1000);
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
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
