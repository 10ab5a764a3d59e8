//! Numbers of few bytes where they are small: LEB128, and zigzag for those with a sign.
#![expect(clippy::cast_possible_truncation, reason = "bytes are cut off on purpose")]

use super::Error;

/// Bytes of the longest.
pub const VARINT_BYTES_MAX: usize = 10;

/// Appends `value`, seven bits a byte, lowest first.
pub fn encode_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Reads what [`encode_varint`] wrote: the value, and how many bytes it took.
///
/// # Errors
/// [`Error::Truncated`] where no byte ends the number, [`Error::OutOfRange`] where it is over 64 bits.
#[inline]
pub fn decode_varint(bytes: &[u8]) -> Result<(u64, usize), Error> {
    let mut value = 0;
    for (index, byte) in bytes.iter().take(VARINT_BYTES_MAX).enumerate() {
        let part = u64::from(byte & 0x7f);
        if index + 1 == VARINT_BYTES_MAX && *byte > 1 {
            return Err(Error::OutOfRange { what: "varint byte", found: part, limit: 1 });
        }
        value |= part << (7 * index);
        if *byte < 0x80 {
            return Ok((value, index + 1));
        }
    }
    Err(Error::Truncated { len: bytes.len() })
}

/// How many bytes [`encode_varint`] would append.
pub const fn varint_bytes(value: u64) -> usize {
    (64 - (value | 1).leading_zeros() as usize).div_ceil(7)
}

/// 0, -1, 1, -2, … as 0, 1, 2, 3, …
#[inline]
pub const fn zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63).cast_unsigned()
}

/// Undoes [`zigzag`].
#[inline]
pub const fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn varints_come_back(value: u64, shift in 0_u32..64, rest: Vec<u8>) {
            let value = value >> shift;
            let mut bytes = Vec::new();
            encode_varint(value, &mut bytes);
            let len = bytes.len();
            prop_assert_eq!(len, varint_bytes(value));
            for end in 0..len {
                prop_assert_eq!(decode_varint(&bytes[..end]), Err(Error::Truncated { len: end }));
            }
            bytes.extend(rest);
            prop_assert_eq!(decode_varint(&bytes), Ok((value, len)));
        }

        #[test]
        fn zigzag_comes_back(value: i64) {
            prop_assert_eq!(unzigzag(zigzag(value)), value);
        }
    }

    #[test]
    fn more_than_64_bits_are_refused() {
        let mut bytes = [0xff; 10];
        assert!(matches!(decode_varint(&bytes), Err(Error::OutOfRange { .. })));
        bytes[9] = 1;
        assert_eq!(decode_varint(&bytes), Ok((u64::MAX, 10)));
    }
}
