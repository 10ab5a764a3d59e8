//! Which questions run, which cost most of late, and how one is ended: as `VictoriaMetrics` lists them.
//!
//! Beside its keys stand ours: who asked, from which panel of which dashboard, rows and bytes.

use std::time::Duration;

use axum::{
    body::Body,
    extract::{Request, State},
};
use hyper::{Response, StatusCode};
use serde_json::{Map, Value, json};

use crate::http::{
    Error,
    answer::{JSON, answer},
    prometheus::{moment, scope::whole},
    queries::{Cost, Listed, Origin},
    question::asked,
    routes::Shared,
};

/// Entries of a list of the dearest, unless it is said.
const TOP_COUNT: usize = 20;
const TOP_COUNT_MAX: usize = 1000;

/// How far back they are looked for, unless it is said.
const LIFETIME: Duration = Duration::from_mins(10);

pub(super) async fn active(State(context): State<Shared>) -> Response<Body> {
    let listed: Vec<Value> = context.queries.list().iter().map(of_running).collect();
    let body = json!({ "status": "ok", "data": listed });
    answer(StatusCode::OK, JSON, body.to_string())
}

fn of_running(it: &Listed) -> Value {
    let (start, end, step) = it.span;
    let state = if it.has_turn { "running" } else { "queued" };
    let mut entry = json!({
        "duration": format!("{:.3}s", it.took.as_secs_f64()),
        "id": format!("{:016X}", it.id),
        "remote_addr": it.address.map_or_else(String::new, |address| address.to_string()),
        "query": it.text,
        "start": start,
        "end": end,
        "step": step,
        "user": &*it.who,
        "state": state,
        "began": it.began_ms,
        "samples": it.samples,
        "memoryBytes": it.bytes,
    });
    if let Some(entry) = entry.as_object_mut() {
        entry.insert("origin".into(), Value::Object(of_origin(&it.origin)));
    }
    entry
}

fn of_origin(origin: &Origin) -> Map<String, Value> {
    origin.iter().map(|(name, value)| ((*name).to_owned(), value.as_str().into())).collect()
}

/// Ends a question: its asker gets status 499.
pub(super) async fn cancel(
    State(context): State<Shared>,
    request: Request,
) -> Result<Response<Body>, Error> {
    let path = request.uri().path();
    let id = path.strip_prefix("/api/v1/status/active_queries/").unwrap_or_default();
    let id = id.strip_suffix("/cancel").unwrap_or(id);
    let number = u64::from_str_radix(id, 16).map_err(|_| Error::Parameter {
        name: "id",
        why: format!("{:?} is no id of a query", id.chars().take(40).collect::<String>()),
    })?;
    context.queries.cancel(number)?;
    tracing::info!(id, "a query is ended by request");
    Ok(answer(StatusCode::OK, JSON, json!({ "status": "ok" }).to_string()))
}

pub(super) async fn top(
    State(context): State<Shared>,
    request: Request,
) -> Result<Response<Body>, Error> {
    let params = asked(&context, request).await?.params;
    let count = match params.get("topN") {
        Some(text) => whole("topN", text)?.min(TOP_COUNT_MAX),
        None => TOP_COUNT,
    };
    let lifetime = match moment::duration(&params, "maxLifetime")? {
        Some(millis) => Duration::from_millis(u64::try_from(millis).unwrap_or(0)),
        None => LIFETIME,
    };
    let costs = context.queries.costs(lifetime);
    let body = json!({
        "status": "ok",
        "topN": count.to_string(),
        "maxLifetime": format!("{:.3}s", lifetime.as_secs_f64()),
        "search.queryStats.lastQueriesCount": context.queries.kept_max(),
        "search.queryStats.minQueryDuration": "0s",
        "topByCount": top_by(&costs, count, |cost| u128::from(cost.count)),
        "topByAvgDuration": top_by(&costs, count, |cost| cost.mean().as_nanos()),
        "topBySumDuration": top_by(&costs, count, |cost| cost.took.as_nanos()),
        "topByAvgMemoryUsage": top_by(&costs, count, |cost| u128::from(cost.mean_bytes())),
        "topBySamples": top_by(&costs, count, |cost| u128::from(cost.samples)),
    });
    Ok(answer(StatusCode::OK, JSON, body.to_string()))
}

fn top_by(costs: &[Cost], count: usize, weight: impl Fn(&Cost) -> u128) -> Vec<Value> {
    let mut sorted: Vec<&Cost> = costs.iter().collect();
    sorted.sort_by(|a, b| {
        weight(b).cmp(&weight(a)).then_with(|| (&a.text, a.range_s).cmp(&(&b.text, b.range_s)))
    });
    sorted.into_iter().take(count).map(of_cost).collect()
}

fn of_cost(cost: &Cost) -> Value {
    let origins: Vec<Value> =
        cost.origins.iter().map(|origin| Value::Object(of_origin(origin))).collect();
    json!({
        "query": &*cost.text,
        "timeRangeSeconds": cost.range_s,
        "count": cost.count,
        "failed": cost.failed,
        "avgDurationSeconds": cost.mean().as_secs_f64(),
        "sumDurationSeconds": cost.took.as_secs_f64(),
        "maxDurationSeconds": cost.longest.as_secs_f64(),
        "avgMemoryBytes": cost.mean_bytes(),
        "samples": cost.samples,
        "origins": origins,
    })
}
