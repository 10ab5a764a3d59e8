//! Buckets of floats as columns; what can be told from columns before costs a flag.
//!
//! They are read in `decode`. Bytes: storage-format.md, "Buckets of floats".

use crate::codec;
use crate::model::{Facts, FloatPartial, Partial, Tier, TierRow};

/// A column, by its number in files. Each may be predicted from those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Column {
    Count = 0,
    First = 1,
    Last = 2,
    Sum = 3,
    Rest = 4,
    Min = 5,
    Max = 6,
    FirstTime = 7,
    LastTime = 8,
    FirstStart = 9,
    LastStart = 10,
    Lost = 11,
    Resets = 12,
    Changes = 13,
    EndsStale = 14,
    Mean = 15,
    Squares = 16,
    TimeSum = 17,
    TimeSquares = 18,
    Products = 19,
}

use Column as C;

pub(super) const COLUMNS: [Column; 20] = [
    C::Count,
    C::First,
    C::Last,
    C::Sum,
    C::Rest,
    C::Min,
    C::Max,
    C::FirstTime,
    C::LastTime,
    C::FirstStart,
    C::LastStart,
    C::Lost,
    C::Resets,
    C::Changes,
    C::EndsStale,
    C::Mean,
    C::Squares,
    C::TimeSum,
    C::TimeSquares,
    C::Products,
];

/// Bits of a rest that are kept: it makes up for less than the last digit of its sum, and twelve more
/// binary digits are what a sum of sums can use.
pub(super) const REST_SHIFT: u32 = 40;

/// A rest as it is kept.
pub(in crate::store) fn short_rest(rest: f64) -> f64 {
    rest_of(rest_bits(rest))
}

/// The bits of a rest that are kept, as a number.
pub(in crate::store) fn rest_bits(rest: f64) -> i64 {
    (rest.to_bits() >> REST_SHIFT).cast_signed()
}

/// The rest that [`rest_bits`] are of.
pub(in crate::store) fn rest_of(bits: i64) -> f64 {
    f64::from_bits(bits.cast_unsigned() << REST_SHIFT)
}

/// The mean as sum and count have it.
#[expect(clippy::cast_precision_loss, reason = "as all counts in floats")]
pub(super) fn mean(count: u64, sum: f64, rest: f64) -> f64 {
    let count = count as f64;
    sum / count + rest / count
}

impl Column {
    pub(super) fn is_float(self) -> bool {
        matches!(
            self,
            C::First
                | C::Last
                | C::Sum
                | C::Min
                | C::Max
                | C::Lost
                | C::Mean
                | C::Squares
                | C::Products
        )
    }

    /// Whether it is of what a tier may leave out.
    pub(super) fn is_spread(self) -> bool {
        matches!(self, C::Mean | C::Squares | C::TimeSum | C::TimeSquares | C::Products)
    }

    /// The column's value, as the bits of a float or a number with a sign.
    fn value(self, row: &Row) -> u64 {
        let of = &row.of;
        match self {
            C::Count => of.count,
            C::First => of.first.value.to_bits(),
            C::Last => of.last.value.to_bits(),
            C::Sum => of.sum.to_bits(),
            C::Rest => of.rest.to_bits() >> REST_SHIFT,
            C::Min => of.min.to_bits(),
            C::Max => of.max.to_bits(),
            C::FirstTime => of.first.time.wrapping_sub(row.after()).cast_unsigned(),
            C::LastTime => row.until.wrapping_sub(of.last.time).cast_unsigned(),
            C::FirstStart => of.first.start.cast_unsigned(),
            C::LastStart => of.last.start.cast_unsigned(),
            C::Lost => of.lost.to_bits(),
            C::Resets => of.resets,
            C::Changes => of.changes,
            C::EndsStale => u64::from(row.ends_stale),
            C::Mean => of.mean.to_bits(),
            C::Squares => of.squares.to_bits(),
            C::TimeSum => low(of.time_sum.wrapping_sub(even_sum(of.count, span(of)))),
            C::TimeSquares => low(of.time_squares.wrapping_sub(even_squares(of.count, span(of)))),
            C::Products => of.products.to_bits(),
        }
    }

    /// What the columns before make expect.
    #[expect(clippy::cast_precision_loss, reason = "as all counts in floats")]
    fn predicted(self, row: &Row) -> u64 {
        let of = &row.of;
        match self {
            C::Last | C::Min => of.first.value.to_bits(),
            C::Max => of.last.value.to_bits(),
            C::Sum => (of.first.value * of.count as f64).to_bits(),
            C::LastStart => of.first.start.cast_unsigned(),
            C::Mean => mean(of.count, of.sum, of.rest).to_bits(),
            C::Count
            | C::First
            | C::Rest
            | C::FirstTime
            | C::LastTime
            | C::FirstStart
            | C::Lost
            | C::Resets
            | C::Changes
            | C::EndsStale
            | C::Squares
            | C::TimeSum
            | C::TimeSquares
            | C::Products => 0,
        }
    }

    /// What facts it is read for.
    pub(super) fn facts(self) -> Facts {
        match self {
            C::Count | C::EndsStale => Facts::COUNT,
            C::First | C::FirstTime => Facts::FIRST,
            C::Last | C::LastTime => Facts::LAST,
            C::Sum | C::Rest | C::Mean => Facts::SUM,
            C::Min => Facts::MIN,
            C::Max => Facts::MAX,
            C::FirstStart | C::LastStart => Facts::STARTS,
            C::Lost | C::Resets => Facts::RESETS,
            C::Changes => Facts::CHANGES,
            C::Squares | C::TimeSum | C::TimeSquares | C::Products => Facts::SPREAD,
        }
    }

    /// The columns that are read for it: those that it is told from.
    pub(super) fn needs(self, is_predicted: bool) -> u64 {
        let of = |columns: &[Self]| columns.iter().fold(0, |bits, it| bits | it.bit());
        match self {
            C::Last | C::Min if is_predicted => of(&[C::First]),
            C::Max if is_predicted => of(&[C::Last]),
            C::Sum if is_predicted => of(&[C::First]),
            C::LastStart if is_predicted => of(&[C::FirstStart]),
            C::Mean if is_predicted => of(&[C::Sum, C::Rest]),
            C::TimeSum | C::TimeSquares => of(&[C::FirstTime, C::LastTime]),
            _ => 0,
        }
    }

    pub(super) fn bit(self) -> u64 {
        1 << self as u8
    }
}

/// The lower half, wrapped.
#[expect(clippy::many_single_char_names, reason = "the letters of the formula")]
fn low(number: i128) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = number.to_le_bytes();
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

/// ms between the first and the last row.
fn span(of: &FloatPartial) -> i128 {
    span_between(of.first.time, of.last.time)
}

pub(super) fn span_between(first: i64, last: i64) -> i128 {
    i128::from(last.div_euclid(1_000_000)) - i128::from(first.div_euclid(1_000_000))
}

/// The sum of times if rows came at a steady pace, rounded down.
pub(super) fn even_sum(count: u64, span: i128) -> i128 {
    i128::from(count).wrapping_mul(span).div_euclid(2)
}

/// The sum of their squares then, rounded down.
pub(super) fn even_squares(count: u64, span: i128) -> i128 {
    let count = i128::from(count);
    if count < 2 {
        return 0;
    }
    let squares = span.wrapping_mul(span).wrapping_mul(count).wrapping_mul(count * 2 - 1);
    squares.div_euclid((count - 1) * 6)
}

/// A bucket on its way to bytes.
#[derive(Clone, Copy)]
struct Row {
    tier: Tier,
    until: i64,
    ends_stale: bool,
    of: FloatPartial,
}

impl Row {
    /// Of a bucket without floats, the count is 0 and nothing else counts.
    fn empty(tier: Tier, until: i64) -> Self {
        let none = TierRow { time: until, start: 0, value: 0.0 };
        let of = FloatPartial {
            count: 0,
            sum: 0.0,
            rest: 0.0,
            min: 0.0,
            max: 0.0,
            first: none,
            last: none,
            lost: 0.0,
            resets: 0,
            changes: 0,
            has_spread: true,
            mean: 0.0,
            squares: 0.0,
            time_sum: 0,
            time_squares: 0,
            products: 0.0,
        };
        Self { tier, until, ends_stale: false, of }
    }

    fn of(bucket: &Partial) -> Self {
        let mut row = Self::empty(bucket.tier, bucket.until);
        row.ends_stale = bucket.ends_stale;
        if let Some(floats) = bucket.floats {
            row.of = floats;
        }
        row
    }

    fn after(&self) -> i64 {
        self.until.wrapping_sub(self.tier.width())
    }
}

/// Appends the columns of buckets of one tier.
pub(in crate::store) fn encode<'a>(
    tier: Tier,
    buckets: impl Iterator<Item = &'a Partial>,
    out: &mut Vec<u8>,
) {
    let rows: Vec<Row> = buckets.map(Row::of).collect();
    let keeps = |column: Column| tier == Tier::Hour1 || !column.is_spread();
    let is_predicted = |column: Column| {
        rows.iter().all(|row| {
            row.of.count == 0 && column != C::EndsStale && column != C::Count
                || column.value(row) == column.predicted(row)
        })
    };
    let (mut kept, mut predicted) = (0_u64, 0_u64);
    for column in COLUMNS.into_iter().filter(|column| keeps(*column)) {
        kept |= 1 << column as u8;
        predicted |= u64::from(is_predicted(column)) << column as u8;
    }
    codec::encode_varint(kept, out);
    codec::encode_varint(predicted, out);
    let mut bytes = Vec::new();
    for column in COLUMNS.into_iter().filter(|it| (kept & !predicted) >> *it as u8 & 1 == 1) {
        bytes.clear();
        if column.is_float() {
            let values: Vec<f64> =
                rows.iter().map(|row| f64::from_bits(column.value(row))).collect();
            codec::encode_floats(&values, &mut bytes);
        } else {
            let values: Vec<i64> = rows.iter().map(|row| column.value(row).cast_signed()).collect();
            codec::encode_ints(&values, &mut bytes);
        }
        codec::encode_varint(bytes.len() as u64, out);
        out.extend_from_slice(&bytes);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Buckets;
    use crate::store::rows::SeriesRows;
    use crate::store::tier::{buckets, decode::decode};

    fn rows(points: &[(i64, f64)]) -> SeriesRows {
        let mut rows = SeriesRows {
            times: points.iter().map(|point| point.0).collect(),
            values: points.iter().map(|point| point.1).collect(),
            ..SeriesRows::default()
        };
        rows.sort();
        rows
    }

    fn there_and_back(tier: Tier, rows: &SeriesRows) -> usize {
        let made = buckets(tier, rows, None);
        let ends: Vec<i64> = made.iter().map(|bucket| bucket.until).collect();
        let mut bytes = Vec::new();
        encode(tier, made.iter(), &mut bytes);
        let back = |facts| {
            let mut out = Buckets::default();
            decode(tier, &ends, &bytes, facts, &mut out).unwrap();
            out
        };
        let all = back(Facts::ALL);
        let partials: Vec<_> = (0..all.len()).filter_map(|i| all.partial(tier, i)).collect();
        assert_eq!(format!("{partials:?}"), format!("{made:?}"));
        for facts in [Facts::COUNT, Facts::SUM, Facts::MIN, Facts::MAX, Facts::RESETS, Facts::LAST]
        {
            let mut wanted = Buckets::default();
            made.iter().for_each(|bucket| wanted.push(bucket, facts));
            let found = back(facts);
            // Of buckets without floats columns may hold anything.
            let shown = |of: &Buckets| {
                format!("{:?}", (0..of.len()).map(|i| of.partial(tier, i)).collect::<Vec<_>>())
            };
            assert_eq!(shown(&found), shown(&wanted), "{facts:?}");
        }
        bytes.len()
    }

    proptest! {
        #[test]
        fn columns_come_back(
            points in prop::collection::vec((0..40_000_000i64, any::<f64>()), 1..50),
        ) {
            let points: Vec<_> = points.iter().map(|(t, v)| (t * 1_000_000, *v)).collect();
            for tier in Tier::ALL {
                there_and_back(tier, &rows(&points));
            }
        }

        #[test]
        fn any_bytes_are_columns_or_an_error(bytes: Vec<u8>, kept in 0u64..1 << 20) {
            let _ = decode(Tier::Hour1, &[0, 1], &bytes, Facts::ALL, &mut Buckets::default());
            let mut out = Vec::new();
            codec::encode_varint(kept, &mut out);
            codec::encode_varint(kept / 3, &mut out);
            out.extend_from_slice(&bytes);
            let ends = [i64::MAX, i64::MIN, 7];
            let _ = decode(Tier::Minutes5, &ends, &out, Facts::ALL, &mut Buckets::default());
        }
    }

    #[test]
    #[expect(clippy::cast_precision_loss, reason = "a count far below 2^53")]
    fn what_follows_from_other_columns_costs_a_flag() {
        // A month of a constant, scraped every 15 s.
        let points: Vec<_> = (1..=172_800).map(|i| (i * 15_000_000_000, 7.0)).collect();
        assert!(there_and_back(Tier::Hour1, &rows(&points)) < 40);
        // And of a counter: what is stored of 720 buckets is first, last, sum, spread and line.
        let points: Vec<_> =
            (1..=172_800).map(|i| (i * 15_000_000_000, (i * 37 % 11 + i * 40) as f64)).collect();
        let bytes = there_and_back(Tier::Hour1, &rows(&points));
        assert!(bytes < 720 * 36, "{bytes}");
    }
}
