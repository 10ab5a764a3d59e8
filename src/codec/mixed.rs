//! Values of many series in one column, each packed on its own: the log's column.
//!
//! Neighbours of one request belong to different series, so differences say nothing. But most values
//! are integers or have few decimals: such a value is its integer in as few bytes as hold it.
//! Bytes: storage-format.md, "Mixed column".
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "each cast is checked by casting back and comparing bits"
)]

use super::{
    Error,
    varint::{unzigzag, zigzag},
};

/// Control byte of a value that is kept as its eight bytes.
const RAW: u8 = 0xff;
/// Powers of ten by the upper half of a control byte.
const SCALES: [f64; 3] = [1.0, 1e2, 1e4];
/// Integers up to here are exact as floats.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// Appends a control byte for each value, then the bytes that each needs.
pub fn encode_mixed(values: &[f64], out: &mut Vec<u8>) {
    let controls_at = out.len();
    out.resize(controls_at + values.len(), 0);
    out.reserve(values.len() * 8);
    for (index, value) in values.iter().enumerate() {
        let (control, bits) = pack(*value);
        let count = usize::from(if control == RAW { 8 } else { control & 0xf });
        out.extend_from_slice(bits.to_le_bytes().get(..count).unwrap_or_default());
        if let Some(slot) = out.get_mut(controls_at + index) {
            *slot = control;
        }
    }
}

/// The control byte, and the bytes to keep as the low end of a number.
#[inline]
fn pack(value: f64) -> (u8, u64) {
    for (scale_index, scale) in SCALES.iter().enumerate() {
        let scaled = value * scale;
        let whole = (scaled + 0.5_f64.copysign(scaled)) as i64;
        let is_near = (whole as f64 - scaled).abs() <= scaled.abs() * 4e-16;
        if is_near
            && scaled.abs() < EXACT_MAX
            && (whole as f64 / scale).to_bits() == value.to_bits()
        {
            let packed = zigzag(whole);
            let count = 8 - packed.leading_zeros() / 8;
            return ((scale_index as u8) << 4 | count as u8, packed);
        }
    }
    (RAW, value.to_bits())
}

/// Reads the `rows` values that [`encode_mixed`] wrote, pushed to `out`; the bytes used.
///
/// # Errors
/// [`Error::Truncated`] where `bytes` end before the last row; a control byte that was never written.
pub fn decode_mixed(bytes: &[u8], rows: usize, out: &mut Vec<f64>) -> Result<usize, Error> {
    let truncated = Error::Truncated { len: bytes.len() };
    let (controls, mut rest) = bytes.split_at_checked(rows).ok_or(truncated)?;
    out.reserve(rows);
    for control in controls {
        let count = if *control == RAW { 8 } else { usize::from(control & 0xf) };
        let taken = rest.get(..count).ok_or(truncated)?;
        let bits = match rest.first_chunk::<8>() {
            // One load and a mask where eight bytes are there, whatever the count.
            Some(eight) if count <= 8 => {
                u64::from_le_bytes(*eight)
                    & u64::MAX.checked_shr(64 - 8 * count as u32).unwrap_or(0)
            }
            _ => taken.iter().rev().fold(0, |bits, byte| bits << 8 | u64::from(*byte)),
        };
        rest = rest.get(count..).unwrap_or_default();
        out.push(unpack(*control, bits)?);
    }
    Ok(bytes.len() - rest.len())
}

#[inline]
fn unpack(control: u8, bits: u64) -> Result<f64, Error> {
    if control == RAW {
        return Ok(f64::from_bits(bits));
    }
    let found = u64::from(control);
    let misplaced = Error::OutOfRange { what: "control byte", found, limit: 0x28 };
    let scale = SCALES.get(usize::from(control >> 4)).ok_or(misplaced)?;
    if control & 0xf > 8 {
        return Err(misplaced);
    }
    Ok(unzigzag(bits) as f64 / scale)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(values: &[f64]) {
        let mut bytes = vec![7];
        encode_mixed(values, &mut bytes);
        let mut back = Vec::new();
        assert_eq!(decode_mixed(&bytes[1..], values.len(), &mut back), Ok(bytes.len() - 1));
        assert!(
            back.iter().map(|v| v.to_bits()).eq(values.iter().map(|v| v.to_bits())),
            "{values:?} {back:?}"
        );
    }

    #[test]
    fn odd_values_come_back_bit_for_bit() {
        let stale = f64::from_bits(0x7ff0_0000_0000_0002);
        check(&[
            0.0,
            -0.0,
            1.0,
            -1.0,
            0.1,
            12.34,
            5e-324,
            f64::MAX,
            f64::INFINITY,
            f64::NAN,
            stale,
            2f64.powi(53),
        ]);
        check(&[-2f64.powi(63), 1e18, 99.9999, 1.0 / 3.0, i64::MAX as f64]);
    }

    #[test]
    fn small_integers_and_cents_take_few_bytes() {
        let mut bytes = Vec::new();
        encode_mixed(&[0.0, 7.0, 300.0, 12.34], &mut bytes);
        assert_eq!(bytes.len(), 4 + 1 + 2 + 2);
    }

    proptest! {
        #[test]
        fn decode_undoes_encode(bits: Vec<u64>, cents: Vec<i32>) {
            check(&bits.iter().map(|b| f64::from_bits(*b)).collect::<Vec<_>>());
            check(&cents.iter().map(|c| f64::from(*c) / 100.0).collect::<Vec<_>>());
        }

        #[test]
        fn any_bytes_are_values_or_an_error(bytes: Vec<u8>, rows in 0_usize..300) {
            let mut out = Vec::new();
            if decode_mixed(&bytes, rows, &mut out).is_ok() {
                prop_assert_eq!(out.len(), rows);
            }
        }
    }
}
