//! The first page: what a person who opens the address needs to know.

use axum::body::Body;
use hyper::{Response, StatusCode};

use crate::http::answer::answer;

/// No script, no style, nothing from elsewhere.
const PAGE: &str = concat!(
    "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Quipu</title>\n",
    "<h1>Quipu ",
    env!("CARGO_PKG_VERSION"),
    "</h1>\n",
    "<p>A time-series database. Send rows, ask with PromQL.</p>\n",
    "<ul>\n",
    "<li><code>POST /api/v1/write</code>: Prometheus remote write 1 and 2</li>\n",
    "<li><code>POST /write</code>, <code>/api/v2/write</code>, <code>/api/v3/write_lp</code>: line protocol</li>\n",
    "<li><code>POST /api/v1/import</code>, <code>/csv</code>, <code>/prometheus</code>: JSON lines, CSV, text</li>\n",
    "<li><code>PUT /metrics/job/NAME</code>: what jobs push</li>\n",
    "<li><code>GET /api/v1/query?query=1%2B1</code>: <a href=\"/api/v1/query?query=1%2B1\">ask</a></li>\n",
    "<li><a href=\"/api/v1/labels\">/api/v1/labels</a>: labels that are known</li>\n",
    "<li><a href=\"/api/v1/status/tsdb\">/api/v1/status/tsdb</a>: how many series, of what</li>\n",
    "<li><a href=\"/api/quipu/v1/storage\">/api/quipu/v1/storage</a>: what lies on disk</li>\n",
    "<li><a href=\"/metrics\">/metrics</a>: what the server counts of itself</li>\n",
    "</ul>\n</html>\n",
);

pub(super) async fn page() -> Response<Body> {
    answer(StatusCode::OK, "text/html; charset=utf-8", PAGE)
}
