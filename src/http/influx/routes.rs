//! The paths of this product, and what all its answers have.

use axum::{
    body::Body,
    extract::State,
    routing::{get, post},
};
use hyper::{HeaderMap, Response, StatusCode, header::HeaderValue};

use crate::http::influx::{buckets, delete::delete, query, write};
use crate::http::{
    answer::{JSON, answer, done},
    routes::{Routes, Scope, Shared},
};

pub(in crate::http) fn routes(routes: Routes) -> Routes {
    routes
        .refusing(write::refusal_v2)
        .add(Scope::Write, "/api/v2/write", post(write::v2))
        .add(Scope::Open, "/settings", get(settings))
        .add(Scope::Read, "/api/v2/buckets", get(buckets::list).post(buckets::create))
        .add(Scope::Read, "/api/v2/orgs", get(buckets::organisations))
        .add(Scope::Admin, "/api/v2/delete", post(delete))
        .refusing(write::refusal_v1)
        .with_parameters()
        .add(Scope::Write, "/write", post(write::v1))
        .add(Scope::Write, "/api/v3/write_lp", post(write::v3))
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

/// What `QuestDB`'s clients ask first: version 1 of the line protocol is text, version 2 is not.
const SETTINGS: &str = concat!(
    r#"{"config":{"release.type":"OSS","release.version":"quipu-"#,
    env!("CARGO_PKG_VERSION"),
    r#"","acceptable line protocol":[1],"line.proto.support.versions":[1],"#,
    r#""ilp.proto.transports":["http"]},"preferences.version":0,"preferences":{}}"#
);

async fn settings() -> Response<Body> {
    marked(answer(StatusCode::OK, JSON, SETTINGS))
}

async fn ping(State(_): State<Shared>, uri: hyper::Uri) -> Response<Body> {
    let is_verbose = uri.query().is_some_and(|query| query.contains("verbose=true"));
    if is_verbose {
        let body = format!(r#"{{"version":"{VERSION}"}}"#);
        return marked(answer(StatusCode::OK, JSON, body));
    }
    marked(done())
}
