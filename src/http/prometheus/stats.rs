//! What a question cost, as the parameter `stats` asks for it.
//!
//! Source: Prometheus `util/stats/query_stats.go` and `web/api/v1/api.go`. Rows are counted as there:
//! at each step all that its windows hold, however often they were read.

use std::time::Duration;

use crate::export::write_seconds;
use crate::http::params::Params;
use crate::query::{Stats, When};

/// What is wanted of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum StatsWish {
    Nothing,
    Totals,
    /// Each step as well.
    All,
    /// Totals, asked for in a way that is about to be refused.
    Deprecated(String),
}

impl StatsWish {
    pub(super) fn parse(params: &Params) -> Self {
        match params.get("stats") {
            None => Self::Nothing,
            Some("true") => Self::Totals,
            Some("all") => Self::All,
            Some(other) => Self::Deprecated(other.chars().take(80).collect()),
        }
    }

    pub(super) fn is_wanted(&self) -> bool {
        *self != Self::Nothing
    }

    pub(super) fn warning(&self) -> Option<String> {
        let Self::Deprecated(value) = self else { return None };
        Some(format!(
            "value {value:?} for parameter \"stats\" is deprecated and will be rejected in the next \
             major release, use \"true\" or \"all\""
        ))
    }
}

/// What one question cost.
pub(super) struct Cost<'a> {
    pub(super) stats: &'a Stats,
    /// Until its turn came.
    pub(super) queued: Duration,
    /// Until its text was read.
    pub(super) prepared: Duration,
    /// Until it was answered.
    pub(super) took: Duration,
    pub(super) when: When,
}

/// Appends the key `stats` of an object.
pub(super) fn write_stats(cost: &Cost<'_>, wish: &StatsWish, out: &mut Vec<u8>) {
    let seconds = |time: Duration| time.as_secs_f64();
    let eval = seconds(cost.took.saturating_sub(cost.prepared));
    let (prepared, queued) = (seconds(cost.prepared), seconds(cost.queued));
    let total = seconds(cost.queued.saturating_add(cost.took));
    let timings = format!(
        r#","stats":{{"timings":{{"evalTotalTime":{eval:.9},"resultSortTime":0,"queryPreparationTime":{prepared:.9},"innerEvalTime":{eval:.9},"execQueueTime":{queued:.9},"execTotalTime":{total:.9}}},"samples":{{"#
    );
    out.extend_from_slice(timings.as_bytes());
    if *wish == StatsWish::All {
        let (start, step) = match cost.when {
            When::At(time) => (time, 0),
            When::Over { start, step, .. } => (start, step),
        };
        out.extend_from_slice(br#""totalQueryableSamplesPerStep":["#);
        let mut time = start;
        for (i, count) in cost.stats.queryable.iter().enumerate() {
            out.extend_from_slice(if i == 0 { b"[" } else { b",[" });
            write_seconds(time, out);
            out.extend_from_slice(format!(",{count}]").as_bytes());
            time = time.saturating_add(step);
        }
        out.extend_from_slice(b"],");
    }
    let queryable: u64 = cost.stats.queryable.iter().sum();
    let (read, peak) = (cost.stats.samples, cost.stats.samples);
    let samples = format!(
        r#""totalQueryableSamples":{queryable},"samplesRead":{read},"peakSamples":{peak}}}}}"#
    );
    out.extend_from_slice(samples.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_question_cost_stands_beside_its_value() {
        let stats = Stats { samples: 7, steps: 2, queryable: vec![3, 5] };
        let when = When::Over { start: 0, end: 1500, step: 1500 };
        let (queued, prepared) = (Duration::from_millis(1), Duration::from_millis(2));
        let cost = Cost { stats: &stats, queued, prepared, took: Duration::from_millis(5), when };
        let written = |wish: &StatsWish| {
            let mut out = Vec::from(*br#"{"result":[]"#);
            write_stats(&cost, wish, &mut out);
            out.push(b'}');
            serde_json::from_slice::<serde_json::Value>(&out).unwrap()
        };
        let all = written(&StatsWish::All);
        assert_eq!(all["stats"]["samples"]["totalQueryableSamples"], 8);
        assert_eq!(
            all["stats"]["samples"]["totalQueryableSamplesPerStep"].to_string(),
            "[[0,3],[1.5,5]]"
        );
        assert_eq!(all["stats"]["timings"]["execTotalTime"], 0.006);
        let totals = written(&StatsWish::Totals);
        assert!(totals["stats"]["samples"].get("totalQueryableSamplesPerStep").is_none());
    }

    #[test]
    fn words_that_will_be_refused_are_warned_of() {
        let wish = StatsWish::parse(&Params::parse(Some("stats=1"), b"").unwrap());
        assert!(wish.is_wanted());
        assert!(wish.warning().unwrap().starts_with(r#"value "1" for parameter "stats" is"#));
        let wish = StatsWish::parse(&Params::parse(Some("stats=all"), b"").unwrap());
        assert_eq!((wish.is_wanted(), wish.warning()), (true, None));
    }
}
