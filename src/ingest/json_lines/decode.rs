//! Lines to a batch.

use std::borrow::Cow;

use super::histogram;
use super::json::{Json, What};
use crate::ingest::config::IMPORT_LINE_OPTION;
use crate::ingest::labels::{limit, shown_up_to};
use crate::ingest::lookup::{Found, Lookup};
use crate::ingest::number::decimal;
use crate::ingest::time::Bounds;
use crate::ingest::{Error, ExtraLabels, Intake, Pair, Place, Reason, Report, Session};
use crate::model::{Batch, Door, HistogramRow, SeriesRef};

/// Bytes of a line that an error repeats.
const SHOWN_BYTES_MAX: usize = 200;

/// What a request says beside its body.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ask<'a> {
    /// Added to every series.
    pub extra: Option<&'a ExtraLabels>,
}

/// Decodes an inflated `body` into `batch`, which is emptied first.
///
/// Lines that cannot be read are left out and told in the report.
///
/// # Errors
/// [`Error::Registry`] where series cannot be registered now. The batch is empty then.
pub fn decode(
    body: &[u8],
    ask: &Ask<'_>,
    session: &mut Session,
    intake: &Intake<'_>,
    batch: &mut Batch,
) -> Result<Report, Error> {
    let bounds = intake.begin(session, batch);
    let values = std::mem::take(&mut session.values);
    let lookup = Lookup {
        session,
        intake,
        door: Door::JsonLine,
        relabel: ask.extra.and_then(ExtraLabels::as_relabel),
        scope: ask.extra.map_or(&[], ExtraLabels::scope),
    };
    let report = Report::default();
    let mut lines = Lines { lookup, batch, report, bounds, values };
    let decoded = lines.decode(body);
    let Lines { report, mut values, .. } = lines;
    values.clear();
    values.shrink_to(VALUES_KEPT);
    session.values = values;
    match decoded {
        Ok(()) => Ok(Report {
            samples: batch.rows.len() as u64,
            histograms: batch.histograms.len() as u64,
            ..report
        }),
        Err(error) => {
            batch.clear();
            Err(error)
        }
    }
}

/// Values of a line for which a connection keeps space.
const VALUES_KEPT: usize = 16 << 10;

struct Lines<'l> {
    lookup: Lookup<'l>,
    batch: &'l mut Batch,
    report: Report,
    bounds: Bounds,
    values: Vec<f64>,
}

/// The parts of a line, where they lie.
#[derive(Clone, Copy, Default)]
struct Parts<'a> {
    metric: Option<&'a [u8]>,
    values: bool,
    histograms: Option<&'a [u8]>,
    timestamps: Option<&'a [u8]>,
}

impl Lines<'_> {
    fn decode(&mut self, body: &[u8]) -> Result<(), Error> {
        for (index, line) in body.split(|byte| *byte == b'\n').enumerate() {
            let line = line.trim_ascii();
            if line.is_empty() {
                continue;
            }
            let number = index + 1;
            let size_max = self.lookup.intake.config.import_line_bytes_max;
            if let Err(reason) = limit("line size", line.len(), size_max, IMPORT_LINE_OPTION) {
                self.refuse(number, 1, reason);
                continue;
            }
            match self.parts(line) {
                Ok(parts) => self.take(number, line, parts)?,
                Err(what) => self.refuse(number, 1, unreadable(line, what)),
            }
        }
        Ok(())
    }

    /// Finds the parts; values are read on the way.
    fn parts<'a>(&mut self, line: &'a [u8]) -> Result<Parts<'a>, What> {
        let mut parts = Parts::default();
        let values = &mut self.values;
        values.clear();
        let mut json = Json::new(line);
        json.object(|json, key| {
            match key.as_ref() {
                "metric" if parts.metric.is_none() => parts.metric = Some(json.skip()?),
                "timestamps" if parts.timestamps.is_none() => parts.timestamps = Some(json.skip()?),
                "histograms" if parts.histograms.is_none() => parts.histograms = Some(json.skip()?),
                "values" if !parts.values => {
                    parts.values = true;
                    json.list(|json| {
                        values.push(value(json)?);
                        Ok(())
                    })?;
                }
                "metric" | "timestamps" | "histograms" | "values" => {
                    return Err(format!("{key:?} stands there twice").into());
                }
                _ => {
                    json.skip()?;
                }
            }
            Ok(())
        })?;
        match json.peek() {
            None => Ok(parts),
            Some(_) => Err(json.unexpected("the end of the line")),
        }
    }

    fn take(&mut self, number: usize, line: &[u8], parts: Parts<'_>) -> Result<(), Error> {
        let Some(metric) = parts.metric else {
            self.missing(number, line, "metric");
            return Ok(());
        };
        let Some(timestamps) = parts.timestamps else {
            self.missing(number, line, "timestamps");
            return Ok(());
        };
        if !parts.values && parts.histograms.is_none() {
            self.missing(number, line, "values");
            return Ok(());
        }
        let found = match self.find(number, line, metric)? {
            Some(Found::Series(series)) => series,
            Some(Found::Dropped) | None => return Ok(()),
        };
        let histograms = self.batch.histograms.len();
        let taken = match parts.histograms {
            Some(texts) if !parts.values => {
                self.take_histograms(number, (texts, timestamps), found)
            }
            Some(_) => Err("a line has values or histograms, not both".into()),
            None => self.take_values(number, timestamps, found),
        };
        if let Err(what) = taken {
            self.batch.rows.drop_run();
            self.batch.histograms.truncate(histograms);
            self.refuse(number, 1, unreadable(line, what));
        }
        Ok(())
    }

    /// None where the labels were refused.
    fn find(&mut self, number: usize, line: &[u8], metric: &[u8]) -> Result<Option<Found>, Error> {
        let key = self.lookup.key(|bytes| bytes.extend_from_slice(metric));
        if let Some(found) = self.lookup.find(key) {
            return Ok(Some(found));
        }
        let pairs = match labels(metric) {
            Ok(pairs) => pairs,
            Err(what) => {
                self.refuse(number, 1, unreadable(line, what));
                return Ok(None);
            }
        };
        match self.lookup.register(key, None, &pairs)? {
            Ok(found) => Ok(Some(found)),
            Err(reason) => {
                self.refuse(number, 1, reason);
                Ok(None)
            }
        }
    }

    fn take_values(
        &mut self,
        number: usize,
        timestamps: &[u8],
        series: SeriesRef,
    ) -> Result<(), What> {
        let values = std::mem::take(&mut self.values);
        let mut read = 0;
        let done = Json::new(timestamps).list(|json| {
            let millis = millis(json)?;
            let value = values.get(read).copied();
            read += 1;
            let Some(value) = value else { return Ok(()) };
            match self.bounds.millis(millis) {
                Ok(time) => self.batch.rows.push(time, value),
                Err(reason) => self.refuse(number, 1, reason),
            }
            Ok(())
        });
        let count = values.len();
        self.values = values;
        done?;
        if read != count {
            return Err(format!("there are {count} values and {read} timestamps").into());
        }
        self.batch.rows.end_run(series);
        Ok(())
    }

    #[cold]
    fn take_histograms(
        &mut self,
        number: usize,
        (histograms, timestamps): (&[u8], &[u8]),
        series: SeriesRef,
    ) -> Result<(), What> {
        let (mut texts, mut times) = (Vec::new(), Vec::new());
        Json::new(histograms).list(|json| {
            texts.push(json.skip()?);
            Ok(())
        })?;
        Json::new(timestamps).list(|json| {
            times.push(millis(json)?);
            Ok(())
        })?;
        if texts.len() != times.len() {
            let (histograms, times) = (texts.len(), times.len());
            return Err(format!("there are {histograms} histograms and {times} timestamps").into());
        }
        for (text, millis) in texts.iter().zip(&times) {
            let read = histogram::read(text, self.lookup.intake.config.buckets_max)
                .and_then(|value| Ok((self.bounds.millis(*millis)?, value)));
            match read {
                Ok((time, value)) => {
                    self.batch.histograms.push(HistogramRow { series, time, start: 0, value });
                }
                Err(reason) => self.refuse(number, 1, reason),
            }
        }
        Ok(())
    }

    #[cold]
    fn missing(&mut self, number: usize, line: &[u8], key: &str) {
        self.refuse(number, 1, unreadable(line, format!("{key:?} is missing").into()));
    }

    #[cold]
    fn refuse(&mut self, number: usize, rows: u64, reason: Reason) {
        self.report.refuse(self.lookup.intake.config, rows, || (Place::TextLine(number), reason));
    }
}

fn unreadable(line: &[u8], what: What) -> Reason {
    Reason::Unreadable { text: shown_up_to(SHOWN_BYTES_MAX, line), what }
}

/// A number, `null`, or a word for what JSON has no number for: in quotes, or bare, as vmctl and the
/// exports of `VictoriaMetrics` up to 1.79 have them.
#[inline]
fn value(json: &mut Json<'_>) -> Result<f64, What> {
    if json.peek() == Some(b'"') {
        let word = json.text()?;
        return decimal(word.as_bytes()).ok_or_else(|| format!("{word:?} is no number").into());
    }
    let token = json.token();
    match token {
        b"null" => Ok(f64::NAN),
        _ => decimal(token).ok_or_else(|| bad_number(token)),
    }
}

/// Whole milliseconds.
#[inline]
fn millis(json: &mut Json<'_>) -> Result<i64, What> {
    json.peek();
    let token = json.token();
    let text = std::str::from_utf8(token).map_err(|_| bad_number(token))?;
    text.parse().map_err(|_| {
        let shown = shown_up_to(24, token);
        format!("{shown:?} is no timestamp in whole milliseconds").into()
    })
}

#[cold]
fn bad_number(token: &[u8]) -> What {
    format!("{:?} is no number", shown_up_to(24, token)).into()
}

fn labels(metric: &[u8]) -> Result<Vec<Pair<'_>>, What> {
    let mut pairs: Vec<Pair<'_>> = Vec::new();
    Json::new(metric).object(|json, name| {
        let name = match name {
            Cow::Borrowed(name) => Cow::Borrowed(name.as_bytes()),
            Cow::Owned(name) => Cow::Owned(name.into_bytes()),
        };
        let value = match json.text()? {
            Cow::Borrowed(value) => Cow::Borrowed(value.as_bytes()),
            Cow::Owned(value) => Cow::Owned(value.into_bytes()),
        };
        pairs.push((name, value));
        Ok(())
    })?;
    Ok(pairs)
}
