//! Whether a native histogram may become a row, whatever door it comes by.
//!
//! What a histogram says about itself is checked as Prometheus checks it (`model/histogram`,
//! `Validate`); the texts are its own.

use crate::ingest::Reason;
use crate::model::{CUSTOM_BUCKETS_SCHEMA, Histogram, Span};

/// Integers below this are exact as floats, and so is every sum that stays below it.
pub(super) const COUNT_MAX: u64 = 1 << 53;

/// A count as a float.
#[expect(clippy::cast_precision_loss, reason = "exact below 2^53")]
pub(super) fn exact(what: &str, count: u64) -> Result<f64, Reason> {
    if count < COUNT_MAX {
        return Ok(count as f64);
    }
    Err(refused(format!("histogram's {what} is {count}, counts are exact up to {COUNT_MAX} only")))
}

/// The schema of a number: one that is kept here.
pub(super) fn known_schema(schema: i32) -> Option<i8> {
    let schema = i8::try_from(schema).ok()?;
    matches!(schema, -4..=8 | CUSTOM_BUCKETS_SCHEMA).then_some(schema)
}

pub(super) fn refused(text: String) -> Reason {
    Reason::Histogram(text)
}

pub(super) fn negative(side: &str, number: usize, count: impl std::fmt::Display) -> Reason {
    refused(format!(
        "{side} side: bucket number {number} has observation count of {count}: histogram has a \
         bucket whose observation count is negative"
    ))
}

/// Ok where the histogram does not contradict itself.
pub(super) fn validate(histogram: &Histogram) -> Result<(), Reason> {
    if histogram.schema == CUSTOM_BUCKETS_SCHEMA {
        check_custom(histogram)?;
    } else {
        check_spans("positive", &histogram.positive_spans, histogram.positive.len())?;
        check_spans("negative", &histogram.negative_spans, histogram.negative.len())?;
        if !histogram.custom_values.is_empty() {
            let text = "histogram with exponential schema must not have custom bounds";
            return Err(refused(text.into()));
        }
    }
    for (side, counts) in [("negative", &histogram.negative), ("positive", &histogram.positive)] {
        if let Some(index) = counts.iter().position(|count| *count < 0.0) {
            let count = counts.get(index).copied().unwrap_or_default();
            return Err(negative(side, index + 1, count));
        }
    }
    if histogram.is_integer { check_count(histogram) } else { Ok(()) }
}

/// Only integers add up. Observations that are NaN are in the count and in no bucket.
fn check_count(histogram: &Histogram) -> Result<(), Reason> {
    let buckets = histogram.positive.iter().chain(&histogram.negative);
    let observed: f64 = buckets.sum::<f64>() + histogram.zero_count;
    let count = histogram.count;
    let what = if histogram.sum.is_nan() {
        if observed <= count {
            return Ok(());
        }
        "at least the number of observations found in the buckets"
    } else {
        if observed == count {
            return Ok(());
        }
        "equal to the number of observations found in the buckets (in absence of NaN)"
    };
    Err(refused(format!(
        "{observed} observations found in buckets, but the Count field is {count}: histogram's \
         observation count should be {what}"
    )))
}

fn check_spans(side: &str, spans: &[Span], buckets: usize) -> Result<(), Reason> {
    let mut end = 0_i64;
    for (index, span) in spans.iter().enumerate() {
        if index > 0 && span.offset < 0 {
            return Err(refused(negative_offset(&format!("{side} side"), index, *span)));
        }
        end += i64::from(span.offset) + i64::from(span.length);
    }
    // No more than 16 Ki spans of 33 bits each: sums stay far inside 64 bits.
    check_span_lengths(&format!("{side} side"), spans, buckets)?;
    if i32::try_from(end).is_err() {
        return Err(refused(format!("{side} side: spans reach to bucket {end}, beyond 32 bits")));
    }
    Ok(())
}

fn check_span_lengths(place: &str, spans: &[Span], buckets: usize) -> Result<(), Reason> {
    let needed: u64 = spans.iter().map(|span| u64::from(span.length)).sum();
    if needed == buckets as u64 {
        return Ok(());
    }
    Err(refused(format!(
        "{place}: spans need {needed} buckets, have {buckets} buckets: histogram spans specify \
         different number of buckets than provided"
    )))
}

fn negative_offset(place: &str, index: usize, span: Span) -> String {
    format!(
        "{place}: span number {} with offset {}: histogram has a span whose offset is negative",
        index + 1,
        span.offset
    )
}

fn check_custom(histogram: &Histogram) -> Result<(), Reason> {
    let custom = |text: String| Err(refused(format!("custom buckets: {text}")));
    let bounds = &histogram.custom_values;
    let mut previous = f64::NEG_INFINITY;
    for bound in bounds {
        if bound.is_nan() {
            return custom("histogram custom bounds must not be NaN".into());
        }
        if *bound <= previous {
            return custom(format!(
                "previous bound is {previous} and current is {bound}: histogram custom bounds must \
                 be in strictly increasing order"
            ));
        }
        previous = *bound;
    }
    if previous == f64::INFINITY {
        return custom("histogram custom bounds must be finite".into());
    }
    let spans = &histogram.positive_spans;
    if let Some(index) = spans.iter().position(|span| span.offset < 0) {
        let span = spans.get(index).copied().unwrap_or(Span { offset: 0, length: 0 });
        return Err(refused(negative_offset("custom buckets", index, span)));
    }
    check_span_lengths("custom buckets", spans, histogram.positive.len())?;
    let reach: i64 = spans.iter().map(|s| i64::from(s.offset) + i64::from(s.length)).sum();
    if usize::try_from(reach).is_ok_and(|reach| reach > bounds.len() + 1) {
        return custom(format!(
            "only {} custom bounds defined which is insufficient to cover total span length of \
             {reach}: histogram custom bounds are too few",
            bounds.len()
        ));
    }
    let unused = [
        (histogram.zero_count != 0.0, "must have zero count of 0"),
        (histogram.zero_threshold != 0.0, "must have zero threshold of 0"),
        (!histogram.negative_spans.is_empty(), "must not have negative spans"),
        (!histogram.negative.is_empty(), "must not have negative buckets"),
    ];
    match unused.iter().find(|(is_used, _)| *is_used) {
        Some((_, text)) => custom((*text).into()),
        None => Ok(()),
    }
}
