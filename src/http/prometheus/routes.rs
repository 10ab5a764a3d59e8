//! The paths of this product.

use axum::routing::{delete, get, post};

use crate::http::prometheus::{
    admin, exemplars, export, federate, format, house, import, labels, notifications, query, read,
    rules, running, status, targets, write,
};
use crate::http::routes::{Routes, Scope};

pub(in crate::http) fn routes(routes: Routes) -> Routes {
    routes
        .add(Scope::Write, "/api/v1/import", post(import::json_lines).put(import::json_lines))
        .add(Scope::Write, "/api/v1/import/csv", post(import::csv).put(import::csv))
        .add(
            Scope::Write,
            "/api/v1/import/prometheus",
            post(import::exposition).put(import::exposition),
        )
        .add(Scope::Read, "/api/v1/query", get(query::instant).post(query::instant))
        .add(Scope::Read, "/api/v1/query_range", get(query::range).post(query::range))
        .add(
            Scope::Read,
            "/api/v1/query_exemplars",
            get(exemplars::exemplars).post(exemplars::exemplars),
        )
        .add(Scope::Read, "/api/v1/format_query", get(format::format).post(format::format))
        .add(Scope::Read, "/api/v1/parse_query", get(format::tree).post(format::tree))
        .add(Scope::Read, "/api/v1/export", get(export::export).post(export::export))
        .add(Scope::Read, "/api/v1/export/csv", get(export::csv).post(export::csv))
        .add(Scope::Read, "/api/v1/labels", get(labels::names).post(labels::names))
        .add(Scope::Read, "/api/v1/label/{name}/values", get(labels::values))
        .add(Scope::Read, "/api/v1/series", get(labels::series).post(labels::series))
        .add(Scope::Read, "/api/v1/series/count", get(labels::count).post(labels::count))
        .add(Scope::Read, "/api/v1/metadata", get(labels::metadata))
        .add(Scope::Read, "/api/v1/rules", get(rules::rules))
        .add(Scope::Read, "/api/v1/alerts", get(rules::alerts))
        .add(Scope::Read, "/api/v1/alertmanagers", get(rules::alertmanagers))
        .add(Scope::Read, "/api/v1/targets", get(targets::targets))
        .add(Scope::Read, "/api/v1/targets/metadata", get(targets::metadata))
        .add(Scope::Read, "/api/v1/targets/relabel_steps", get(targets::relabel_steps))
        .add(Scope::Read, "/api/v1/scrape_pools", get(targets::pools))
        .add(Scope::Read, "/api/v1/scrape_pools/config", get(targets::pool_config))
        .add(Scope::Open, "/api/v1/status/buildinfo", get(status::build))
        .add(Scope::Read, "/api/v1/status/runtimeinfo", get(status::runtime))
        .add(Scope::Read, "/api/v1/status/flags", get(status::flags))
        .add(Scope::Read, "/api/v1/status/config", get(status::config))
        .add(Scope::Read, "/api/v1/status/tsdb", get(status::cardinality).post(status::cardinality))
        .add(Scope::Read, "/api/v1/status/tsdb/blocks", get(house::blocks))
        .add(Scope::Open, "/api/v1/status/walreplay", get(house::wal_replay))
        .add(Scope::Read, "/api/v1/status/self_metrics", get(house::self_metrics))
        .add(Scope::Read, "/api/v1/status/top_queries", get(running::top).post(running::top))
        .add(Scope::Read, "/api/v1/status/active_queries", get(running::active))
        .add(Scope::Admin, "/api/v1/status/active_queries/{id}", delete(running::cancel))
        .add(Scope::Admin, "/api/v1/status/active_queries/{id}/cancel", post(running::cancel))
        .add(Scope::Read, "/api/v1/features", get(house::features))
        .add(Scope::Read, "/api/v1/notifications", get(notifications::list))
        .add(Scope::Read, "/api/v1/notifications/live", get(notifications::live))
        .add(Scope::Open, "/version", get(house::version))
        .add(
            Scope::Admin,
            "/api/v1/admin/tsdb/delete_series",
            post(admin::delete_series).put(admin::delete_series),
        )
        .add(
            Scope::Admin,
            "/api/v1/admin/tsdb/clean_tombstones",
            post(admin::clean_tombstones).put(admin::clean_tombstones),
        )
        .refusing(write::refusal)
        .add(Scope::Read, "/api/v1/read", post(read::read))
        .add(Scope::Read, "/federate", get(federate::federate))
        .add(Scope::Write, "/api/v1/write", post(write::write).get(write::handshake))
        .add(Scope::Write, "/api/v1/push", post(write::write).get(write::handshake))
        .add(Scope::Write, "/api/v1/prom/write", post(write::write).get(write::handshake))
}
