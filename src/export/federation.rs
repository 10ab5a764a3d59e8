//! The newest value of each series, as a Prometheus above this one scrapes it: text, or protobuf.
//!
//! Nothing is told of what metrics are: all are untyped. Native histograms stand in protobuf only;
//! those with bounds of their own become classic ones in text as well.
//! Source: `web/federate.go` of prometheus/prometheus; `io.prometheus.client`.

use std::sync::Arc;

use crate::export::{
    open_metrics::{is_plain, write_escaped, write_name},
    wire::{
        put_key, put_message, put_number, put_present, put_present_float, put_text, put_varint,
        zigzag,
    },
    write_float, write_integer,
};
use crate::model::{CUSTOM_BUCKETS_SCHEMA, Histogram, Labels, METRIC_NAME, ResetHint, Span};

/// How values are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FederationForm {
    /// Text of version 0.0.4: names of the old kind, others with `_` in place of what is not allowed.
    Text,
    /// Text of version 1.0.0: every name.
    TextUtf8,
    /// Families of protobuf, each behind its length.
    Protobuf,
}

/// A value at a time.
#[derive(Clone, Debug)]
pub enum FederatedValue {
    /// A float.
    Float(f64),
    /// A native histogram.
    Histogram(Arc<Histogram>),
}

/// The newest value of a series.
#[derive(Clone, Debug)]
pub struct Federated {
    /// The series.
    pub labels: Labels,
    /// ms.
    pub time: i64,
    /// The value.
    pub value: FederatedValue,
}

/// What makes samples one family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Untyped,
    Histogram,
    GaugeHistogram,
}

impl Federated {
    fn kind(&self) -> Kind {
        match &self.value {
            FederatedValue::Float(_) => Kind::Untyped,
            FederatedValue::Histogram(it) if it.reset_hint == ResetHint::Gauge => {
                Kind::GaugeHistogram
            }
            FederatedValue::Histogram(_) => Kind::Histogram,
        }
    }

    /// Whether the form has a way to say it. A series without a name has none.
    fn is_sayable(&self, form: FederationForm) -> bool {
        let is_native = matches!(&self.value, FederatedValue::Histogram(it) if it.schema != CUSTOM_BUCKETS_SCHEMA);
        !self.labels.metric().is_empty() && (form == FederationForm::Protobuf || !is_native)
    }

    /// Labels without the name; with `instance`, which says by being empty that there is none, so that
    /// the scraper does not add its own.
    fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let added = self.labels.get("instance").is_none().then_some(("instance", ""));
        self.labels.iter().filter(|(name, _)| *name != METRIC_NAME).chain(added)
    }
}

/// Writes samples, sorted by the name of their metric, family by family. Call it for one name at a
/// time, or for all.
pub fn write_federation(samples: &[Federated], form: FederationForm, out: &mut Vec<u8>) {
    let sayable: Vec<&Federated> = samples.iter().filter(|it| it.is_sayable(form)).collect();
    let families = sayable.chunk_by(|left, right| {
        left.labels.metric() == right.labels.metric() && left.kind() == right.kind()
    });
    for family in families {
        let Some(first) = family.first() else { continue };
        if form == FederationForm::Protobuf {
            put_family(first, family, out);
        } else {
            write_family(first, family, form, out);
        }
    }
}

fn write_family(first: &Federated, family: &[&Federated], form: FederationForm, out: &mut Vec<u8>) {
    let kind = match first.kind() {
        Kind::Untyped => " untyped\n",
        Kind::Histogram | Kind::GaugeHistogram => " histogram\n",
    };
    let name = spelt(first.labels.metric(), form);
    out.extend_from_slice(b"# TYPE ");
    write_name(&name, out);
    out.extend_from_slice(kind.as_bytes());
    for sample in family {
        match &sample.value {
            FederatedValue::Float(value) => {
                write_line(sample, (&name, "", None), *value, form, out)
            }
            FederatedValue::Histogram(histogram) => {
                for (bound, count) in cumulative(histogram) {
                    let mut text = Vec::new();
                    write_float(bound, &mut text);
                    let text = String::from_utf8_lossy(&text).into_owned();
                    write_line(sample, (&name, "_bucket", Some(&text)), count, form, out);
                }
                let count = histogram.count;
                write_line(sample, (&name, "_bucket", Some("+Inf")), count, form, out);
                write_line(sample, (&name, "_sum", None), histogram.sum, form, out);
                write_line(sample, (&name, "_count", None), count, form, out);
            }
        }
    }
}

/// A name as the form allows it.
fn spelt(name: &str, form: FederationForm) -> String {
    if form == FederationForm::TextUtf8 || is_plain(name) {
        return name.to_owned();
    }
    let allowed = |(i, c): (usize, char)| {
        let is_allowed =
            c.is_ascii_alphabetic() || c == '_' || c == ':' || (i > 0 && c.is_ascii_digit());
        if is_allowed { c } else { '_' }
    };
    name.chars().enumerate().map(allowed).collect()
}

fn write_line(
    sample: &Federated,
    (name, ending, bound): (&str, &str, Option<&str>),
    value: f64,
    form: FederationForm,
    out: &mut Vec<u8>,
) {
    let name = format!("{name}{ending}");
    let mut before = b'{';
    if is_plain(&name) {
        out.extend_from_slice(name.as_bytes());
    } else {
        out.push(b'{');
        write_name(&name, out);
        before = b',';
    }
    for (name, value) in sample.pairs().chain(bound.map(|bound| ("le", bound))) {
        out.push(before);
        write_name(&spelt(name, form), out);
        out.extend_from_slice(b"=\"");
        write_escaped(value, out);
        out.push(b'"');
        before = b',';
    }
    out.extend_from_slice(b"} ");
    write_float(value, out);
    out.push(b' ');
    write_integer(sample.time, out);
    out.push(b'\n');
}

/// Upper bounds with the count of all buckets up to there.
fn cumulative(histogram: &Histogram) -> Vec<(f64, f64)> {
    let mut counts = histogram.custom_values.iter().map(|bound| (*bound, 0.0)).collect::<Vec<_>>();
    let mut index = 0_i64;
    let mut buckets = histogram.positive.iter();
    for span in &histogram.positive_spans {
        index += i64::from(span.offset);
        for count in buckets.by_ref().take(span.length as usize) {
            let slot = usize::try_from(index).ok().and_then(|index| counts.get_mut(index));
            if let Some((_, there)) = slot {
                *there = *count;
            }
            index += 1;
        }
    }
    let mut sum = 0.0;
    for (_, count) in &mut counts {
        sum += *count;
        *count = sum;
    }
    counts
}

/// `MetricFamily`: name 1, type 3, metric 4.
fn put_family(first: &Federated, family: &[&Federated], out: &mut Vec<u8>) {
    let mut message = Vec::new();
    put_text(1, first.labels.metric(), &mut message);
    let kind = match first.kind() {
        Kind::Untyped => 3,
        Kind::Histogram => 4,
        Kind::GaugeHistogram => 5,
    };
    put_present(3, kind, &mut message);
    for sample in family {
        put_message(4, &mut message, |out| put_metric(sample, out));
    }
    put_varint(message.len() as u64, out);
    out.append(&mut message);
}

/// `Metric`: label 1, untyped 5, `timestamp_ms` 6, histogram 7.
fn put_metric(sample: &Federated, out: &mut Vec<u8>) {
    for (name, value) in sample.pairs() {
        put_message(1, out, |out| {
            put_text(1, name, out);
            put_text(2, value, out);
        });
    }
    if let FederatedValue::Float(value) = &sample.value {
        put_message(5, out, |out| put_present_float(1, *value, out));
    }
    put_present(6, sample.time.cast_unsigned(), out);
    if let FederatedValue::Histogram(histogram) = &sample.value {
        put_message(7, out, |out| put_histogram(histogram, out));
    }
}

/// `Histogram`: classic buckets 3, or spans and counts from 5 on.
fn put_histogram(histogram: &Histogram, out: &mut Vec<u8>) {
    put_present_float(2, histogram.sum, out);
    if histogram.schema == CUSTOM_BUCKETS_SCHEMA {
        for (bound, count) in cumulative(histogram) {
            put_message(3, out, |out| {
                put_present_float(2, bound, out);
                put_present_float(4, count, out);
            });
        }
        return put_present_float(4, histogram.count, out);
    }
    put_present_float(4, histogram.count, out);
    put_present(5, zigzag(i64::from(histogram.schema)), out);
    put_present_float(6, histogram.zero_threshold, out);
    put_present_float(8, histogram.zero_count, out);
    let sides = [
        (9, &histogram.negative_spans, &histogram.negative),
        (12, &histogram.positive_spans, &histogram.positive),
    ];
    for (field, spans, counts) in sides {
        for Span { offset, length } in spans {
            put_message(field, out, |out| {
                put_number(1, zigzag(i64::from(*offset)), out);
                put_number(2, u64::from(*length), out);
            });
        }
        put_packed(field + 2, counts, out);
    }
    // Without spans it would be read as a classic one without buckets.
    if histogram.positive_spans.is_empty() && histogram.negative_spans.is_empty() {
        put_message(12, out, |_| {});
    }
}

fn put_packed(field: u32, counts: &[f64], out: &mut Vec<u8>) {
    if counts.is_empty() {
        return;
    }
    put_key(field, 2, out);
    put_varint(counts.len() as u64 * 8, out);
    counts.iter().for_each(|count| out.extend_from_slice(&count.to_le_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(pairs: &[(&str, &str)], time: i64, value: FederatedValue) -> Federated {
        Federated { labels: Labels::new(pairs.iter().copied()).unwrap(), time, value }
    }

    fn text(samples: &[Federated], form: FederationForm) -> String {
        let mut out = Vec::new();
        write_federation(samples, form, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn families_have_one_head_and_series_say_that_they_have_no_instance() {
        let float = FederatedValue::Float;
        let samples = [
            sample(&[("__name__", "a"), ("instance", "x")], 1500, float(1.0)),
            sample(&[("__name__", "a"), ("l", "q\"")], 1500, float(f64::NAN)),
            sample(&[("__name__", "b.c"), ("d.e", "f")], -1, float(-0.0)),
            sample(&[("job", "nameless")], 0, float(1.0)),
        ];
        assert_eq!(
            text(&samples, FederationForm::Text),
            "# TYPE a untyped\na{instance=\"x\"} 1 1500\na{l=\"q\\\"\",instance=\"\"} NaN 1500\n\
             # TYPE b_c untyped\nb_c{d_e=\"f\",instance=\"\"} -0 -1\n"
        );
        assert!(
            text(&samples, FederationForm::TextUtf8)
                .ends_with("# TYPE \"b.c\" untyped\n{\"b.c\",\"d.e\"=\"f\",instance=\"\"} -0 -1\n")
        );
    }

    #[test]
    fn own_bounds_are_told_in_text_and_others_are_not() {
        let custom = Histogram {
            schema: CUSTOM_BUCKETS_SCHEMA,
            count: 6.0,
            sum: 9.5,
            custom_values: vec![1.0, 2.0, 5.0],
            positive_spans: vec![Span { offset: 0, length: 1 }, Span { offset: 1, length: 2 }],
            positive: vec![1.0, 2.0, 3.0],
            ..Histogram::default()
        };
        let native = Histogram { count: 1.0, ..Histogram::default() };
        let of = |it| FederatedValue::Histogram(Arc::new(it));
        let samples = [
            sample(&[("__name__", "h")], 1, of(custom)),
            sample(&[("__name__", "n")], 1, of(native)),
        ];
        let i = "instance=\"\"";
        assert_eq!(
            text(&samples, FederationForm::Text),
            format!(
                "# TYPE h histogram\nh_bucket{{{i},le=\"1\"}} 1 1\nh_bucket{{{i},le=\"2\"}} 1 1\n\
                 h_bucket{{{i},le=\"5\"}} 3 1\nh_bucket{{{i},le=\"+Inf\"}} 6 1\n\
                 h_sum{{{i}}} 9.5 1\nh_count{{{i}}} 6 1\n"
            )
        );
    }
}
