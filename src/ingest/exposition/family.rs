//! A family, its metrics and their parts, as they lie in the message.

use crate::ingest::wire::{Malformed, Value, Wire};
use crate::model::MetricKind;

/// The key of a label field: number 1, length-delimited.
const LABEL_TAG: u8 = 0x0a;

/// What a family says of its metrics.
#[derive(Default)]
pub(super) struct Family<'a> {
    pub(super) name: &'a [u8],
    pub(super) help: &'a [u8],
    pub(super) unit: &'a [u8],
    pub(super) kind: u64,
}

/// A metric: its labels and when it was measured.
#[derive(Clone, Copy)]
pub(super) struct Metric<'a> {
    pub(super) name: &'a [u8],
    pub(super) labels: &'a [u8],
    /// ns
    pub(super) time: Option<i64>,
}

/// Which series of a metric.
#[derive(Clone, Copy)]
pub(super) enum Part {
    Plain,
    Count,
    Sum,
    Bucket(f64),
    Quantile(f64),
}

impl Part {
    pub(super) fn suffix(self) -> &'static str {
        match self {
            Self::Plain | Self::Quantile(_) => "",
            Self::Count => "_count",
            Self::Sum => "_sum",
            Self::Bucket(_) => "_bucket",
        }
    }

    /// Tells parts of one metric apart in keys.
    pub(super) fn code(self) -> [u8; 9] {
        let (part, number) = match self {
            Self::Plain => (1, 0.0),
            Self::Count => (2, 0.0),
            Self::Sum => (3, 0.0),
            Self::Bucket(bound) => (4, bound),
            Self::Quantile(quantile) => (5, quantile),
        };
        let mut code = [0xff; 9];
        let [first, rest @ ..] = &mut code;
        // No text of the other formats begins so.
        *first = 0xf0 + part;
        *rest = number.to_bits().to_le_bytes();
        code
    }

    pub(super) fn label(self) -> Option<(&'static str, f64)> {
        match self {
            Self::Bucket(bound) => Some(("le", bound)),
            Self::Quantile(quantile) => Some(("quantile", quantile)),
            Self::Plain | Self::Count | Self::Sum => None,
        }
    }
}

impl<'a> Family<'a> {
    pub(super) fn read(mut message: Wire<'a>) -> Result<Self, Malformed> {
        let mut family = Self::default();
        loop {
            let before = message;
            match message.field()? {
                Some((1, Value::Bytes(name))) => family.name = name.bytes(),
                Some((2, Value::Bytes(help))) => family.help = help.bytes(),
                Some((3, Value::Varint(kind))) => family.kind = kind,
                Some((4, Value::Bytes(_))) => {}
                Some((5, Value::Bytes(unit))) => family.unit = unit.bytes(),
                Some((number @ 1..=5, _)) => return Err(before.mismatch("MetricFamily", number)),
                Some(_) => {}
                None => return Ok(family),
            }
        }
    }

    pub(super) fn shown(&self) -> String {
        crate::ingest::labels::shown(self.name)
    }
}

/// Where things lie in a metric. Senders write labels first; other orders are legal.
pub(super) struct Layout<'a> {
    pub(super) labels: &'a [u8],
    pub(super) is_scattered: bool,
    pub(super) value: Option<Wire<'a>>,
    pub(super) time: Option<i64>,
}

impl<'a> Layout<'a> {
    pub(super) fn read(message: Wire<'a>, kind: MetricKind) -> Result<Self, Malformed> {
        let wanted = match kind {
            MetricKind::Gauge => 2,
            MetricKind::Counter => 3,
            MetricKind::Summary => 4,
            MetricKind::Histogram | MetricKind::GaugeHistogram => 7,
            MetricKind::Unknown | MetricKind::Info | MetricKind::StateSet => 5,
        };
        let mut wire = message;
        wire.step_over_all(LABEL_TAG)?;
        let labels = wire.since(&message);
        let mut layout = Self { labels, is_scattered: false, value: None, time: None };
        loop {
            let before = wire;
            match wire.field()? {
                Some((1, Value::Bytes(_))) => layout.is_scattered = true,
                Some((6, Value::Varint(millis))) => {
                    // The message cannot tell a time of 0 from none.
                    let millis = millis.cast_signed();
                    let nanos = millis.checked_mul(1_000_000).unwrap_or(i64::MAX);
                    layout.time = (millis != 0).then_some(nanos);
                }
                Some((number, Value::Bytes(value))) if number == wanted => {
                    layout.value = Some(value);
                }
                Some((2..=5 | 7, Value::Bytes(_))) => {}
                Some((number @ 1..=7, _)) => return Err(before.mismatch("Metric", number)),
                Some(_) => {}
                None => return Ok(layout),
            }
        }
    }
}
