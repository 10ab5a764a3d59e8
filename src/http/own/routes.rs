//! The paths of this product.

use axum::routing::{get, post};

use crate::http::own::{admin, backup, health, page, storage};
use crate::http::routes::{Routes, Scope};

pub(in crate::http) fn routes(routes: Routes) -> Routes {
    routes
        .add(Scope::Open, "/", get(page::page))
        .add(Scope::Open, "/ready", get(health::ready))
        .add(Scope::Open, "/health", get(health::health))
        .add(Scope::Open, "/-/ready", get(health::plain_ready))
        .add(Scope::Open, "/-/healthy", get(health::plain_healthy))
        .add(Scope::Read, "/metrics", get(health::metrics))
        .add(Scope::Read, "/api/quipu/v1/storage", get(storage::storage))
        .add(Scope::Admin, "/-/reload", post(admin::reload).put(admin::reload))
        .add(Scope::Admin, "/-/quit", post(admin::quit).put(admin::quit))
        .add(Scope::Admin, "/api/v1/admin/flush", post(admin::flush))
        .add(Scope::Admin, "/api/v1/admin/compact", post(admin::compact))
        .add(Scope::Admin, "/api/v1/admin/retention", post(admin::retention))
        .add(Scope::Admin, "/api/v1/admin/scrub", post(admin::scrub))
        .add(Scope::Admin, "/api/v1/admin/backup", post(backup::back_up))
        .add(
            Scope::Admin,
            "/api/v1/admin/tsdb/snapshot",
            post(backup::snapshot).put(backup::snapshot),
        )
}
