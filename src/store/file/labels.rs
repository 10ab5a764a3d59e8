//! The labels of a block: its pairs, the pairs of each series, the series of each pair.
//!
//! Pairs are sorted by name, then value, and numbered in that order: to compare two series of a block
//! is to compare two lists of numbers.
//! Bytes: storage-format.md, "Labels of a block".

use std::io;

use roaring::RoaringBitmap;

use crate::codec::{self, COLUMN_ROWS_MAX};
use crate::model::{Label, Labels};
use crate::store::{
    bytes::{Reader, put_text},
    error::Damage,
};

use super::{
    layout::Section,
    tables::{put_column, take_column},
};

/// Series in one compressed frame: far enough apart for the same host under the next metric.
const FRAME_SERIES: usize = 1 << 16;
/// Bytes that a frame may unfold to: what [`FRAME_SERIES`] series of 64 labels take.
const FRAME_BYTES_MAX: usize = 64 << 20;
/// Series that a block may have.
pub(in crate::store) const SERIES_MAX: usize = 1 << 18;
/// The level at which a second more of compression no longer pays.
const ZSTD_LEVEL: i32 = 3;
const ROWS_MAX: usize = 1 << 28;

/// Gathers the labels of a block being written.
#[derive(Debug)]
pub(in crate::store) struct LabelsWriter {
    /// Names, each with its values: all sorted.
    pairs: Vec<(String, Vec<String>)>,
    begins: Vec<u32>,
    lists: Vec<u32>,
}

impl LabelsWriter {
    /// For series whose lists are of these pairs, sorted by name, then value.
    pub(in crate::store) fn new<'a>(pairs: impl IntoIterator<Item = Label<'a>>) -> Self {
        let mut names: Vec<(String, Vec<String>)> = Vec::new();
        for (name, value) in pairs {
            match names.last_mut().filter(|last| last.0 == name) {
                Some(last) => last.1.push(value.to_owned()),
                None => names.push((name.to_owned(), vec![value.to_owned()])),
            }
        }
        Self { pairs: names, begins: vec![0], lists: Vec::new() }
    }

    /// Adds the next series: numbers of its pairs, rising.
    pub(in crate::store) fn push(&mut self, list: &[u32]) {
        self.lists.extend_from_slice(list);
        self.begins.push(u32::try_from(self.lists.len()).unwrap_or(u32::MAX));
    }

    /// The sections.
    pub(super) fn sections(self) -> io::Result<Vec<(Section, Vec<u8>)>> {
        let mut pairs = Vec::new();
        codec::encode_varint(self.pairs.len() as u64, &mut pairs);
        for (name, values) in &self.pairs {
            put_text(name, &mut pairs);
            codec::encode_varint(values.len() as u64, &mut pairs);
            codec::encode_sorted(values, &mut pairs);
        }
        Ok(vec![
            (Section::Pairs, pairs),
            (Section::Series, self.series()?),
            (Section::Postings, self.postings()),
        ])
    }

    fn series(&self) -> io::Result<Vec<u8>> {
        let count = self.begins.len() - 1;
        let mut out = Vec::new();
        codec::encode_varint(count as u64, &mut out);
        let mut plain = Vec::new();
        for first in (0..count).step_by(FRAME_SERIES) {
            plain.clear();
            for series in first..count.min(first + FRAME_SERIES) {
                let list = list(&self.begins, &self.lists, series);
                codec::encode_varint(list.len() as u64, &mut plain);
                for pair in list {
                    codec::encode_varint(u64::from(*pair), &mut plain);
                }
            }
            let packed = zstd::bulk::compress(&plain, ZSTD_LEVEL)?;
            codec::encode_varint(plain.len() as u64, &mut out);
            codec::encode_varint(packed.len() as u64, &mut out);
            out.extend_from_slice(&packed);
        }
        Ok(out)
    }

    /// The series of each pair, by a counting sort.
    fn postings(&self) -> Vec<u8> {
        let pair_count = self.pairs.iter().map(|(_, values)| values.len()).sum();
        let mut ends = vec![0_u32; pair_count];
        for pair in &self.lists {
            if let Some(count) = ends.get_mut(*pair as usize) {
                *count += 1;
            }
        }
        let counts: Vec<i64> = ends.iter().map(|count| i64::from(*count)).collect();
        let mut sum = 0;
        for end in &mut ends {
            // Where the pair's numbers begin; it moves to their end as they are put.
            sum += std::mem::replace(end, sum);
        }
        let mut sorted = vec![0_i64; self.lists.len()];
        for series in 0..self.begins.len() - 1 {
            for pair in list(&self.begins, &self.lists, series) {
                let Some(end) = ends.get_mut(*pair as usize) else { continue };
                if let Some(place) = sorted.get_mut(*end as usize) {
                    *place = i64::try_from(series).unwrap_or(i64::MAX);
                }
                *end += 1;
            }
        }
        let (mut lengths, mut bytes) = (Vec::with_capacity(pair_count), Vec::new());
        let mut rest = sorted.as_slice();
        for count in &counts {
            let (numbers, others) =
                rest.split_at(usize::try_from(*count).unwrap_or(0).min(rest.len()));
            let begin = bytes.len();
            numbers.chunks(COLUMN_ROWS_MAX).for_each(|part| codec::encode_ints(part, &mut bytes));
            lengths.push(i64::try_from(bytes.len() - begin).unwrap_or(i64::MAX));
            rest = others;
        }
        let mut out = Vec::new();
        put_column(&counts, &mut out);
        put_column(&lengths, &mut out);
        out.append(&mut bytes);
        out
    }
}

fn list<'a>(begins: &[u32], lists: &'a [u32], series: usize) -> &'a [u32] {
    let begin = begins.get(series).copied().unwrap_or_default() as usize;
    let end = begins.get(series + 1).copied().unwrap_or_default() as usize;
    lists.get(begin..end).unwrap_or_default()
}

/// The labels of a block, in memory.
#[derive(Debug, Default)]
pub(in crate::store) struct BlockLabels {
    /// Names, each with the number of its first pair.
    names: Vec<(String, u32)>,
    text: String,
    /// Where the value of each pair ends in `text`.
    value_ends: Vec<u32>,
    begins: Vec<u32>,
    lists: Vec<u32>,
    counts: Vec<u32>,
    postings: Vec<u8>,
    /// Where the postings of each pair end.
    posting_ends: Vec<u32>,
}

impl BlockLabels {
    /// Reads the three sections; an error names the one that is wrong.
    pub(super) fn decode(
        pairs: &[u8],
        series: &[u8],
        postings: &[u8],
    ) -> Result<Self, (Section, Damage)> {
        let mut labels = Self::default();
        labels.decode_pairs(pairs).map_err(|what| (Section::Pairs, what))?;
        labels.decode_series(series).map_err(|what| (Section::Series, what))?;
        labels.decode_postings(postings).map_err(|what| (Section::Postings, what))?;
        Ok(labels)
    }

    fn decode_pairs(&mut self, bytes: &[u8]) -> Result<(), Damage> {
        let mut reader = Reader::new(bytes, "pairs of labels");
        for _ in 0..reader.count(2)? {
            let name = reader.text()?.to_owned();
            let count = reader.count(1)?;
            self.names.push((name, u32::try_from(self.value_ends.len()).unwrap_or(u32::MAX)));
            let (text, ends) = (&mut self.text, &mut self.value_ends);
            reader.column(|rest| {
                let mut strings = codec::decode_sorted(rest, count);
                while let Some(value) = strings.advance()? {
                    text.push_str(value);
                    ends.push(u32::try_from(text.len()).unwrap_or(u32::MAX));
                }
                Ok(strings.used())
            })?;
        }
        if self.text.len() > u32::MAX as usize || !self.names.is_sorted_by(|a, b| a.0 < b.0) {
            return Err(Damage::Contradiction("names of labels are not in order"));
        }
        Ok(())
    }

    fn decode_series(&mut self, bytes: &[u8]) -> Result<(), Damage> {
        let mut reader = Reader::new(bytes, "series");
        let count = usize::try_from(reader.varint()?).unwrap_or(usize::MAX);
        if count > ROWS_MAX {
            return Err(Damage::Contradiction("block has too many series"));
        }
        self.begins.push(0);
        while self.begins.len() <= count {
            let plain_bytes = usize::try_from(reader.varint()?).unwrap_or(usize::MAX);
            if plain_bytes > FRAME_BYTES_MAX {
                return Err(Damage::Contradiction("frame of series is too long"));
            }
            let packed_bytes = reader.count(1)?;
            let plain = zstd::bulk::decompress(reader.take(packed_bytes)?, plain_bytes)
                .map_err(|_| Damage::Contradiction("frame of series does not decompress"))?;
            let mut plain = Reader::new(&plain, "frame of series");
            let before = self.begins.len();
            while !plain.is_empty() {
                for _ in 0..plain.count(1)? {
                    let pair = plain.varint()?;
                    let known = u32::try_from(pair)
                        .ok()
                        .filter(|pair| (*pair as usize) < self.value_ends.len());
                    self.lists
                        .push(known.ok_or(Damage::Contradiction(
                            "series has an unknown pair of labels",
                        ))?);
                }
                self.begins.push(u32::try_from(self.lists.len()).unwrap_or(u32::MAX));
            }
            if self.begins.len() == before {
                return Err(Damage::Truncated("series"));
            }
        }
        if self.begins.len() != count + 1 {
            return Err(Damage::Contradiction("block has another number of series than it says"));
        }
        Ok(())
    }

    fn decode_postings(&mut self, bytes: &[u8]) -> Result<(), Damage> {
        let mut reader = Reader::new(bytes, "postings");
        let pairs = self.value_ends.len();
        let (counts, lengths) =
            (take_column(&mut reader, pairs)?, take_column(&mut reader, pairs)?);
        if counts.len() != self.value_ends.len() || lengths.len() != counts.len() {
            return Err(Damage::Contradiction("postings are of another number of pairs"));
        }
        let mut end = 0_i64;
        for (count, length) in counts.iter().zip(&lengths) {
            end = end.saturating_add(*length);
            let count = usize::try_from(*count).ok().filter(|count| *count <= self.len());
            let (Some(count), Ok(end)) = (count, u32::try_from(end)) else {
                return Err(Damage::Contradiction("postings are out of range"));
            };
            self.counts.push(u32::try_from(count).unwrap_or(u32::MAX));
            self.posting_ends.push(end);
        }
        self.postings = reader.rest().to_vec();
        if self.posting_ends.last().copied().unwrap_or_default() as usize != self.postings.len() {
            return Err(Damage::Contradiction("postings are of another length than they say"));
        }
        Ok(())
    }

    /// How many series.
    pub(in crate::store) fn len(&self) -> usize {
        self.begins.len().saturating_sub(1)
    }

    /// How many pairs.
    pub(in crate::store) fn pair_count(&self) -> usize {
        self.value_ends.len()
    }

    /// The pairs of a series, by label name.
    pub(in crate::store) fn list(&self, series: usize) -> &[u32] {
        list(&self.begins, &self.lists, series)
    }

    /// Name and value of a pair.
    pub(in crate::store) fn pair(&self, pair: u32) -> Label<'_> {
        let name = self.names.partition_point(|name| name.1 <= pair).checked_sub(1);
        let name = name.and_then(|name| self.names.get(name)).map_or("", |name| name.0.as_str());
        (name, self.value(pair))
    }

    fn value(&self, pair: u32) -> &str {
        let pair = pair as usize;
        let begin = pair
            .checked_sub(1)
            .and_then(|before| self.value_ends.get(before))
            .copied()
            .unwrap_or_default();
        let end = self.value_ends.get(pair).copied().unwrap_or_default();
        self.text.get(begin as usize..end as usize).unwrap_or_default()
    }

    /// The labels of a series.
    pub(in crate::store) fn labels(&self, series: usize) -> Labels {
        let pairs: Vec<Label<'_>> = self.list(series).iter().map(|pair| self.pair(*pair)).collect();
        Labels::new(pairs).unwrap_or_else(|_| Labels::empty())
    }

    /// All names, sorted.
    pub(in crate::store) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|(name, _)| name.as_str())
    }

    /// The numbers of a name's pairs, by value.
    pub(in crate::store) fn of_name(&self, name: &str) -> std::ops::Range<u32> {
        let Ok(place) = self.names.binary_search_by(|it| it.0.as_str().cmp(name)) else {
            return 0..0;
        };
        let first = self.names.get(place).map_or(0, |it| it.1);
        let all = u32::try_from(self.value_ends.len()).unwrap_or(u32::MAX);
        first..self.names.get(place + 1).map_or(all, |it| it.1)
    }

    /// The number of a pair.
    pub(in crate::store) fn find(&self, (name, value): Label<'_>) -> Option<u32> {
        let range = self.of_name(name);
        let (mut low, mut high) = (range.start, range.end);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.value(middle).cmp(value) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Some(middle),
            }
        }
        None
    }

    /// Adds the series that have a pair to `out`.
    pub(in crate::store) fn add_postings(
        &self,
        pair: u32,
        out: &mut RoaringBitmap,
    ) -> Result<(), Damage> {
        let pair = pair as usize;
        let begin = pair
            .checked_sub(1)
            .and_then(|before| self.posting_ends.get(before))
            .copied()
            .unwrap_or_default();
        let end = self.posting_ends.get(pair).copied().unwrap_or_default();
        let bytes = self.postings.get(begin as usize..end as usize).unwrap_or_default();
        let mut left = self.postings_len(pair);
        let mut reader = Reader::new(bytes, "postings");
        let mut numbers = Vec::new();
        while left > 0 {
            let count = left.min(COLUMN_ROWS_MAX);
            numbers.clear();
            reader.column(|rest| codec::decode_ints(rest, count, &mut numbers))?;
            for number in &numbers {
                let series =
                    u32::try_from(*number).ok().filter(|series| (*series as usize) < self.len());
                out.insert(series.ok_or(Damage::Contradiction("postings name an unknown series"))?);
            }
            left -= count;
        }
        Ok(())
    }

    /// How many series have a pair.
    pub(in crate::store) fn postings_len(&self, pair: usize) -> usize {
        self.counts.get(pair).copied().unwrap_or_default() as usize
    }

    /// Bytes held.
    pub(in crate::store) fn bytes(&self) -> usize {
        self.text.capacity()
            + self.postings.capacity()
            + (self.value_ends.capacity() + self.begins.capacity() + self.lists.capacity()) * 4
            + (self.counts.capacity() + self.posting_ends.capacity()) * 4
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written() -> (Vec<u8>, Vec<u8>, Vec<u8>) {
        let pairs = [
            ("__name__", "cpu"),
            ("__name__", "mem"),
            ("host", "a"),
            ("host", "ab"),
            ("host", "b"),
        ];
        let mut writer = LabelsWriter::new(pairs);
        for list in [&[0, 2][..], &[0, 3], &[0, 4], &[1, 2], &[1]] {
            writer.push(list);
        }
        let mut sections = writer.sections().unwrap().into_iter().map(|it| it.1);
        (sections.next().unwrap(), sections.next().unwrap(), sections.next().unwrap())
    }

    #[test]
    fn labels_come_back_and_are_found() {
        let (pairs, series, postings) = written();
        let labels = BlockLabels::decode(&pairs, &series, &postings).unwrap();
        assert_eq!((labels.len(), labels.pair_count()), (5, 5));
        assert_eq!(labels.labels(1).to_string(), r#"{__name__="cpu", host="ab"}"#);
        assert_eq!((labels.find(("host", "ab")), labels.find(("host", "c"))), (Some(3), None));
        assert_eq!((labels.of_name("host"), labels.of_name("job")), (2..5, 0..0));
        let mut found = RoaringBitmap::new();
        labels.add_postings(2, &mut found).unwrap();
        assert_eq!(found.iter().collect::<Vec<_>>(), [0, 3]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_labels_or_an_error(section in 0_usize..3, bytes: Vec<u8>) {
            let (mut pairs, mut series, mut postings) = written();
            [&mut pairs, &mut series, &mut postings][section].clone_from(&bytes);
            if let Ok(labels) = BlockLabels::decode(&pairs, &series, &postings) {
                for pair in 0..u32::try_from(labels.pair_count()).unwrap() {
                    let _ = labels.add_postings(pair, &mut RoaringBitmap::new());
                    let _ = labels.pair(pair);
                }
            }
        }
    }
}
