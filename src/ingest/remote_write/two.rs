//! `io.prometheus.write.v2.Request`: texts stand in one table, series refer to them by number.

use super::decoder::{Decoder, Fault, Rows, Series, Source};
use super::{exemplar, labels};
use crate::ingest::config::{BODY_OPTION, LABELS_OPTION, SYMBOLS_OPTION};
use crate::ingest::labels::limit;
use crate::ingest::metadata::Told;
use crate::ingest::wire::{Malformed, Value, Wire};
use crate::ingest::{Error, Place, Reason};
use crate::model::{Door, Labels, METRIC_NAME, SeriesKey};

const MESSAGE: &str = "io.prometheus.write.v2.TimeSeries";

/// A text of the table, and the key of it: series are found by the keys of their texts, which are
/// the same in every request. Spelling 24 texts out for each series took five times as long.
#[derive(Clone, Copy, Debug)]
pub(in crate::ingest) struct Symbol {
    start: u32,
    end: u32,
    /// 0 = not asked for yet.
    key: SeriesKey,
}

/// Begins the bytes of a series key; label fields of message 1 never begin so.
const KEY_PREFIX: u8 = 2;

pub(super) fn decode(decoder: &mut Decoder<'_>) -> Result<(), Error> {
    list_symbols(decoder)?;
    let mut request = decoder.body;
    let mut bytes = std::mem::take(&mut decoder.session.spelled);
    let mut index = 0;
    let end = loop {
        let before = request;
        match request.field() {
            Ok(Some((5, Value::Bytes(message)))) => {
                if let Err(error) = take(decoder, index, message, &mut bytes) {
                    break Err(error);
                }
                index += 1;
            }
            Ok(Some((number @ (4 | 5), value))) if !matches!(value, Value::Bytes(_)) => {
                break Err(before.mismatch("io.prometheus.write.v2.Request", number).into());
            }
            Ok(Some(_)) => {}
            Ok(None) => break Ok(()),
            Err(malformed) => break Err(malformed.into()),
        }
    };
    decoder.session.spelled = bytes;
    decoder.session.release();
    end
}

/// Notes where each symbol lies. They usually come first, but need not.
fn list_symbols(decoder: &mut Decoder<'_>) -> Result<(), Error> {
    let limit = decoder.intake.config.symbols_max;
    let mut request = decoder.body;
    let symbols = &mut decoder.session.symbols;
    symbols.clear();
    while let Some((number, value)) = request.field()? {
        let (4, Value::Bytes(symbol)) = (number, value) else { continue };
        let end = symbol.at() + symbol.bytes().len();
        let (Ok(start), Ok(end)) = (u32::try_from(symbol.at()), u32::try_from(end)) else {
            return Err(Error::Limit {
                what: "length in bytes of a request with symbols is",
                limit: u32::MAX as usize,
                option: BODY_OPTION,
            });
        };
        if symbols.len() >= limit {
            return Err(Error::Limit {
                what: "count of symbols in a request is",
                limit,
                option: SYMBOLS_OPTION,
            });
        }
        symbols.push(Symbol { start, end, key: SeriesKey(0) });
    }
    Ok(())
}

fn take(
    decoder: &mut Decoder<'_>,
    index: usize,
    message: Wire<'_>,
    bytes: &mut Vec<u8>,
) -> Result<(), Error> {
    let layout = Layout::of(message)?;
    let series = Series {
        index,
        labels: Source::Referring(message),
        rows: layout.rows,
        created: layout.created,
    };
    match decoder.put_keys(message, bytes) {
        Ok(()) => {}
        Err(Fault::Malformed(malformed)) => return Err(malformed.into()),
        Err(Fault::Refused(reason)) => {
            let rows = layout.rows.count.max(u64::from(layout.metadata.is_some()));
            decoder.refuse(&series, rows, reason);
            return Ok(());
        }
    }
    if let Some(metadata) = layout.metadata {
        decoder.take_metadata(index, message, metadata)?;
    }
    if layout.rows.count == 0 {
        return Ok(());
    }
    let key = decoder.intake.registry.key(decoder.intake.tenant, Door::RemoteWrite, bytes);
    decoder.take(key, &series)
}

/// What a series holds besides labels.
struct Layout<'a> {
    rows: Rows<'a>,
    metadata: Option<Wire<'a>>,
    /// Milliseconds. Field 6 of the first drafts, before samples had starts of their own; Prometheus
    /// 3.0 to 3.7 send it.
    created: i64,
}

impl<'a> Layout<'a> {
    #[inline]
    fn of(mut message: Wire<'a>) -> Result<Self, Malformed> {
        let rows = Rows { fields: message, count: 0, sample: None };
        let mut layout = Self { rows, metadata: None, created: 0 };
        loop {
            let before = message;
            match message.field()? {
                Some((1, Value::Bytes(_) | Value::Varint(_))) => {}
                Some((2, Value::Bytes(sample))) => {
                    layout.rows.count += 1;
                    layout.rows.sample = Some(sample);
                }
                Some((3 | 4, Value::Bytes(_))) => layout.rows.count += 1,
                Some((5, Value::Bytes(metadata))) => layout.metadata = Some(metadata),
                Some((6, Value::Varint(created))) => layout.created = created.cast_signed(),
                Some((number @ 1..=6, _)) => return Err(before.mismatch(MESSAGE, number)),
                Some(_) => {}
                None => return Ok(layout),
            }
        }
    }
}

impl<'d> Decoder<'d> {
    /// The text of a reference.
    fn symbol(&self, reference: u64) -> Result<&'d [u8], Reason> {
        let symbols = &self.session.symbols;
        let found = usize::try_from(reference).ok().and_then(|index| symbols.get(index));
        let symbol = found.ok_or(Reason::UnknownSymbol { reference, symbols: symbols.len() })?;
        let text = self.body.bytes().get(symbol.start as usize..symbol.end as usize);
        Ok(text.unwrap_or_default())
    }

    /// The key of the text of a reference, asked for once a request.
    #[cold]
    fn new_symbol_key(&mut self, reference: u64) -> Result<SeriesKey, Reason> {
        let text = self.symbol(reference)?;
        let key = self.intake.registry.key(self.intake.tenant, Door::RemoteWrite, text);
        let index = usize::try_from(reference).unwrap_or(usize::MAX);
        if let Some(symbol) = self.session.symbols.get_mut(index) {
            symbol.key = key;
        }
        Ok(key)
    }

    /// Writes the keys of all label texts of a series.
    #[inline]
    fn put_keys(&mut self, mut message: Wire<'_>, out: &mut Vec<u8>) -> Result<(), Fault> {
        out.clear();
        out.push(KEY_PREFIX);
        while let Some((number, value)) = message.field()? {
            match (number, value) {
                (1, Value::Varint(reference)) => {
                    self.check_label_count(out.len() / (2 * size_of::<SeriesKey>()))?;
                    self.put_key(reference, out)?;
                }
                (1, Value::Bytes(mut packed)) => {
                    // A reference has one byte to ten.
                    self.check_label_count(packed.bytes().len() / 20)?;
                    out.reserve(packed.bytes().len() * size_of::<SeriesKey>());
                    while !packed.is_empty() {
                        self.put_key(packed.varint()?, out)?;
                    }
                }
                _ => {}
            }
        }
        let count = out.len() / size_of::<SeriesKey>();
        self.check_label_count(count / 2)?;
        if count.is_multiple_of(2) { Ok(()) } else { Err(Reason::OddReferences(count).into()) }
    }

    #[inline]
    fn check_label_count(&self, count: usize) -> Result<(), Reason> {
        limit("label count", count, self.intake.config.labels_max, LABELS_OPTION)
    }

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "24 calls a series: 50 ns saved (benches/ingest.rs)")]
    fn put_key(&mut self, reference: u64, out: &mut Vec<u8>) -> Result<(), Reason> {
        let known = usize::try_from(reference).ok().and_then(|at| self.session.symbols.get(at));
        let key = match known {
            Some(symbol) if symbol.key != SeriesKey(0) => symbol.key,
            _ => self.new_symbol_key(reference)?,
        };
        out.extend_from_slice(&key.0.to_le_bytes());
        Ok(())
    }

    /// The metric's name among the labels, empty where there is none.
    fn metric(&self, message: Wire<'_>) -> Result<&'d [u8], Fault> {
        let mut metric: &[u8] = &[];
        self.pairs(message, |name, value| {
            if name == METRIC_NAME.as_bytes() {
                metric = value;
            }
            Ok(())
        })?;
        Ok(metric)
    }

    /// Writes the labels of a series out as message 1 has them.
    pub(super) fn spell(&self, message: Wire<'_>, out: &mut Vec<u8>) -> Result<(), Fault> {
        self.pairs(message, |name, value| {
            labels::spell(name, value, out);
            Ok(())
        })
    }

    /// Visits the label pairs that field 1 of a message refers to.
    fn pairs(
        &self,
        mut message: Wire<'_>,
        mut visit: impl FnMut(&'d [u8], &'d [u8]) -> Result<(), Reason>,
    ) -> Result<(), Fault> {
        let mut name = None;
        let mut count = 0;
        let mut refer = |reference| -> Result<(), Reason> {
            let symbol = self.symbol(reference)?;
            count += 1;
            match name.take() {
                None => name = Some(symbol),
                Some(name) => visit(name, symbol)?,
            }
            Ok(())
        };
        while let Some((number, value)) = message.field()? {
            match (number, value) {
                (1, Value::Varint(reference)) => refer(reference)?,
                (1, Value::Bytes(mut packed)) => {
                    while !packed.is_empty() {
                        refer(packed.varint()?)?;
                    }
                }
                _ => {}
            }
        }
        if name.is_some() { Err(Reason::OddReferences(count).into()) } else { Ok(()) }
    }

    /// The labels of an exemplar of message 2.
    pub(super) fn exemplar_labels(&self, message: Wire<'_>) -> Result<Labels, Fault> {
        let mut pairs = Vec::new();
        self.pairs(message, |name, value| {
            pairs.push((name, value));
            exemplar::check_count(pairs.len(), self.intake.config)
        })?;
        Ok(exemplar::finish(&pairs, self.intake.config)?)
    }

    fn take_metadata(
        &mut self,
        index: usize,
        series: Wire<'_>,
        mut message: Wire<'_>,
    ) -> Result<(), Malformed> {
        let (mut kind, mut help, mut unit) = (0, 0, 0);
        loop {
            let before = message;
            match message.field()? {
                Some((1, Value::Varint(number))) => kind = number,
                Some((3, Value::Varint(reference))) => help = reference,
                Some((4, Value::Varint(reference))) => unit = reference,
                Some((number @ (1 | 3 | 4), _)) => {
                    return Err(before.mismatch("io.prometheus.write.v2.Metadata", number));
                }
                Some(_) => {}
                None => break,
            }
        }
        if kind == 0 && help == 0 && unit == 0 {
            return Ok(());
        }
        let told = self.metric(series).and_then(|metric| {
            Ok(Told { metric, kind, unit: self.symbol(unit)?, help: self.symbol(help)? })
        });
        match told {
            Ok(told) => self.tell(index, &told),
            Err(Fault::Malformed(malformed)) => return Err(malformed),
            Err(Fault::Refused(reason)) => {
                self.report.refuse(self.intake.config, 1, || (Place::Metadata(index), reason));
            }
        }
        Ok(())
    }
}
