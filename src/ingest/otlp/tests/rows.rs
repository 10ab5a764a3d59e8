//! What becomes of each kind of metric.

use super::*;
use crate::model::{MetricKind, Span, is_stale};

#[test]
fn gauges_and_sums_are_rows() {
    let mut house = House::new(Config::default());
    let integer =
        Number { as_int: Some(-7), as_double: None, ..number(3, 0.0, &json!({"a": "x"})) };
    let level = Data::Sum(Sum {
        data_points: vec![number(3, 4.0, &json!({}))],
        temporality: CUMULATIVE,
        is_monotonic: false,
    });
    let report = house.take(&request(vec![
        metric(
            "room.warmth",
            "Cel",
            gauge(vec![number(2, 21.5, &json!({"floor.no": 1})), integer]),
        ),
        metric("http.requests", "{request}", counter(CUMULATIVE, vec![number(2, 9.0, &json!({}))])),
        metric("queue.length", "", level),
    ]));
    assert!(report.is_clean());
    assert_eq!(
        house.rows(),
        [
            "http_requests_total{} 9 @ 2 from 1",
            "queue_length{} 4 @ 3",
            "room_warmth_celsius{a=x} -7 @ 3",
            "room_warmth_celsius{floor_no=1} 21.5 @ 2",
        ]
    );
    let told: Vec<_> =
        house.batch.metadata.iter().map(|it| (&*it.metric, it.kind, &*it.unit)).collect();
    assert_eq!(
        told,
        [
            ("room_warmth_celsius", MetricKind::Gauge, "celsius"),
            ("http_requests_total", MetricKind::Counter, ""),
            ("queue_length", MetricKind::Gauge, ""),
        ]
    );
    assert_eq!(house.batch.metadata[0].help, "What room.warmth is.");
}

#[test]
fn metadata_is_told_once_by_a_connection() {
    let mut house = House::new(Config::default());
    let request = request(vec![metric("m", "", gauge(vec![number(2, 1.0, &json!({}))]))]);
    assert_eq!(house.take(&request).metadata, 1);
    assert_eq!(house.batch.metadata.len(), 1);
    assert_eq!(house.take(&request).metadata, 1);
    assert_eq!(house.batch.metadata.len(), 0);
}

#[test]
fn explicit_buckets_are_classic_series() {
    let mut house = House::new(Config::default());
    let exemplar = |value, seconds: u64| Exemplar {
        time: seconds * SECOND,
        as_double: Some(value),
        trace_id: vec![0xab; 16],
        span_id: vec![1; 8],
        attributes: keyed(&json!({"user": "u"})),
        ..Exemplar::default()
    };
    let point = HistogramPoint {
        exemplars: vec![exemplar(0.5, 2), exemplar(0.4, 0), exemplar(99.0, 2)],
        ..buckets(3, &[1, 0, 2], &[0.5, 10.0])
    };
    house.take(&request(vec![metric("latency", "s", histogram(CUMULATIVE, vec![point]))]));
    assert_eq!(
        house.rows(),
        [
            "latency_seconds_bucket{le=+Inf} 3 @ 3 from 1",
            "latency_seconds_bucket{le=0.5} 1 @ 3 from 1",
            "latency_seconds_bucket{le=10} 1 @ 3 from 1",
            "latency_seconds_count{} 3 @ 3 from 1",
            "latency_seconds_sum{} 12.5 @ 3 from 1",
        ]
    );
    let found: Vec<_> = house
        .batch
        .exemplars
        .iter()
        .map(|it| (shown(&house.labels(it.series)), it.value, at(it.time)))
        .collect();
    assert_eq!(
        found,
        [
            ("latency_seconds_bucket{le=0.5}".into(), 0.5, "2".into()),
            ("latency_seconds_bucket{le=0.5}".into(), 0.4, "3".into()),
            ("latency_seconds_bucket{le=+Inf}".into(), 99.0, "2".into()),
        ]
    );
    let labels = shown(&house.batch.exemplars[0].labels);
    assert_eq!(
        labels,
        format!("{{span_id={},trace_id={},user=u}}", "01".repeat(8), "ab".repeat(16))
    );
}

#[test]
fn a_histogram_without_sum_or_buckets_is_taken_as_it_is() {
    let mut house = House::new(Config::default());
    let point = HistogramPoint { count: 4, sum: None, ..buckets(3, &[], &[]) };
    house.take(&request(vec![metric("h", "", histogram(CUMULATIVE, vec![point]))]));
    assert_eq!(house.rows(), ["h_bucket{le=+Inf} 4 @ 3 from 1", "h_count{} 4 @ 3 from 1"]);
}

#[test]
fn explicit_buckets_are_custom_buckets_where_that_is_wanted() {
    let config = Config { convert_histograms_to_nhcb: true, ..Config::default() };
    let mut house = House::new(config);
    let point = buckets(3, &[0, 1, 0, 2], &[0.5, 10.0, 20.0]);
    house.take(&request(vec![metric("latency", "s", histogram(CUMULATIVE, vec![point]))]));
    assert!(house.batch.rows.is_empty());
    let row = &house.batch.histograms[0];
    assert_eq!(shown(&house.labels(row.series)), "latency_seconds{}");
    assert_eq!((at(row.time), at(row.start)), ("3".into(), "1".into()));
    let value = &row.value;
    assert_eq!((value.schema, value.count, value.sum), (-53, 3.0, 12.5));
    assert_eq!(value.custom_values, [0.5, 10.0, 20.0]);
    assert_eq!(value.positive_spans, [Span { offset: 1, length: 3 }]);
    assert_eq!(value.positive, [1.0, 0.0, 2.0]);
}

#[test]
fn exponential_buckets_are_native() {
    let mut house = House::new(Config::default());
    let point = ExponentialPoint {
        count: 10,
        zero_count: 2,
        zero_threshold: 0.25,
        negative: Some(Buckets { offset: -3, counts: vec![1] }),
        ..exponents(3, 2, 1, &[3, 0, 4])
    };
    house.take(&request(vec![metric("size", "By", exponential(CUMULATIVE, vec![point]))]));
    let row = &house.batch.histograms[0];
    assert_eq!(shown(&house.labels(row.series)), "size_bytes{}");
    let value = &row.value;
    assert_eq!((value.schema, value.count, value.sum, value.zero_count), (2, 10.0, 12.5, 2.0));
    assert_eq!((value.zero_threshold, value.is_integer), (0.25, true));
    assert_eq!(value.positive_spans, [Span { offset: 2, length: 3 }]);
    assert_eq!(value.positive, [3.0, 0.0, 4.0]);
    assert_eq!(value.negative_spans, [Span { offset: -2, length: 1 }]);
    assert_eq!(value.negative, [1.0]);
    assert_eq!(house.batch.metadata[0].kind, MetricKind::Histogram);
}

#[test]
fn a_scale_too_fine_is_made_coarser_and_one_too_coarse_refused() {
    let mut house = House::new(Config::default());
    let points = vec![exponents(2, 10, 0, &[1; 8]), exponents(3, -5, 0, &[1])];
    let report = house.take(&request(vec![metric("e", "", exponential(CUMULATIVE, points))]));
    let value = &house.batch.histograms[0].value;
    assert_eq!((value.schema, &value.positive[..]), (8, &[4.0, 4.0][..]));
    assert_eq!(value.zero_threshold, 1e-128);
    assert_eq!(report.refused, 1);
    let text = report.to_string();
    assert!(
        text.contains("data point 1 of metric \"e\": exponential histogram has scale -5"),
        "{text}"
    );
}

#[test]
fn summaries_are_quantiles() {
    let mut house = House::new(Config::default());
    let point = SummaryPoint {
        start: SECOND,
        time: 2 * SECOND,
        count: 5,
        sum: 2.5,
        quantiles: vec![
            Quantile { quantile: 0.5, value: 1.0 },
            Quantile { quantile: 1.0, value: 9.0 },
        ],
        ..SummaryPoint::default()
    };
    let summary = Data::Summary(Summary { data_points: vec![point] });
    house.take(&request(vec![metric("rpc", "ms", summary)]));
    assert_eq!(
        house.rows(),
        [
            "rpc_milliseconds_count{} 5 @ 2 from 1",
            "rpc_milliseconds_sum{} 2.5 @ 2 from 1",
            "rpc_milliseconds{quantile=0.5} 1 @ 2",
            "rpc_milliseconds{quantile=1} 9 @ 2",
        ]
    );
}

#[test]
fn no_recorded_value_is_a_stale_marker() {
    let mut house = House::new(Config::default());
    let number = Number { flags: 1, as_double: None, ..number(2, 0.0, &json!({})) };
    let classic = HistogramPoint { flags: 1, counts: vec![], ..buckets(2, &[], &[1.0]) };
    let native = ExponentialPoint { flags: 1, ..exponents(2, 0, 0, &[3]) };
    let report = house.take(&request(vec![
        metric("g", "", gauge(vec![number])),
        metric("h", "", histogram(CUMULATIVE, vec![classic])),
        metric("e", "", exponential(CUMULATIVE, vec![native])),
    ]));
    assert!(report.is_clean(), "{report}");
    assert_eq!(
        house.rows(),
        [
            "g{} stale @ 2",
            "h_bucket{le=+Inf} stale @ 2",
            "h_bucket{le=1} stale @ 2",
            "h_count{} stale @ 2",
            "h_sum{} stale @ 2",
        ]
    );
    assert!(is_stale(house.batch.histograms[0].value.sum));
}

#[test]
fn differences_are_summed_up() {
    let mut house = House::new(Config::default());
    let send = |house: &mut House, time: u64| {
        let mut point = number(time, 2.0, &json!({}));
        point.start = (time - 1) * SECOND;
        let classic = HistogramPoint { start: point.start, ..buckets(time, &[1, 1], &[5.0]) };
        let native = ExponentialPoint { start: point.start, ..exponents(time, 0, 0, &[1, 2]) };
        house.take(&request(vec![
            metric("c", "", counter(DELTA, vec![point])),
            metric("h", "", histogram(DELTA, vec![classic])),
            metric("e", "", exponential(DELTA, vec![native])),
        ]))
    };
    send(&mut house, 2);
    assert!(send(&mut house, 3).is_clean());
    let expected = [
        "c_total{} 4 @ 3 from 1",
        "h_bucket{le=+Inf} 4 @ 3 from 1",
        "h_bucket{le=5} 2 @ 3 from 1",
        "h_count{} 4 @ 3 from 1",
        "h_sum{} 25 @ 3 from 1",
    ];
    assert_eq!(house.rows(), expected);
    let row = &house.batch.histograms[0];
    assert_eq!((row.value.count, &row.value.positive[..]), (6.0, &[2.0, 4.0][..]));
    assert_eq!((row.value.is_integer, at(row.start)), (true, "1".into()));
    // The sender did not hear of it, and says it again.
    assert!(send(&mut house, 3).is_clean());
    assert_eq!(house.rows(), expected);
    assert_eq!(send(&mut house, 2).refused, 3);
}

#[test]
fn differences_are_refused_where_they_are_not_wanted() {
    let mut house = House::new(Config { delta_to_cumulative: false, ..Config::default() });
    let points = || vec![number(2, 1.0, &json!({})), number(3, 1.0, &json!({}))];
    let report = house.take(&request(vec![
        metric("c", "", counter(DELTA, points())),
        metric("d", "", counter(0, points())),
    ]));
    assert_eq!((report.refused, house.batch.rows.len()), (4, 0));
    let text = report.to_string();
    assert!(text.contains("temporality is delta") && text.contains("not specified"), "{text}");
    assert!(house.book.is_empty());
}

#[test]
fn a_resource_is_job_and_instance_and_target_info() {
    let mut house = House::new(Config::default());
    let resource = json!({
        "service.name": "shop", "service.namespace": "web", "service.instance.id": "i-1",
        "host.name": "h", "process.args": ["a", 1], "long": "x".repeat(5000), "字字": "y",
    });
    let points =
        vec![number(2, 1.0, &json!({"job": "mine"})), number(400, 2.0, &json!({"job": "mine"}))];
    let report = house.take(&described(
        &resource,
        Scope { name: "s".into(), ..Scope::default() },
        vec![metric("m", "", gauge(points))],
    ));
    assert!(report.is_clean());
    let info = "target_info{host_name=h,instance=i-1,job=web/shop,process_args=[\"a\",1]}";
    assert_eq!(
        house.rows(),
        [
            "m{instance=i-1,job=web/shop} 1 @ 2".to_owned(),
            "m{instance=i-1,job=web/shop} 2 @ 400".into(),
            format!("{info} 1 @ 152"),
            format!("{info} 1 @ 2"),
            format!("{info} 1 @ 302"),
            format!("{info} 1 @ 400"),
        ]
    );
}

#[test]
fn a_resource_of_nothing_but_a_name_has_no_target_info() {
    let mut house = House::new(Config::default());
    let one = || vec![metric("m", "", gauge(vec![number(2, 1.0, &json!({}))]))];
    house.take(&described(&json!({"service.name": "shop"}), Scope::default(), one()));
    house.take(&described(&json!({"host.name": "h"}), Scope::default(), one()));
    assert_eq!(house.names(), ["m{job=shop}", "m{}"]);
}

#[test]
fn attributes_of_resource_and_scope_are_promoted() {
    let resource = json!({"service.name": "shop", "host.name": "h", "host.id": 7});
    let scope = Scope {
        name: "lib".into(),
        version: "1.2".into(),
        attributes: keyed(&json!({"kind": "x"})),
    };
    let names = |config: Config| {
        assert_eq!(config.check(), Ok(()));
        let mut house = House::new(config);
        let one = vec![metric("m", "", gauge(vec![number(2, 1.0, &json!({"host.id": "own"}))]))];
        house.take(&described(&resource, scope.clone(), one));
        house.names()
    };
    let info = |more: &str| format!("target_info{{host_id=7,host_name=h,job=shop{more}}}");
    assert_eq!(
        names(Config {
            promote_resource_attributes: vec!["host.name".into()],
            ..Config::default()
        }),
        ["m{host_id=own,host_name=h,job=shop}".to_owned(), info("")]
    );
    assert_eq!(
        names(Config {
            promote_all_resource_attributes: true,
            ignore_resource_attributes: vec!["host.name".into()],
            keep_identifying_resource_attributes: true,
            ..Config::default()
        }),
        ["m{host_id=own,job=shop,service_name=shop}".to_owned(), info(",service_name=shop")]
    );
    assert_eq!(
        names(Config { promote_scope_metadata: true, ..Config::default() }),
        [
            "m{host_id=own,job=shop,otel_scope_kind=x,otel_scope_name=lib,\
             otel_scope_schema_url=https://schema,otel_scope_version=1.2}"
                .to_owned(),
            info(""),
        ]
    );
}

#[test]
fn labels_that_collide_are_joined_in_order_of_their_keys() {
    let mut house = House::new(Config::default());
    let found = json!({"a/b": "3", "a.b": "2", "a-b": "1", "empty": "", "__name__": "no"});
    house.take(&request(vec![metric("m", "", gauge(vec![number(2, 1.0, &found)]))]));
    assert_eq!(house.names(), ["m{a_b=1;2;3}"]);
}

#[test]
fn each_bad_data_point_harms_only_itself() {
    let mut house = House::new(Config::default());
    house.limits.labels_max = 4;
    let good = || number(2, 1.0, &json!({}));
    let points = vec![
        good(),
        Number { time: 0, ..good() },
        Number { as_double: None, ..good() },
        Number { time: u64::MAX, ..good() },
        number(2, 1.0, &json!({"字字": "x"})),
        number(2, 1.0, &json!({"a": 1, "b": 2, "c": 3, "d": 4})),
    ];
    let classic = vec![
        buckets(2, &[1], &[1.0]),
        buckets(2, &[1, 1, 1], &[2.0, 1.0]),
        HistogramPoint { time: 0, ..buckets(2, &[1, 1], &[1.0]) },
    ];
    let native = vec![ExponentialPoint { count: 5, ..exponents(2, 0, 0, &[1]) }];
    let report = house.take(&request(vec![
        metric("g", "", gauge(points)),
        metric("h", "", histogram(CUMULATIVE, classic)),
        metric("e", "", exponential(CUMULATIVE, native)),
        metric("@@", "", gauge(vec![good()])),
    ]));
    assert_eq!(house.rows(), ["g{} 1 @ 2"]);
    assert_eq!((report.refused, report.refusals.len()), (10, 10));
    let text = report.to_string();
    for says in [
        "data point 1 of metric \"g\": data point has no time",
        "data point has no value",
        "outside the years",
        "label name \"字字\" cannot be translated",
        "--ingest-labels-max",
        "1 bucket counts and 1 explicit bounds",
        "do not rise",
        "1 observations found in buckets, but the Count field is 5",
        "metric name \"@@\" cannot be translated",
    ] {
        assert!(text.contains(says), "{says:?} is not in {text}");
    }
    assert_eq!(house.names(), ["g{}"]);
}

#[test]
fn what_cannot_be_read_is_refused_whole_and_nothing_registered() {
    let mut house = House::new(Config::default());
    let mut body = encode(&request(vec![metric("m", "", gauge(vec![number(2, 1.0, &json!({}))]))]));
    body.extend([0x0a, 0x7f]);
    let error = house.send(Form::Protobuf, &body).unwrap_err();
    assert!(matches!(error, Error::Protobuf { .. }), "{error}");
    assert!(house.batch.is_empty() && house.book.is_empty());
    assert!(house.send(Form::Json, b"{\"resourceMetrics\": 1}").is_err());
    for form in [Form::Protobuf, Form::Json] {
        assert_eq!(house.send(form, b"").unwrap(), Report::default());
    }
}

#[test]
fn values_that_lie_within_each_other_too_deep_are_refused() {
    let mut value = json!("end");
    for _ in 0..40 {
        value = json!([value]);
    }
    let mut house = House::new(Config::default());
    let point = number(2, 1.0, &json!({"deep": value}));
    let body = encode(&request(vec![metric("m", "", gauge(vec![point]))]));
    let error = house.send(Form::Protobuf, &body).unwrap_err();
    assert!(error.to_string().contains("deep"), "{error}");
}

#[test]
fn an_exemplar_of_long_attributes_keeps_its_ids() {
    let mut house = House::new(Config::default());
    let exemplar = Exemplar {
        as_int: Some(3),
        trace_id: vec![7; 16],
        span_id: vec![0; 8],
        attributes: keyed(&json!({"long": "x".repeat(100)})),
        ..Exemplar::default()
    };
    let point = Number { exemplars: vec![exemplar], ..number(2, 1.0, &json!({})) };
    house.take(&request(vec![metric("c", "", counter(CUMULATIVE, vec![point]))]));
    let found = &house.batch.exemplars[0];
    assert_eq!(shown(&found.labels), format!("{{trace_id={}}}", "07".repeat(16)));
    assert_eq!((found.value, at(found.time)), (3.0, "2".into()));
}
