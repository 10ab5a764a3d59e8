//! The paths of this product.

use axum::routing::post;

use crate::http::otlp::{grpc, metrics};
use crate::http::routes::{Routes, Scope};

pub(in crate::http) fn routes(routes: Routes) -> Routes {
    routes
        // The path of the specification, of Prometheus, and of VictoriaMetrics.
        .add(Scope::Write, "/v1/metrics", post(metrics::export))
        .add(Scope::Write, "/api/v1/otlp/v1/metrics", post(metrics::export))
        .add(Scope::Write, "/opentelemetry/v1/metrics", post(metrics::export))
        .add(
            Scope::Write,
            "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
            post(grpc::export),
        )
}
