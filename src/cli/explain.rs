//! `quipu ingest explain`: what each line of a file becomes, without a server.

use std::{
    fs,
    io::{self, Read, Write},
    path::Path,
};

use crate::cli::{
    command::{Explain, Ingest, IngestVerb, Protocol},
    error::Error,
};
use crate::ingest::{
    self, Config, Intake, LabelBook, Report, Session, csv,
    exposition::{self, Format},
    json_lines,
    line::{self, Precision},
};
use crate::model::{Batch, TenantId, Timestamp};
use crate::os::{Clock, SystemClock};

/// Lines that quoted text of line protocol may go on for.
const LINES_JOINED_MAX: usize = 100;

pub(super) fn run(ingest: &Ingest) -> Result<(), Error> {
    let IngestVerb::Explain(explain) = &ingest.verb;
    let body = read(&explain.file)?;
    let mut explainer = Explainer::new(explain)?;
    let mut out = io::BufWriter::new(io::stdout().lock());
    explainer.explain(&body, &mut out)?;
    out.flush()?;
    match explainer.refused {
        0 => Ok(()),
        1 => Err(Error::Failed("1 line would be refused".into())),
        count => Err(Error::Failed(format!("{count} lines would be refused"))),
    }
}

#[expect(clippy::disallowed_methods, reason = "a file that the person names, not one of the store")]
fn read(file: &Path) -> Result<Vec<u8>, Error> {
    let failed = |error| Error::Failed(format!("cannot read {}: {error}", file.display()));
    if file == Path::new("-") {
        let mut body = Vec::new();
        io::stdin().lock().read_to_end(&mut body).map_err(failed)?;
        return Ok(body);
    }
    fs::read(file).map_err(failed)
}

/// Decodes line by line, as the server would decode all at once.
struct Explainer<'e> {
    explain: &'e Explain,
    columns: Option<(csv::Format, u8)>,
    now: Timestamp,
    book: LabelBook,
    config: Config,
    /// The line that says what the metric at hand is, with its end.
    kind: Vec<u8>,
    refused: usize,
}

impl<'e> Explainer<'e> {
    fn new(explain: &'e Explain) -> Result<Self, Error> {
        let columns = match (&explain.format, explain.protocol) {
            (Some(format), Protocol::Csv) => {
                let usage = |error: csv::FormatError| Error::Usage(error.to_string());
                let format = csv::Format::parse(format).map_err(usage)?;
                let delimiter = csv::Ask::delimiter(explain.delimiter.as_deref()).map_err(usage)?;
                Some((format, delimiter))
            }
            _ => None,
        };
        Ok(Self {
            explain,
            columns,
            now: Timestamp(SystemClock::new().now()),
            book: LabelBook::default(),
            config: Config::default(),
            kind: Vec::new(),
            refused: 0,
        })
    }

    fn explain(&mut self, body: &[u8], out: &mut impl Write) -> Result<(), Error> {
        let mut rest = body;
        let mut number = 1;
        let mut is_ended = false;
        while !rest.is_empty() {
            let (mut line, mut joined) = (first_line(rest, 1), 1);
            let mut batch = Batch::default();
            let mut decoded = self.decode(line, &mut batch);
            // Quoted text of line protocol may hold line ends.
            while self.explain.protocol == Protocol::Influx
                && joined < LINES_JOINED_MAX
                && line.len() < rest.len()
                && decoded
                    .as_ref()
                    .is_ok_and(|report| report.to_string().contains("unbalanced quotes"))
            {
                joined += 1;
                line = first_line(rest, joined);
                decoded = self.decode(line, &mut batch);
            }
            is_ended |= line.trim_ascii() == b"# EOF";
            self.print(number, &decoded, &batch, out)?;
            number += joined;
            rest = rest.get(line.len()..).unwrap_or_default();
        }
        if self.explain.protocol == Protocol::Openmetrics && !is_ended {
            self.refused += 1;
            writeln!(out, "{number}: error: text does not end with # EOF")?;
        }
        Ok(())
    }

    fn decode(&mut self, line: &[u8], batch: &mut Batch) -> Result<Report, ingest::Error> {
        let mut session = Session::new();
        let intake =
            Intake { config: &self.config, registry: &self.book, tenant: TenantId::default() };
        let now = self.now;
        let format = match self.explain.protocol {
            Protocol::Influx => {
                let precision = match self.explain.precision.as_str() {
                    "auto" => Precision::Auto,
                    word => Precision::from_parameter(word),
                };
                let ask = line::Ask { precision, now, db: &self.explain.db };
                return line::decode(line, &ask, &mut session, &intake, batch);
            }
            Protocol::Jsonl => {
                let ask = json_lines::Ask::default();
                return json_lines::decode(line, &ask, &mut session, &intake, batch);
            }
            Protocol::Csv => {
                let Some((format, delimiter)) = &self.columns else { return Ok(Report::default()) };
                let ask = csv::Ask { format, delimiter: *delimiter, now, extra: None };
                return csv::decode(line, &ask, &mut session, &intake, batch);
            }
            Protocol::Prometheus => Format::Text,
            Protocol::Openmetrics => Format::OpenMetrics,
        };
        let is_kind = line.trim_ascii_start().starts_with(b"# TYPE ");
        let end: &[u8] = if format == Format::OpenMetrics && line.trim_ascii() != b"# EOF" {
            b"# EOF\n"
        } else {
            b""
        };
        let before = if is_kind { &[] } else { &self.kind[..] };
        let body = [before, line, end].concat();
        let ask = exposition::Ask { format, now, ..exposition::Ask::default() };
        let decoded = exposition::decode(&body, &ask, &mut session, &intake, batch);
        if is_kind && decoded.as_ref().is_ok_and(Report::is_clean) {
            self.kind = line.to_vec();
        } else if !self.kind.is_empty() {
            // The line before was told when it came.
            batch
                .metadata
                .retain(|metadata| !metadata.help.is_empty() || !metadata.unit.is_empty());
        }
        decoded
    }

    fn print(
        &mut self,
        number: usize,
        decoded: &Result<Report, ingest::Error>,
        batch: &Batch,
        out: &mut impl Write,
    ) -> Result<(), Error> {
        let labels =
            |series| self.book.labels(series).map_or_else(String::new, |it| it.to_string());
        for (series, range) in batch.rows.runs() {
            for row in range {
                let value = batch.rows.values().get(row).copied().unwrap_or_default();
                let time = batch.rows.times().get(row).copied().unwrap_or_default();
                writeln!(out, "{number}: {} {value} @ {}", labels(series), seconds(time))?;
            }
        }
        for row in &batch.histograms {
            let (count, sum) = (row.value.count, row.value.sum);
            let (labels, time) = (labels(row.series), seconds(row.time));
            writeln!(out, "{number}: {labels} histogram of {count} with sum {sum} @ {time}")?;
        }
        for exemplar in &batch.exemplars {
            let (time, value) = (seconds(exemplar.time), exemplar.value);
            writeln!(out, "{number}: exemplar {} {value} @ {time}", exemplar.labels)?;
        }
        for metadata in &batch.metadata {
            let (metric, kind) = (&metadata.metric, metadata.kind.name());
            writeln!(
                out,
                "{number}: {metric} is a {kind}, {:?}, unit {:?}",
                metadata.help, metadata.unit
            )?;
        }
        let report = match decoded {
            Ok(report) => report,
            Err(error) => {
                self.refused += 1;
                writeln!(out, "{number}: error: {error}")?;
                return Ok(());
            }
        };
        if report.strings > 0 {
            writeln!(out, "{number}: {} text fields are left out", report.strings)?;
        }
        self.refused += usize::from(!report.is_clean());
        for refusal in &report.refusals {
            writeln!(out, "{number}: error: {}", refusal.reason)?;
        }
        Ok(())
    }
}

/// The first `count` lines, with their ends.
fn first_line(text: &[u8], count: usize) -> &[u8] {
    let ends = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
    let end = ends.into_iter().nth(count - 1).unwrap_or(text.len());
    text.get(..end).unwrap_or(text)
}

/// Seconds since 1970, to the nanosecond where that says something.
fn seconds(nanos: i64) -> String {
    let (whole, fraction) = (nanos.div_euclid(1_000_000_000), nanos.rem_euclid(1_000_000_000));
    let text = format!("{whole}.{fraction:09}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
