//! Where chunks are: the tables of a file, as bytes and in memory.
//!
//! Bytes: storage-format.md, "Tables".

use crate::codec::{self, COLUMN_ROWS_MAX};
use crate::store::{bytes::Reader, error::Damage};

/// What the values of a chunk are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(in crate::store) enum ChunkKind {
    /// A column of floats.
    Floats = 0,
    /// Histograms, one behind the other.
    Histograms = 1,
    /// Of a tier: columns of buckets of floats; the times are their ends.
    Buckets = 2,
    /// Of a tier: buckets of histograms, one behind the other.
    HistogramBuckets = 3,
}

impl ChunkKind {
    fn of(number: i64) -> Result<Self, Damage> {
        match number {
            0 => Ok(Self::Floats),
            1 => Ok(Self::Histograms),
            2 => Ok(Self::Buckets),
            3 => Ok(Self::HistogramBuckets),
            _ => Err(Damage::Unknown { what: "kind of chunk", number: number.cast_unsigned() }),
        }
    }
}

/// Consecutive rows of one series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) struct Chunk {
    /// Where its values begin; its starts follow.
    pub(in crate::store) at: u64,
    pub(in crate::store) values_bytes: u32,
    /// 0 = all starts are unknown.
    pub(in crate::store) starts_bytes: u32,
    /// The number of its time column.
    pub(in crate::store) time: u32,
    pub(in crate::store) kind: ChunkKind,
}

impl Chunk {
    /// Whether its rows are floats.
    pub(in crate::store) fn is_of_floats(&self) -> bool {
        self.kind == ChunkKind::Floats
    }
}

/// Times that chunks share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) struct TimeColumn {
    pub(in crate::store) at: u64,
    pub(in crate::store) bytes: u32,
    pub(in crate::store) rows: u32,
    /// ns.
    pub(in crate::store) first: i64,
    /// ns.
    pub(in crate::store) last: i64,
}

/// The chunks of a file.
#[derive(Debug, Default, PartialEq)]
pub(in crate::store) struct Tables {
    /// For each series, the number of chunks before it; then the number of all.
    pub(in crate::store) begins: Vec<u32>,
    pub(in crate::store) chunks: Vec<Chunk>,
    pub(in crate::store) times: Vec<TimeColumn>,
}

/// Appends a column of any length behind its number of rows.
pub(super) fn put_column(values: &[i64], out: &mut Vec<u8>) {
    codec::encode_varint(values.len() as u64, out);
    for part in values.chunks(COLUMN_ROWS_MAX) {
        codec::encode_ints(part, out);
    }
}

/// Reads what [`put_column`] wrote. `rows_max` bounds what a false length can ask for.
pub(super) fn take_column(reader: &mut Reader<'_>, rows_max: usize) -> Result<Vec<i64>, Damage> {
    let rows = usize::try_from(reader.varint()?).unwrap_or(usize::MAX);
    if rows > rows_max {
        return Err(Damage::Contradiction("table has more rows than a file can hold"));
    }
    let mut values = Vec::new();
    let mut left = rows;
    while left > 0 {
        let count = left.min(COLUMN_ROWS_MAX);
        reader.column(|bytes| codec::decode_ints(bytes, count, &mut values))?;
        left -= count;
    }
    Ok(values)
}

impl Tables {
    /// Rows of a table: a file of 1 GiB has not more chunks.
    const ROWS_MAX: usize = 1 << 28;

    /// The sections `Times` and `Chunks`.
    pub(super) fn encode(&self) -> (Vec<u8>, Vec<u8>) {
        let signed = |number: u64| number.cast_signed();
        let column =
            |of: &dyn Fn(&TimeColumn) -> i64| self.times.iter().map(of).collect::<Vec<i64>>();
        let mut times = Vec::new();
        put_column(&column(&|it| signed(it.at)), &mut times);
        put_column(&column(&|it| i64::from(it.bytes)), &mut times);
        put_column(&column(&|it| i64::from(it.rows)), &mut times);
        put_column(&column(&|it| it.first), &mut times);
        put_column(&column(&|it| it.last.wrapping_sub(it.first)), &mut times);

        let counts: Vec<i64> = self
            .begins
            .windows(2)
            .map(|pair| {
                pair.iter().rev().map(|it| i64::from(*it)).reduce(|a, b| a - b).unwrap_or(0)
            })
            .collect();
        let mut chunks = Vec::new();
        put_column(&counts, &mut chunks);
        let column = |of: &dyn Fn(&Chunk) -> i64| self.chunks.iter().map(of).collect::<Vec<i64>>();
        put_column(&column(&|it| i64::from(it.time)), &mut chunks);
        put_column(&column(&|it| i64::from(it.values_bytes)), &mut chunks);
        put_column(&column(&|it| i64::from(it.starts_bytes)), &mut chunks);
        put_column(&column(&|it| it.kind as i64), &mut chunks);
        // Chunks follow each other, but where a time column was written between two.
        let mut end = 0;
        let gaps = self.chunks.iter().map(|it| {
            let gap = signed(it.at.wrapping_sub(end));
            end = it.at + u64::from(it.values_bytes) + u64::from(it.starts_bytes);
            gap
        });
        put_column(&gaps.collect::<Vec<_>>(), &mut chunks);
        (times, chunks)
    }

    /// Reads what [`Self::encode`] wrote; data ends at `data_bytes`.
    pub(super) fn decode(times: &[u8], chunks: &[u8], data_bytes: u64) -> Result<Self, Damage> {
        // Series, chunks and time columns take a byte of data each at least.
        let rows_max = usize::try_from(data_bytes).unwrap_or(usize::MAX).min(Self::ROWS_MAX);
        let times = decode_times(times, data_bytes, rows_max)?;
        let mut reader = Reader::new(chunks, "chunk table");
        let counts = take_column(&mut reader, rows_max)?;
        let mut begins = Vec::with_capacity(counts.len() + 1);
        let mut count = 0_i64;
        begins.push(0);
        for more in &counts {
            count = count.saturating_add((*more).max(0));
            begins.push(
                u32::try_from(count)
                    .map_err(|_| Damage::Contradiction("file has too many chunks"))?,
            );
        }
        let mut column = || take_column(&mut reader, rows_max);
        let [numbers, values, starts, kinds, gaps] =
            [column()?, column()?, column()?, column()?, column()?];
        if [&numbers, &values, &starts, &kinds, &gaps]
            .iter()
            .any(|it| it.len() as u64 != count.cast_unsigned())
        {
            return Err(Damage::Contradiction("columns of the chunk table differ in length"));
        }
        let mut chunks = Vec::with_capacity(numbers.len());
        let mut end = 0_u64;
        let columns = numbers.iter().zip(&values).zip(&starts).zip(&kinds).zip(&gaps);
        for ((((time, values), starts), kind), gap) in columns {
            let at = end.wrapping_add(gap.cast_unsigned());
            let number = |it: &i64| {
                u32::try_from(*it).map_err(|_| Damage::Contradiction("chunk is too long"))
            };
            let chunk = Chunk {
                at,
                values_bytes: number(values)?,
                starts_bytes: number(starts)?,
                time: number(time)?,
                kind: ChunkKind::of(*kind)?,
            };
            end = at
                .saturating_add(u64::from(chunk.values_bytes))
                .saturating_add(u64::from(chunk.starts_bytes));
            if end > data_bytes || chunk.time as usize >= times.len() {
                return Err(Damage::Contradiction("chunk lies behind the data"));
            }
            chunks.push(chunk);
        }
        Ok(Self { begins, chunks, times })
    }

    /// How many series.
    pub(in crate::store) fn series(&self) -> usize {
        self.begins.len().saturating_sub(1)
    }

    /// The chunks of a series.
    pub(in crate::store) fn of(&self, series: usize) -> &[Chunk] {
        let begin = self.begins.get(series).copied().unwrap_or_default() as usize;
        let end = self.begins.get(series + 1).copied().unwrap_or_default() as usize;
        self.chunks.get(begin..end).unwrap_or_default()
    }

    /// The numbers of the chunks of a series.
    pub(in crate::store) fn numbers(&self, series: usize) -> std::ops::Range<usize> {
        let begin = |series: usize| self.begins.get(series).copied().unwrap_or_default() as usize;
        begin(series)..begin(series + 1).min(self.chunks.len())
    }

    /// The time column of a chunk.
    pub(in crate::store) fn time_of(&self, chunk: &Chunk) -> Option<&TimeColumn> {
        self.times.get(chunk.time as usize)
    }

    /// Bytes held.
    pub(in crate::store) fn bytes(&self) -> usize {
        self.begins.capacity() * 4
            + self.chunks.capacity() * size_of::<Chunk>()
            + self.times.capacity() * size_of::<TimeColumn>()
    }
}

fn decode_times(bytes: &[u8], data_bytes: u64, rows_max: usize) -> Result<Vec<TimeColumn>, Damage> {
    let mut reader = Reader::new(bytes, "time table");
    let mut column = || take_column(&mut reader, rows_max);
    let [at, lengths, rows, firsts, spans] =
        [column()?, column()?, column()?, column()?, column()?];
    if [&lengths, &rows, &firsts, &spans].iter().any(|it| it.len() != at.len()) {
        return Err(Damage::Contradiction("columns of the time table differ in length"));
    }
    let columns = at.iter().zip(&lengths).zip(&rows).zip(&firsts).zip(&spans);
    columns
        .map(|((((at, length), rows), first), span)| {
            let at = at.cast_unsigned();
            let number = |it: &i64| {
                u32::try_from(*it).map_err(|_| Damage::Contradiction("time column is too long"))
            };
            let (bytes, rows) = (number(length)?, number(rows)?);
            if rows as usize > COLUMN_ROWS_MAX
                || at.checked_add(u64::from(bytes)).is_none_or(|end| end > data_bytes)
            {
                return Err(Damage::Contradiction("time column lies behind the data"));
            }
            Ok(TimeColumn { at, bytes, rows, first: *first, last: first.wrapping_add(*span) })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tables_come_back() {
        let time = |at| TimeColumn { at, bytes: 10, rows: 3, first: -5, last: 900 };
        let chunk = |at, time| Chunk {
            at,
            values_bytes: 20,
            starts_bytes: 2,
            time,
            kind: ChunkKind::Floats,
        };
        let chunks = vec![
            chunk(74, 0),
            chunk(96, 0),
            Chunk { kind: ChunkKind::Histograms, ..chunk(128, 1) },
        ];
        let tables = Tables { begins: vec![0, 1, 1, 3], chunks, times: vec![time(64), time(118)] };
        let (times, chunks) = tables.encode();
        assert_eq!(Tables::decode(&times, &chunks, 150), Ok(tables));
        assert!(Tables::decode(&times, &chunks, 149).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_tables_or_an_error(times: Vec<u8>, chunks: Vec<u8>) {
            let _ = Tables::decode(&times, &chunks, 1 << 20);
        }
    }
}
