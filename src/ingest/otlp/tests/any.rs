//! Any bytes, any request: both forms mean the same, and nothing panics.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::ingest::otlp::oracle::{Any, AnyValue};

fn any_value() -> impl Strategy<Value = AnyValue> {
    let leaf = prop_oneof![
        "[a-z\"<é]{0,6}".prop_map(Any::Text),
        any::<bool>().prop_map(Any::Bool),
        any::<i64>().prop_map(Any::Int),
        any::<f64>().prop_map(Any::Double),
        any::<Vec<u8>>().prop_map(Any::Bytes),
    ];
    let leaf = proptest::option::of(leaf).prop_map(|any| AnyValue { any });
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(|values| AnyValue {
                any: Some(Any::Array(super::super::oracle::Array { values }))
            }),
            vec(("[a-c]{1,2}", inner), 0..3).prop_map(|pairs| AnyValue {
                any: Some(Any::Map(super::super::oracle::Map { values: keys(pairs) }))
            }),
        ]
    })
}

fn keys(pairs: Vec<(String, AnyValue)>) -> Vec<KeyValue> {
    pairs.into_iter().map(|(key, value)| KeyValue { key, value: Some(value) }).collect()
}

fn found() -> impl Strategy<Value = Vec<KeyValue>> {
    vec(("[a-d._é]{0,4}", any_value()), 0..4).prop_map(keys)
}

/// Nanoseconds of the first minute, and some that cannot be.
fn time() -> impl Strategy<Value = u64> {
    prop_oneof![8 => 0..60 * SECOND, 1 => any::<u64>()]
}

fn exemplars() -> impl Strategy<Value = Vec<Exemplar>> {
    let one = (time(), any::<Option<f64>>(), vec(any::<u8>(), 0..20), found()).prop_map(
        |(time, as_double, trace_id, attributes)| Exemplar {
            time,
            as_double,
            span_id: trace_id.iter().copied().take(8).collect(),
            trace_id,
            as_int: None,
            attributes,
        },
    );
    vec(one, 0..3)
}

fn numbers() -> impl Strategy<Value = Vec<Number>> {
    let value = prop_oneof![
        any::<Option<f64>>().prop_map(|value| (value, None)),
        any::<i64>().prop_map(|value| (None, Some(value))),
    ];
    let one = ((time(), time()), value, exemplars(), found(), 0_u32..3).prop_map(
        |((start, time), (as_double, as_int), exemplars, attributes, flags)| Number {
            start,
            time,
            as_double,
            exemplars,
            as_int,
            attributes,
            flags,
        },
    );
    vec(one, 0..4)
}

fn histograms() -> impl Strategy<Value = Vec<HistogramPoint>> {
    let one = (
        (time(), time()),
        vec(0_u64..9, 0..4),
        vec(any::<f64>(), 0..3),
        any::<Option<f64>>(),
        exemplars(),
        found(),
        0_u32..3,
    )
        .prop_map(|((start, time), counts, mut bounds, sum, exemplars, attributes, flags)| {
            bounds.sort_by(f64::total_cmp);
            HistogramPoint {
                start,
                time,
                count: counts.iter().sum(),
                sum,
                counts,
                bounds,
                exemplars,
                attributes,
                flags,
                min: sum,
            }
        });
    vec(one, 0..4)
}

fn exponentials() -> impl Strategy<Value = Vec<ExponentialPoint>> {
    let side = || proptest::option::of((any::<i32>(), vec(0_u64..9, 0..5)));
    let one = ((time(), time()), side(), side(), -6..20, 0_u64..9, any::<f64>(), found(), 0_u32..3)
        .prop_map(
            |((start, time), positive, negative, scale, zero, threshold, attributes, flags)| {
                let side = |side: Option<(i32, Vec<u64>)>| {
                    side.map(|(offset, counts)| Buckets { offset: offset / 1000, counts })
                };
                let (positive, negative) = (side(positive), side(negative));
                let sides = positive.iter().chain(&negative);
                ExponentialPoint {
                    start,
                    time,
                    count: zero + sides.flat_map(|it| &it.counts).sum::<u64>(),
                    sum: Some(threshold),
                    scale,
                    zero_count: zero,
                    positive,
                    negative,
                    flags,
                    zero_threshold: if flags == 0 { 0.0 } else { threshold + 0.0 },
                    attributes,
                    exemplars: vec![],
                }
            },
        );
    vec(one, 0..4)
}

fn summaries() -> impl Strategy<Value = Vec<SummaryPoint>> {
    let one = ((time(), time()), any::<u64>(), vec((any::<f64>(), any::<f64>()), 0..3), found())
        .prop_map(|((start, time), count, quantiles, attributes)| SummaryPoint {
            start,
            time,
            count,
            sum: 1.5,
            quantiles: quantiles
                .into_iter()
                // -0 is 0 to who writes protobuf, and left out.
                .map(|(quantile, value)| Quantile { quantile: quantile + 0.0, value: value + 0.0 })
                .collect(),
            attributes,
            flags: 0,
        });
    vec(one, 0..4)
}

fn data() -> impl Strategy<Value = Data> {
    prop_oneof![
        numbers().prop_map(gauge),
        (numbers(), 0..3, any::<bool>()).prop_map(|(data_points, temporality, is_monotonic)| {
            Data::Sum(Sum { data_points, temporality, is_monotonic })
        }),
        (histograms(), 0..3).prop_map(|(points, temporality)| histogram(temporality, points)),
        (exponentials(), 0..3).prop_map(|(points, temporality)| exponential(temporality, points)),
        summaries().prop_map(|data_points| Data::Summary(Summary { data_points })),
    ]
}

fn requests() -> impl Strategy<Value = Request> {
    let metric = ("[a-c.é1]{0,4}", prop_oneof!["", "s", "1", "By/s"], proptest::option::of(data()))
        .prop_map(|(name, unit, data)| Metric { name, description: "help".into(), unit, data });
    let scope = ("[a-c]{0,2}", found()).prop_map(|(name, attributes)| Scope {
        name,
        version: "1".into(),
        attributes,
    });
    let scopes = (proptest::option::of(scope), vec(metric, 0..3))
        .prop_map(|(scope, metrics)| ScopeMetrics { scope, metrics, schema_url: String::new() });
    let resource = (found(), any::<bool>()).prop_map(|(mut attributes, is_named)| {
        if is_named {
            attributes.extend(keyed(&json!({"service.name": "s"})));
        }
        Resource { attributes }
    });
    let resources = (proptest::option::of(resource), vec(scopes, 0..3)).prop_map(
        |(resource, scope_metrics)| ResourceMetrics {
            resource,
            scope_metrics,
            schema_url: String::new(),
        },
    );
    vec(resources, 0..3).prop_map(|resource_metrics| Request { resource_metrics })
}

fn configs() -> impl Strategy<Value = Config> {
    (any::<[bool; 5]>(), 0_usize..4).prop_map(|([all, keep, nhcb, scope, delta], strategy)| {
        Config {
            promote_all_resource_attributes: all,
            keep_identifying_resource_attributes: keep,
            convert_histograms_to_nhcb: nhcb,
            promote_scope_metadata: scope,
            delta_to_cumulative: delta,
            translation_strategy: serde_json::from_value(json!(
                [
                    "UnderscoreEscapingWithSuffixes",
                    "UnderscoreEscapingWithoutSuffixes",
                    "NoUTF8EscapingWithSuffixes",
                    "NoTranslation"
                ][strategy]
            ))
            .unwrap(),
            ..Config::default()
        }
    })
}

/// Everything of a batch by the names of its series, so that two houses can be compared.
fn told(house: &House) -> BTreeMap<&'static str, Vec<String>> {
    let batch = &house.batch;
    let native = batch.histograms.iter().map(|it| {
        format!("{} {:?} {} {}", shown(&house.labels(it.series)), it.value, it.time, it.start)
    });
    let exemplars = batch.exemplars.iter().map(|it| {
        format!("{} {:?} {} {}", shown(&house.labels(it.series)), it.labels, it.time, it.value)
    });
    BTreeMap::from([
        ("rows", house.rows()),
        ("histograms", native.collect()),
        ("exemplars", exemplars.collect()),
        ("metadata", batch.metadata.iter().map(|it| format!("{it:?}")).collect()),
    ])
}

proptest! {
    #[test]
    fn both_forms_mean_the_same(request in requests(), config in configs()) {
        let (mut left, mut right) = (House::new(config.clone()), House::new(config));
        let protobuf = left.send(Form::Protobuf, &encode(&request)).unwrap();
        let json = right.send(Form::Json, &to_json(&request)).unwrap();
        prop_assert_eq!(&protobuf, &json);
        prop_assert_eq!(told(&left), told(&right));
        prop_assert_eq!(left.names(), right.names());
    }

    #[test]
    fn a_second_sending_finds_the_same_series(request in requests()) {
        let mut house = House::new(Config::default());
        let body = encode(&request);
        let first = house.send(Form::Protobuf, &body).unwrap();
        let (rows, series) = (house.rows(), house.book.len());
        let second = house.send(Form::Protobuf, &body).unwrap();
        prop_assert_eq!(house.book.len(), series);
        // Sums of differences take the points of a series in order: what was late stays late.
        if first.refusals.iter().chain(&second.refusals).all(|it| !it.to_string().contains("delta")) {
            prop_assert_eq!(first.refused, second.refused);
            prop_assert_eq!(house.rows().len(), rows.len());
        }
    }

    #[test]
    fn any_bytes_are_a_request_or_an_error(bytes: Vec<u8>) {
        let mut house = House::new(Config::default());
        for form in [Form::Protobuf, Form::Json] {
            if house.send(form, &bytes).is_err() {
                prop_assert!(house.batch.is_empty());
            }
        }
    }

    #[test]
    fn torn_and_changed_requests_never_panic(
        request in requests(),
        cut: prop::sample::Index,
        at: prop::sample::Index,
        byte: u8,
    ) {
        let mut house = House::new(Config::default());
        for (form, mut body) in
            [(Form::Protobuf, encode(&request)), (Form::Json, to_json(&request))]
        {
            if body.is_empty() {
                continue;
            }
            let place = at.index(body.len());
            let _ = house.send(form, &body[..cut.index(body.len())]);
            body[place] = byte;
            let series = house.book.len();
            if house.send(form, &body).is_err() {
                prop_assert!(house.batch.is_empty());
                prop_assert_eq!(house.book.len(), series);
            }
        }
    }
}
