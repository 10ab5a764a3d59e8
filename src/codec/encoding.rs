//! The tag that begins every column: which encoding, and three bits of its own.
//!
//! ```text
//!   7 6 5   4 3 2 1 0
//!   aside   encoding number
//! ```
//!
//! `aside` is the scale of whole numbers or the exponent of decimals; elsewhere it is 0.
//! Numbers are never given twice: a number that has been in a release keeps its meaning.

use super::Error;

/// How the rows of a column are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[repr(u8)]
pub enum Encoding {
    /// One value for all rows.
    Constant = 0,
    /// First value and step.
    Stride = 1,
    /// Distance from a base, bit-packed: frame of reference.
    Packed = 2,
    /// Differences, bit-packed.
    Delta = 3,
    /// Second differences, bit-packed.
    DeltaDelta = 4,
    /// [`Encoding::Packed`], with the high bits of a few rows apart.
    PatchedPacked = 5,
    /// [`Encoding::Delta`], with the high bits of a few rows apart.
    PatchedDelta = 6,
    /// [`Encoding::DeltaDelta`], with the high bits of a few rows apart.
    PatchedDeltaDelta = 7,
    /// Values with how often each repeats.
    Runs = 8,
    /// The distinct values, and for each row which.
    Dictionary = 9,
    /// Eight bytes a row.
    Raw = 10,
    /// Floats as whole numbers divided by a power of ten.
    Decimal = 16,
    /// [`Encoding::Decimal`], with rows apart that are no such decimals.
    PatchedDecimal = 17,
    /// Floats' bits as whole numbers.
    Bits = 18,
    /// Floats, each by the bits in which it differs from the one before.
    Xor = 19,
}

/// Numbers of entropy-coded pages, kept for a writer to come: pco, then zstd.
pub const RESERVED_FOR_PAGES: [u8; 2] = [24, 25];
/// Numbers that no release will ever give a meaning: for trials.
pub const RESERVED_FOR_TRIALS: [u8; 4] = [28, 29, 30, 31];

const NUMBER_BITS: u32 = 5;
/// The largest `aside`.
pub(super) const ASIDE_MAX: u8 = 7;

/// Every encoding there is.
pub const ENCODINGS: [Encoding; 15] = [
    Encoding::Constant,
    Encoding::Stride,
    Encoding::Packed,
    Encoding::Delta,
    Encoding::DeltaDelta,
    Encoding::PatchedPacked,
    Encoding::PatchedDelta,
    Encoding::PatchedDeltaDelta,
    Encoding::Runs,
    Encoding::Dictionary,
    Encoding::Raw,
    Encoding::Decimal,
    Encoding::PatchedDecimal,
    Encoding::Bits,
    Encoding::Xor,
];

impl Encoding {
    /// The name that `inspect` prints.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::Stride => "stride",
            Self::Packed => "packed",
            Self::Delta => "delta",
            Self::DeltaDelta => "delta-delta",
            Self::PatchedPacked => "patched-packed",
            Self::PatchedDelta => "patched-delta",
            Self::PatchedDeltaDelta => "patched-delta-delta",
            Self::Runs => "runs",
            Self::Dictionary => "dictionary",
            Self::Raw => "raw",
            Self::Decimal => "decimal",
            Self::PatchedDecimal => "patched-decimal",
            Self::Bits => "bits",
            Self::Xor => "xor",
        }
    }

    /// The number in the tag.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The error for this encoding where it may not stand.
    pub(super) const fn misplaced(self) -> Error {
        Error::MisplacedEncoding { number: self.number() }
    }
}

/// The encoding of a column, and nothing more: the rest may still be damaged.
///
/// # Errors
/// [`Error::Truncated`] where there are no bytes, [`Error::UnknownEncoding`].
pub fn encoding_of(bytes: &[u8]) -> Result<Encoding, Error> {
    Ok(Tag::decode(bytes)?.encoding)
}

/// The first byte of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tag {
    pub(super) encoding: Encoding,
    pub(super) aside: u8,
}

impl Tag {
    pub(super) const fn new(encoding: Encoding, aside: u8) -> Self {
        debug_assert!(aside <= ASIDE_MAX, "three bits");
        Self { encoding, aside }
    }

    /// Refuses an aside where it has no meaning, so that it may be given one later.
    pub(super) const fn bare(self) -> Result<(), Error> {
        if self.aside == 0 {
            return Ok(());
        }
        Err(Error::OutOfRange { what: "aside", found: self.aside as u64, limit: 0 })
    }

    pub(super) const fn byte(self) -> u8 {
        self.encoding.number() | self.aside << NUMBER_BITS
    }

    #[inline]
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let byte = *bytes.first().ok_or(Error::Truncated { len: 0 })?;
        let number = byte & ((1 << NUMBER_BITS) - 1);
        let encoding = match number {
            0 => Encoding::Constant,
            1 => Encoding::Stride,
            2 => Encoding::Packed,
            3 => Encoding::Delta,
            4 => Encoding::DeltaDelta,
            5 => Encoding::PatchedPacked,
            6 => Encoding::PatchedDelta,
            7 => Encoding::PatchedDeltaDelta,
            8 => Encoding::Runs,
            9 => Encoding::Dictionary,
            10 => Encoding::Raw,
            16 => Encoding::Decimal,
            17 => Encoding::PatchedDecimal,
            18 => Encoding::Bits,
            19 => Encoding::Xor,
            _ => return Err(Error::UnknownEncoding { number }),
        };
        Ok(Self { encoding, aside: byte >> NUMBER_BITS })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_has_a_number_of_its_own() {
        for encoding in ENCODINGS {
            for aside in 0..=ASIDE_MAX {
                let tag = Tag::new(encoding, aside);
                assert_eq!(Tag::decode(&[tag.byte()]), Ok(tag));
            }
            assert_eq!(encoding_of(&[encoding.number()]), Ok(encoding));
        }
    }

    #[test]
    fn numbers_kept_for_later_are_unknown_by_name() {
        for number in [RESERVED_FOR_PAGES.as_slice(), &RESERVED_FOR_TRIALS].concat() {
            let error = encoding_of(&[number]).unwrap_err();
            assert_eq!(error.to_string(), format!("unknown encoding {number}"));
        }
        assert_eq!(encoding_of(&[]), Err(Error::Truncated { len: 0 }));
    }
}
