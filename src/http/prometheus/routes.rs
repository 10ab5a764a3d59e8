//! The paths of this product.

use axum::routing::{get, post};

use crate::http::prometheus::{exemplars, export, format, labels, query, status, targets, write};
use crate::http::routes::{Routes, Scope};

pub(in crate::http) fn routes(routes: Routes) -> Routes {
    routes
        .add(Scope::Write, "/api/v1/write", post(write::write).get(write::handshake))
        .add(Scope::Read, "/api/v1/query", get(query::instant).post(query::instant))
        .add(Scope::Read, "/api/v1/query_range", get(query::range).post(query::range))
        .add(
            Scope::Read,
            "/api/v1/query_exemplars",
            get(exemplars::exemplars).post(exemplars::exemplars),
        )
        .add(Scope::Read, "/api/v1/format_query", get(format::format).post(format::format))
        .add(Scope::Read, "/api/v1/export", get(export::export).post(export::export))
        .add(Scope::Read, "/api/v1/labels", get(labels::names).post(labels::names))
        .add(Scope::Read, "/api/v1/label/{name}/values", get(labels::values))
        .add(Scope::Read, "/api/v1/series", get(labels::series).post(labels::series))
        .add(Scope::Read, "/api/v1/metadata", get(labels::metadata))
        .add(Scope::Read, "/api/v1/targets", get(targets::targets))
        .add(Scope::Read, "/api/v1/targets/metadata", get(targets::metadata))
        .add(Scope::Read, "/api/v1/targets/relabel_steps", get(targets::relabel_steps))
        .add(Scope::Read, "/api/v1/scrape_pools", get(targets::pools))
        .add(Scope::Read, "/api/v1/scrape_pools/config", get(targets::pool_config))
        .add(Scope::Open, "/api/v1/status/buildinfo", get(status::build))
        .add(Scope::Read, "/api/v1/status/runtimeinfo", get(status::runtime))
        .add(Scope::Read, "/api/v1/status/flags", get(status::flags))
        .add(Scope::Read, "/api/v1/status/config", get(status::config))
        .add(Scope::Read, "/api/v1/status/tsdb", get(status::cardinality))
}
