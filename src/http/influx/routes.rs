//! The paths of this product, and what all its answers have.

use axum::{
    body::Body,
    extract::State,
    routing::{get, post},
};
use hyper::{HeaderMap, Response, StatusCode, header::HeaderValue};

use crate::http::influx::{query, write};
use crate::http::{
    answer::{JSON, answer, done},
    routes::{Routes, Scope, Shared},
};

pub(in crate::http) fn routes(routes: Routes) -> Routes {
    routes
        .refusing(write::refusal_v2)
        .add(Scope::Write, "/api/v2/write", post(write::v2))
        .refusing(write::refusal_v1)
        .with_parameters()
        .add(Scope::Write, "/write", post(write::v1))
        .add(Scope::Open, "/ping", get(ping).post(ping))
        .add(Scope::Read, "/query", get(query::query).post(query::query))
}

/// The version of the protocol's last server that all clients know, and ours.
const VERSION: &str = concat!("1.8.10-quipu-", env!("CARGO_PKG_VERSION"));

/// Adds what Influx clients read in every answer.
pub(super) fn marked(mut response: Response<Body>) -> Response<Body> {
    let headers: &mut HeaderMap = response.headers_mut();
    headers.insert("x-influxdb-version", HeaderValue::from_static(VERSION));
    headers.insert("x-influxdb-build", HeaderValue::from_static("OSS"));
    response
}

async fn ping(State(_): State<Shared>, uri: hyper::Uri) -> Response<Body> {
    let is_verbose = uri.query().is_some_and(|query| query.contains("verbose=true"));
    if is_verbose {
        let body = format!(r#"{{"version":"{VERSION}"}}"#);
        return marked(answer(StatusCode::OK, JSON, body));
    }
    marked(done())
}
