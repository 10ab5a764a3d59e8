//! Chunks that lie whole between the edges of all windows, and need not be decoded: what their file
//! knows of them stands for their rows.
//!
//! That holds only where no other row is among theirs: each row is of one series and time, and of
//! several in one ms a question sees the last.

use std::sync::Arc;

use crate::model::{Facts, FloatPartial, TimeRange, Timestamp, Windows};

use super::{error::Error, file::DataFile, rows::SeriesRows};

const NANOS_IN_MILLI: i64 = 1_000_000;

/// What is asked of a series whose chunks may stand whole.
#[derive(Clone, Copy)]
pub(super) struct Wholes<'a> {
    pub(super) range: TimeRange,
    pub(super) windows: &'a Windows,
    /// What a partial must tell.
    pub(super) facts: Facts,
}

/// A chunk of one of the files.
struct Piece {
    file: usize,
    chunk: usize,
    /// Of its first and last row.
    millis: (i64, i64),
    stands: Option<FloatPartial>,
}

fn millis((first, last): (i64, i64)) -> (i64, i64) {
    (first.div_euclid(NANOS_IN_MILLI), last.div_euclid(NANOS_IN_MILLI))
}

impl Wholes<'_> {
    /// Reads a series: into the empty `rows` what must be decoded, into `folds` the chunks that stand
    /// whole, both by time. `places` are its files, oldest rows first; `heads` its rows in memory.
    pub(super) fn read(
        &self,
        places: &[(&Arc<DataFile>, usize)],
        heads: &mut [SeriesRows],
        (rows, one): (&mut SeriesRows, &mut SeriesRows),
        folds: &mut Vec<FloatPartial>,
    ) -> Result<(), Error> {
        let mut pieces = self.pieces(places)?;
        self.judge(places, &mut pieces, heads)?;
        for (file, (data, _)) in places.iter().enumerate() {
            one.clear();
            for piece in pieces.iter().filter(|piece| piece.file == file) {
                match piece.stands {
                    Some(partial) => folds.push(partial),
                    None => data.read_chunk_of(piece.chunk, self.range, one)?,
                }
            }
            rows.overlay(one);
        }
        for head in heads {
            rows.overlay(head);
        }
        folds.sort_unstable_by_key(|partial| partial.first.time);
        Ok(())
    }

    /// The chunks that have rows in the range, file by file.
    fn pieces(&self, places: &[(&Arc<DataFile>, usize)]) -> Result<Vec<Piece>, Error> {
        let mut pieces = Vec::new();
        for (file, (data, place)) in places.iter().enumerate() {
            let tables = data.tables()?;
            for chunk in tables.numbers(*place) {
                let time = tables.chunks.get(chunk).and_then(|chunk| tables.time_of(chunk));
                let Some(time) = time else { continue };
                let span = TimeRange::closed(Timestamp(time.first), Timestamp(time.last));
                if span.is_some_and(|span| span.overlaps(self.range)) {
                    let millis = millis((time.first, time.last));
                    pieces.push(Piece { file, chunk, millis, stands: None });
                }
            }
        }
        Ok(pieces)
    }

    /// Says which chunks stand whole.
    fn judge(
        &self,
        places: &[(&Arc<DataFile>, usize)],
        pieces: &mut [Piece],
        heads: &[SeriesRows],
    ) -> Result<(), Error> {
        let asks_starts = self.facts.has(Facts::STARTS);
        if heads.iter().any(|it| !it.histograms.is_empty() || asks_starts && !it.starts.is_empty())
        {
            return Ok(());
        }
        let mut found = Vec::new();
        for piece in pieces.iter() {
            let Some((data, _)) = places.get(piece.file) else { continue };
            let tables = data.tables()?;
            let Some(chunk) = tables.chunks.get(piece.chunk) else { continue };
            // Histograms are told of by notes, and starts by what is between chunks.
            if !chunk.is_of_floats() || asks_starts && chunk.starts_bytes > 0 {
                return Ok(());
            }
            let is_in = |time: i64| self.range.contains(Timestamp(time));
            let time = tables.time_of(chunk).filter(|time| {
                is_in(time.first) && is_in(time.last) && !self.windows.split(time.first, time.last)
            });
            found.push(match time {
                Some(_) => data.statistics()?.partial(tables, piece.chunk, self.facts),
                None => None,
            });
        }
        if found.iter().all(Option::is_none) {
            return Ok(());
        }
        let is_alone = alone(pieces, heads);
        for ((piece, stands), is_alone) in pieces.iter_mut().zip(found).zip(is_alone) {
            piece.stands = stands.filter(|_| is_alone);
        }
        Ok(())
    }
}

/// For each chunk, whether no row of another source is within its ms or among its rows.
fn alone(pieces: &[Piece], heads: &[SeriesRows]) -> Vec<bool> {
    let in_heads = heads.iter().filter_map(SeriesRows::span).map(|span| (millis(span), None));
    let mut spans: Vec<((i64, i64), Option<usize>)> = pieces
        .iter()
        .enumerate()
        .map(|(i, piece)| (piece.millis, Some(i)))
        .chain(in_heads)
        .collect();
    spans.sort_unstable();
    let mut alone = vec![true; pieces.len()];
    let mut spoil = |piece: Option<usize>| {
        if let Some(place) = piece.and_then(|piece| alone.get_mut(piece)) {
            *place = false;
        }
    };
    // The span so far that reaches the furthest: whoever meets any before meets that one.
    let mut furthest: Option<((i64, i64), Option<usize>)> = None;
    for (span, piece) in spans {
        if let Some((before, other)) = furthest.filter(|(before, _)| before.1 >= span.0) {
            spoil(piece);
            spoil(other);
            if before.1 >= span.1 {
                continue;
            }
        }
        furthest = Some((span, piece));
    }
    alone
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alone_of(spans: &[(i64, i64)], heads: &[(i64, i64)]) -> Vec<bool> {
        let piece =
            |millis: &(i64, i64)| Piece { file: 0, chunk: 0, millis: *millis, stands: None };
        let head = |(first, last): &(i64, i64)| SeriesRows {
            times: vec![first * NANOS_IN_MILLI, last * NANOS_IN_MILLI],
            values: vec![0.0; 2],
            ..SeriesRows::default()
        };
        let pieces: Vec<Piece> = spans.iter().map(piece).collect();
        alone(&pieces, &heads.iter().map(head).collect::<Vec<_>>())
    }

    #[test]
    fn a_chunk_stands_where_no_other_row_is_among_its_own() {
        assert_eq!(alone_of(&[(0, 9), (10, 19), (20, 29)], &[]), [true, true, true]);
        // Two that share a ms, one far that holds others, a head's rows.
        assert_eq!(alone_of(&[(0, 9), (9, 19), (20, 29)], &[]), [false, false, true]);
        assert_eq!(
            alone_of(&[(0, 99), (10, 19), (30, 39), (100, 110)], &[]),
            [false, false, false, true]
        );
        assert_eq!(alone_of(&[(0, 9), (10, 19)], &[(15, 30)]), [true, false]);
    }
}
