//! Is it alive, is it ready, what does it count.
//!
//! `/ready` and `/health` have the form that clients of `InfluxDB` 2 read; others look at the status.

use axum::{
    body::Body,
    extract::{Request, State},
};
use hyper::{Response, StatusCode};

use crate::http::{
    Error,
    answer::{JSON, Packing, TEXT, answer, packed},
    metrics::write_text,
    routes::Shared,
};

/// What the text format says it is.
const EXPOSITION: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(super) async fn ready(State(context): State<Shared>) -> Response<Body> {
    let up_s = (context.now_ms() - context.started_ms).max(0) / 1000;
    answer(StatusCode::OK, JSON, format!(r#"{{"status":"ready","up":"{up_s}s"}}"#))
}

pub(super) async fn health() -> Response<Body> {
    let version = env!("CARGO_PKG_VERSION");
    let body = format!(
        r#"{{"name":"quipu","message":"ready for queries and writes","status":"pass","checks":[],"version":"{version}"}}"#
    );
    answer(StatusCode::OK, JSON, body)
}

pub(super) async fn plain_ready() -> Response<Body> {
    answer(StatusCode::OK, TEXT, "Quipu is ready.\n")
}

pub(super) async fn plain_healthy() -> Response<Body> {
    answer(StatusCode::OK, TEXT, "Quipu is healthy.\n")
}

pub(super) async fn metrics(
    State(context): State<Shared>,
    request: Request,
) -> Result<Response<Body>, Error> {
    let packing = Packing::of(request.headers());
    let mut body = Vec::with_capacity(16 << 10);
    write_text(&context.metrics.samples(), &mut body);
    Ok(packed(EXPOSITION, body, packing))
}
