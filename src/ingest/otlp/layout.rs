//! Consecutive buckets to spans and counts: what is empty is left out.

use crate::ingest::Reason;
use crate::ingest::native::{exact, refused};
use crate::ingest::otlp::points::Buckets;
use crate::model::Span;

/// Empty buckets in a row that are kept, because a span costs more. Prometheus has two, too.
const GAP_MAX: i64 = 2;

/// Spans, and a count for each of their buckets.
pub(super) type Layout = (Vec<Span>, Vec<f64>);

/// Exponential buckets, each 2^`coarser` merged into one.
///
/// OTLP's bucket 0 begins at 1, the model's ends there: hence the step by one.
pub(super) fn exponential(buckets: &Buckets, coarser: u32) -> Result<Layout, Reason> {
    let offset = i64::from(buckets.offset);
    let index = |place: i64| ((offset + place) >> coarser.min(62)) + 1;
    let counts = (0..).zip(&buckets.counts).map(|(place, count)| (index(place), *count));
    lay(counts)
}

/// Buckets of explicit bounds.
pub(super) fn custom(counts: &[u64]) -> Result<Layout, Reason> {
    lay((0..).zip(counts.iter().copied()))
}

/// Of indexes that never fall; counts of one index are summed up.
fn lay(counts: impl Iterator<Item = (i64, u64)>) -> Result<Layout, Reason> {
    let (mut spans, mut out): (Vec<Span>, Vec<f64>) = (Vec::new(), Vec::new());
    let mut end = 0;
    let mut open: Option<(i64, u64)> = None;
    for (index, count) in counts.filter(|(_, count)| *count > 0) {
        match &mut open {
            Some((there, sum)) if *there == index => *sum = sum.saturating_add(count),
            Some(done) => {
                close(*done, &mut end, &mut spans, &mut out)?;
                open = Some((index, count));
            }
            None => open = Some((index, count)),
        }
    }
    if let Some(last) = open {
        close(last, &mut end, &mut spans, &mut out)?;
    }
    Ok((spans, out))
}

fn close(
    (index, count): (i64, u64),
    end: &mut i64,
    spans: &mut Vec<Span>,
    out: &mut Vec<f64>,
) -> Result<(), Reason> {
    let gap = index - *end;
    let count = exact("bucket count", count)?;
    match spans.last_mut() {
        Some(span) if gap <= GAP_MAX => {
            out.extend((0..gap).map(|_| 0.0));
            // No more than 2 and 1 at a time, for no more buckets than were counted.
            span.length += u32::try_from(gap + 1).unwrap_or(1);
        }
        _ => {
            let Ok(offset) = i32::try_from(gap) else {
                let text = format!("bucket {index} of the histogram is beyond 32 bits");
                return Err(refused(text));
            };
            spans.push(Span { offset, length: 1 });
        }
    }
    out.push(count);
    *end = index + 1;
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ingest::native::COUNT_MAX;

    fn of(offset: i32, counts: &[u64], coarser: u32) -> (Vec<(i32, u32)>, Vec<f64>) {
        let buckets = Buckets { offset, counts: counts.to_vec() };
        let (spans, counts) = exponential(&buckets, coarser).unwrap();
        (spans.iter().map(|span| (span.offset, span.length)).collect(), counts)
    }

    /// Cases of Prometheus' `histograms_test.go`.
    #[test]
    fn buckets_become_spans() {
        assert_eq!(of(1, &[], 0), (vec![], vec![]));
        assert_eq!(of(1, &[4, 3, 2, 1], 0), (vec![(2, 4)], vec![4.0, 3.0, 2.0, 1.0]));
        assert_eq!(of(1, &[4, 3, 2, 1], 1), (vec![(1, 3)], vec![4.0, 5.0, 1.0]));
        assert_eq!(of(1, &[4, 3, 2, 1], 2), (vec![(1, 2)], vec![9.0, 1.0]));
        assert_eq!(of(1, &[4, 0, 0, 0, 1], 0), (vec![(2, 1), (3, 1)], vec![4.0, 1.0]));
        assert_eq!(of(1, &[4, 0, 0, 1], 0), (vec![(2, 4)], vec![4.0, 0.0, 0.0, 1.0]));
        assert_eq!(of(0, &[0, 0, 0, 2, 0], 0), (vec![(4, 1)], vec![2.0]));
        assert_eq!(of(-2, &[3, 1, 1], 1), (vec![(0, 2)], vec![4.0, 1.0]));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let far = Buckets { offset: i32::MAX, counts: vec![1] };
        assert!(exponential(&far, 0).is_err());
        assert!(custom(&[u64::MAX, u64::MAX]).is_err());
        assert!(custom(&[COUNT_MAX - 1]).is_ok());
    }

    proptest! {
        #[test]
        fn no_observation_is_lost(
            offset in -100_000..100_000,
            counts in proptest::collection::vec(0_u64..3, 0..60),
            coarser in 0_u32..40,
        ) {
            let buckets = Buckets { offset, counts };
            let (spans, out) = exponential(&buckets, coarser).unwrap();
            let length: u32 = spans.iter().map(|span| span.length).sum();
            prop_assert_eq!(length as usize, out.len());
            let total: f64 = buckets.counts.iter().map(|count| exact("", *count).unwrap()).sum();
            prop_assert_eq!(out.iter().sum::<f64>(), total);
        }
    }
}
