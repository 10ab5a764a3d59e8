//! Buckets of histograms, one behind the other.
//!
//! Bytes: storage-format.md, "Buckets of histograms".

use std::sync::Arc;

use crate::codec;
use crate::model::{Histogram, HistogramPartial, Partial, Tier, TierRow};
use crate::store::{
    bytes::{Reader, put_signed},
    error::Damage,
    histogram,
};

const ENDS_STALE: u8 = 1;
const HAS_SUM: u8 = 2;
const HAS_LOST: u8 = 4;
/// The last row is the first, and the sum too.
const IS_ONE: u8 = 8;

/// Appends the histograms of buckets that have any.
pub(in crate::store) fn encode<'a>(buckets: impl Iterator<Item = &'a Partial>, out: &mut Vec<u8>) {
    for bucket in buckets {
        let Some(of) = &bucket.histograms else { continue };
        let is_one = of.count == 1;
        let flag = |flag: u8, is_set: bool| if is_set { flag } else { 0 };
        out.push(
            flag(ENDS_STALE, bucket.ends_stale)
                | flag(HAS_SUM, of.sum.is_some())
                | flag(HAS_LOST, of.lost.is_some())
                | flag(IS_ONE, is_one),
        );
        for number in [of.count, of.resets, of.changes] {
            codec::encode_varint(number, out);
        }
        put_row(&of.first, bucket.until, out);
        if !is_one {
            put_row(&of.last, bucket.until, out);
            of.sum.iter().for_each(|sum| histogram::encode(sum, out));
        }
        of.lost.iter().for_each(|lost| histogram::encode(lost, out));
    }
}

fn put_row(row: &TierRow<Arc<Histogram>>, until: i64, out: &mut Vec<u8>) {
    put_signed(until.wrapping_sub(row.time), out);
    put_signed(row.start, out);
    histogram::encode(&row.value, out);
}

/// Reads what [`encode`] wrote: a bucket for each of `ends`.
pub(in crate::store) fn decode(
    tier: Tier,
    ends: &[i64],
    bytes: &[u8],
) -> Result<Vec<Partial>, Damage> {
    let mut reader = Reader::new(bytes, "buckets of histograms");
    ends.iter().map(|until| decode_one(tier, *until, &mut reader)).collect()
}

fn decode_one(tier: Tier, until: i64, reader: &mut Reader<'_>) -> Result<Partial, Damage> {
    let flags = reader.u8()?;
    if flags & !(ENDS_STALE | HAS_SUM | HAS_LOST | IS_ONE) != 0 {
        return Err(Damage::Unknown { what: "flag of a bucket", number: flags.into() });
    }
    let has = |flag: u8| flags & flag != 0;
    let (count, resets, changes) = (reader.varint()?, reader.varint()?, reader.varint()?);
    if count == 0 || has(IS_ONE) != (count == 1) {
        return Err(Damage::Contradiction("bucket has another number of histograms than it says"));
    }
    let first = take_row(until, reader)?;
    let (last, sum) = if has(IS_ONE) {
        (first.clone(), has(HAS_SUM).then(|| Arc::clone(&first.value)))
    } else {
        (take_row(until, reader)?, take(has(HAS_SUM), reader)?)
    };
    let of = HistogramPartial {
        count,
        sum,
        first,
        last,
        lost: take(has(HAS_LOST), reader)?,
        resets,
        changes,
    };
    let histograms = Some(Box::new(of));
    Ok(Partial { tier, until, ends_stale: has(ENDS_STALE), floats: None, histograms })
}

fn take(is_there: bool, reader: &mut Reader<'_>) -> Result<Option<Arc<Histogram>>, Damage> {
    is_there.then(|| histogram::decode(reader).map(Arc::new)).transpose()
}

fn take_row(until: i64, reader: &mut Reader<'_>) -> Result<TierRow<Arc<Histogram>>, Damage> {
    let time = until.wrapping_sub(reader.signed()?);
    let start = reader.signed()?;
    Ok(TierRow { time, start, value: Arc::new(histogram::decode(reader)?) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::store::rows::{HistogramPoint, SeriesRows};
    use crate::store::tier::buckets;

    fn point(time: i64, count: f64) -> HistogramPoint {
        let value =
            Histogram { count, sum: count * 2.0, zero_count: count, ..Histogram::default() };
        HistogramPoint { time: time * 1_000_000_000, start: 0, value: Arc::new(value) }
    }

    #[test]
    fn buckets_of_histograms_come_back() {
        let histograms = vec![point(10, 5.0), point(20, 9.0), point(30, 2.0), point(4000, 7.0)];
        let made = buckets(Tier::Hour1, &SeriesRows { histograms, ..SeriesRows::default() }, None);
        let first = made[0].histograms.as_ref().unwrap();
        assert_eq!((first.count, first.resets, first.changes), (3, 1, 2));
        assert_eq!(first.lost.as_ref().unwrap().count, 9.0);
        assert_eq!(first.sum.as_ref().unwrap().count, 16.0);
        let ends: Vec<i64> = made.iter().map(|bucket| bucket.until).collect();
        let mut bytes = Vec::new();
        encode(made.iter(), &mut bytes);
        assert_eq!(decode(Tier::Hour1, &ends, &bytes), Ok(made));
        assert!(decode(Tier::Hour1, &ends, &bytes[..bytes.len() - 1]).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_buckets_or_an_error(bytes: Vec<u8>) {
            let _ = decode(Tier::Hour1, &[0, 1], &bytes);
        }
    }
}
