//! `OpenMetrics` text: families with their type, help and unit, then series after series.
//!
//! Series have to come family by family: [`family`] says which one a name is of. Samples of a series
//! stand together, by time; those of a classic histogram go series by series, not point by point.
//! Format: the `OpenMetrics` specification 1.0. It has no native histograms: they are written as classic
//! ones, with the buckets that each row has.

use crate::export::{Pieces, RowWriter, TimeForm, write_float};
use crate::math::histogram::all_buckets;
use crate::model::{Error, Histogram, Labels, METRIC_NAME, Metadata, MetricKind, Rows};

/// What is known of a metric by its name.
pub type Known<'a> = &'a dyn Fn(&str) -> Option<Metadata>;

/// Endings that series of a family have beside its name.
const ENDINGS: [(&str, &[MetricKind]); 5] = [
    ("_total", &[MetricKind::Counter]),
    ("_bucket", &[MetricKind::Histogram, MetricKind::GaugeHistogram]),
    ("_sum", &[MetricKind::Histogram, MetricKind::Summary]),
    ("_count", &[MetricKind::Histogram, MetricKind::Summary]),
    ("_info", &[MetricKind::Info]),
];

/// The family that a series of this name is of, and what is known of it.
pub fn family(name: &str, known: Known<'_>) -> (String, Metadata) {
    for (ending, kinds) in ENDINGS {
        let Some(stem) = name.strip_suffix(ending).filter(|stem| !stem.is_empty()) else {
            continue;
        };
        // Some senders name a counter by its family, some by its series.
        let found = known(stem).filter(|it| kinds.contains(&it.kind));
        let found = found.or_else(|| known(name).filter(|it| kinds.contains(&it.kind)));
        if let Some(metadata) = found {
            return (stem.to_owned(), metadata);
        }
    }
    let mut metadata = known(name).unwrap_or_default();
    let is_bare = matches!(
        metadata.kind,
        MetricKind::Counter | MetricKind::Info | MetricKind::Histogram | MetricKind::GaugeHistogram
    );
    if is_bare {
        // The format asks for endings that these series do not have.
        metadata.kind = MetricKind::Unknown;
    }
    (name.to_owned(), metadata)
}

/// Writes `OpenMetrics`.
pub struct OpenMetrics<'a> {
    pieces: Pieces<'a>,
    known: Known<'a>,
    family: Option<String>,
    labels: Labels,
    /// Name and labels of the series at hand, with a blank behind them.
    head: Vec<u8>,
    /// Whether the family's head is written as one of histograms.
    as_histogram: bool,
    is_new: bool,
}

impl<'a> OpenMetrics<'a> {
    /// `known` tells what is known of metrics.
    pub fn new(pieces: Pieces<'a>, known: Known<'a>) -> Self {
        Self {
            pieces,
            known,
            family: None,
            labels: Labels::empty(),
            head: Vec::new(),
            as_histogram: false,
            is_new: false,
        }
    }

    /// Writes the head of the family, if the series at hand begins one.
    fn begin(&mut self, is_native: bool) {
        let (name, metadata) = family(self.labels.metric(), self.known);
        if self.family.as_deref() == Some(name.as_str()) && self.as_histogram == is_native {
            return;
        }
        let kind = if is_native { MetricKind::Histogram } else { metadata.kind };
        let out = &mut self.pieces.out;
        for (keyword, text) in
            [("TYPE", kind.name()), ("UNIT", &*metadata.unit), ("HELP", &*metadata.help)]
        {
            // A unit has to be the end of the name.
            let is_said =
                !text.is_empty() && (keyword != "UNIT" || name.ends_with(&format!("_{text}")));
            if is_said {
                out.extend_from_slice(format!("# {keyword} ").as_bytes());
                write_name(&name, out);
                out.push(b' ');
                write_escaped(text, out);
                out.push(b'\n');
            }
        }
        self.family = Some(name);
        self.as_histogram = is_native;
    }

    fn push_histogram(&mut self, time: i64, histogram: &Histogram) {
        let name = self.labels.metric().to_owned();
        let mut count = 0.0;
        let mut lines: Vec<(String, Option<String>, f64)> = Vec::new();
        for bucket in all_buckets(histogram) {
            count += bucket.count;
            if bucket.upper.is_finite() {
                let mut bound = Vec::new();
                write_float(bucket.upper, &mut bound);
                let bound = String::from_utf8_lossy(&bound).into_owned();
                lines.push((format!("{name}_bucket"), Some(bound), count));
            }
        }
        lines.push((format!("{name}_bucket"), Some("+Inf".to_owned()), histogram.count));
        lines.push((format!("{name}_count"), None, histogram.count));
        lines.push((format!("{name}_sum"), None, histogram.sum));
        for (name, bound, value) in lines {
            let mut head = Vec::new();
            write_series(&name, &self.labels, bound.as_deref(), &mut head);
            write_sample(&head, time, value, &mut self.pieces.out);
        }
    }
}

/// Names that may stand bare.
pub(super) fn is_plain(name: &str) -> bool {
    let is_in = |(i, byte): (usize, u8)| {
        byte.is_ascii_alphabetic()
            || matches!(byte, b'_' | b':')
            || (i > 0 && byte.is_ascii_digit())
    };
    !name.is_empty() && name.bytes().enumerate().all(is_in)
}

pub(super) fn write_name(name: &str, out: &mut Vec<u8>) {
    if is_plain(name) {
        return out.extend_from_slice(name.as_bytes());
    }
    out.push(b'"');
    write_escaped(name, out);
    out.push(b'"');
}

pub(super) fn write_escaped(text: &str, out: &mut Vec<u8>) {
    for byte in text.bytes() {
        match byte {
            b'\n' => out.extend_from_slice(b"\\n"),
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            byte => out.push(byte),
        }
    }
}

/// Appends name and labels, and a bound among them.
fn write_series(name: &str, labels: &Labels, bound: Option<&str>, out: &mut Vec<u8>) {
    let mut before = b'{';
    if is_plain(name) {
        out.extend_from_slice(name.as_bytes());
    } else if !name.is_empty() {
        // A name that is not plain stands among the labels.
        out.push(b'{');
        write_name(name, out);
        before = b',';
    }
    let bounds = bound.map(|bound| ("le", bound));
    let others = labels
        .iter()
        .filter(|(name, _)| *name != METRIC_NAME && !(*name == "le" && bound.is_some()));
    for (name, value) in others.chain(bounds) {
        out.push(before);
        write_name(name, out);
        out.extend_from_slice(b"=\"");
        write_escaped(value, out);
        out.push(b'"');
        before = b',';
    }
    if before == b',' {
        out.push(b'}');
    }
    out.push(b' ');
}

fn write_sample(head: &[u8], time: i64, value: f64, out: &mut Vec<u8>) {
    out.extend_from_slice(head);
    write_float(value, out);
    out.push(b' ');
    // All of its decimals: readers that know milliseconds only cut them.
    TimeForm::Seconds.write(time, out);
    out.push(b'\n');
}

impl RowWriter for OpenMetrics<'_> {
    fn series(&mut self, labels: &Labels) -> Result<(), Error> {
        self.labels = labels.clone();
        self.head.clear();
        write_series(labels.metric(), labels, None, &mut self.head);
        self.is_new = true;
        Ok(())
    }

    fn rows(&mut self, rows: Rows<'_>) -> Result<(), Error> {
        if !rows.values.is_empty() {
            self.begin(false);
        }
        for (time, value) in rows.times.iter().zip(rows.values) {
            write_sample(&self.head, *time, *value, &mut self.pieces.out);
        }
        if !rows.histograms.is_empty() {
            self.begin(true);
        }
        for (time, value) in rows.times.iter().zip(rows.histograms) {
            self.push_histogram(*time, value);
        }
        self.pieces.send_full()
    }

    fn finish(mut self: Box<Self>) -> Result<(), Error> {
        self.pieces.out.extend_from_slice(b"# EOF\n");
        self.pieces.send_rest()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::Span;

    fn known(name: &str) -> Option<Metadata> {
        let (kind, unit, help) = match name {
            "http_seconds" => (MetricKind::Counter, "seconds", "Time.\nAll of it."),
            "bare" => (MetricKind::Counter, "", ""),
            "temp" => (MetricKind::Gauge, "celsius", ""),
            _ => return None,
        };
        Some(Metadata {
            metric: name.to_owned(),
            kind,
            unit: unit.to_owned(),
            help: help.to_owned(),
        })
    }

    #[test]
    #[expect(clippy::items_after_statements, reason = "a case of the test beside its use")]
    fn families_have_heads_and_the_text_has_an_end() {
        let mut out = Vec::new();
        let mut send = |piece| {
            out.extend::<Vec<u8>>(piece);
            Ok(())
        };
        let mut text = Box::new(OpenMetrics::new(Pieces::new(&mut send), &known));
        const MS: i64 = 1_000_000;
        for labels in [
            &[("__name__", "bare")][..],
            &[("__name__", "http_seconds_total"), ("a", "x\"\n")],
            &[("__name__", "temp"), ("na.me", "y")],
            &[("__name__", "odd name")],
        ] {
            text.series(&Labels::new(labels.iter().copied()).unwrap()).unwrap();
            let rows = Rows { times: &[1500 * MS], values: &[0.5], starts: &[], histograms: &[] };
            text.rows(rows).unwrap();
        }
        text.series(&Labels::new([("__name__", "h")]).unwrap()).unwrap();
        let histogram = Histogram {
            count: 3.0,
            sum: 4.5,
            positive_spans: vec![Span { offset: 0, length: 2 }],
            positive: vec![1.0, 2.0],
            ..Histogram::default()
        };
        let histograms = &[Arc::new(histogram)];
        text.rows(Rows { times: &[0], values: &[], starts: &[], histograms }).unwrap();
        text.finish().unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "# TYPE bare unknown\nbare 0.5 1.5\n\
             # TYPE http_seconds counter\n# UNIT http_seconds seconds\n\
             # HELP http_seconds Time.\\nAll of it.\nhttp_seconds_total{a=\"x\\\"\\n\"} 0.5 1.5\n\
             # TYPE temp gauge\ntemp{\"na.me\"=\"y\"} 0.5 1.5\n\
             # TYPE \"odd name\" unknown\n{\"odd name\"} 0.5 1.5\n\
             # TYPE h histogram\nh_bucket{le=\"1\"} 1 0\nh_bucket{le=\"2\"} 3 0\n\
             h_bucket{le=\"+Inf\"} 3 0\nh_count 3 0\nh_sum 4.5 0\n# EOF\n"
        );
    }
}
