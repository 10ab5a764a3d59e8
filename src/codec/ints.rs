//! A column of whole numbers: times, starts, counts, and the integers that floats turn into.
//!
//! Every encoding is asked what it would cost and the cheapest is written; of equals the one that
//! is quickest to decode. Most columns have about a hundred rows, so headers are a few bytes.
//! Bytes: storage-format.md, "Columns of whole numbers".

use std::borrow::Cow;

use super::differences::{self, Packed};
use super::encoding::{Encoding, Tag};
use super::pack::{Word, unpack};
use super::scale::Scale;
use super::varint::{decode_varint, encode_varint, unzigzag, zigzag};
use super::{COLUMN_ROWS_MAX, Error, dictionary, runs};

/// Appends `values` in the encoding that takes the fewest bytes. At most [`COLUMN_ROWS_MAX`].
pub fn encode_ints(values: &[i64], out: &mut Vec<u8>) {
    debug_assert!(values.len() <= COLUMN_ROWS_MAX, "no reader would take so many rows");
    encode_column(values, Place::Column, out);
}

/// Reads the `rows` values that [`encode_ints`] wrote, pushes them and returns the bytes used.
/// Bytes behind them are left alone; on an error nothing is pushed.
///
/// # Errors
/// [`Error`], of which streams and strings have some to themselves.
pub fn decode_ints(bytes: &[u8], rows: usize, out: &mut Vec<i64>) -> Result<usize, Error> {
    push_rows(rows, 0, out, |slots| decode_column(bytes, Place::Column, slots))
}

/// Lends `fill` the space of `rows` new rows, and takes it back where that fails.
pub(super) fn push_rows<T: Copy>(
    rows: usize,
    zero: T,
    out: &mut Vec<T>,
    fill: impl FnOnce(&mut [T]) -> Result<usize, Error>,
) -> Result<usize, Error> {
    if rows > COLUMN_ROWS_MAX {
        return Err(Error::TooManyRows { rows, limit: COLUMN_ROWS_MAX });
    }
    let len = out.len();
    out.resize(len + rows, zero);
    let filled = fill(out.get_mut(len..).unwrap_or_default());
    if filled.is_err() {
        out.truncate(len);
    }
    filled
}

/// Where a column stands: one inside another may not hold a third.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Column,
    Inside,
}

pub(super) fn encode_column(values: &[i64], place: Place, out: &mut Vec<u8>) {
    let first = values.first().copied().unwrap_or(0);
    if values.iter().all(|value| *value == first) {
        return encode_constant(first, out);
    }
    let scale = Scale::of(values);
    let units =
        if scale.is_one() { Cow::Borrowed(values) } else { Cow::Owned(scale.units(values)) };
    let deltas = differences::of(&units);
    if let [stride, others @ ..] = deltas.as_slice()
        && others.iter().all(|delta| delta == stride)
    {
        return encode_stride(first, first.wrapping_add(scale.value(*stride)), out);
    }
    let packed = Packed::plan(&units, &deltas);
    let packed_bytes = 1 + scale.bytes() + packed.bytes();
    let raw_bytes = 1 + size_of_val(values);
    let limit = packed_bytes.min(raw_bytes);
    if let Some(smaller) = encode_repeats(values, &deltas, limit, place) {
        out.extend(smaller);
    } else if raw_bytes < packed_bytes {
        out.push(Tag::new(Encoding::Raw, 0).byte());
        out.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    } else {
        out.push(Tag::new(packed.encoding(), scale.aside()).byte());
        scale.encode(out);
        packed.encode(&units, &deltas, out);
    }
}

fn encode_constant(value: i64, out: &mut Vec<u8>) {
    let scale = Scale::of_few(&[value]);
    out.push(Tag::new(Encoding::Constant, scale.aside()).byte());
    encode_varint(zigzag(scale.unit(value)), out);
}

fn encode_stride(first: i64, second: i64, out: &mut Vec<u8>) {
    let scale = Scale::of_few(&[first, second]);
    let (first, second) = (scale.unit(first), scale.unit(second));
    out.push(Tag::new(Encoding::Stride, scale.aside()).byte());
    encode_varint(zigzag(first), out);
    encode_varint(zigzag(second.wrapping_sub(first)), out);
}

/// The column as runs or as a dictionary, where that takes less than `limit` bytes. They hold
/// columns themselves, so what they cost is known when they are written.
fn encode_repeats(values: &[i64], deltas: &[i64], limit: usize, place: Place) -> Option<Vec<u8>> {
    if place == Place::Inside {
        return None;
    }
    let runs = runs::encode(values, deltas, limit);
    let limit = runs.as_ref().map_or(limit, Vec::len);
    dictionary::encode(values, limit).or(runs)
}

/// Reads a column into all of `out`; returns the bytes used.
#[inline]
pub(super) fn decode_column<T: Word>(
    bytes: &[u8],
    place: Place,
    out: &mut [T],
) -> Result<usize, Error> {
    let tag = Tag::decode(bytes)?;
    let behind = bytes.get(1..).unwrap_or_default();
    let used = match tag.encoding {
        Encoding::Runs | Encoding::Dictionary if place == Place::Inside => {
            return Err(tag.encoding.misplaced());
        }
        Encoding::Runs => tag.bare().and_then(|()| runs::decode(behind, out))?,
        Encoding::Dictionary => tag.bare().and_then(|()| dictionary::decode(behind, out))?,
        Encoding::Raw => tag.bare().and_then(|()| unpack(behind, 64, out))?,
        Encoding::Decimal | Encoding::PatchedDecimal | Encoding::Bits | Encoding::Xor => {
            return Err(tag.encoding.misplaced());
        }
        Encoding::Constant
        | Encoding::Stride
        | Encoding::Packed
        | Encoding::Delta
        | Encoding::DeltaDelta
        | Encoding::PatchedPacked
        | Encoding::PatchedDelta
        | Encoding::PatchedDeltaDelta => decode_scaled(tag, behind, out)?,
    };
    Ok(1 + used)
}

fn decode_scaled<T: Word>(tag: Tag, behind: &[u8], out: &mut [T]) -> Result<usize, Error> {
    let (scale, scale_bytes) = Scale::decode(tag, behind)?;
    let payload = behind.get(scale_bytes..).unwrap_or_default();
    let used = match tag.encoding {
        Encoding::Constant => {
            let (value, used) = decode_varint(payload)?;
            out.fill(T::from_int(scale.value(unzigzag(value))));
            return Ok(scale_bytes + used);
        }
        Encoding::Stride => decode_stride(payload, out)?,
        _ => differences::decode(tag.encoding, payload, out)?,
    };
    if !scale.is_one() {
        for slot in out {
            *slot = T::from_int(scale.value(slot.int()));
        }
    }
    Ok(scale_bytes + used)
}

fn decode_stride<T: Word>(payload: &[u8], out: &mut [T]) -> Result<usize, Error> {
    let (first, first_bytes) = decode_varint(payload)?;
    let (stride, stride_bytes) = decode_varint(payload.get(first_bytes..).unwrap_or_default())?;
    let (mut value, stride) = (unzigzag(first), unzigzag(stride));
    for slot in out {
        *slot = T::from_int(value);
        value = value.wrapping_add(stride);
    }
    Ok(first_bytes + stride_bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::encoding_of;
    use super::*;

    fn encoded(values: &[i64]) -> Vec<u8> {
        let mut bytes = Vec::new();
        encode_ints(values, &mut bytes);
        bytes
    }

    fn decoded(bytes: &[u8], rows: usize) -> Result<(Vec<i64>, usize), Error> {
        let mut out = vec![7];
        let used = decode_ints(bytes, rows, &mut out);
        assert_eq!(out.remove(0), 7, "what was there stays");
        assert!(used.is_ok() || out.is_empty(), "an error pushes nothing");
        used.map(|used| (out, used))
    }

    /// Encodes, reads back, cuts at every byte; returns the encoding and its bytes.
    fn check(values: &[i64]) -> (Encoding, usize) {
        let mut bytes = encoded(values);
        let len = bytes.len();
        for end in 0..len {
            assert!(decoded(&bytes[..end], values.len()).is_err(), "cut at {end} of {bytes:?}");
        }
        bytes.extend([0xff; 3]);
        assert_eq!(decoded(&bytes, values.len()), Ok((values.to_vec(), len)));
        (encoding_of(&bytes).unwrap(), len)
    }

    /// A few shapes of real columns, mixed and damaged.
    fn column() -> impl Strategy<Value = Vec<i64>> {
        let step = prop_oneof![
            4 => Just(0_i64),
            4 => 0_i64..16,
            2 => -300_i64..300,
            1 => any::<i64>(),
        ];
        let unit = prop::sample::select(vec![1_i64, 25, 1_000, 4_096, 1_000_000, 1_000_000_000]);
        (any::<i64>(), 0_u32..64, prop::collection::vec(step, 0..140), unit, 0_u32..3).prop_map(
            |(first, shift, steps, unit, order)| {
                let mut value = first >> shift;
                let mut delta = 15_000_i64;
                let sum = |step: i64| {
                    delta = delta.wrapping_add(step);
                    match order {
                        0 => step,
                        1 => {
                            value = value.wrapping_add(step);
                            value
                        }
                        _ => {
                            value = value.wrapping_add(delta);
                            value
                        }
                    }
                };
                steps.into_iter().map(sum).map(|value| value.wrapping_mul(unit)).collect()
            },
        )
    }

    proptest! {
        #[test]
        fn columns_come_back(values in column()) {
            check(&values);
        }

        #[test]
        fn any_values_come_back(values in prop::collection::vec(any::<i64>(), 0..50)) {
            check(&values);
        }

        #[test]
        fn repeated_values_come_back(
            few in prop::collection::vec(any::<i64>(), 1..9),
            picks in prop::collection::vec((0_usize..9, 1_usize..20), 1..30)
        ) {
            let values: Vec<i64> =
                picks.iter().flat_map(|(pick, times)| vec![few[pick % few.len()]; *times]).collect();
            check(&values);
        }

        #[test]
        fn any_bytes_decode_or_err(bytes: Vec<u8>, tag in 0_u8..11, rows in 0_usize..200) {
            let _ = decoded(&bytes, rows);
            let _ = decoded(&[&[tag], bytes.as_slice()].concat(), rows);
        }

        #[test]
        fn damaged_columns_decode_or_err(values in column(), at: usize, flip in 1_u8..) {
            let mut bytes = encoded(&values);
            let at = at % bytes.len();
            bytes[at] ^= flip;
            let _ = decoded(&bytes, values.len());
        }
    }

    #[test]
    fn each_encoding_is_chosen_where_it_is_cheapest() {
        let mix = |i: i64| (i.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64.cast_signed()) >> 33).abs();
        let column = |value: &dyn Fn(i64) -> i64| -> Vec<i64> { (0..120).map(value).collect() };
        let cases = [
            (Encoding::Constant, column(&|_| -3), 2),
            (Encoding::Stride, column(&|i| 1_767_225_600_000 + i * 15_000), 8),
            (Encoding::Packed, column(&|i| 5 + mix(i) % 16), 63),
            (Encoding::Delta, column(&|i| i * 100 + mix(i) % 2), 40),
            (
                Encoding::PatchedPacked,
                column(&|i| if i % 50 == 9 { 1 << 40 } else { mix(i) % 16 }),
                90,
            ),
            (Encoding::PatchedDelta, column(&|i| i / 40 * 1_000_000 + 3 * i), 16),
            (Encoding::Runs, column(&|i| mix(i / 20)), 40),
            (Encoding::Dictionary, column(&|i| mix(mix(i) % 4)), 60),
            (Encoding::Raw, column(&|i| mix(i) << 33 ^ mix(i + 999)), 961),
        ];
        for (encoding, values, bytes_max) in cases {
            let (chosen, bytes) = check(&values);
            assert_eq!(chosen, encoding, "{bytes} bytes");
            assert!(bytes <= bytes_max, "{encoding:?}: {bytes} bytes");
        }
    }

    #[test]
    fn a_constant_takes_few_bytes() {
        for (value, bytes_max) in [(0, 2), (1, 2), (-64, 2), (1_767_225_600_000_000_000, 6)] {
            let (encoding, bytes) = check(&[value; 120]);
            assert_eq!(encoding, Encoding::Constant);
            assert!(bytes <= bytes_max, "{value}: {bytes} bytes");
        }
    }

    #[test]
    fn more_rows_than_a_column_may_have_allocate_nothing() {
        let mut out = Vec::new();
        let error = decode_ints(&[0, 0], COLUMN_ROWS_MAX + 1, &mut out);
        assert!(matches!(error, Err(Error::TooManyRows { .. })));
        assert_eq!(out.capacity(), 0);
        assert_eq!(decode_ints(&[0, 0], COLUMN_ROWS_MAX, &mut out), Ok(2));
    }

    #[test]
    fn a_column_inside_a_column_holds_no_third() {
        let runs_in_runs = [8, 1, 8, 1, 0, 0, 0, 0, 0, 0];
        assert_eq!(decoded(&runs_in_runs, 1), Err(Error::MisplacedEncoding { number: 8 }));
    }
}
