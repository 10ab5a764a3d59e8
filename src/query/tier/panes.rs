//! Windows over rows, some of which are chunks that nobody decoded.
//!
//! The edges of all windows cut time into panes. No chunk lies across an edge, so a pane is one partial
//! of its rows and chunks, and a window is a run of panes: from there on panes are buckets.

use query_lang::{Edges, Function};

use super::fold::Windows;
use super::range::{At, facts};
use super::zones::Moved;
use crate::math::{float_partial_of, merge_floats};
use crate::model::{Facts, FloatPartial, Partial, Tier};
use crate::query::matrix::Row;
use crate::query::rows::SeriesRows;
use crate::query::steps::last_nano;
use crate::query::window::{Context, RangeCall};

/// What chunks must tell to stand for rows in a function's windows; None where rows are wanted.
pub(crate) fn facts_of_chunks(call: &RangeCall) -> Option<Facts> {
    use Function::{
        AbsentOverTime, AvgOverTime, CountOverTime, Delta, FirstOverTime, Increase, LastOverTime,
        MaxOverTime, MinOverTime, PresentOverTime, Rate, Resets, SumOverTime, TsOfFirstOverTime,
        TsOfLastOverTime,
    };
    let is_told = matches!(
        call.function,
        AbsentOverTime
            | AvgOverTime
            | CountOverTime
            | Delta
            | FirstOverTime
            | Increase
            | LastOverTime
            | MaxOverTime
            | MinOverTime
            | PresentOverTime
            | Rate
            | Resets
            | SumOverTime
            | TsOfFirstOverTime
            | TsOfLastOverTime
    );
    (is_told && call.edges == Edges::Plain).then(|| facts(call.function))
}

/// Evaluates the function at every step, over rows and the chunks among them.
pub(crate) fn evaluate_chunks(
    call: &RangeCall,
    rows: &SeriesRows,
    context: &mut Context<'_>,
    out: &mut Row,
) {
    let panes = panes(call, rows);
    let mut windows = Windows::new(&panes);
    for step in 0..call.steps.count {
        let window = Moved { start: call.windows.start(step), end: call.windows.end(step) };
        let total = windows.total(window);
        if total.count() > 0 {
            At { call, step, window }.value(&total, context, out);
        }
    }
}

/// The panes that have rows, as buckets that end with the ms of their right edge.
fn panes(call: &RangeCall, rows: &SeriesRows) -> SeriesRows {
    let facts = facts(call.function);
    let mut panes = SeriesRows::default();
    let (mut next_row, mut next_chunk) = (0, 0);
    for edge in edges(call) {
        let end = last_nano(edge);
        let mut pane: Option<FloatPartial> = None;
        let mut take = |partial: FloatPartial| match &mut pane {
            Some(pane) => merge_floats(pane, &partial),
            none => *none = Some(partial),
        };
        loop {
            let chunk = rows.chunks.get(next_chunk).filter(|chunk| chunk.first.time <= end);
            let limit = chunk.map_or(end, |chunk| chunk.first.time);
            let behind = rows.times.get(next_row..).unwrap_or_default();
            let run = next_row..next_row + behind.partition_point(|time| *time <= limit);
            if let Some(partial) = float_partial_of(
                rows.times.get(run.clone()).unwrap_or_default(),
                rows.values.get(run.clone()).unwrap_or_default(),
                rows.starts.get(run.clone()).unwrap_or_default(),
                facts,
            ) {
                take(partial);
            }
            next_row = run.end;
            let Some(chunk) = chunk else { break };
            take(*chunk);
            next_chunk += 1;
        }
        if let Some(floats) = pane {
            let bucket = Partial {
                // Of no tier: nobody asks.
                tier: Tier::Hour1,
                until: edge.saturating_mul(1_000_000),
                ends_stale: false,
                floats: Some(floats),
                histograms: None,
            };
            panes.buckets.push(&bucket, facts);
        }
    }
    panes
}

/// Where windows begin and end, ms, rising.
fn edges(call: &RangeCall) -> Vec<i64> {
    let windows = &call.windows;
    let steps = 0..if windows.step == 0 { 1 } else { windows.count };
    let mut edges: Vec<i64> =
        steps.flat_map(|step| [windows.start(step), windows.end(step)]).collect();
    edges.sort_unstable();
    edges.dedup();
    edges
}
