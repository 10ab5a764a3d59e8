//! A column of floats, bit for bit: NaN payloads, -0 and staleness markers included.
//!
//! Most measured values are whole numbers or decimals of a few digits, and then the encodings of
//! whole numbers serve (`ints.rs`). Only where that is dear are the floats' own bits tried.
//! Bytes: storage-format.md, "Columns of floats".
#![expect(
    clippy::cast_precision_loss,
    reason = "the writer checked that the quotient is the float"
)]

use super::Error;
use super::bits::{self, Reader};
use super::decimals::{DIGITS_MAX, Decimals, power};
use super::encoding::{ASIDE_MAX, Encoding, Tag};
use super::ints::{Place, decode_column, encode_column, push_rows};
use super::varint::{decode_varint, encode_varint};
use super::xor::Window;

/// Decimals of no more bits a row than this are taken without asking the others.
const CHEAP_ROW_BITS: usize = 16;
/// What [`Encoding::Xor`] takes for a row at most: 14 bits and 64.
const XOR_ROW_BYTES_MAX: usize = 10;
/// Turned left by so many bits, NaN is 4095 and the staleness marker 20478: few bytes as varints.
const TURN: u32 = 13;

/// Appends `values` in the encoding that takes the fewest bytes. At most
/// [`COLUMN_ROWS_MAX`](super::COLUMN_ROWS_MAX).
pub fn encode_floats(values: &[f64], out: &mut Vec<u8>) {
    debug_assert!(values.len() <= super::COLUMN_ROWS_MAX, "no reader would take so many rows");
    let start = out.len();
    if let Some(decimals) = Decimals::of(values) {
        encode_decimals(&decimals, out);
        if (out.len() - start) * 8 <= values.len() * CHEAP_ROW_BITS {
            return;
        }
    }
    if let Some(bits) = constant_bits(values) {
        keep_smaller(start, out, |out| encode_constant(bits, out));
    } else {
        keep_smaller(start, out, |out| encode_bits(values, out));
        keep_smaller(start, out, |out| encode_xor(values, out));
    }
}

/// Has a column appended and keeps it, if it is smaller, in place of the one that begins at `start`.
fn keep_smaller(start: usize, out: &mut Vec<u8>, encode: impl FnOnce(&mut Vec<u8>)) {
    let rival = out.len();
    encode(out);
    let rival_bytes = out.len() - rival;
    if rival == start || rival_bytes < rival - start {
        out.copy_within(rival.., start);
        out.truncate(start + rival_bytes);
    } else {
        out.truncate(rival);
    }
}

/// Reads the `rows` values that [`encode_floats`] wrote, pushes them and returns the bytes used.
/// Bytes behind them are left alone; on an error nothing is pushed.
///
/// # Errors
/// [`Error`], of which streams and strings have some to themselves.
pub fn decode_floats(bytes: &[u8], rows: usize, out: &mut Vec<f64>) -> Result<usize, Error> {
    push_rows(rows, 0.0, out, |slots| {
        let tag = Tag::decode(bytes)?;
        let behind = bytes.get(1..).unwrap_or_default();
        let used = match tag.encoding {
            Encoding::Constant => tag.bare().and_then(|()| decode_constant(behind, slots))?,
            Encoding::Decimal => decode_decimals(tag, behind, slots)?,
            Encoding::PatchedDecimal => decode_patched_decimals(tag, behind, slots)?,
            Encoding::Bits => {
                tag.bare().and_then(|()| decode_column(behind, Place::Column, slots))?
            }
            Encoding::Xor => tag.bare().and_then(|()| decode_xor(behind, slots))?,
            Encoding::Stride
            | Encoding::Packed
            | Encoding::Delta
            | Encoding::DeltaDelta
            | Encoding::PatchedPacked
            | Encoding::PatchedDelta
            | Encoding::PatchedDeltaDelta
            | Encoding::Runs
            | Encoding::Dictionary
            | Encoding::Raw => return Err(tag.encoding.misplaced()),
        };
        Ok(1 + used)
    })
}

/// The bits that all values have; 0 where there are no values.
fn constant_bits(values: &[f64]) -> Option<u64> {
    let first = values.first().map_or(0, |value| value.to_bits());
    values.iter().all(|value| value.to_bits() == first).then_some(first)
}

fn encode_constant(bits: u64, out: &mut Vec<u8>) {
    out.push(Tag::new(Encoding::Constant, 0).byte());
    out.extend(bits.to_le_bytes());
}

fn decode_constant(bytes: &[u8], out: &mut [f64]) -> Result<usize, Error> {
    let bits = bytes.first_chunk::<8>().ok_or(Error::Truncated { len: bytes.len() })?;
    out.fill(f64::from_bits(u64::from_le_bytes(*bits)));
    Ok(bits.len())
}

fn encode_decimals(decimals: &Decimals, out: &mut Vec<u8>) {
    let patched = !decimals.positions.is_empty();
    let encoding = if patched { Encoding::PatchedDecimal } else { Encoding::Decimal };
    let digits = u8::try_from(decimals.digits).unwrap_or(u8::MAX);
    out.push(Tag::new(encoding, digits.min(ASIDE_MAX)).byte());
    if digits >= ASIDE_MAX {
        out.push(digits);
    }
    encode_column(&decimals.numbers, Place::Column, out);
    if patched {
        let special = decimals.bits.iter().all(|bits| is_special(*bits));
        encode_varint(decimals.positions.len() as u64 * 2 + u64::from(special), out);
        encode_column(&decimals.positions, Place::Inside, out);
        if special {
            let turned: Vec<i64> = decimals.bits.iter().map(|b| b.rotate_left(TURN)).collect();
            encode_column(&turned, Place::Inside, out);
        } else {
            encode_column(&decimals.bits, Place::Inside, out);
        }
    }
}

fn decode_decimals(tag: Tag, bytes: &[u8], out: &mut [f64]) -> Result<usize, Error> {
    let (digits, digits_bytes) = match tag.aside {
        ASIDE_MAX => (*bytes.first().ok_or(Error::Truncated { len: 0 })?, 1),
        digits => (digits, 0),
    };
    let Some(power) = power(usize::from(digits)) else {
        let limit = DIGITS_MAX as u64;
        return Err(Error::OutOfRange { what: "digits", found: digits.into(), limit });
    };
    let numbers = bytes.get(digits_bytes..).unwrap_or_default();
    let used = digits_bytes + decode_column(numbers, Place::Column, out)?;
    if digits == 0 {
        for slot in out {
            *slot = slot.to_bits().cast_signed() as f64;
        }
    } else {
        for slot in out {
            *slot = slot.to_bits().cast_signed() as f64 / power;
        }
    }
    Ok(used)
}

/// NaN or infinite, which few low and high bits tell apart.
fn is_special(bits: i64) -> bool {
    !f64::from_bits(bits.cast_unsigned()).is_finite()
}

fn decode_patched_decimals(tag: Tag, bytes: &[u8], out: &mut [f64]) -> Result<usize, Error> {
    let mut used = decode_decimals(tag, bytes, out)?;
    let (found, count_bytes) = decode_varint(bytes.get(used..).unwrap_or_default())?;
    used += count_bytes;
    let limit = out.len() as u64;
    let (found, turn) = (found / 2, if found % 2 == 1 { TURN } else { 0 });
    if found > limit {
        return Err(Error::OutOfRange { what: "rows apart", found, limit });
    }
    let count = usize::try_from(found).unwrap_or(usize::MAX);
    let (mut positions, mut values) = (vec![0_i64; count], vec![0_i64; count]);
    used += decode_column(bytes.get(used..).unwrap_or_default(), Place::Inside, &mut positions)?;
    used += decode_column(bytes.get(used..).unwrap_or_default(), Place::Inside, &mut values)?;
    for (position, value) in positions.into_iter().zip(values) {
        let found = position.cast_unsigned();
        let slot = usize::try_from(found).ok().and_then(|position| out.get_mut(position));
        let slot = slot.ok_or(Error::OutOfRange { what: "row", found, limit })?;
        *slot = f64::from_bits(value.rotate_right(turn).cast_unsigned());
    }
    Ok(used)
}

fn encode_bits(values: &[f64], out: &mut Vec<u8>) {
    let bits: Vec<i64> = values.iter().map(|value| value.to_bits().cast_signed()).collect();
    out.push(Tag::new(Encoding::Bits, 0).byte());
    encode_column(&bits, Place::Column, out);
}

fn encode_xor(values: &[f64], out: &mut Vec<u8>) {
    out.push(Tag::new(Encoding::Xor, 0).byte());
    let start = out.len();
    out.resize(start + values.len() * XOR_ROW_BYTES_MAX, 0);
    let buffer = out.get_mut(start..).unwrap_or_default();
    let (mut window, mut last, mut at) = (Window::NONE, 0, 0);
    for value in values {
        let value = value.to_bits();
        let (code, next) = window.encode(last, value);
        bits::put(buffer, at, code.head, code.head_bits);
        at += code.head_bits as usize;
        bits::put(buffer, at, code.body, code.body_bits);
        at += code.body_bits as usize;
        (window, last) = (next, value);
    }
    out.truncate(start + at.div_ceil(8));
}

fn decode_xor(bytes: &[u8], out: &mut [f64]) -> Result<usize, Error> {
    let (mut window, mut last, mut reader) = (Window::NONE, 0, Reader::new(bytes, 0));
    for slot in out {
        last = window.decode(last, &mut reader);
        *slot = f64::from_bits(last);
    }
    reader.finish()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::encoding_of;
    use super::*;

    fn encoded(values: &[f64]) -> Vec<u8> {
        let mut bytes = Vec::new();
        encode_floats(values, &mut bytes);
        bytes
    }

    fn decoded(bytes: &[u8], rows: usize) -> Result<(Vec<u64>, usize), Error> {
        let mut out = vec![7.0];
        let used = decode_floats(bytes, rows, &mut out);
        assert_eq!(out.remove(0), 7.0, "what was there stays");
        assert!(used.is_ok() || out.is_empty(), "an error pushes nothing");
        used.map(|used| (out.iter().map(|value| value.to_bits()).collect(), used))
    }

    /// Encodes, reads back, cuts at every byte; returns the encoding and its bytes.
    fn check(values: &[f64]) -> (Encoding, usize) {
        let mut bytes = encoded(values);
        let len = bytes.len();
        for end in 0..len {
            assert!(decoded(&bytes[..end], values.len()).is_err(), "cut at {end} of {bytes:?}");
        }
        bytes.extend([0xff; 3]);
        let bits = values.iter().map(|value| value.to_bits()).collect();
        assert_eq!(decoded(&bytes, values.len()), Ok((bits, len)));
        (encoding_of(&bytes).unwrap(), len)
    }

    fn special() -> impl Strategy<Value = f64> {
        let stale = f64::from_bits(0x7ff0_0000_0000_0002);
        let odd_nan = f64::from_bits(0xfff8_dead_beef_0001);
        prop::sample::select(vec![
            stale,
            odd_nan,
            -0.0,
            0.0,
            5e-324,
            -1e-310,
            f64::MAX,
            f64::INFINITY,
            f64::NEG_INFINITY,
            9_007_199_254_740_993.0,
            9.223_372_036_854_776e18,
            -9.223_372_036_854_776e18,
            0.1 + 0.2,
        ])
    }

    /// A random walk in steps of a power of ten, with special values strewn in.
    fn walk() -> impl Strategy<Value = Vec<f64>> {
        let step = prop_oneof![4 => -20_i32..20, 2 => Just(0), 1 => -100_000_i32..100_000];
        let row = prop_oneof![30 => step.prop_map(Ok), 1 => special().prop_map(Err)];
        (any::<i32>(), 0_i32..20, prop::collection::vec(row, 0..140)).prop_map(
            |(first, digits, rows)| {
                let mut number = i64::from(first);
                let float = |row: Result<i32, f64>| match row {
                    Ok(step) => {
                        number += i64::from(step);
                        format!("{number}e-{digits}").parse().unwrap()
                    }
                    Err(special) => special,
                };
                rows.into_iter().map(float).collect()
            },
        )
    }

    proptest! {
        #[test]
        fn walks_come_back(values in walk()) {
            check(&values);
        }

        #[test]
        fn any_bits_come_back(bits in prop::collection::vec(any::<u64>(), 0..60), shift in 0_u32..64) {
            let values: Vec<f64> = bits.into_iter().map(|bits| f64::from_bits(bits >> shift << shift)).collect();
            check(&values);
        }

        #[test]
        fn special_values_come_back(values in prop::collection::vec(special(), 0..60)) {
            check(&values);
        }

        #[test]
        fn any_bytes_decode_or_err(bytes: Vec<u8>, tag in 16_u8..20, aside in 0_u8..8, rows in 0_usize..200) {
            let _ = decoded(&bytes, rows);
            let _ = decoded(&[&[tag | aside << 5], bytes.as_slice()].concat(), rows);
        }

        #[test]
        fn damaged_columns_decode_or_err(values in walk(), at: usize, flip in 1_u8..) {
            let mut bytes = encoded(&values);
            let at = at % bytes.len();
            bytes[at] ^= flip;
            let _ = decoded(&bytes, values.len());
        }
    }

    #[test]
    fn each_encoding_is_chosen_where_it_is_cheapest() {
        let mix = |i: u32| f64::from(i.wrapping_mul(0x9e37_79b9) >> 8);
        let column = |value: &dyn Fn(u32) -> f64| -> Vec<f64> { (0..120).map(value).collect() };
        let sticky = (0..120).scan(2.0, |last: &mut f64, i| {
            *last = if mix(i) % 2.0 == 0.0 { mix(i).sqrt() } else { *last };
            Some(*last)
        });
        let sticky = sticky.collect();
        let cases = [
            (Encoding::Decimal, column(&|_| 0.25), 3),
            (Encoding::Decimal, column(&|i| f64::from(i * 15)), 5),
            (Encoding::Decimal, column(&|i| (mix(i) % 1000.0).trunc() / 100.0), 160),
            (
                Encoding::PatchedDecimal,
                column(&|i| if i == 9 { f64::NAN } else { f64::from(i) }),
                20,
            ),
            (Encoding::Constant, column(&|_| 2.0_f64.sqrt()), 9),
            (Encoding::Bits, column(&|i| (1.0 + mix(i)).sqrt()), 840),
            (Encoding::Xor, sticky, 600),
        ];
        for (encoding, values, bytes_max) in cases {
            let (chosen, bytes) = check(&values);
            assert_eq!(chosen, encoding, "{bytes} bytes");
            assert!(bytes <= bytes_max, "{encoding:?}: {bytes} bytes");
        }
    }

    #[test]
    fn a_column_of_as_many_rows_as_there_may_be_comes_back() {
        let values: Vec<f64> = (0..65_536_u32)
            .map(|i| if i % 1000 == 7 { f64::NAN } else { f64::from(i ^ i << 7) / 10.0 })
            .collect();
        let bytes = encoded(&values);
        let bits = values.iter().map(|value| value.to_bits()).collect();
        assert_eq!(decoded(&bytes, values.len()), Ok((bits, bytes.len())));
    }

    #[test]
    fn more_digits_than_a_float_has_powers_are_refused() {
        let tag = Tag::new(Encoding::Decimal, ASIDE_MAX).byte();
        let expected = Error::OutOfRange { what: "digits", found: 23, limit: 22 };
        assert_eq!(decoded(&[tag, 23, 0, 0], 1), Err(expected));
    }

    #[test]
    fn pages_to_come_are_unknown_by_number() {
        assert_eq!(decoded(&[24, 0, 0], 1), Err(Error::UnknownEncoding { number: 24 }));
        assert_eq!(decoded(&[25, 0, 0], 1), Err(Error::UnknownEncoding { number: 25 }));
    }
}
