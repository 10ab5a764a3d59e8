//! Families as prost writes them.

use proptest::prelude::*;
use prost::Message;

use super::super::oracle::{
    Bucket, Exemplar, Histogram, LabelPair, Metric, MetricFamily, Number, Quantile, Span, Summary,
    Timestamp as Time,
};
use super::{Ask, Door, Format, NOW, ask};
use crate::ingest::Error;
use crate::model::{Histogram as Native, ResetHint};

fn labels(pairs: &[(&str, &str)]) -> Vec<LabelPair> {
    let pair = |(name, value): &(&str, &str)| LabelPair {
        name: (*name).to_owned(),
        value: (*value).to_owned(),
    };
    pairs.iter().map(pair).collect()
}

fn body(families: &[MetricFamily]) -> Vec<u8> {
    families.iter().flat_map(Message::encode_length_delimited_to_vec).collect()
}

fn family(name: &str, kind: i32, metric: Metric) -> MetricFamily {
    let (name, help) = (name.to_owned(), format!("help of {name}"));
    MetricFamily { name, help, kind, metric: vec![metric], unit: String::new() }
}

fn exemplar(trace: &str, seconds: Option<i64>) -> Exemplar {
    Exemplar {
        label: labels(&[("trace_id", trace)]),
        value: 0.5,
        timestamp: seconds.map(|seconds| Time { seconds, nanos: 250_000_000 }),
    }
}

fn histogram() -> Histogram {
    Histogram {
        count: 10,
        sum: 18.5,
        schema: 1,
        zero_threshold: 0.001,
        zero_count: 2,
        positive_span: vec![Span { offset: 0, length: 2 }, Span { offset: 1, length: 1 }],
        positive_delta: vec![1, 2, -1],
        negative_span: vec![Span { offset: -3, length: 1 }],
        negative_delta: vec![2],
        start: Some(Time { seconds: 7, nanos: 5 }),
        ..Histogram::default()
    }
}

fn classic() -> Vec<Bucket> {
    let bucket = |count, bound| Bucket { count, bound, ..Bucket::default() };
    vec![bucket(3, 0.1), Bucket { exemplar: Some(exemplar("b", Some(9))), ..bucket(9, 1.0) }]
}

#[test]
fn numbers_and_summaries_become_samples() {
    let counter = Metric {
        label: labels(&[("b", "2"), ("a", "1")]),
        counter: Some(Number {
            value: 5.0,
            exemplar: Some(exemplar("x", Some(4))),
            start: Some(Time { seconds: 3, nanos: 0 }),
        }),
        timestamp_ms: 1500,
        ..Metric::default()
    };
    let summary = Metric {
        summary: Some(Summary {
            count: 2,
            sum: 0.5,
            quantile: vec![
                Quantile { quantile: 0.5, value: 0.2 },
                Quantile { quantile: 1.0, value: 0.3 },
            ],
            start: None,
        }),
        ..Metric::default()
    };
    let untyped =
        Metric { untyped: Some(Number { value: -0.5, ..Number::default() }), ..Metric::default() };
    let families =
        [family("c_total", 0, counter), family("s", 2, summary), family("utf8.é", 3, untyped)];
    let mut door = Door::new();
    for _ in 0..3 {
        let report = door.send(&body(&families), &ask(Format::Protobuf)).unwrap();
        assert!(report.is_clean(), "{report}");
        assert_eq!((report.samples, report.exemplars, report.metadata), (6, 1, 3));
        let now = NOW.0.to_string();
        let rows: Vec<String> = door.rows().iter().map(|row| row.replace(&now, "now")).collect();
        assert_eq!(
            rows,
            [
                r#"{__name__="c_total", a="1", b="2"} 1500000000 5.0 since 3000000000"#,
                r#"{__name__="s_count"} now 2.0"#,
                r#"{__name__="s_sum"} now 0.5"#,
                r#"{__name__="s", quantile="0.5"} now 0.2"#,
                r#"{__name__="s", quantile="1.0"} now 0.3"#,
                r#"{__name__="utf8.é"} now -0.5"#,
            ]
        );
        assert_eq!(door.batch.exemplars[0].time, 4_250_000_000);
        assert_eq!(door.session.present().len(), 5);
    }
}

#[test]
fn classic_histograms_get_their_last_bucket() {
    let metric = Metric {
        histogram: Some(Histogram {
            count: 10,
            sum: 4.0,
            bucket: classic(),
            ..Histogram::default()
        }),
        ..Metric::default()
    };
    let mut door = Door::new();
    let report = door.send(&body(&[family("h", 4, metric)]), &ask(Format::Protobuf)).unwrap();
    assert!(report.is_clean() && report.exemplars == 1, "{report}");
    let rows: Vec<String> =
        door.rows().iter().map(|row| row.replace(&NOW.0.to_string(), "now")).collect();
    assert_eq!(
        rows,
        [
            r#"{__name__="h_count"} now 10.0"#,
            r#"{__name__="h_sum"} now 4.0"#,
            r#"{__name__="h_bucket", le="0.1"} now 3.0"#,
            r#"{__name__="h_bucket", le="1.0"} now 9.0"#,
            r#"{__name__="h_bucket", le="+Inf"} now 10.0"#,
        ]
    );
}

#[test]
fn native_histograms_are_rows_of_their_own_and_buckets_are_taken_where_asked_for() {
    let metric = |kind: i32| {
        let value = Histogram { bucket: classic(), ..histogram() };
        family("h", kind, Metric { histogram: Some(value), ..Metric::default() })
    };
    let mut door = Door::new();
    let report = door.send(&body(&[metric(4)]), &ask(Format::Protobuf)).unwrap();
    assert_eq!((report.samples, report.histograms, report.exemplars), (0, 1, 1), "{report}");
    let row = &door.batch.histograms[0];
    assert_eq!((row.time, row.start), (NOW.0, 7_000_000_005));
    let expected = Native {
        is_integer: true,
        schema: 1,
        zero_threshold: 0.001,
        zero_count: 2.0,
        count: 10.0,
        sum: 18.5,
        positive_spans: row.value.positive_spans.clone(),
        positive: vec![1.0, 3.0, 2.0],
        negative_spans: row.value.negative_spans.clone(),
        negative: vec![2.0],
        ..Native::default()
    };
    assert_eq!(row.value, expected);

    let both = Ask { classic_histograms: true, ..ask(Format::Protobuf) };
    let report = door.send(&body(&[metric(5)]), &both).unwrap();
    assert_eq!((report.samples, report.histograms), (5, 1));
    assert_eq!(door.batch.histograms[0].value.reset_hint, ResetHint::Gauge);
    assert_eq!(door.session.present().len(), 6);
    let none = Ask { ignore_native_histograms: true, ..ask(Format::Protobuf) };
    let report = door.send(&body(&[metric(4)]), &none).unwrap();
    assert_eq!((report.samples, report.histograms), (5, 0));
}

#[test]
fn float_histograms_and_their_exemplars() {
    let value = Histogram {
        count: 0,
        count_float: 6.5,
        zero_count: 0,
        zero_count_float: 0.5,
        positive_delta: vec![],
        positive_count: vec![1.0, 2.5, 2.0],
        negative_span: vec![],
        negative_delta: vec![],
        exemplars: vec![exemplar("a", Some(1)), exemplar("no time", None)],
        ..histogram()
    };
    let metric = Metric { histogram: Some(value), ..Metric::default() };
    let mut door = Door::new();
    let report = door.send(&body(&[family("h", 4, metric)]), &ask(Format::Protobuf)).unwrap();
    assert_eq!((report.histograms, report.exemplars), (1, 1), "{report}");
    let value = &door.batch.histograms[0].value;
    assert!(!value.is_integer && value.positive == [1.0, 2.5, 2.0] && value.count == 6.5);
}

#[test]
fn one_bad_metric_harms_only_itself() {
    let gauge = |pairs: &[(&str, &str)]| Metric {
        label: labels(pairs),
        gauge: Some(Number { value: 1.0, ..Number::default() }),
        ..Metric::default()
    };
    let broken = Histogram { positive_delta: vec![1], ..histogram() };
    for (name, kind, metric, says) in [
        ("g", 1, gauge(&[("a", "1"), ("a", "2")]), "duplicate label name \"a\""),
        ("g", 1, gauge(&[("", "1")]), "label name is empty"),
        ("g", 0, gauge(&[]), "metric has no counter although its family is one"),
        ("g", 9, gauge(&[]), "metric has the type 9, which is not known"),
        ("", 1, gauge(&[]), "metadata names no metric"),
        (
            "h",
            4,
            Metric { histogram: Some(broken), ..Metric::default() },
            "positive side: spans need 3 buckets, have 1 buckets",
        ),
    ] {
        let families = [family("ok", 1, gauge(&[])), family(name, kind, metric)];
        let mut door = Door::new();
        let report = door.send(&body(&families), &ask(Format::Protobuf)).unwrap();
        assert!(report.to_string().contains(says), "{says}: {report}");
        assert_eq!((report.samples, report.refused, door.book.len()), (1, 1, 1), "{says}");
        let whole = Ask { is_whole: true, ..ask(Format::Protobuf) };
        let error = door.send(&body(&families), &whole).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn damage_is_an_error_and_registers_nothing() {
    let metric = Metric { histogram: Some(histogram()), ..Metric::default() };
    let whole = body(&[family("h", 4, metric.clone()), family("h2", 4, metric)]);
    for cut in 0..whole.len() {
        let mut door = Door::new();
        match door.send(&whole[..cut], &ask(Format::Protobuf)) {
            Ok(report) => assert!(report.is_clean() && (cut == 0 || report.histograms == 1)),
            Err(Error::Protobuf { .. }) => assert!(door.book.is_empty() && door.batch.is_empty()),
            Err(other) => panic!("{other}"),
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_give_rows_or_an_error(mut bytes: Vec<u8>, at: usize, byte: u8) {
        let _ = Door::new().send(&bytes, &ask(Format::Protobuf));
        let metric = Metric { histogram: Some(histogram()), ..Metric::default() };
        bytes = body(&[family("h", 4, metric)]);
        let at = at % bytes.len();
        bytes[at] = byte;
        let mut door = Door::new();
        let first = door.send(&bytes, &ask(Format::Protobuf)).map_err(|error| error.to_string());
        let again = door.send(&bytes, &ask(Format::Protobuf)).map_err(|error| error.to_string());
        // What is told of metadata is told once; the rest is the same.
        prop_assert_eq!(first.is_ok(), again.is_ok());
    }
}
