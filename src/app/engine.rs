//! What answers questions, as the options say, and what it tells of its kept results.

use std::sync::Arc;

use crate::app::{Options, pool::Helpers, serve::cores};
use crate::http::{Kind, Metrics, Sample};
use crate::query::{Config, Engine, ResultCache};

/// An engine; `results` is what another kept until now.
pub(super) fn engine(options: &Options, results: Option<Arc<ResultCache>>) -> Engine {
    let bytes_max = usize::try_from(options.results_max).unwrap_or(usize::MAX);
    let results = results.unwrap_or_else(|| Arc::new(ResultCache::new(bytes_max)));
    results.set_bytes_max(bytes_max);
    Engine::new(Config {
        lookback_ms: i64::try_from(options.lookback.as_millis()).unwrap_or(i64::MAX),
        pool: Some(Arc::new(Helpers::new(cores()))),
        results: Some(results),
        ..Config::default()
    })
}

/// Shows how much is asked anew, and how much was kept.
pub(super) fn watch_results(metrics: &Metrics, engine: &Engine) {
    let Some(results) = engine.results().cloned() else { return };
    metrics.watch(Box::new(move |samples| {
        let counters = results.counters();
        let mut push = |family, help, kind, value: u64| {
            #[expect(clippy::cast_precision_loss, reason = "counts and bytes are far below 2^53")]
            let value = value as f64;
            samples.push(Sample { family, help, kind, suffix: "", labels: Vec::new(), value });
        };
        for (family, help, value) in [
            (
                "quipu_query_results_hits_total",
                "Range queries of which every step was kept from an earlier one.",
                counters.hits,
            ),
            (
                "quipu_query_results_partial_hits_total",
                "Range queries of which some steps were kept.",
                counters.partial_hits,
            ),
            (
                "quipu_query_results_misses_total",
                "Range queries that may be kept and of which no step was.",
                counters.misses,
            ),
            (
                "quipu_query_results_steps_kept_total",
                "Steps that were kept from an earlier query.",
                counters.steps_kept,
            ),
            (
                "quipu_query_results_steps_evaluated_total",
                "Steps of such queries that were evaluated.",
                counters.steps_evaluated,
            ),
            (
                "quipu_query_results_evictions_total",
                "Kept results that went to make room.",
                counters.evictions,
            ),
        ] {
            push(family, help, Kind::Counter, value);
        }
        push("quipu_query_results_entries", "Results kept now.", Kind::Gauge, counters.entries);
        push("quipu_query_results_bytes", "Bytes of kept results.", Kind::Gauge, counters.bytes);
    }));
}
