//! Deletions: which rows, and when they were deleted.
//!
//! Bytes: storage-format.md, "Manifest".

use crate::codec;
use crate::model::{MatchOp, Matcher, TimeRange, Timestamp};
use crate::store::{
    bytes::{Reader, put_signed, put_text},
    error::Damage,
};

/// A deletion that a file still has to carry out.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::store) struct Tombstone {
    /// In files of lower number; all rows that it hides were in files when it was noted.
    pub(in crate::store) files_below: u64,
    /// Of series that match all of these.
    pub(in crate::store) matchers: Vec<Matcher>,
    /// In this range.
    pub(in crate::store) range: TimeRange,
}

/// A deletion as the archive of the log has it: one that a restore to a moment repeats.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::store) struct Deletion {
    /// Rises with every deletion: above the edits that were durable before it.
    pub(in crate::store) number: u64,
    /// When, ns since 1970.
    pub(in crate::store) at: i64,
    /// Of rows up to this position.
    pub(in crate::store) position: u64,
    /// What.
    pub(in crate::store) tombstone: Tombstone,
}

impl Deletion {
    /// Appends it.
    pub(in crate::store) fn encode(&self, out: &mut Vec<u8>) {
        codec::encode_varint(self.number, out);
        put_signed(self.at, out);
        codec::encode_varint(self.position, out);
        encode_tombstone(&self.tombstone, out);
    }

    /// Reads what [`Self::encode`] wrote.
    pub(in crate::store) fn decode(reader: &mut Reader<'_>) -> Result<Self, Damage> {
        let (number, at, position) = (reader.varint()?, reader.signed()?, reader.varint()?);
        Ok(Self { number, at, position, tombstone: decode_tombstone(reader)? })
    }
}

/// Appends a deletion.
pub(in crate::store) fn encode_tombstone(tombstone: &Tombstone, out: &mut Vec<u8>) {
    codec::encode_varint(tombstone.files_below, out);
    put_signed(tombstone.range.start().0, out);
    put_signed(tombstone.range.end().0, out);
    encode_matchers(&tombstone.matchers, out);
}

pub(super) fn encode_matchers(matchers: &[Matcher], out: &mut Vec<u8>) {
    codec::encode_varint(matchers.len() as u64, out);
    for matcher in matchers {
        out.push(match matcher.op {
            MatchOp::Equal => 0,
            MatchOp::NotEqual => 1,
            MatchOp::Regex => 2,
            MatchOp::NotRegex => 3,
        });
        put_text(&matcher.name, out);
        put_text(&matcher.value, out);
    }
}

/// Reads what [`encode_tombstone`] wrote.
pub(in crate::store) fn decode_tombstone(reader: &mut Reader<'_>) -> Result<Tombstone, Damage> {
    let files_below = reader.varint()?;
    let range = TimeRange::new(Timestamp(reader.signed()?), Timestamp(reader.signed()?));
    let range = range.ok_or(Damage::Contradiction("deletion has an empty range"))?;
    Ok(Tombstone { files_below, matchers: decode_matchers(reader)?, range })
}

pub(super) fn decode_matchers(reader: &mut Reader<'_>) -> Result<Vec<Matcher>, Damage> {
    let mut matchers = Vec::new();
    for _ in 0..reader.count(3)? {
        let op = match reader.u8()? {
            0 => MatchOp::Equal,
            1 => MatchOp::NotEqual,
            2 => MatchOp::Regex,
            3 => MatchOp::NotRegex,
            number => {
                return Err(Damage::Unknown { what: "kind of matcher", number: number.into() });
            }
        };
        matchers.push(Matcher {
            op,
            name: reader.text()?.to_owned(),
            value: reader.text()?.to_owned(),
        });
    }
    Ok(matchers)
}
