//! `io.prometheus.client.MetricFamily`, each behind its length: the format in which native histograms
//! are scraped.

use std::borrow::Cow;

use super::Pair;
use super::decode::Decoder;
use super::family::{Family, Layout, Metric, Part};
use super::histogram::{self, Bucket, bucket, timestamp};
use super::lookup::{Found, with_suffix};
use super::number::label_value;
use super::shape::check_body;
use crate::ingest::metadata::Told;
use crate::ingest::remote_write::{Fault, finish_exemplar, labels};
use crate::ingest::wire::{Malformed, Value, Wire};
use crate::ingest::{Error, Place, Reason};
use crate::model::{Exemplar, HistogramRow, MetricKind, SeriesKey, SeriesRef};

pub(super) fn decode(decoder: &mut Decoder<'_>, body: &[u8]) -> Result<(), Error> {
    let mut families = Families { decoder, body: Wire::new(body), is_checked: false, index: 0 };
    let mut rest = families.body;
    while !rest.is_empty() {
        let message = rest.delimited()?;
        families.take(message)?;
    }
    Ok(())
}

struct Families<'d, 'b, 'w> {
    decoder: &'d mut Decoder<'b>,
    body: Wire<'w>,
    is_checked: bool,
    /// Of the metric at hand, through all families.
    index: usize,
}

/// A row on its way to its series.
#[derive(Clone, Copy)]
struct Row<'a> {
    part: Part,
    value: f64,
    /// ns; 0 = unknown.
    start: i64,
    exemplar: Option<Wire<'a>>,
}

impl Families<'_, '_, '_> {
    fn take(&mut self, message: Wire<'_>) -> Result<(), Error> {
        let family = Family::read(message)?;
        let kind = match family.kind {
            0 => MetricKind::Counter,
            1 => MetricKind::Gauge,
            2 => MetricKind::Summary,
            3 => MetricKind::Unknown,
            4 => MetricKind::Histogram,
            5 => MetricKind::GaugeHistogram,
            number => {
                let what = format!("metric has the type {number}, which is not known");
                return self.refuse(
                    &family,
                    Reason::Unreadable { text: family.shown(), what: what.into() },
                );
            }
        };
        if family.name.is_empty() {
            return self.refuse(&family, Reason::MetadataWithoutMetric);
        }
        if family.help.is_empty() && family.unit.is_empty() && kind == MetricKind::Unknown {
            // Nothing is said.
        } else {
            let told = Told {
                metric: family.name,
                kind: kind as u64,
                unit: family.unit,
                help: family.help,
            };
            let lookup = &mut self.decoder.lookup;
            match told.tell(lookup.session, lookup.intake, self.decoder.batch) {
                Ok(()) => self.decoder.report.metadata += 1,
                Err(reason) => self.refuse(&family, reason)?,
            }
        }
        let mut fields = message;
        while let Some((number, value)) = fields.field()? {
            if let (4, Value::Bytes(metric)) = (number, value) {
                self.take_metric(&family, kind, metric)?;
                self.index += 1;
            }
        }
        Ok(())
    }

    fn take_metric(
        &mut self,
        family: &Family<'_>,
        kind: MetricKind,
        message: Wire<'_>,
    ) -> Result<(), Error> {
        let layout = Layout::read(message, kind)?;
        let mut gathered = Vec::new();
        let labels = if layout.is_scattered {
            labels::gather(message, &mut gathered)?;
            &gathered[..]
        } else {
            layout.labels
        };
        let metric = Metric { name: family.name, labels, time: layout.time };
        let Some(value) = layout.value else {
            let what = format!("metric has no {} although its family is one", kind.name());
            return self.refuse_metric(
                &metric,
                1,
                Reason::Unreadable { text: family.shown(), what: what.into() },
            );
        };
        match kind {
            MetricKind::Histogram | MetricKind::GaugeHistogram => {
                self.take_histogram(&metric, value, kind == MetricKind::GaugeHistogram)
            }
            MetricKind::Summary => self.take_summary(&metric, value),
            _ => self.take_number(&metric, value),
        }
    }

    /// Counter, gauge and untyped: value 1; a counter has an exemplar 2 and a start 3 as well.
    fn take_number(&mut self, metric: &Metric<'_>, mut message: Wire<'_>) -> Result<(), Error> {
        let mut row = Row { part: Part::Plain, value: 0.0, start: 0, exemplar: None };
        loop {
            let before = message;
            match message.field()? {
                Some((1, Value::Fixed64(bits))) => row.value = f64::from_bits(bits),
                Some((2, Value::Bytes(exemplar))) => row.exemplar = Some(exemplar),
                Some((3, Value::Bytes(start))) => row.start = timestamp(start)?,
                Some((number @ 1..=3, _)) => return Err(before.mismatch("Counter", number).into()),
                Some(_) => {}
                None => return self.row(metric, row),
            }
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "samples are floats")]
    fn take_summary(&mut self, metric: &Metric<'_>, message: Wire<'_>) -> Result<(), Error> {
        let (mut count, mut sum, mut start) = (0.0, 0.0, 0);
        let mut fields = message;
        loop {
            let before = fields;
            match fields.field()? {
                Some((1, Value::Varint(value))) => count = value as f64,
                Some((2, Value::Fixed64(bits))) => sum = f64::from_bits(bits),
                Some((3, Value::Bytes(_))) => {}
                Some((4, Value::Bytes(time))) => start = timestamp(time)?,
                Some((number @ 1..=4, _)) => return Err(before.mismatch("Summary", number).into()),
                Some(_) => {}
                None => break,
            }
        }
        let row = |part, value| Row { part, value, start, exemplar: None };
        self.row(metric, row(Part::Count, count))?;
        self.row(metric, row(Part::Sum, sum))?;
        let mut fields = message;
        while let Some((number, value)) = fields.field()? {
            if let (3, Value::Bytes(message)) = (number, value) {
                let (quantile, value) = pair_of_doubles(message)?;
                self.row(metric, row(Part::Quantile(quantile), value))?;
            }
        }
        Ok(())
    }

    fn take_histogram(
        &mut self,
        metric: &Metric<'_>,
        message: Wire<'_>,
        is_gauge: bool,
    ) -> Result<(), Error> {
        let ask = self.decoder.lookup.ask;
        let buckets_max = self.decoder.lookup.intake.config.buckets_max;
        let read = match histogram::read(message, is_gauge, buckets_max) {
            Ok(read) => read,
            Err(Fault::Malformed(malformed)) => return Err(malformed.into()),
            Err(Fault::Refused(reason)) => return self.refuse_metric(metric, 1, reason),
        };
        let is_native = read.is_native && !ask.ignore_native_histograms;
        if !is_native || (ask.classic_histograms && read.has_buckets) {
            self.take_buckets(metric, &read)?;
        }
        if is_native { self.take_native(metric, read) } else { Ok(()) }
    }

    fn take_buckets(
        &mut self,
        metric: &Metric<'_>,
        read: &histogram::Read<'_>,
    ) -> Result<(), Error> {
        let row = |part, value, exemplar| Row { part, value, start: read.start, exemplar };
        self.row(metric, row(Part::Count, read.count, None))?;
        self.row(metric, row(Part::Sum, read.sum, None))?;
        let mut fields = read.message;
        let mut is_whole = false;
        while let Some((number, value)) = fields.field()? {
            if let (3, Value::Bytes(message)) = (number, value) {
                let Bucket { bound, count, exemplar } = bucket(message)?;
                is_whole |= bound == f64::INFINITY;
                self.row(metric, row(Part::Bucket(bound), count, exemplar))?;
            }
        }
        if is_whole {
            return Ok(());
        }
        self.row(metric, row(Part::Bucket(f64::INFINITY), read.count, None))
    }

    fn take_native(&mut self, metric: &Metric<'_>, read: histogram::Read<'_>) -> Result<(), Error> {
        let time = match self.decoder.time(metric.time) {
            Ok(time) => time,
            Err(reason) => return self.refuse_metric(metric, 1, reason),
        };
        let value = match read.raw.into_histogram() {
            Ok(value) => value,
            Err(reason) => return self.refuse_metric(metric, 1, reason),
        };
        let Some(series) = self.find(metric, Part::Plain)? else { return Ok(()) };
        self.decoder.batch.histograms.push(HistogramRow { series, time, start: read.start, value });
        self.decoder.see(series, metric.time.is_some());
        let mut fields = read.message;
        while let Some((number, value)) = fields.field()? {
            let exemplar = match (number, value) {
                (16, Value::Bytes(exemplar)) => Some(exemplar),
                (3, Value::Bytes(message)) if !read.has_exemplars => bucket(message)?.exemplar,
                _ => None,
            };
            // Those of native histograms come again and again: without a time they are no news.
            if let Some(exemplar) = exemplar
                && has_time(exemplar)?
            {
                self.take_exemplar(metric, exemplar, (series, time))?;
            }
        }
        Ok(())
    }

    #[inline]
    fn row(&mut self, metric: &Metric<'_>, row: Row<'_>) -> Result<(), Error> {
        let time = match self.decoder.time(metric.time) {
            Ok(time) => time,
            Err(reason) => return self.refuse_metric(metric, 1, reason),
        };
        let Some(series) = self.find(metric, row.part)? else { return Ok(()) };
        let rows = &mut self.decoder.batch.rows;
        rows.push_started(time, row.start, row.value);
        rows.end_run(series);
        self.decoder.see(series, metric.time.is_some());
        match row.exemplar {
            None => Ok(()),
            Some(exemplar) => self.take_exemplar(metric, exemplar, (series, time)),
        }
    }

    /// None where the series is not wanted, or refused and told.
    #[inline]
    fn find(&mut self, metric: &Metric<'_>, part: Part) -> Result<Option<SeriesRef>, Error> {
        let key = self.decoder.lookup.key(|bytes| {
            bytes.extend_from_slice(&part.code());
            bytes.extend_from_slice(&metric.name.len().to_le_bytes());
            bytes.extend_from_slice(metric.name);
            bytes.extend_from_slice(metric.labels);
        });
        let found = match self.decoder.lookup.find(key) {
            Some(found) => found,
            None => self.register(key, metric, part)?,
        };
        Ok(match found {
            Found::Series(series) => Some(series),
            Found::Dropped => {
                self.decoder.report.dropped += 1;
                None
            }
        })
    }

    /// What is refused and told counts as not wanted.
    #[cold]
    fn register(
        &mut self,
        key: SeriesKey,
        metric: &Metric<'_>,
        part: Part,
    ) -> Result<Found, Error> {
        if !self.is_checked {
            check_body(self.body)?;
            self.is_checked = true;
        }
        let number = part.label().map(|(name, number)| (name, label_value(number)));
        let mut pairs = pairs(metric.labels)?;
        if let Some((name, value)) = &number {
            pairs.push((Cow::Borrowed(name.as_bytes()), Cow::Borrowed(value.as_bytes())));
        }
        let name = with_suffix(metric.name, part.suffix());
        match self.decoder.lookup.register(key, &name, &pairs)? {
            Ok(found) => Ok(found),
            Err(reason) => {
                self.refuse_metric(metric, 1, reason)?;
                Ok(Found::Dropped)
            }
        }
    }

    /// `Exemplar`: labels 1, value 2, time 3.
    #[cold]
    fn take_exemplar(
        &mut self,
        metric: &Metric<'_>,
        message: Wire<'_>,
        (series, time): (SeriesRef, i64),
    ) -> Result<(), Error> {
        let (mut pairs, mut value, mut own) = (Vec::new(), 0.0, None);
        let mut fields = message;
        loop {
            let before = fields;
            match fields.field()? {
                Some((1, Value::Bytes(label))) => pairs.push(labels::pair(label)?),
                Some((2, Value::Fixed64(bits))) => value = f64::from_bits(bits),
                Some((3, Value::Bytes(message))) => own = Some(timestamp(message)?),
                Some((number @ 1..=3, _)) => {
                    return Err(before.mismatch("Exemplar", number).into());
                }
                Some(_) => {}
                None => break,
            }
        }
        let config = self.decoder.lookup.intake.config;
        let read = finish_exemplar(&pairs, config).and_then(|labels| {
            let time = own.map_or(Ok(time), |own| self.decoder.bounds.nanos(own))?;
            Ok(Exemplar { series, time, value, labels })
        });
        match read {
            Ok(exemplar) => {
                self.decoder.batch.exemplars.push(exemplar);
                Ok(())
            }
            Err(reason) => self.refuse_metric(metric, 1, reason),
        }
    }

    #[cold]
    fn refuse(&mut self, family: &Family<'_>, reason: Reason) -> Result<(), Error> {
        let place = Place::Series { index: self.index, labels: family.shown() };
        self.decoder.refuse(1, (place, reason))
    }

    #[cold]
    fn refuse_metric(
        &mut self,
        metric: &Metric<'_>,
        rows: u64,
        reason: Reason,
    ) -> Result<(), Error> {
        let name = crate::ingest::labels::shown(metric.name);
        let labels = format!("{name}{}", labels::shown(metric.labels));
        self.decoder.refuse(rows, (Place::Series { index: self.index, labels }, reason))
    }
}

fn pairs(labels: &[u8]) -> Result<Vec<Pair<'_>>, Malformed> {
    let mut fields = Wire::new(labels);
    let mut pairs = Vec::new();
    while let Some((number, value)) = fields.field()? {
        if let (1, Value::Bytes(message)) = (number, value) {
            let (name, value) = labels::pair(message)?;
            pairs.push((Cow::Borrowed(name), Cow::Borrowed(value)));
        }
    }
    Ok(pairs)
}

/// `Quantile`: quantile 1, value 2.
fn pair_of_doubles(mut message: Wire<'_>) -> Result<(f64, f64), Malformed> {
    let mut pair = (0.0, 0.0);
    loop {
        let before = message;
        match message.field()? {
            Some((1, Value::Fixed64(bits))) => pair.0 = f64::from_bits(bits),
            Some((2, Value::Fixed64(bits))) => pair.1 = f64::from_bits(bits),
            Some((number @ (1 | 2), _)) => return Err(before.mismatch("Quantile", number)),
            Some(_) => {}
            None => return Ok(pair),
        }
    }
}

fn has_time(mut exemplar: Wire<'_>) -> Result<bool, Malformed> {
    while let Some((number, value)) = exemplar.field()? {
        if let (3, Value::Bytes(_)) = (number, value) {
            return Ok(true);
        }
    }
    Ok(false)
}
