//! What remote write sends is what our own door reads: both messages, every kind of row.
#![expect(clippy::cloned_ref_to_slice_refs, reason = "a helper of tests")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what cannot be is a failed test"
)]

use std::sync::Arc;

use proptest::{collection::vec, prelude::*};
use quipu::{
    export::remote_write::{
        Message, Outgoing, Sample, TimedHistogram, encode, encode_metadata, pack,
    },
    ingest::{
        Config, Encoding, Intake, LabelBook, Session, inflate,
        remote_write::{Message as Read, decode},
    },
    model::{
        Batch, Exemplar, Histogram, Labels, Metadata, MetricKind, ResetHint, STALE_BITS, SeriesRef,
        Span, TenantId,
    },
};

/// A millisecond in ns.
const MS: i64 = 1_000_000;

/// What came out at the other end.
struct Received {
    book: LabelBook,
    batch: Batch,
}

impl Received {
    fn of(message: Message, body: &[u8]) -> Self {
        let (config, book) = (Config::default(), LabelBook::default());
        let intake = Intake { config: &config, registry: &book, tenant: TenantId(0) };
        let packed = pack(body).unwrap();
        let mut buffer = Vec::new();
        let body = inflate(Encoding::Snappy, &packed, 64 << 20, &mut buffer).unwrap();
        let mut batch = Batch::default();
        let message = Read::from_content_type(Some(message.content_type())).unwrap();
        let report = decode(message, body, &mut Session::new(), &intake, &mut batch).unwrap();
        assert!(report.is_clean(), "{report}");
        Self { book, batch }
    }

    fn labels(&self, series: SeriesRef) -> Labels {
        self.book.labels(series).unwrap()
    }

    fn samples(&self) -> Vec<(Labels, i64, i64, u64)> {
        let rows = &self.batch.rows;
        let start = |at| rows.starts().get(at).copied().unwrap_or(0);
        let row = |at: usize| (rows.times()[at], start(at), rows.values()[at].to_bits());
        rows.runs()
            .flat_map(|(series, range)| {
                let labels = self.labels(series);
                range.map(row).map(move |(time, start, bits)| (labels.clone(), time, start, bits))
            })
            .collect()
    }
}

/// Series of different names, each sorted by time, no time twice.
fn any_series() -> impl Strategy<Value = Vec<Outgoing>> {
    vec((vec(("[a-z]{1,8}", "[a-zß\"]{1,40}"), 0..6), any_rows()), 0..12).prop_map(|all| {
        let series = all.into_iter().enumerate().map(|(index, (pairs, rows))| {
            let name = format!("metric_{index}");
            let pairs: std::collections::BTreeMap<_, _> = pairs.into_iter().collect();
            let pairs = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            let labels = Labels::new(pairs.chain([("__name__", name.as_str())])).unwrap();
            Outgoing { samples: rows, ..Outgoing::new(labels) }
        });
        series.collect()
    })
}

fn any_rows() -> impl Strategy<Value = Vec<Sample>> {
    let value = prop_oneof![
        any::<u64>().prop_map(f64::from_bits),
        Just(f64::from_bits(STALE_BITS)),
        Just(-0.0),
        any::<i32>().prop_map(f64::from),
    ];
    let row = (-9_000_000_000_000_i64..9_000_000_000_000, 0_i64..2_000_000_000_000, value);
    vec(row, 1..8).prop_map(|rows| {
        let rows: std::collections::BTreeMap<_, _> =
            rows.into_iter().map(|(time, start, value)| (time, (start, value))).collect();
        rows.into_iter()
            .map(|(time, (start, value))| Sample { time: time * MS, start: start * MS, value })
            .collect()
    })
}

fn sent(series: &[Outgoing], has_start: bool) -> Vec<(Labels, i64, i64, u64)> {
    let row = |labels: &Labels, it: &Sample| {
        (labels.clone(), it.time, if has_start { it.start } else { 0 }, it.value.to_bits())
    };
    series.iter().flat_map(|one| one.samples.iter().map(|it| row(&one.labels, it))).collect()
}

proptest! {
    #[test]
    fn samples_come_out_as_they_went_in(series in any_series()) {
        for (message, has_start) in [(Message::WriteRequest, false), (Message::Request, true)] {
            let mut body = Vec::new();
            encode(message, &series, &mut body);
            prop_assert_eq!(Received::of(message, &body).samples(), sent(&series, has_start));
        }
    }
}

fn histograms() -> Vec<Histogram> {
    let spans = vec![Span { offset: -3, length: 2 }, Span { offset: 4, length: 1 }];
    let integer = Histogram {
        is_integer: true,
        reset_hint: ResetHint::NoReset,
        schema: 3,
        zero_threshold: 1e-128,
        zero_count: 2.0,
        count: 22.0,
        sum: -7.5,
        positive_spans: spans.clone(),
        positive: vec![9.0, 1.0, 4.0],
        negative_spans: vec![Span { offset: 0, length: 2 }],
        negative: vec![0.0, 6.0],
        custom_values: Vec::new(),
    };
    let float = Histogram {
        is_integer: false,
        reset_hint: ResetHint::Gauge,
        schema: -4,
        zero_count: 0.5,
        count: 3.75,
        positive: vec![0.25, 1.0, 2.0],
        negative_spans: Vec::new(),
        negative: Vec::new(),
        ..integer.clone()
    };
    let custom = Histogram {
        is_integer: true,
        schema: quipu::model::CUSTOM_BUCKETS_SCHEMA,
        count: 5.0,
        sum: 3.0,
        positive_spans: vec![Span { offset: 0, length: 3 }],
        positive: vec![1.0, 4.0, 0.0],
        custom_values: vec![0.5, 2.0],
        ..Histogram::default()
    };
    let empty = Histogram { is_integer: true, ..Histogram::default() };
    vec![integer, float, custom, empty]
}

#[test]
fn histograms_exemplars_and_metadata_come_out_as_they_went_in() {
    let labels = Labels::new([("__name__", "requests"), ("job", "a")]).unwrap();
    let mut series = Outgoing::new(labels.clone());
    for (at, value) in (1..).zip(histograms()) {
        let value = Arc::new(value);
        series.histograms.push(TimedHistogram { time: at * MS, start: MS / 2 + MS, value });
    }
    let told = Labels::new([("trace_id", "ab"), ("span_id", "c")]).unwrap();
    let exemplar = Exemplar { series: SeriesRef(0), time: 7 * MS, value: 1.5, labels: told };
    series.exemplars.push(exemplar.clone());
    let metadata = Metadata {
        metric: "requests".into(),
        kind: MetricKind::Histogram,
        unit: "seconds".into(),
        help: "How long.".into(),
    };
    series.metadata = Some(Arc::new(metadata.clone()));
    for (message, start) in [(Message::WriteRequest, 0), (Message::Request, MS)] {
        let mut body = Vec::new();
        encode(message, std::slice::from_ref(&series), &mut body);
        if message == Message::WriteRequest {
            encode_metadata([&metadata], &mut body);
        }
        let received = Received::of(message, &body);
        let got: Vec<_> = received.batch.histograms.iter().map(|it| it.value.clone()).collect();
        assert_eq!(got, histograms());
        assert!(received.batch.histograms.iter().all(|it| it.start == start), "{message:?}");
        assert_eq!(received.labels(received.batch.histograms[0].series), labels);
        let [got] = &received.batch.exemplars[..] else { panic!("one exemplar") };
        assert_eq!((got.time, got.value, &got.labels), (7 * MS, 1.5, &exemplar.labels));
        assert_eq!(received.batch.metadata, [metadata.clone()]);
    }
}

#[test]
fn of_several_rows_in_one_millisecond_the_last_is_sent() {
    let labels = Labels::new([("__name__", "up")]).unwrap();
    let mut series = Outgoing::new(labels.clone());
    for (time, value) in [(MS, 1.0), (MS + 5, 2.0), (2 * MS - 1, 3.0), (2 * MS, 4.0)] {
        series.samples.push(Sample { time, start: 0, value });
    }
    let mut body = Vec::new();
    encode(Message::WriteRequest, &[series], &mut body);
    let bits = |value: f64| value.to_bits();
    let expected = [(labels.clone(), MS, 0, bits(3.0)), (labels, 2 * MS, 0, bits(4.0))];
    assert_eq!(Received::of(Message::WriteRequest, &body).samples(), expected);
}
