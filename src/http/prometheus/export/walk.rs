//! The walk over the series, on its own thread.

use std::{
    collections::{BTreeSet, HashSet},
    ops::Range,
};

use axum::body::Bytes;
use tokio::{runtime::Handle, sync::mpsc, time::timeout};

use super::{wide, wish::Wish};
use crate::export::{
    Format, JsonLines, Lines, LongCsv, OpenMetrics, Pieces, Reduce, RowWriter, columns_of, family,
};
use crate::http::{Context, admission::Permit, outlet::SILENCE_MAX};
use crate::model::{
    Ask, Buckets, Budget, Columns, Error, FloatPartial, Flow, Labels, Limits, Metadata, Reading,
    Rows, Scope, Selection, Stop, TimeRange, Visitor, Windows,
};

/// What is walked for whom.
pub(super) struct Walk {
    pub(super) wish: Wish,
    pub(super) pieces: mpsc::Sender<Bytes>,
    pub(super) stop: Stop,
    pub(super) permit: Permit,
}

/// Consecutive series of a selection.
pub(super) struct Run {
    pub(super) selection: usize,
    pub(super) series: Range<u32>,
}

/// What was selected.
pub(super) struct Selected {
    pub(super) selections: Vec<Box<dyn Selection>>,
    pub(super) runs: Vec<Run>,
    pub(super) budget: Budget,
}

impl Walk {
    pub(super) fn run(self, context: &Context) -> Result<(), Error> {
        let selected = self.select(context)?;
        let mut send = |piece: Vec<u8>| self.send(piece.into());
        let pieces = Pieces::new(&mut send);
        let known = |name: &str| -> Option<Metadata> {
            context.doors.source.metadata(&Scope::METRICS, Some(name)).into_iter().next()
        };
        let wish = &self.wish;
        if let Some(label) = &wish.pivot {
            return wide::write(&selected, wish, label, pieces);
        }
        let writer: Box<dyn RowWriter + '_> = match wish.format {
            Format::JsonLines => Box::new(JsonLines::new(pieces, wish.line_rows_max)),
            Format::Csv => Box::new(LongCsv::new(pieces, selected.columns(), wish.times)),
            Format::Lines => Box::new(Lines::new(pieces)),
            Format::OpenMetrics => {
                return selected
                    .by_family(&|name| family(name, &known).0)
                    .write(wish, Box::new(OpenMetrics::new(pieces, &known)));
            }
            #[cfg(feature = "parquet")]
            Format::Parquet => {
                Box::new(crate::export::ParquetRows::new(pieces, selected.columns())?)
            }
            #[cfg(feature = "parquet")]
            Format::Arrow => Box::new(crate::export::ArrowRows::new(pieces, selected.columns())?),
            #[cfg(not(feature = "parquet"))]
            Format::Parquet | Format::Arrow => {
                return Err(Error::Invalid("this program was built without parquet".into()));
            }
        };
        let done = selected.write(wish, writer);
        drop(self.permit);
        done
    }

    fn select(&self, context: &Context) -> Result<Selected, Error> {
        // Rows are not held, so they are not limited.
        let limits = Limits { samples_max: u64::MAX, ..context.options.query_limits };
        let budget = Budget::new(limits, self.stop.clone());
        let mut selections = Vec::new();
        for matchers in &self.wish.selectors {
            let ask =
                Ask { scope: Scope::METRICS, matchers, range: self.wish.range, budget: &budget };
            selections.push(context.doors.source.select(&ask)?);
        }
        let runs = runs(&selections);
        Ok(Selected { selections, runs, budget })
    }

    fn send(&self, piece: Bytes) -> Result<(), Error> {
        send_piece(&self.stop, &self.pieces, piece)
    }
}

/// Waits for the asker to read, but not for ever.
pub(in crate::http::prometheus) fn send_piece(
    stop: &Stop,
    pieces: &mpsc::Sender<Bytes>,
    piece: Bytes,
) -> Result<(), Error> {
    stop.check()?;
    match Handle::current().block_on(timeout(SILENCE_MAX, pieces.send(piece))) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(Error::Cancelled),
        Err(_) => Err(Error::TimedOut),
    }
}

/// Scans the rows of all series of a selection.
pub(in crate::http::prometheus) fn scan_into(
    selection: &dyn Selection,
    range: TimeRange,
    budget: &Budget,
    writer: &mut dyn RowWriter,
) -> Result<(), Error> {
    let reading = Reading { columns: Columns::VALUES, windows: whole(range), chunks: None };
    let mut feed = Feed { writer, selection, current: None };
    selection.scan(0..selection.len(), &reading, budget, &mut feed)
}

/// All series, without those that a selection before gave.
fn runs(selections: &[Box<dyn Selection>]) -> Vec<Run> {
    if let [only] = selections {
        return vec![Run { selection: 0, series: 0..only.len() }];
    }
    let mut done = HashSet::new();
    let mut runs: Vec<Run> = Vec::new();
    for (number, selection) in selections.iter().enumerate() {
        for series in 0..selection.len() {
            if !done.insert(selection.labels(series)) {
                continue;
            }
            match runs.last_mut() {
                Some(run) if run.selection == number && run.series.end == series => {
                    run.series.end += 1;
                }
                _ => runs.push(Run { selection: number, series: series..series + 1 }),
            }
        }
    }
    runs
}

impl Selected {
    /// Names of all labels that the series have, as columns.
    fn columns(&self) -> Vec<String> {
        let mut names = BTreeSet::new();
        for (_, labels) in self.series() {
            for (name, _) in labels.iter() {
                if !names.contains(name) {
                    names.insert(name.to_owned());
                }
            }
        }
        columns_of(names)
    }

    /// Every series: its run's selection and its labels.
    pub(super) fn series(&self) -> impl Iterator<Item = (&dyn Selection, Labels)> {
        self.runs.iter().flat_map(|run| {
            let selection = self.selections.get(run.selection);
            selection.into_iter().flat_map(|selection| {
                run.series.clone().map(|series| (&**selection, selection.labels(series)))
            })
        })
    }

    /// The same with the series of a family behind each other.
    fn by_family(mut self, family: &dyn Fn(&str) -> String) -> Self {
        let mut placed: Vec<(String, String, usize, u32)> = Vec::new();
        let mut last: Option<(String, String)> = None;
        for run in &self.runs {
            let Some(selection) = self.selections.get(run.selection) else { continue };
            for series in run.series.clone() {
                let labels = selection.labels(series);
                let known = last.take().filter(|(name, _)| name == labels.metric());
                let known =
                    known.unwrap_or_else(|| (labels.metric().to_owned(), family(labels.metric())));
                placed.push((known.1.clone(), known.0.clone(), run.selection, series));
                last = Some(known);
            }
        }
        placed.sort();
        self.runs = placed
            .into_iter()
            .map(|(_, _, selection, series)| Run { selection, series: series..series + 1 })
            .collect();
        self
    }

    /// Scans all runs into a writer.
    fn write(&self, wish: &Wish, mut writer: Box<dyn RowWriter + '_>) -> Result<(), Error> {
        if let Some((length, fold)) = wish.reduce {
            let mut reduce = Reduce::new(&mut *writer, length, fold);
            self.scan(wish.range, &mut reduce)?;
            reduce.end_series()?;
        } else {
            self.scan(wish.range, &mut *writer)?;
        }
        writer.finish()
    }

    /// Scans the rows of `range` of all runs.
    pub(super) fn scan(&self, range: TimeRange, writer: &mut dyn RowWriter) -> Result<(), Error> {
        let reading = Reading { columns: Columns::VALUES, windows: whole(range), chunks: None };
        for run in &self.runs {
            let Some(selection) = self.selections.get(run.selection) else { continue };
            let mut feed = Feed { writer, selection: &**selection, current: None };
            selection.scan(run.series.clone(), &reading, &self.budget, &mut feed)?;
        }
        Ok(())
    }
}

/// One window over all of the range.
pub(super) fn whole(range: TimeRange) -> Windows {
    let last = range.end().nanos().saturating_sub(1);
    let length = last.saturating_sub(range.start().nanos()).saturating_add(1);
    Windows { first_end: last, step: 0, count: 1, length, partials: false }
}

/// From a scan to a writer.
struct Feed<'a> {
    writer: &'a mut dyn RowWriter,
    selection: &'a dyn Selection,
    current: Option<u32>,
}

impl Visitor for Feed<'_> {
    fn rows(&mut self, series: u32, rows: Rows<'_>) -> Result<Flow, Error> {
        if self.current.replace(series) != Some(series) {
            self.writer.series(&self.selection.labels(series))?;
        }
        self.writer.rows(rows)?;
        Ok(Flow::Continue)
    }

    fn buckets(&mut self, _: u32, _: &Buckets) -> Result<Flow, Error> {
        debug_assert!(false, "an export asks for rows only");
        Ok(Flow::Continue)
    }

    fn chunks(&mut self, _: u32, _: &[FloatPartial]) -> Result<Flow, Error> {
        debug_assert!(false, "an export asks for rows only");
        Ok(Flow::Continue)
    }
}
