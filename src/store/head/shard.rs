//! The open series of a share of the slots.

use std::{collections::HashMap, sync::Arc};

use crate::codec::{self, gorilla};
use crate::model::Histogram;
use crate::store::rows::{HistogramPoint, SeriesRows};

use super::arena::{Arena, Buffer};

/// Series in a page: pages are made when a series of theirs has a row.
pub(super) const PAGE_SLOTS: u32 = 1024;
const MILLI: i64 = 1_000_000;

/// Rows came in order, each later than the one before.
const IN_ORDER: u8 = 1;
/// Times are counted in milliseconds.
const IN_MILLIS: u8 = 2;
/// There is an entry in [`Shard::extras`].
const HAS_EXTRA: u8 = 4;

/// One series: where its stream ends, and where that stands.
#[derive(Clone, Copy, Debug)]
struct Series {
    cursor: gorilla::Cursor,
    buffer: Buffer,
    flags: u8,
}

const EMPTY: Series = Series { cursor: gorilla::Cursor::new(), buffer: NO_BUFFER, flags: IN_ORDER };
const NO_BUFFER: Buffer = Buffer::NONE;

/// A stream that is full, or was counted in another unit.
#[derive(Clone, Copy, Debug)]
struct Full {
    cursor: gorilla::Cursor,
    buffer: Buffer,
    is_in_millis: bool,
}

/// What few series have.
#[derive(Debug, Default)]
struct Extra {
    full: Vec<Full>,
    /// Rows in `full`.
    full_rows: u32,
    /// Start timestamps: from which row on, in order of arrival.
    starts: Vec<(u32, i64)>,
    /// Histograms, each with the number of floats that came before it.
    histograms: Vec<(u32, HistogramPoint)>,
}

/// Series of the slots of some pages.
#[derive(Debug, Default)]
pub(super) struct Shard {
    pages: Vec<Option<Box<[Series]>>>,
    arena: Arena,
    extras: HashMap<(u32, u32), Extra>,
    extra_bytes: usize,
}

impl Shard {
    /// Appends rows of one series: those of a run of a batch.
    pub(super) fn append(
        &mut self,
        (page, slot): (u32, u32),
        times: &[i64],
        values: &[f64],
        starts: &[i64],
    ) {
        let Self { pages, arena, extras, extra_bytes } = self;
        let Some(series) = series_mut(pages, page, slot) else { return };
        for (i, (time, value)) in times.iter().zip(values).enumerate() {
            if let Some(start) = starts.get(i) {
                let extra = extras.entry((page, slot)).or_default();
                series.flags |= HAS_EXTRA;
                if extra.starts.last().map_or(0, |(_, last)| *last) != *start {
                    extra.starts.push((extra.full_rows + series.cursor.rows(), *start));
                    *extra_bytes += 16;
                }
            } else if series.flags & HAS_EXTRA != 0 {
                note_no_start(extras, (page, slot), series);
            }
            series.append(arena, *time, *value, |full| {
                let extra = extras.entry((page, slot)).or_default();
                extra.full_rows += full.cursor.rows();
                extra.full.push(full);
                *extra_bytes += size_of::<Full>();
            });
        }
    }

    /// Appends a histogram.
    pub(super) fn append_histogram(&mut self, (page, slot): (u32, u32), point: HistogramPoint) {
        let Some(series) = series_mut(&mut self.pages, page, slot) else { return };
        series.flags |= HAS_EXTRA;
        let extra = self.extras.entry((page, slot)).or_default();
        self.extra_bytes += size_of_histogram(&point.value);
        extra.histograms.push((extra.full_rows + series.cursor.rows(), point));
    }

    /// Whether a series has a row.
    pub(super) fn has_rows(&self, page: u32, slot: u32) -> bool {
        self.series(page, slot)
            .is_some_and(|series| series.cursor.rows() > 0 || series.flags & HAS_EXTRA != 0)
    }

    /// The slots of a page that have a row.
    pub(super) fn active(&self, page: u32) -> impl Iterator<Item = u32> + '_ {
        let page = self.pages.get(page as usize).and_then(Option::as_deref).unwrap_or_default();
        (0..)
            .zip(page)
            .filter(|(_, series)| series.cursor.rows() > 0 || series.flags & HAS_EXTRA != 0)
            .map(|it| it.0)
    }

    fn series(&self, page: u32, slot: u32) -> Option<&Series> {
        self.pages.get(page as usize)?.as_deref()?.get(slot as usize)
    }

    /// The rows of a series, into the empty `rows`.
    ///
    /// # Errors
    /// Where a stream does not decode: memory was overwritten.
    pub(super) fn read(
        &self,
        page: u32,
        slot: u32,
        rows: &mut SeriesRows,
    ) -> Result<(), codec::Error> {
        let Some(series) = self.series(page, slot) else { return Ok(()) };
        let extra = self.extras.get(&(page, slot)).filter(|_| series.flags & HAS_EXTRA != 0);
        for full in extra.iter().flat_map(|extra| &extra.full) {
            self.decode(&full.cursor, full.buffer, full.is_in_millis, rows)?;
        }
        self.decode(&series.cursor, series.buffer, series.flags & IN_MILLIS != 0, rows)?;
        if let Some(extra) = extra {
            spread_starts(&extra.starts, rows);
            if !extra.histograms.is_empty() {
                resolve(&extra.histograms, rows);
                return Ok(());
            }
        }
        // Streams are in order by themselves; whether one is with the one before is seen here.
        let is_in_order = series.flags & IN_ORDER != 0
            && (extra.is_none_or(|extra| extra.full.is_empty())
                || rows.times.is_sorted_by(|a, b| a < b));
        if !is_in_order {
            rows.sort();
        }
        Ok(())
    }

    fn decode(
        &self,
        cursor: &gorilla::Cursor,
        buffer: Buffer,
        is_in_millis: bool,
        rows: &mut SeriesRows,
    ) -> Result<(), codec::Error> {
        if cursor.rows() == 0 {
            return Ok(());
        }
        let begin = rows.times.len();
        gorilla::decode(cursor, self.arena.get(buffer), &mut rows.times, &mut rows.values)?;
        if is_in_millis {
            for time in rows.times.get_mut(begin..).unwrap_or_default() {
                *time = time.wrapping_mul(MILLI);
            }
        }
        Ok(())
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        let pages = self.pages.iter().flatten().count();
        pages * PAGE_SLOTS as usize * size_of::<Series>()
            + self.arena.bytes()
            + self.extras.capacity() * (size_of::<Extra>() + 16)
            + self.extra_bytes
    }
}

fn series_mut(pages: &mut Vec<Option<Box<[Series]>>>, page: u32, slot: u32) -> Option<&mut Series> {
    let page = page as usize;
    if pages.len() <= page {
        pages.resize_with(page + 1, || None);
    }
    let page = pages.get_mut(page)?.get_or_insert_with(|| vec![EMPTY; PAGE_SLOTS as usize].into());
    page.get_mut(slot as usize)
}

/// Rows without a start follow rows with one.
fn note_no_start(extras: &mut HashMap<(u32, u32), Extra>, key: (u32, u32), series: &Series) {
    if let Some(extra) = extras.get_mut(&key)
        && extra.starts.last().is_some_and(|(_, start)| *start != 0)
    {
        extra.starts.push((extra.full_rows + series.cursor.rows(), 0));
    }
}

impl Series {
    #[inline]
    fn append(&mut self, arena: &mut Arena, time: i64, value: f64, mut full: impl FnMut(Full)) {
        let is_in_millis = time % MILLI == 0;
        if self.cursor.rows() == 0 {
            self.flags = self.flags & !IN_MILLIS | if is_in_millis { IN_MILLIS } else { 0 };
        } else {
            if !is_in_millis && self.flags & IN_MILLIS != 0 {
                self.close(&mut full);
                self.flags &= !IN_MILLIS;
            }
            let last = self.cursor.last_time();
            let last = if self.flags & IN_MILLIS == 0 { last } else { last.wrapping_mul(MILLI) };
            if self.cursor.rows() > 0 && time <= last {
                self.flags &= !IN_ORDER;
            }
        }
        let ticks = if self.flags & IN_MILLIS == 0 { time } else { time / MILLI };
        loop {
            if self.buffer == NO_BUFFER {
                let Some(buffer) = arena.take() else { return };
                self.buffer = buffer;
            }
            if self.cursor.append(arena.get_mut(self.buffer), ticks, value).is_some() {
                return;
            }
            match arena.grow(self.buffer) {
                Some(larger) if self.cursor.rows() < gorilla::Cursor::ROWS_MAX => {
                    self.buffer = larger;
                }
                _ => self.close(&mut full),
            }
        }
    }

    /// Gives the stream up for a new one.
    fn close(&mut self, full: &mut impl FnMut(Full)) {
        let is_in_millis = self.flags & IN_MILLIS != 0;
        full(Full { cursor: self.cursor, buffer: self.buffer, is_in_millis });
        self.flags |= HAS_EXTRA;
        (self.cursor, self.buffer) = (gorilla::Cursor::new(), NO_BUFFER);
    }
}

fn size_of_histogram(histogram: &Histogram) -> usize {
    let numbers =
        histogram.positive.len() + histogram.negative.len() + histogram.custom_values.len();
    let spans = histogram.positive_spans.len() + histogram.negative_spans.len();
    size_of::<Histogram>() + size_of::<HistogramPoint>() + (numbers + spans) * 8
}

/// Start timestamps that hold from a row on, as a column.
fn spread_starts(starts: &[(u32, i64)], rows: &mut SeriesRows) {
    if starts.is_empty() || rows.times.is_empty() {
        return;
    }
    let mut changes = starts.iter().peekable();
    let mut start = 0;
    for row in 0..rows.times.len() {
        while let Some((_, next)) = changes.next_if(|(from, _)| *from as usize <= row) {
            start = *next;
        }
        rows.starts.push(start);
    }
}

/// Brings floats and histograms in order: of one time, what came last holds, whatever its kind.
fn resolve(histograms: &[(u32, HistogramPoint)], rows: &mut SeriesRows) {
    let mut arrivals = SeriesRows::default();
    let mut all = SeriesRows::default();
    let mut next = 0;
    // Floats up to each histogram, then the histogram: each overlays what came before.
    for (floats_before, point) in histograms {
        let end = (*floats_before as usize).min(rows.times.len());
        take_floats(rows, next..end, &mut arrivals);
        all.overlay(&mut arrivals);
        next = end.max(next);
        let mut one = SeriesRows { histograms: vec![point.clone()], ..SeriesRows::default() };
        all.overlay(&mut one);
    }
    take_floats(rows, next..rows.times.len(), &mut arrivals);
    all.overlay(&mut arrivals);
    *rows = all;
}

fn take_floats(rows: &SeriesRows, range: std::ops::Range<usize>, out: &mut SeriesRows) {
    out.clear();
    out.times.extend_from_slice(rows.times.get(range.clone()).unwrap_or_default());
    out.values.extend_from_slice(rows.values.get(range.clone()).unwrap_or_default());
    out.starts.extend_from_slice(rows.starts.get(range).unwrap_or_default());
    out.sort();
}

/// A histogram row of a batch as a point.
pub(super) fn point(time: i64, start: i64, value: &Histogram) -> HistogramPoint {
    HistogramPoint { time, start, value: Arc::new(value.clone()) }
}
