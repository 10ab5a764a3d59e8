//! `quipu inspect`: what lies in a data directory, of a server that runs or not, whole or damaged.
//!
//! Nothing is locked, nothing written. What cannot be read is told on standard error; the rest is
//! shown.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use jiff::Timestamp;

use crate::cli::{
    command::{Format, Inspect, Look},
    error::Error,
    files::{failed, open, print},
    serve::say,
    table::Table,
};
use crate::os::Files;
use crate::store::{self, DataKind, FileSummary, Inspection};

pub(super) fn run(words: &Inspect) -> Result<(), Error> {
    let files = open(&words.files.data)?;
    let show = Show { files: &files, limit: words.limit, format: words.files.format };
    match &words.look {
        None => show.overview(),
        Some(Look::Blocks) => show.blocks(),
        Some(Look::Block { file }) => show.block(file),
        Some(Look::Wal) => show.wal(),
        Some(Look::Series) => show.series(),
        Some(Look::Diff { other }) => show.diff(other),
    }
}

struct Show<'a> {
    files: &'a Arc<dyn Files>,
    limit: usize,
    format: Format,
}

impl Show<'_> {
    fn overview(&self) -> Result<(), Error> {
        let seen = self.inspect()?;
        let mut table = Counted::new();
        for (kind, name) in
            [(DataKind::Part, "parts"), (DataKind::Block, "blocks"), (DataKind::Tier, "tier files")]
        {
            let of_kind =
                || seen.files.iter().filter(|file| file.kind == kind && !file.is_archived);
            let bytes = of_kind().map(|file| file.bytes).sum();
            let rows = of_kind().map(|file| file.rows).sum();
            table.row(("files", name), of_kind().count() as u64, Some(rows), Some(bytes));
        }
        let archived = || seen.files.iter().filter(|file| file.is_archived);
        if archived().count() > 0 {
            let (rows, bytes) =
                (archived().map(|it| it.rows).sum(), archived().map(|it| it.bytes).sum());
            table.row(("files", "archived"), archived().count() as u64, Some(rows), Some(bytes));
        }
        let waiting = seen.segments.iter().map(|segment| segment.rows_waiting).sum();
        let segments = seen.segments.len() as u64;
        table.row(("files", "log segments"), segments, Some(waiting), Some(seen.log_bytes()));
        if let Some(catalog) = &seen.catalog {
            table.row(("catalog", "series"), catalog.series, None, Some(catalog.bytes));
            table.row(("catalog", "label pairs"), catalog.pairs, None, None);
            table.row(("catalog", "metrics described"), catalog.metadata, None, None);
        }
        table.row(("deletions", "waiting"), seen.deletions, None, None);
        let mut days: BTreeMap<&str, Vec<&FileSummary>> = BTreeMap::new();
        for file in &seen.files {
            days.entry(&file.day).or_default().push(file);
        }
        for (day, files) in days {
            let rows = files.iter().map(|file| file.rows).sum();
            let bytes = files.iter().map(|file| file.bytes).sum();
            table.row(("day", day), files.len() as u64, Some(rows), Some(bytes));
        }
        for (metric, series) in self.counted()?.by_metric {
            table.row(("metric", &metric), series, None, None);
        }
        print(&table.0, self.format)
    }

    fn blocks(&self) -> Result<(), Error> {
        let titles =
            ["file", "kind", "day", "from", "to", "positions", "series", "rows", "bytes", "a row"];
        let mut table = Table::new(&titles);
        for file in self.inspect()?.files {
            table.push(vec![
                file.path.clone(),
                if file.is_archived { "archived".to_owned() } else { kind(file.kind).to_owned() },
                file.day.clone(),
                instant(file.times.0),
                instant(file.times.1),
                format!("{}-{}", file.positions.0.saturating_add(1), file.positions.1),
                file.series.to_string(),
                file.rows.to_string(),
                file.bytes.to_string(),
                a_row(file.bytes_per_row()),
            ]);
        }
        print(&table, self.format)
    }

    fn block(&self, file: &str) -> Result<(), Error> {
        let seen = store::inspect_file(self.files.as_ref(), file, self.limit);
        let seen = seen.map_err(|error| failed(&error))?;
        tell(&seen.findings);
        let mut table = Counted::new();
        let FileSummary { series, rows, bytes, .. } = seen.summary;
        table.row((kind(seen.summary.kind), "all"), series, Some(rows), Some(bytes));
        for section in &seen.sections {
            table.row(("section", section.section), 1, None, Some(section.bytes));
        }
        for column in &seen.columns {
            let name = format!("{} {}", column.column, column.encoding);
            table.row(("columns", &name), column.count, Some(column.rows), Some(column.bytes));
        }
        for metric in &seen.metrics {
            let counts = (Some(metric.rows), Some(metric.bytes));
            table.row(("metric", &metric.metric), metric.series, counts.0, counts.1);
        }
        print(&table.0, self.format)
    }

    fn wal(&self) -> Result<(), Error> {
        let titles =
            ["segment", "records", "positions", "rows", "waiting", "bytes", "torn", "state"];
        let mut table = Table::new(&titles);
        for segment in self.inspect()?.segments {
            let positions = segment.positions.map(|(first, last)| format!("{first}-{last}"));
            let state = match (segment.is_damaged, segment.torn_bytes) {
                (true, _) => "damaged",
                (false, 0) => "whole",
                (false, _) => "torn tail",
            };
            table.push(vec![
                segment.path,
                segment.records.to_string(),
                positions.unwrap_or_default(),
                segment.rows.to_string(),
                segment.rows_waiting.to_string(),
                segment.bytes.to_string(),
                segment.torn_bytes.to_string(),
                state.to_owned(),
            ]);
        }
        print(&table, self.format)
    }

    fn series(&self) -> Result<(), Error> {
        let counted = self.counted()?;
        let mut table = Table::new(&["what", "name", "series", "values", "bytes"]);
        let mut row = |what: &str, name: &str, counts: [Option<u64>; 3]| {
            let counts =
                counts.map(|count| count.map(|count| count.to_string()).unwrap_or_default());
            let mut cells = vec![what.to_owned(), name.to_owned()];
            cells.extend(counts);
            table.push(cells);
        };
        row("all", "series", [Some(counted.series), None, None]);
        row("all", "label pairs", [None, Some(counted.label_pairs), None]);
        for (metric, series) in &counted.by_metric {
            row("metric", metric, [Some(*series), None, None]);
        }
        let bytes: BTreeMap<&str, u64> =
            counted.bytes_by_name.iter().map(|(name, bytes)| (name.as_str(), *bytes)).collect();
        for (name, values) in &counted.values_by_name {
            row("label", name, [None, Some(*values), bytes.get(name.as_str()).copied()]);
        }
        for (pair, series) in &counted.by_pair {
            row("pair", pair, [Some(*series), None, None]);
        }
        print(&table, self.format)
    }

    fn diff(&self, other: &Path) -> Result<(), Error> {
        let there = open(other)?;
        let there = Show { files: &there, limit: self.limit, format: self.format };
        let (here, there) = (self.inspect()?, there.inspect()?);
        let mut table = Table::new(&["what", "here", "there"]);
        let mut row = |what: &str, here: &str, there: &str| {
            if here != there {
                table.push(vec![what.to_owned(), here.to_owned(), there.to_owned()]);
            }
        };
        let database = |seen: &Inspection| {
            seen.database.map_or_else(String::new, |database| format!("{database:032x}"))
        };
        row("database", &database(&here), &database(&there));
        row("rows in files", &here.rows().to_string(), &there.rows().to_string());
        row("position in files", &here.in_files.to_string(), &there.in_files.to_string());
        let series = |seen: &Inspection| seen.catalog.as_ref().map_or(0, |it| it.series);
        row("series", &series(&here).to_string(), &series(&there).to_string());
        row("deletions waiting", &here.deletions.to_string(), &there.deletions.to_string());
        let mut paths: BTreeMap<&str, [String; 2]> = BTreeMap::new();
        for (side, seen) in [&here, &there].into_iter().enumerate() {
            let files = seen.files.iter().map(|file| (&file.path, file.rows, file.bytes));
            let log = seen.segments.iter().map(|it| (&it.path, it.rows, it.bytes));
            for (path, rows, bytes) in files.chain(log) {
                if let Some(cell) = paths.entry(path).or_default().get_mut(side) {
                    *cell = format!("{rows} rows, {bytes} bytes");
                }
            }
        }
        for (path, [here, there]) in &paths {
            row(path, here, there);
        }
        if table.is_empty() {
            say("no difference");
            return Ok(());
        }
        print(&table, self.format)
    }

    fn inspect(&self) -> Result<Inspection, Error> {
        let seen = store::inspect(self.files.as_ref()).map_err(|error| failed(&error))?;
        tell(&seen.findings);
        Ok(seen)
    }

    fn counted(&self) -> Result<crate::model::Cardinality, Error> {
        let seen = store::inspect_series(self.files.as_ref(), self.limit);
        Ok(seen.map_err(|error| failed(&error))?.counted)
    }
}

/// A table of counts, rows and bytes.
struct Counted(Table);

impl Counted {
    fn new() -> Self {
        Self(Table::new(&["what", "name", "count", "rows", "bytes", "a row"]))
    }

    fn row(
        &mut self,
        (what, name): (&str, &str),
        count: u64,
        rows: Option<u64>,
        bytes: Option<u64>,
    ) {
        let shown = |count: Option<u64>| count.map(|it| it.to_string()).unwrap_or_default();
        let ratio = rows.zip(bytes).filter(|(rows, _)| *rows > 0);
        #[expect(clippy::cast_precision_loss, reason = "a ratio for people")]
        let ratio = ratio.map(|(rows, bytes)| bytes as f64 / rows as f64);
        let name = name.to_owned();
        let cells = [shown(rows), shown(bytes), a_row(ratio)];
        self.0.push([vec![what.to_owned(), name, count.to_string()], cells.into()].concat());
    }
}

fn kind(kind: DataKind) -> &'static str {
    match kind {
        DataKind::Part => "part",
        DataKind::Block => "block",
        DataKind::Tier => "tier",
    }
}

fn a_row(ratio: Option<f64>) -> String {
    ratio.map(|bytes| format!("{bytes:.2}")).unwrap_or_default()
}

/// RFC 3339, to the second.
fn instant(nanos: i64) -> String {
    let time = Timestamp::from_nanosecond(nanos.into()).unwrap_or_default();
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn tell(findings: &[String]) {
    for finding in findings {
        say(&format!("finding: {finding}"));
    }
}
