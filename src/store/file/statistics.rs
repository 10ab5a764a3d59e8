//! What is known of long chunks without decoding them.
//!
//! A window that holds a chunk whole often needs no row of it. Least and greatest, and a sum where that
//! is sure, are kept of chunks that would take longest to decode; a chunk that only rises needs no more
//! to tell its first and last row too.
//! Bytes: storage-format.md, "Statistics".

use crate::codec;
use crate::math::Compensated;
use crate::model::{Facts, FloatPartial, TierRow};
use crate::store::{bytes::Reader, error::Damage, tier};

use super::tables::{Chunk, ChunkKind, Tables, TimeColumn, put_column, take_column};

/// Rows of a chunk from which on it has statistics: of shorter ones decoding costs less than they do.
pub(super) const ROWS_MIN: u32 = 256;

/// Values of a column: few enough to be alike, as series of one metric are.
const VALUES: usize = 256;

/// Its rows are seen as they are: none is NaN, no two are in one ms.
const KNOWN: u8 = 1;
/// No value is less than the one before: the first is the least, the last the greatest.
const RISES: u8 = 2;
/// All values are finite and of one sign, so that a sum of sums is a sum.
const SUMMED: u8 = 4;

/// What is known of a chunk.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Statistic {
    flags: u8,
    min: f64,
    max: f64,
    sum: f64,
    rest: f64,
}

impl Statistic {
    /// Of rows by time.
    pub(super) fn of(times: &[i64], values: &[f64]) -> Self {
        let mut of = Self::default();
        let millis = |time: &i64| time.div_euclid(1_000_000);
        // Rows further apart than a ms are told without a division.
        let shares_milli = |(a, b): (&i64, &i64)| b - a < 1_000_000 && millis(a) == millis(b);
        let Some((first, last)) = values.first().zip(values.last()) else { return of };
        if values.iter().any(|value| value.is_nan())
            || times.iter().zip(times.iter().skip(1)).any(shares_milli)
        {
            return of;
        }
        of.flags = KNOWN;
        // Of equal ones the first, as windows find them: zeros have signs.
        of.min =
            values.iter().fold(*first, |least, value| if *value < least { *value } else { least });
        of.max =
            values.iter().fold(*first, |most, value| if *value > most { *value } else { most });
        let same = |a: f64, b: f64| a.to_bits() == b.to_bits();
        let rises = values.iter().zip(values.iter().skip(1)).all(|(before, now)| before <= now);
        if rises && same(*first, of.min) && same(*last, of.max) {
            of.flags |= RISES;
        }
        let is_constant = of.min >= of.max;
        if of.min.is_finite() && of.max.is_finite() && (of.min >= 0.0 || of.max <= 0.0)
            // Nobody sums a counter.
            && (of.flags & RISES == 0 || is_constant)
        {
            let mut sum = Compensated::default();
            values.iter().for_each(|value| sum.add(*value));
            of.sum = sum.value();
            if of.sum.is_finite() {
                of.flags |= SUMMED;
                of.rest = tier::short_rest((sum.sum - of.sum) + sum.rest);
            }
        }
        of
    }

    /// The chunk as one partial, if that tells all of `facts`.
    fn partial(&self, chunk: &Chunk, time: &TimeColumn, facts: Facts) -> Option<FloatPartial> {
        let has = |flag: u8| self.flags & flag != 0;
        let ends = [Facts::FIRST, Facts::LAST, Facts::RESETS];
        let is_told = has(KNOWN)
            && (has(SUMMED) || !facts.has(Facts::SUM))
            && (has(RISES) || !ends.into_iter().any(|fact| facts.has(fact)))
            && (chunk.starts_bytes == 0 || !facts.has(Facts::STARTS))
            && ![Facts::CHANGES, Facts::SPREAD].into_iter().any(|fact| facts.has(fact));
        let row = |time, value| TierRow { time, start: 0, value };
        let count = f64::from(time.rows);
        is_told.then(|| FloatPartial {
            count: time.rows.into(),
            sum: self.sum,
            rest: self.rest,
            min: self.min,
            max: self.max,
            first: row(time.first, self.min),
            last: row(time.last, self.max),
            lost: 0.0,
            resets: 0,
            changes: 0,
            has_spread: false,
            mean: self.sum / count + self.rest / count,
            squares: 0.0,
            time_sum: 0,
            time_squares: 0,
            products: 0.0,
        })
    }
}

/// Whether a chunk has statistics.
pub(super) fn is_long(kind: ChunkKind, rows: u32) -> bool {
    kind == ChunkKind::Floats && rows >= ROWS_MIN
}

/// Statistics of the long chunks of a file, in their order.
#[derive(Debug, Default, PartialEq)]
pub(in crate::store) struct Statistics {
    all: Vec<Statistic>,
    /// For each chunk, how many long ones are before it; short ones have the number of the next.
    places: Vec<u32>,
}

impl Statistics {
    /// The section; nothing where no chunk is long.
    pub(super) fn encode(all: &[Statistic]) -> Vec<u8> {
        let mut out = Vec::new();
        if all.is_empty() {
            return out;
        }
        put_column(&all.iter().map(|it| i64::from(it.flags)).collect::<Vec<_>>(), &mut out);
        let known = all.iter().filter(|it| it.flags & KNOWN != 0);
        let extremes: Vec<f64> = known.flat_map(|it| [it.min, it.max]).collect();
        extremes.chunks(VALUES).for_each(|values| codec::encode_floats(values, &mut out));
        let summed = || all.iter().filter(|it| it.flags & SUMMED != 0);
        let sums: Vec<f64> = summed().map(|it| it.sum).collect();
        sums.chunks(VALUES).for_each(|values| codec::encode_floats(values, &mut out));
        put_column(&summed().map(|it| tier::rest_bits(it.rest)).collect::<Vec<_>>(), &mut out);
        out
    }

    /// Reads what [`Self::encode`] wrote of the long chunks of `tables`.
    pub(super) fn decode(bytes: &[u8], tables: &Tables) -> Result<Self, Damage> {
        let rows = |chunk: &Chunk| tables.time_of(chunk).map_or(0, |time| time.rows);
        let mut long = 0_u32;
        let place = |chunk: &Chunk| {
            let before = long;
            long += u32::from(is_long(chunk.kind, rows(chunk)));
            before
        };
        let places: Vec<u32> = tables.chunks.iter().map(place).collect();
        if bytes.is_empty() {
            return Ok(Self::default());
        }
        let mut reader = Reader::new(bytes, "statistics");
        let flags = take_column(&mut reader, tables.chunks.len())?;
        if flags.len() != long as usize {
            return Err(Damage::Contradiction("statistics are of another number of chunks"));
        }
        let with_flags = |it: &i64| Statistic {
            flags: u8::try_from(*it).unwrap_or_default(),
            ..Statistic::default()
        };
        let mut all: Vec<Statistic> = flags.iter().map(with_flags).collect();
        let count = |flag: u8| all.iter().filter(|it| it.flags & flag != 0).count();
        let (known, summed) = (count(KNOWN), count(SUMMED));
        let extremes = take_floats(&mut reader, known * 2)?;
        let sums = take_floats(&mut reader, summed)?;
        let rests = take_column(&mut reader, summed)?;
        if rests.len() != summed {
            return Err(Damage::Contradiction("statistics have sums without rests"));
        }
        let of_known = all.iter_mut().filter(|it| it.flags & KNOWN != 0);
        for (it, pair) in of_known.zip(extremes.chunks(2)) {
            (it.min, it.max) = (
                pair.first().copied().unwrap_or_default(),
                pair.last().copied().unwrap_or_default(),
            );
        }
        let of_summed = all.iter_mut().filter(|it| it.flags & SUMMED != 0);
        for ((it, sum), rest) in of_summed.zip(sums).zip(rests) {
            (it.sum, it.rest) = (sum, tier::rest_of(rest));
        }
        Ok(Self { all, places })
    }

    /// A chunk, by its number in the file, as one partial that tells all of `facts`.
    pub(in crate::store) fn partial(
        &self,
        tables: &Tables,
        number: usize,
        facts: Facts,
    ) -> Option<FloatPartial> {
        let chunk = tables.chunks.get(number)?;
        let time = tables.time_of(chunk).filter(|time| is_long(chunk.kind, time.rows))?;
        self.all.get(*self.places.get(number)? as usize)?.partial(chunk, time, facts)
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        self.all.capacity() * size_of::<Statistic>() + self.places.capacity() * 4
    }
}

fn take_floats(reader: &mut Reader<'_>, count: usize) -> Result<Vec<f64>, Damage> {
    let mut values = Vec::new();
    while values.len() < count {
        let rows = VALUES.min(count - values.len());
        reader.column(|bytes| codec::decode_floats(bytes, rows, &mut values))?;
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tables(rows: &[u32]) -> Tables {
        let time = |rows: &u32| TimeColumn { at: 64, bytes: 3, rows: *rows, first: 0, last: 900 };
        let chunk = |time| Chunk {
            at: 64,
            values_bytes: 4,
            starts_bytes: 0,
            time,
            kind: ChunkKind::Floats,
        };
        let count = u32::try_from(rows.len()).unwrap();
        Tables {
            begins: vec![0, count],
            chunks: (0..count).map(chunk).collect(),
            times: rows.iter().map(time).collect(),
        }
    }

    fn of(values: &[f64]) -> Statistic {
        let times: Vec<i64> = (0..).map(|i| i * 15_000_000_000).take(values.len()).collect();
        Statistic::of(&times, values)
    }

    #[test]
    fn a_chunk_tells_what_is_sure() {
        let flags = |values: &[f64]| of(values).flags;
        assert_eq!(flags(&[1.0, 2.0, 2.0, 9.0]), KNOWN | RISES);
        assert_eq!(flags(&[5.0, 5.0]), KNOWN | RISES | SUMMED);
        assert_eq!(flags(&[3.5, 1.25, 2.0]), KNOWN | SUMMED);
        assert_eq!(flags(&[3.5, -1.25]), KNOWN);
        assert_eq!(flags(&[3.5, f64::INFINITY, 1.0]), KNOWN);
        assert_eq!(flags(&[3.5, f64::NAN]), 0);
        assert_eq!(
            flags(&[0.0, -0.0]),
            KNOWN | SUMMED,
            "the last is not the greatest, by its sign"
        );
        assert_eq!(Statistic::of(&[1, 2], &[1.0, 2.0]).flags, 0, "a query sees one row of a ms");
    }

    proptest! {
        #[test]
        fn statistics_come_back(
            chunks in prop::collection::vec((prop::collection::vec(-50..50_i32, 1..9), any::<bool>()), 1..700),
        ) {
            let all: Vec<Statistic> = chunks
                .iter()
                .filter(|(_, is_long)| *is_long)
                .map(|(values, _)| of(&values.iter().map(|it| f64::from(*it) / 10.0).collect::<Vec<_>>()))
                .collect();
            let rows: Vec<u32> =
                chunks.iter().map(|(_, is_long)| if *is_long { 300 } else { 20 }).collect();
            let tables = tables(&rows);
            let read = Statistics::decode(&Statistics::encode(&all), &tables).unwrap();
            let found: Vec<_> =
                (0..rows.len()).filter_map(|i| read.partial(&tables, i, Facts::MIN)).collect();
            let shown = found.iter().map(|it| (it.min, it.max, it.sum, it.rest));
            prop_assert!(shown.eq(all.iter().map(|it| (it.min, it.max, it.sum, it.rest))));
        }

        #[test]
        fn any_bytes_are_statistics_or_an_error(bytes: Vec<u8>, long in 0_u32..5) {
            let tables = tables(&(0..long).map(|_| 300).collect::<Vec<_>>());
            if let Ok(read) = Statistics::decode(&bytes, &tables) {
                for number in 0..6 {
                    let _ = read.partial(&tables, number, Facts::SUM);
                }
            }
        }
    }
}
