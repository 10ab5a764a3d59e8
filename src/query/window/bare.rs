//! A range without a function: rows as they are, or their edges made.

use query_lang::Edges;

use super::extended::interpolate;
use crate::model::Labels;
use crate::query::engine::in_millis;
use crate::query::error::Error;
use crate::query::rows::SeriesRows;
use crate::query::steps::Windows;
use crate::query::value::Series;

/// Windows with the rows beyond their edges that `edges` look at.
pub(crate) fn reach(windows: Windows, edges: Edges, lookback: i64) -> Windows {
    match edges {
        Edges::Plain => windows,
        Edges::Anchored => windows.widen(lookback, 0),
        Edges::Smoothed => windows.widen(lookback, lookback),
    }
}

/// The rows of the one window; None where it is empty.
///
/// # Errors
/// Histograms where edges are to be made.
pub(crate) fn bare(
    rows: &SeriesRows,
    windows: Windows,
    edges: Edges,
    labels: Labels,
) -> Result<Option<Series>, Error> {
    let mut series = in_millis(rows, labels);
    let is_smoothed = match edges {
        Edges::Plain => return Ok(Some(series)),
        Edges::Anchored => false,
        Edges::Smoothed => true,
    };
    if !series.histograms.is_empty() {
        let name = if is_smoothed { "smoothed" } else { "anchored" };
        return Err(Error::ModifierOnHistograms(name));
    }
    let made = with_edges(&series.floats, windows.start(0), windows.end(0), is_smoothed);
    Ok(made.map(|floats| {
        series.floats = floats;
        series
    }))
}

fn with_edges(
    floats: &[(i64, f64)],
    start: i64,
    end: i64,
    is_smoothed: bool,
) -> Option<Vec<(i64, f64)>> {
    let mut last = floats.len().checked_sub(1)?;
    let before_last = floats.get(..last)?;
    let first = before_last.partition_point(|(time, _)| *time <= start).saturating_sub(1);
    if is_smoothed {
        last = before_last.partition_point(|(time, _)| *time < end);
    }
    let point = |i: usize| floats.get(i).copied();
    if point(last)?.0 <= start {
        return None;
    }
    let mut left = point(first)?.1;
    if is_smoothed && point(first)?.0 < start {
        left = interpolate(point(first)?, point(first + 1)?, start, false);
    }
    let mut right = point(last)?.1;
    if is_smoothed && last > 0 && point(last)?.0 > end {
        right = interpolate(point(last - 1)?, point(last)?, end, false);
    }
    let within = floats.iter().copied().take(last + 1).skip(first);
    let within = within.filter(|(time, _)| *time > start && *time < end);
    Some([(start, left)].into_iter().chain(within).chain([(end, right)]).collect())
}
