//! Rows that are no plain samples: histograms, exemplars, metadata.

use prost::Message as _;

use super::super::Message;
use super::super::oracle::{
    self, BucketSpan, Count, Exemplar, Histogram, MetricMetadata, Sample, TimeSeries, WriteRequest,
    ZeroCount,
};
use super::{Door, labels, request, up};
use crate::ingest::Report;
use crate::model::{MetricKind, ResetHint, STALE_BITS};

pub(super) fn histogram() -> Histogram {
    Histogram {
        count: Some(Count::Integer(12)),
        sum: 18.4,
        schema: 1,
        zero_threshold: 0.001,
        zero_count: Some(ZeroCount::Integer(2)),
        negative_spans: vec![BucketSpan { offset: -3, length: 1 }],
        negative_deltas: vec![1],
        positive_spans: vec![
            BucketSpan { offset: 0, length: 2 },
            BucketSpan { offset: 1, length: 2 },
        ],
        positive_deltas: vec![1, 2, -1, 1],
        reset_hint: 2,
        timestamp: 1000,
        start_timestamp: 500,
        ..Histogram::default()
    }
}

fn custom() -> Histogram {
    Histogram {
        count: Some(Count::Float(3.5)),
        sum: 1.0,
        schema: -53,
        positive_spans: vec![
            BucketSpan { offset: 0, length: 2 },
            BucketSpan { offset: 1, length: 1 },
        ],
        positive_counts: vec![1.0, 2.0, 0.5],
        custom_values: vec![0.5, 1.0, 5.0],
        timestamp: 1000,
        ..Histogram::default()
    }
}

fn send_histogram(histogram: Histogram) -> (Door, Report) {
    let mut door = Door::new();
    let series = TimeSeries { samples: Vec::new(), histograms: vec![histogram], ..up() };
    let report = door.send(&request(vec![series]));
    (door, report)
}

#[test]
fn an_integer_histogram_has_its_deltas_added_up() {
    let (door, report) = send_histogram(histogram());
    assert!(report.is_clean(), "{report}");
    let row = &door.batch.histograms[0];
    assert_eq!((row.time, row.start), (1_000_000_000, 500_000_000));
    assert_eq!(row.value.positive, [1.0, 3.0, 2.0, 3.0]);
    assert_eq!((row.value.is_integer, row.value.schema), (true, 1));
    assert_eq!((row.value.count, row.value.zero_count, row.value.sum), (12.0, 2.0, 18.4));
    assert_eq!(row.value.reset_hint, ResetHint::NoReset);
    assert_eq!(door.book.labels(row.series).unwrap().metric(), "up");
}

#[test]
fn a_custom_histogram_and_a_stale_one_are_kept() {
    let (door, report) = send_histogram(custom());
    assert!(report.is_clean(), "{report}");
    let value = &door.batch.histograms[0].value;
    assert_eq!((value.schema, value.is_integer), (-53, false));
    assert_eq!(value.custom_values, [0.5, 1.0, 5.0]);
    let stale = Histogram { sum: f64::from_bits(STALE_BITS), timestamp: 1, ..Histogram::default() };
    let (door, report) = send_histogram(stale);
    assert!(report.is_clean(), "{report}");
    assert_eq!(door.batch.histograms[0].value.sum.to_bits(), STALE_BITS);
}

#[test]
fn a_histogram_that_contradicts_itself_is_refused_in_prometheus_words() {
    let case = |histogram: Histogram, said: &str| {
        let (door, report) = send_histogram(histogram);
        let text = report.to_string();
        assert!(report.refused == 1 && text.contains(said), "{said}: {text}");
        assert!(door.batch.is_empty());
    };
    let of = |change: fn(&mut Histogram)| {
        let mut histogram = histogram();
        change(&mut histogram);
        histogram
    };
    let of_custom = |change: fn(&mut Histogram)| {
        let mut histogram = custom();
        change(&mut histogram);
        histogram
    };
    case(of(|h| h.count = Some(Count::Integer(11))), "should be equal to the number");
    case(
        of(|h| (h.count, h.sum) = (Some(Count::Integer(11)), f64::NAN)),
        "should be at least the number",
    );
    case(
        of(|h| h.positive_deltas[1] = -5),
        "positive side: bucket number 2 has observation count of -4",
    );
    case(of(|h| h.positive_deltas[1] = i64::MAX), "counts are exact up to");
    case(
        of(|h| h.count = Some(Count::Integer(u64::MAX))),
        "histogram's count is 18446744073709551615",
    );
    case(of(|h| h.positive_spans[1].length = u32::MAX), "spans need 4294967297 buckets, have 4");
    case(of(|h| h.positive_spans[1].offset = -1), "span number 2 with offset -1");
    case(of(|h| h.positive_spans[0].offset = i32::MAX), "beyond 32 bits");
    case(of(|h| h.negative_spans.clear()), "negative side: spans need 0 buckets, have 1");
    case(of(|h| h.custom_values.push(1.0)), "exponential schema must not have custom bounds");
    case(of(|h| h.schema = 9), "got schema 9");
    case(of(|h| h.schema = -200), "got schema -200");
    case(of_custom(|h| h.positive_counts[1] = -1.0), "bucket number 2 has observation count of -1");
    case(of_custom(|h| h.custom_values[1] = 0.5), "strictly increasing");
    case(of_custom(|h| h.custom_values[2] = f64::INFINITY), "must be finite");
    case(of_custom(|h| h.custom_values[2] = f64::NAN), "must not be NaN");
    case(
        of_custom(|h| h.custom_values.truncate(2)),
        "insufficient to cover total span length of 4",
    );
    case(of_custom(|h| h.zero_threshold = 1.0), "zero threshold of 0");
    case(of_custom(|h| h.zero_count = Some(ZeroCount::Float(1.0))), "zero count of 0");
    case(
        of_custom(|h| h.negative_spans.push(BucketSpan { offset: 0, length: 0 })),
        "negative spans",
    );
    case(of_custom(|h| h.negative_counts.push(1.0)), "negative buckets");
    case(of_custom(|h| h.positive_counts = vec![0.0; 20_000]), "--ingest-buckets-max");
}

#[test]
fn exemplars_need_a_time_and_little_text() {
    let exemplar = |value: &str, timestamp| Exemplar {
        labels: labels(&[("trace_id", value)]),
        value: 0.5,
        timestamp,
    };
    let mut door = Door::new();
    let exemplars = vec![exemplar("a", 5), exemplar("b", 0), exemplar(&"x".repeat(121), 5)];
    let report = door.send(&request(vec![TimeSeries { exemplars, ..up() }]));
    assert_eq!((report.exemplars, report.refused), (2, 1));
    assert!(report.to_string().contains("--ingest-exemplar-max"), "{report}");
    let times: Vec<i64> = door.batch.exemplars.iter().map(|e| e.time).collect();
    assert_eq!(times, [5_000_000, 1_000_000_000]);
    assert_eq!(door.batch.exemplars[0].labels.get("trace_id"), Some("a"));
    let lonely = TimeSeries { samples: Vec::new(), exemplars: vec![exemplar("b", 0)], ..up() };
    assert!(door.send(&request(vec![lonely])).to_string().contains("no timestamp"));
}

#[test]
fn metadata_is_written_once_a_connection() {
    let told = |metric: &str, help: &str| MetricMetadata {
        kind: 1,
        metric_family_name: metric.into(),
        help: help.into(),
        unit: "s".into(),
    };
    let mut door = Door::new();
    let metadata =
        vec![told("a", "x"), told("b", "x"), told("", "x"), told("c", &"h".repeat(5000))];
    let request = WriteRequest { timeseries: Vec::new(), metadata };
    let report = door.send(&request);
    assert_eq!((report.metadata, report.refused, door.batch.metadata.len()), (2, 2, 2));
    assert_eq!(door.batch.metadata[0].kind, MetricKind::Counter);
    assert_eq!(door.batch.metadata[0].unit, "s");
    let report = door.send(&request);
    assert_eq!((report.metadata, report.refused, door.batch.metadata.len()), (2, 2, 0));
    door.session.forget();
    door.send(&request);
    assert_eq!(door.batch.metadata.len(), 2);
}

#[test]
fn message_2_carries_metadata_and_created_times_with_series() {
    let mut request = oracle::referring(&request(vec![up()]));
    request.symbols.extend(["help".into(), "bytes".into()]);
    let last = u32::try_from(request.symbols.len()).unwrap() - 1;
    let series = &mut request.timeseries[0];
    series.metadata =
        Some(oracle::ReferringMetadata { kind: 2, help_ref: last - 1, unit_ref: last });
    series.created_timestamp = 400;
    series.samples.push(Sample { value: 2.0, timestamp: 2000, start_timestamp: 700 });
    let mut door = Door::new();
    let report = door.take(Message::Request, &request.encode_to_vec()).unwrap();
    assert!(report.is_clean() && report.metadata == 1, "{report}");
    let metadata = &door.batch.metadata[0];
    assert_eq!((metadata.metric.as_str(), metadata.help.as_str()), ("up", "help"));
    assert_eq!(metadata.unit, "bytes");
    assert_eq!(door.batch.rows.starts(), [400_000_000, 700_000_000]);
}
