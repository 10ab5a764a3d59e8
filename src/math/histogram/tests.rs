//! Histograms as a whole: what sums, resets and estimates must hold.

use proptest::prelude::*;

use super::*;
use crate::model::{CUSTOM_BUCKETS_SCHEMA, Histogram, ResetHint, Span};

fn exponential(schema: i8, offset: i32, counts: &[f64]) -> Histogram {
    Histogram {
        schema,
        count: counts.iter().sum(),
        sum: 10.0,
        positive_spans: vec![Span { offset, length: u32::try_from(counts.len()).unwrap() }],
        positive: counts.to_vec(),
        ..Histogram::default()
    }
}

fn custom(bounds: &[f64], counts: &[f64]) -> Histogram {
    Histogram { custom_values: bounds.to_vec(), ..exponential(CUSTOM_BUCKETS_SCHEMA, 0, counts) }
}

#[test]
fn sums_meet_in_the_coarser_schema() {
    let (sum, _) = add(&exponential(1, 1, &[1.0, 2.0]), &exponential(0, 1, &[5.0])).unwrap();
    assert_eq!((sum.schema, sum.positive), (0, vec![8.0]));
}

#[test]
fn sums_meet_in_shared_custom_bounds() {
    let a = custom(&[1.0, 2.0, 3.0], &[1.0, 2.0, 3.0, 4.0]);
    let (sum, joined) = add(&a, &custom(&[1.0, 3.0], &[1.0, 1.0, 1.0])).unwrap();
    assert!(joined.bounds_reconciled);
    assert_eq!((sum.custom_values, sum.positive), (vec![1.0, 3.0], vec![2.0, 6.0, 5.0]));
    assert_eq!(add(&a, &exponential(0, 0, &[1.0])), Err(Incompatible));
}

#[test]
fn a_wider_zero_bucket_swallows_what_lies_within() {
    let wide = Histogram { zero_threshold: 2.0, zero_count: 1.0, ..exponential(0, 2, &[1.0]) };
    let (sum, _) = add(&exponential(0, 0, &[1.0, 1.0, 1.0]), &wide).unwrap();
    assert_eq!((sum.zero_threshold, sum.zero_count), (2.0, 3.0));
    assert_eq!(sum.positive, vec![2.0]);
}

#[test]
fn hints_that_contradict_are_told() {
    let a = Histogram { reset_hint: ResetHint::Reset, ..exponential(0, 0, &[1.0]) };
    let b = Histogram { reset_hint: ResetHint::NoReset, ..exponential(0, 0, &[1.0]) };
    let (sum, joined) = add(&a, &b).unwrap();
    assert!(joined.hints_collide);
    assert_eq!(sum.reset_hint, ResetHint::Unknown);
}

#[test]
fn a_count_that_fell_or_a_finer_layout_is_a_reset() {
    let a = exponential(0, 0, &[1.0, 2.0]);
    assert!(!is_reset(&a, &a));
    assert!(is_reset(&exponential(0, 0, &[3.0, 1.0]), &a));
    assert!(is_reset(&exponential(1, 0, &[9.0, 9.0]), &a));
    assert!(is_reset(&exponential(0, 1, &[9.0]), &a));
    assert!(!is_reset(&exponential(-1, 0, &[9.0, 9.0]), &a));
}

#[test]
fn custom_bounds_are_compared_where_they_agree() {
    let before = custom(&[1.0, 2.0], &[1.0, 1.0, 1.0]);
    assert!(!is_reset(&custom(&[2.0], &[2.0, 1.0]), &before));
    assert!(is_reset(&custom(&[2.0], &[1.0, 2.0]), &before));
}

#[test]
fn quantiles_are_exponential_within_a_bucket_and_linear_in_custom_ones() {
    assert_eq!(quantile(0.5, &exponential(0, 1, &[4.0])).0, std::f64::consts::SQRT_2);
    assert_eq!(quantile(0.5, &custom(&[1.0, 2.0], &[0.0, 4.0, 0.0])).0, 1.5);
    assert_eq!(fraction(1.0, 2.0, &exponential(0, 1, &[4.0, 4.0])).0, 0.5);
}

#[test]
fn observations_of_nan_are_noticed() {
    let h = Histogram { sum: f64::NAN, count: 8.0, ..exponential(0, 1, &[4.0]) };
    assert_eq!(quantile(0.25, &h).1, Some(NanEffect::Skew));
    assert_eq!(quantile(0.9, &h).1, Some(NanEffect::Result));
    assert!(fraction(0.0, 9.0, &h).1);
}

#[test]
fn trimming_splits_the_bucket_that_holds_the_bound() {
    let mut h = custom(&[1.0, 2.0, 3.0], &[0.0, 4.0, 4.0, 0.0]);
    trim(&mut h, 2.5, Keep::Below);
    assert_eq!((h.count, h.positive), (6.0, vec![4.0, 2.0]));
}

#[test]
fn text_lists_populated_buckets() {
    assert_eq!(text(&exponential(0, 0, &[1.0, 0.0, 2.0])), "{count:3, sum:10, (0.5,1]:1, (2,4]:2}");
}

fn any_histogram() -> impl Strategy<Value = Histogram> {
    let counts = prop::collection::vec(0..9u8, 0..6);
    (-2..3i8, -3..4i32, counts.clone(), counts, 0..3u8).prop_map(
        |(schema, offset, positive, negative, zero)| {
            let floats = |v: &[u8]| v.iter().map(|c| f64::from(*c)).collect::<Vec<f64>>();
            // Buckets lie outside the zero bucket, which reaches to 4 at most.
            let offset = match (zero, schema) {
                (0, _) => offset,
                (_, 0..) => (2 << schema) + 1 + offset.abs(),
                _ => 2 + offset.abs(),
            };
            let spans = |v: &[u8]| vec![Span { offset, length: u32::try_from(v.len()).unwrap() }];
            let total: u32 = positive.iter().chain(&negative).map(|c| u32::from(*c)).sum();
            Histogram {
                schema,
                zero_threshold: f64::from(zero) * 2.0,
                zero_count: f64::from(zero),
                count: f64::from(total) + f64::from(zero),
                sum: 1.0,
                positive_spans: spans(&positive),
                negative_spans: spans(&negative),
                positive: floats(&positive),
                negative: floats(&negative),
                ..Histogram::default()
            }
        },
    )
}

proptest! {
    #[test]
    fn no_observation_is_lost_in_a_sum(a in any_histogram(), b in any_histogram()) {
        let total = |h: &Histogram| {
            h.zero_count + h.positive.iter().sum::<f64>() + h.negative.iter().sum::<f64>()
        };
        let (sum, _) = add(&a, &b).unwrap();
        prop_assert_eq!(total(&sum), total(&a) + total(&b));
        prop_assert_eq!(sum.count, a.count + b.count);
    }

    #[test]
    fn a_sum_is_no_reset_of_its_parts(a in any_histogram(), b in any_histogram()) {
        let (sum, _) = add(&a, &b).unwrap();
        prop_assert!(!is_reset(&sum, &a));
    }

    #[test]
    fn hostile_spans_end_with_their_counts(
        offset: i32, length: u32, counts in prop::collection::vec(any::<f64>(), 0..4),
    ) {
        let h = Histogram {
            positive_spans: vec![Span { offset, length }; 2],
            positive: counts.clone(),
            count: 1.0,
            ..Histogram::default()
        };
        prop_assert!(all_buckets(&h).len() <= counts.len());
        let _ = (quantile(0.3, &h), fraction(-1.0, 1.0, &h), is_reset(&h, &h), text(&h));
    }
}
