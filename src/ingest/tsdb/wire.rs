//! Numbers and texts in the files of a block, read with every length checked.

use super::error::{Error, Fault};

/// Reads from the front of a part of a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wire<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Which file, and where in it `bytes` begin.
    part: &'static str,
    begin: u64,
}

impl<'a> Wire<'a> {
    /// `bytes` stand at `begin` of the file `part`.
    pub(super) const fn new(bytes: &'a [u8], part: &'static str, begin: u64) -> Self {
        Self { bytes, at: 0, part, begin }
    }

    /// Names what is wrong here.
    pub(super) const fn fault(&self, fault: Fault) -> Error {
        Error { part: self.part, at: self.begin.saturating_add(self.at as u64), fault }
    }

    /// How far it was read.
    pub(super) const fn position(&self) -> usize {
        self.at
    }

    /// What was not read yet.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    pub(super) fn take(&mut self, count: usize, what: &'static str) -> Result<&'a [u8], Error> {
        let taken = self.rest().get(..count).ok_or(self.fault(Fault::Truncated(what)))?;
        self.at += count;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], Error> {
        let taken = self.rest().first_chunk().ok_or(self.fault(Fault::Truncated(what)))?;
        self.at += N;
        Ok(*taken)
    }

    pub(super) fn u8(&mut self, what: &'static str) -> Result<u8, Error> {
        self.array(what).map(u8::from_be_bytes)
    }

    pub(super) fn u32(&mut self, what: &'static str) -> Result<u32, Error> {
        self.array(what).map(u32::from_be_bytes)
    }

    pub(super) fn u64(&mut self, what: &'static str) -> Result<u64, Error> {
        self.array(what).map(u64::from_be_bytes)
    }

    #[inline]
    pub(super) fn uvarint(&mut self, what: &'static str) -> Result<u64, Error> {
        let mut value = 0_u64;
        for (i, byte) in self.rest().iter().take(10).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * i);
            if *byte < 0x80 {
                self.at += i + 1;
                return Ok(value);
            }
        }
        Err(self.fault(Fault::Truncated(what)))
    }

    #[inline]
    pub(super) fn varint(&mut self, what: &'static str) -> Result<i64, Error> {
        let value = self.uvarint(what)?;
        Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    /// A count of things of which each takes at least a byte of what is left.
    pub(super) fn count(&mut self, what: &'static str) -> Result<usize, Error> {
        let count = self.uvarint(what)?;
        let count = usize::try_from(count).ok().filter(|count| *count <= self.rest().len());
        count.ok_or(self.fault(Fault::Truncated(what)))
    }

    /// A text behind its length.
    pub(super) fn text(&mut self, what: &'static str) -> Result<&'a str, Error> {
        let length = self.count(what)?;
        let bytes = self.take(length, what)?;
        std::str::from_utf8(bytes)
            .map_err(|_| self.fault(Fault::Contradiction("a text is not UTF-8")))
    }

    /// The checksum of `covered`, which stands here.
    pub(super) fn check(&mut self, covered: &[u8]) -> Result<(), Error> {
        let expected = crc32c::crc32c(covered);
        let found = self.u32("a checksum")?;
        if expected == found {
            return Ok(());
        }
        Err(self.fault(Fault::Checksum { expected, found }))
    }
}
