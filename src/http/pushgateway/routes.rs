//! The paths of this product.

use axum::routing::put;

use crate::http::pushgateway::push;
use crate::http::routes::{Routes, Scope};

pub(in crate::http) fn routes(routes: Routes) -> Routes {
    let methods = || put(push::put).post(push::post).delete(push::delete);
    routes.add(Scope::Write, "/metrics/job/{*group}", methods()).add(
        Scope::Write,
        "/metrics/job@base64/{*group}",
        methods(),
    )
}
