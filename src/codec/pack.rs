//! Numbers of one width, bit after bit: eight of them take exactly `width` bytes.
//!
//! Widths are 0 to 56, so that a number never needs more than one eight-byte load, and 64.
//! Idea: the frame of reference of Zukowski et al., "Super-Scalar RAM-CPU Cache Compression",
//! ICDE 2006; in groups of eight rather than 64 because most columns here have about a hundred rows.

use super::Error;
use super::bits::{load, mask};

/// The widest that is packed; a wider number takes 64 bits.
pub(super) const WIDTH_MAX: u32 = 56;
/// Rows that share a whole number of bytes.
const GROUP: usize = 8;
/// Bytes of a group, and of the load that begins in its last.
const GROUP_BYTES: usize = WIDTH_MAX as usize + 8;

/// What a column is decoded into: eight bytes that hold a whole number or a float's bits.
pub(super) trait Word: Copy {
    fn from_int(int: i64) -> Self;
    fn int(self) -> i64;
}

impl Word for i64 {
    #[inline]
    fn from_int(int: i64) -> Self {
        int
    }
    #[inline]
    fn int(self) -> i64 {
        self
    }
}

impl Word for f64 {
    #[inline]
    fn from_int(int: i64) -> Self {
        Self::from_bits(int.cast_unsigned())
    }
    #[inline]
    fn int(self) -> i64 {
        self.to_bits().cast_signed()
    }
}

/// The width that numbers of `width` bits are packed in.
pub(super) const fn packed_width(width: u32) -> u32 {
    if width > WIDTH_MAX { 64 } else { width }
}

/// Bytes of `rows` numbers of `width` bits.
pub(super) const fn packed_bytes(rows: usize, width: u32) -> usize {
    (rows * width as usize).div_ceil(8)
}

/// Appends the lowest `width` bits of each number.
pub(super) fn pack(numbers: impl Iterator<Item = u64>, width: u32, out: &mut Vec<u8>) {
    if width == 0 {
        return;
    }
    let (mut word, mut used, mask) = (0, 0, mask(width));
    for number in numbers {
        let number = number & mask;
        word |= number << used;
        used += width;
        if used >= 64 {
            out.extend_from_slice(&u64::to_le_bytes(word));
            used -= 64;
            // What did not fit; shifted twice, since all 64 bits may have.
            word = (number >> 1) >> (width - used - 1);
        }
    }
    let rest = word.to_le_bytes();
    out.extend(rest.iter().take((used as usize).div_ceil(8)));
}

/// Reads numbers that [`pack`] wrote into all of `out`; returns the bytes used.
///
/// # Errors
/// [`Error::Truncated`], or [`Error::OutOfRange`] for a width that is none.
pub(super) fn unpack<T: Word>(bytes: &[u8], width: u32, out: &mut [T]) -> Result<usize, Error> {
    let used = packed_bytes(out.len(), width);
    if used > bytes.len() {
        return Err(Error::Truncated { len: bytes.len() });
    }
    match width {
        0 => out.fill(T::from_int(0)),
        1..=WIDTH_MAX => unpack_groups(bytes, width, out),
        64 => {
            for (slot, word) in out.iter_mut().zip(bytes.as_chunks::<8>().0) {
                *slot = T::from_int(i64::from_le_bytes(*word));
            }
        }
        _ => return Err(Error::OutOfRange { what: "width", found: width.into(), limit: 64 }),
    }
    Ok(used)
}

fn unpack_groups<T: Word>(bytes: &[u8], width: u32, out: &mut [T]) {
    let group_bytes = width as usize;
    let steps = Steps::new(width);
    let mut start = 0;
    for group in out.chunks_mut(GROUP) {
        match bytes.get(start..start + group_bytes + 8) {
            Some(window) if group.len() == GROUP => steps.read(window, group),
            _ => {
                let mut window = [0; GROUP_BYTES];
                let rest = bytes.get(start..).unwrap_or_default();
                for (slot, byte) in window.iter_mut().zip(rest) {
                    *slot = *byte;
                }
                steps.read(&window, group);
            }
        }
        start += group_bytes;
    }
}

/// Where in its group each number begins: the same for all groups.
struct Steps {
    at: [(usize, u32); GROUP],
    mask: u64,
}

impl Steps {
    fn new(width: u32) -> Self {
        let mut bit = 0;
        let at = [(); GROUP].map(|()| {
            let step = ((bit >> 3) as usize, bit & 7);
            bit += width;
            step
        });
        Self { at, mask: mask(width) }
    }

    #[inline]
    fn read<T: Word>(&self, window: &[u8], group: &mut [T]) {
        for (slot, (byte, shift)) in group.iter_mut().zip(self.at) {
            *slot = T::from_int((load(window, byte) >> shift & self.mask).cast_signed());
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn packed_numbers_come_back(
            numbers in prop::collection::vec(any::<u64>(), 0..200), width in 0_u32..=64, behind: Vec<u8>
        ) {
            let width = packed_width(width);
            let mut bytes = Vec::new();
            pack(numbers.iter().copied(), width, &mut bytes);
            let used = bytes.len();
            prop_assert_eq!(used, packed_bytes(numbers.len(), width));
            let mut found = vec![0_i64; numbers.len()];
            for end in 0..used {
                prop_assert_eq!(unpack(&bytes[..end], width, &mut found), Err(Error::Truncated { len: end }));
            }
            let expected: Vec<i64> = numbers.iter().map(|n| (n & mask(width)).cast_signed()).collect();
            prop_assert_eq!(unpack(&bytes, width, &mut found), Ok(used));
            prop_assert_eq!(&found, &expected);
            bytes.extend(behind);
            prop_assert_eq!(unpack(&bytes, width, &mut found), Ok(used));
            prop_assert_eq!(&found, &expected, "bytes behind do not matter");
        }
    }

    #[test]
    fn a_width_that_is_none_is_refused() {
        for width in (WIDTH_MAX + 1..64).chain([65, 255]) {
            let error = unpack(&[0; 4096], width, &mut [0_i64; 8]);
            assert_eq!(
                error,
                Err(Error::OutOfRange { what: "width", found: width.into(), limit: 64 })
            );
        }
    }
}
