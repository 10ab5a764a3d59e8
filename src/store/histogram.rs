//! A native histogram as bytes, the same in the log and in files.
//!
//! Bytes: storage-format.md, "Histogram".

use crate::codec;
use crate::model::{Histogram, ResetHint, Span};

use super::{
    bytes::{Reader, put_signed},
    error::Damage,
};

/// Appends `histogram`.
pub(super) fn encode(histogram: &Histogram, out: &mut Vec<u8>) {
    let hint = match histogram.reset_hint {
        ResetHint::Unknown => 0,
        ResetHint::Reset => 1,
        ResetHint::NoReset => 2,
        ResetHint::Gauge => 3,
    };
    out.push(u8::from(histogram.is_integer) | hint << 1);
    out.push(histogram.schema.cast_unsigned());
    for number in [histogram.zero_threshold, histogram.zero_count, histogram.count, histogram.sum] {
        out.extend_from_slice(&number.to_le_bytes());
    }
    for (spans, counts) in [
        (&histogram.positive_spans, &histogram.positive),
        (&histogram.negative_spans, &histogram.negative),
    ] {
        codec::encode_varint(spans.len() as u64, out);
        for span in spans {
            put_signed(i64::from(span.offset), out);
            codec::encode_varint(u64::from(span.length), out);
        }
        put_floats(counts, out);
    }
    put_floats(&histogram.custom_values, out);
}

fn put_floats(values: &[f64], out: &mut Vec<u8>) {
    codec::encode_varint(values.len() as u64, out);
    codec::encode_mixed(values, out);
}

/// Reads what [`encode`] wrote.
pub(super) fn decode(bytes: &mut Reader<'_>) -> Result<Histogram, Damage> {
    let flags = bytes.u8()?;
    let reset_hint = match flags >> 1 {
        0 => ResetHint::Unknown,
        1 => ResetHint::Reset,
        2 => ResetHint::NoReset,
        3 => ResetHint::Gauge,
        _ => return Err(Damage::Contradiction("histogram has unknown flags")),
    };
    let schema = bytes.u8()?.cast_signed();
    let [zero_threshold, zero_count, count, sum] =
        [bytes.f64()?, bytes.f64()?, bytes.f64()?, bytes.f64()?];
    let (positive_spans, positive) = buckets(bytes)?;
    let (negative_spans, negative) = buckets(bytes)?;
    let custom_values = floats(bytes)?;
    Ok(Histogram {
        is_integer: flags & 1 == 1,
        reset_hint,
        schema,
        zero_threshold,
        zero_count,
        count,
        sum,
        positive_spans,
        negative_spans,
        positive,
        negative,
        custom_values,
    })
}

fn buckets(bytes: &mut Reader<'_>) -> Result<(Vec<Span>, Vec<f64>), Damage> {
    let mut spans = Vec::new();
    for _ in 0..bytes.count(2)? {
        let offset = i32::try_from(bytes.signed()?);
        let length = u32::try_from(bytes.varint()?);
        let (Ok(offset), Ok(length)) = (offset, length) else {
            return Err(Damage::Contradiction("histogram span is out of range"));
        };
        spans.push(Span { offset, length });
    }
    Ok((spans, floats(bytes)?))
}

fn floats(bytes: &mut Reader<'_>) -> Result<Vec<f64>, Damage> {
    let count = bytes.count(1)?;
    let mut values = Vec::new();
    bytes.column(|rest| codec::decode_mixed(rest, count, &mut values))?;
    Ok(values)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn decode_undoes_encode(
            schema in -53_i8..9, numbers: [u32; 4], counts: Vec<u32>, offset: i32, length: u32, hint in 0_u8..4,
        ) {
            let counts: Vec<f64> = counts.into_iter().map(f64::from).collect();
            let reset_hint = [ResetHint::Unknown, ResetHint::Reset, ResetHint::NoReset, ResetHint::Gauge];
            let histogram = Histogram {
                is_integer: schema % 2 == 0,
                reset_hint: reset_hint[usize::from(hint)],
                schema,
                zero_threshold: f64::from(numbers[0]),
                zero_count: f64::from(numbers[1]),
                count: f64::from(numbers[2]) / 3.0,
                sum: f64::from(numbers[3]),
                positive_spans: vec![Span { offset, length }; 2],
                negative_spans: vec![],
                positive: counts.clone(),
                negative: vec![],
                custom_values: counts,
            };
            let mut bytes = Vec::new();
            encode(&histogram, &mut bytes);
            prop_assert_eq!(decode(&mut Reader::new(&bytes, "histogram")), Ok(histogram));
            for end in 0..bytes.len() {
                prop_assert!(decode(&mut Reader::new(&bytes[..end], "histogram")).is_err());
            }
        }

        #[test]
        fn any_bytes_are_a_histogram_or_an_error(bytes: Vec<u8>) {
            let _ = decode(&mut Reader::new(&bytes, "histogram"));
        }
    }
}
