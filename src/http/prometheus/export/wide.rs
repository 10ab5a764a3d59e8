//! A table with a column a series: slice of time after slice of time, so that memory stays bounded.

use super::{
    walk::{Selected, whole},
    wish::Wish,
};
use crate::export::{Pieces, Reduce, RowWriter, WideCsv};
use crate::model::{
    Buckets, Columns, Error, FloatPartial, Flow, Reading, Rows, TimeRange, Timestamp, Visitor,
};

/// Cells that are held at once, about: 24 bytes each.
const CELLS: u64 = 1 << 20;
/// Columns of a table.
const SERIES_MAX: usize = 16_384;

/// Writes the table.
pub(super) fn write(
    selected: &Selected,
    wish: &Wish,
    label: &str,
    pieces: Pieces<'_>,
) -> Result<(), Error> {
    let heads: Vec<String> = selected
        .series()
        .take(SERIES_MAX + 1)
        .map(|(_, labels)| labels.get(label).unwrap_or_default().to_owned())
        .collect();
    if heads.len() > SERIES_MAX {
        return Err(Error::Invalid(format!(
            "a table has at most {SERIES_MAX} columns, and more series are selected"
        )));
    }
    let mut writer = Box::new(WideCsv::new(pieces, label, heads, wish.times)?);
    let mut extent = Extent::default();
    let reading = Reading {
        columns: Columns { values: false, ..Columns::VALUES },
        windows: whole(wish.range),
        chunks: None,
    };
    for run in &selected.runs {
        let Some(selection) = selected.selections.get(run.selection) else { continue };
        selection.scan(run.series.clone(), &reading, &selected.budget, &mut extent)?;
    }
    for slice in slices(extent, wish.reduce.map_or(1, |(length, _)| length)) {
        let Some(slice) = slice.intersection(wish.range) else { continue };
        if let Some((length, fold)) = wish.reduce {
            let mut reduce = Reduce::new(&mut *writer, length, fold);
            selected.scan(slice, &mut reduce)?;
            reduce.end_series()?;
        } else {
            selected.scan(slice, &mut *writer)?;
        }
        writer.end_slice()?;
    }
    writer.finish()
}

/// How many rows there are, from when to when.
#[derive(Clone, Copy, Debug, Default)]
struct Extent {
    rows: u64,
    times: Option<(i64, i64)>,
}

impl Visitor for Extent {
    fn rows(&mut self, _: u32, rows: Rows<'_>) -> Result<Flow, Error> {
        self.rows += rows.times.len() as u64;
        if let (Some(first), Some(last)) = (rows.times.first(), rows.times.last()) {
            let (earliest, latest) = self.times.unwrap_or((*first, *last));
            self.times = Some((earliest.min(*first), latest.max(*last)));
        }
        Ok(Flow::Continue)
    }

    fn buckets(&mut self, _: u32, _: &Buckets) -> Result<Flow, Error> {
        Ok(Flow::Continue)
    }

    fn chunks(&mut self, _: u32, _: &[FloatPartial]) -> Result<Flow, Error> {
        Ok(Flow::Continue)
    }
}

/// Spans of time with about [`CELLS`] rows each, cut where buckets of `length` end.
fn slices(extent: Extent, length: i64) -> impl Iterator<Item = TimeRange> {
    let (first, last) = extent.times.unwrap_or((0, -1));
    let count = i64::try_from(extent.rows / CELLS + 1).unwrap_or(i64::MAX);
    let span = (last.saturating_sub(first) / count).max(1);
    let length = length.max(1);
    let mut next = first;
    std::iter::from_fn(move || {
        if next > last {
            return None;
        }
        // Buckets hold their end, so a slice ends with one.
        let end =
            next.saturating_add(span).div_euclid(length).saturating_add(1).saturating_mul(length);
        let range = TimeRange::closed(Timestamp(next), Timestamp(end.min(last)));
        next = end.saturating_add(1);
        range
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_cover_all_times_once_and_end_with_a_bucket() {
        for (rows, length) in [(0, 1), (10, 7), (CELLS * 3, 1), (CELLS * 5, 60)] {
            let extent = Extent { rows, times: Some((13, 10_000)) };
            let ranges: Vec<_> = slices(extent, length).collect();
            let mut next = 13;
            for range in &ranges {
                assert_eq!(range.start().nanos(), next);
                next = range.end().nanos();
                assert!(next == 10_001 || (next - 1) % length == 0);
            }
            assert_eq!(next, 10_001, "{rows} {length}");
        }
        assert_eq!(slices(Extent::default(), 1).count(), 0);
    }
}
