//! Names and values by parts of them, for who completes what is typed: lines of JSON, streamed.
//!
//! `wish` is what is asked for, `score` how well a text matches, `door` the paths. Source: Prometheus
//! `web/api/v1/search.go` and `search_filters.go`.

mod door;
mod score;
mod wish;

pub(super) use door::{label_names, label_values, metric_names};
