//! Little-endian fields of headers and records, read with every length checked.

use crate::codec;

use super::error::Damage;

/// Reads fields from the front of a slice.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    what: &'static str,
}

impl<'a> Reader<'a> {
    /// `what` names the bytes in errors.
    pub(super) fn new(bytes: &'a [u8], what: &'static str) -> Self {
        Self { rest: bytes, what }
    }

    /// The next `count` bytes.
    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], Damage> {
        let (taken, rest) =
            self.rest.split_at_checked(count).ok_or(Damage::Truncated(self.what))?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Damage> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(Damage::Truncated(self.what))?;
        self.rest = rest;
        Ok(*taken)
    }

    /// One byte.
    pub(super) fn u8(&mut self) -> Result<u8, Damage> {
        self.array().map(u8::from_le_bytes)
    }

    /// Two bytes.
    pub(super) fn u16(&mut self) -> Result<u16, Damage> {
        self.array().map(u16::from_le_bytes)
    }

    /// Four bytes.
    pub(super) fn u32(&mut self) -> Result<u32, Damage> {
        self.array().map(u32::from_le_bytes)
    }

    /// Eight bytes.
    pub(super) fn u64(&mut self) -> Result<u64, Damage> {
        self.array().map(u64::from_le_bytes)
    }

    /// Eight bytes with a sign.
    pub(super) fn i64(&mut self) -> Result<i64, Damage> {
        self.array().map(i64::from_le_bytes)
    }

    /// Sixteen bytes.
    pub(super) fn u128(&mut self) -> Result<u128, Damage> {
        self.array().map(u128::from_le_bytes)
    }

    /// A float's bits.
    pub(super) fn f64(&mut self) -> Result<f64, Damage> {
        self.array().map(f64::from_le_bytes)
    }

    /// A number of few bytes where it is small.
    #[inline]
    pub(super) fn varint(&mut self) -> Result<u64, Damage> {
        let (value, used) = codec::decode_varint(self.rest)?;
        self.rest = self.rest.get(used..).unwrap_or_default();
        Ok(value)
    }

    /// The same with a sign.
    pub(super) fn signed(&mut self) -> Result<i64, Damage> {
        self.varint().map(codec::unzigzag)
    }

    /// A count of things of which each takes at least `bytes_each` of what is left: so a false count
    /// cannot ask for memory that its bytes do not pay for.
    pub(super) fn count(&mut self, bytes_each: usize) -> Result<usize, Damage> {
        let count = usize::try_from(self.varint()?).map_err(|_| Damage::Truncated(self.what))?;
        if count.saturating_mul(bytes_each) > self.rest.len() {
            return Err(Damage::Truncated(self.what));
        }
        Ok(count)
    }

    /// A text behind its length.
    pub(super) fn text(&mut self) -> Result<&'a str, Damage> {
        let length = self.count(1)?;
        std::str::from_utf8(self.take(length)?)
            .map_err(|_| Damage::Contradiction("text is not UTF-8"))
    }

    /// Runs a column decoder, which says how many bytes it used.
    pub(super) fn column(
        &mut self,
        decode: impl FnOnce(&'a [u8]) -> Result<usize, codec::Error>,
    ) -> Result<(), Damage> {
        let used = decode(self.rest)?;
        self.rest = self.rest.get(used..).ok_or(Damage::Truncated(self.what))?;
        Ok(())
    }

    /// What was not read yet.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Whether everything was read.
    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }
}

/// Appends a text behind its length.
pub(super) fn put_text(text: &str, out: &mut Vec<u8>) {
    codec::encode_varint(text.len() as u64, out);
    out.extend_from_slice(text.as_bytes());
}

/// Appends a number with a sign.
pub(super) fn put_signed(value: i64, out: &mut Vec<u8>) {
    codec::encode_varint(codec::zigzag(value), out);
}
