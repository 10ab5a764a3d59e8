//! Columns of buckets, read: those that are asked for, and those that they are told from.
//!
//! Bytes: storage-format.md, "Buckets of floats".

use crate::codec;
use crate::model::{Buckets, Facts, FloatColumns, Tier};
use crate::store::{bytes::Reader, error::Damage};

use super::columns::{
    COLUMNS, Column, Column as C, REST_SHIFT, even_squares, even_sum, mean, span_between,
};

/// Reads what [`encode`] wrote: adds a bucket for each of `ends`, which are later than all of `out`,
/// with the columns that `facts` need. The others are passed over.
pub(in crate::store) fn decode(
    tier: Tier,
    ends: &[i64],
    bytes: &[u8],
    facts: Facts,
    out: &mut Buckets,
) -> Result<(), Damage> {
    let mut reader = Reader::new(bytes, "buckets");
    let (kept, predicted) = (reader.varint()?, reader.varint()?);
    let known = (1_u64 << COLUMNS.len()) - 1;
    if kept & !known != 0 {
        let number = (kept & !known).trailing_zeros().into();
        return Err(Damage::Unknown { what: "column of buckets", number });
    }
    let mut read = Read {
        ends,
        tier,
        facts,
        ints: Vec::new(),
        stale: Vec::new(),
        of: FloatColumns::default(),
    };
    let wanted = wanted(facts, predicted);
    for column in COLUMNS {
        let has = |bits: u64| bits & column.bit() != 0;
        if has(kept & !predicted) {
            let length = reader.count(1)?;
            let bytes = reader.take(length)?;
            if has(wanted) {
                read.column(column, bytes)?;
            }
        } else if has(wanted) {
            read.predict(column, has(kept));
        }
    }
    read.finish(kept, out);
    Ok(())
}

/// The columns that are read for facts.
fn wanted(facts: Facts, predicted: u64) -> u64 {
    let asked = |column: &&Column| facts.has(column.facts());
    let asked = COLUMNS.iter().filter(asked).fold(0, |bits, column| bits | column.bit());
    // A column is told from those before it.
    COLUMNS.iter().rev().fold(asked, |wanted, column| {
        let is_wanted = wanted & column.bit() != 0;
        let more = if is_wanted { column.needs(predicted & column.bit() != 0) } else { 0 };
        wanted | more
    })
}

/// Columns on their way from bytes.
struct Read<'a> {
    ends: &'a [i64],
    tier: Tier,
    facts: Facts,
    ints: Vec<i64>,
    stale: Vec<bool>,
    of: FloatColumns,
}

impl Read<'_> {
    fn column(&mut self, column: Column, bytes: &[u8]) -> Result<(), Damage> {
        let rows = self.ends.len();
        if let Some(values) = self.floats(column) {
            codec::decode_floats(bytes, rows, values)?;
        } else {
            self.ints.clear();
            codec::decode_ints(bytes, rows, &mut self.ints)?;
            self.put(column);
        }
        Ok(())
    }

    /// Where the values of a column of floats go.
    fn floats(&mut self, column: Column) -> Option<&mut Vec<f64>> {
        let of = &mut self.of;
        Some(match column {
            C::First => &mut of.first,
            C::Last => &mut of.last,
            C::Sum => &mut of.sum,
            C::Min => &mut of.min,
            C::Max => &mut of.max,
            C::Lost => &mut of.lost,
            C::Mean => &mut of.mean,
            C::Squares => &mut of.squares,
            C::Products => &mut of.products,
            _ => return None,
        })
    }

    /// Makes a column of its numbers.
    fn put(&mut self, column: Column) {
        let Self { ends, tier, ints, stale, of, .. } = self;
        let numbers = || ints.iter().map(|int| int.cast_unsigned());
        let width = tier.width();
        match column {
            C::Count => of.count = numbers().collect(),
            C::Resets => of.resets = numbers().collect(),
            C::Changes => of.changes = numbers().collect(),
            C::Rest => of.rest = numbers().map(|it| f64::from_bits(it << REST_SHIFT)).collect(),
            C::FirstStart => of.first_start.clone_from(ints),
            C::LastStart => of.last_start.clone_from(ints),
            C::EndsStale => *stale = ints.iter().map(|int| *int != 0).collect(),
            C::FirstTime => {
                let times = ends.iter().zip(&*ints);
                of.first_time =
                    times.map(|(end, it)| end.wrapping_sub(width).wrapping_add(*it)).collect();
            }
            C::LastTime => {
                of.last_time =
                    ends.iter().zip(&*ints).map(|(end, it)| end.wrapping_sub(*it)).collect();
            }
            C::TimeSum => of.time_sum = beside(of, ints, even_sum),
            C::TimeSquares => of.time_squares = beside(of, ints, even_squares),
            C::First
            | C::Last
            | C::Sum
            | C::Min
            | C::Max
            | C::Lost
            | C::Mean
            | C::Squares
            | C::Products => {}
        }
    }

    /// Makes a column of those before it.
    #[expect(clippy::cast_precision_loss, reason = "as all counts in floats")]
    fn predict(&mut self, column: Column, is_kept: bool) {
        let of = &mut self.of;
        match column {
            C::Last if is_kept => of.last.clone_from(&of.first),
            C::Min if is_kept => of.min.clone_from(&of.first),
            C::Max if is_kept => of.max.clone_from(&of.last),
            C::LastStart if is_kept => of.last_start.clone_from(&of.first_start),
            C::Sum if is_kept => {
                let rows = of.first.iter().zip(&of.count);
                of.sum = rows.map(|(first, count)| first * *count as f64).collect();
            }
            C::Mean => {
                let rows = of.count.iter().zip(&of.sum).zip(&of.rest);
                of.mean = rows.map(|((count, sum), rest)| mean(*count, *sum, *rest)).collect();
            }
            _ => {
                let rows = self.ends.len();
                if let Some(values) = self.floats(column) {
                    values.resize(rows, 0.0);
                } else {
                    self.ints.clear();
                    self.ints.resize(rows, 0);
                    self.put(column);
                }
            }
        }
    }

    /// Gives what was asked for.
    fn finish(mut self, kept: u64, out: &mut Buckets) {
        let asks = |facts: Facts| self.facts.has(facts);
        let of = &mut self.of;
        if !asks(Facts::FIRST) {
            (of.first, of.first_time) = (Vec::new(), Vec::new());
        }
        if !asks(Facts::LAST) {
            (of.last, of.last_time) = (Vec::new(), Vec::new());
        }
        let spread = COLUMNS.iter().filter(|column| column.is_spread());
        of.lacks_spread = asks(Facts::SPREAD)
            && spread.fold(false, |lacks, column| lacks | (kept & column.bit() == 0))
            && of.count.iter().any(|count| *count > 0);
        out.append(&Buckets {
            untils: self.ends.to_vec(),
            ends_stale: self.stale,
            floats: self.of,
            histograms: Vec::new(),
        });
    }
}

/// Sums of times: what they would be at a steady pace, and by how much they are not.
fn beside(of: &FloatColumns, ints: &[i64], even: fn(u64, i128) -> i128) -> Vec<i128> {
    let spans = of.first_time.iter().zip(&of.last_time).map(|(a, b)| span_between(*a, *b));
    let rows = of.count.iter().zip(spans).zip(ints);
    rows.map(|((count, span), int)| even(*count, span).wrapping_add(i128::from(*int))).collect()
}
