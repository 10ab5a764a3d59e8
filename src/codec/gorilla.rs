//! The head's open stream: times and values of one series, appended a row at a time.
//!
//! A row is its time's second difference, then its value (`xor.rs`); a steady row that repeats the
//! value is two bits. The bytes belong to the caller, who may move or grow them between two rows;
//! all that an append has to know is in the [`Cursor`].
//! Times are ticks of the caller's choice. Differences wrap, so any sequence of times comes back.
//! Bytes: storage-format.md, "Open stream".
//! Idea: Pelkonen et al., "Gorilla", VLDB 2015, section 4.1.
//!
//! | bits, first to last | second difference of the times, zigzagged |
//! | --- | --- |
//! | `0` | 0 |
//! | `1 0`, 7 bits | < 2⁷ |
//! | `1 1 0`, 12 bits | < 2¹² |
//! | `1 1 1 0`, 20 bits | < 2²⁰ |
//! | `1 1 1 1 0`, 32 bits | < 2³² |
//! | `1 1 1 1 1`, 64 bits | any |

use super::Error;
use super::bits::{self, Reader, mask};
use super::varint::{unzigzag, zigzag};
use super::xor::Window;

/// Bits of a second difference, by the number of ones before it.
const TIME_BITS: [u32; 5] = [0, 7, 12, 20, 32];
/// Ones before a second difference that none of [`TIME_BITS`] holds.
const TIME_RAW: u32 = 5;
/// Bits that one [`bits::put`] is sure to store in eight bytes.
const WORD_BITS: u32 = 57;

/// Where a stream ends: all that an append needs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cursor {
    time: i64,
    delta: i64,
    value: u64,
    bits: u32,
    rows: u16,
    window: Window,
}

const _: () = assert!(size_of::<Cursor>() == 32, "a head slot counts on it");

impl Cursor {
    /// Rows that a stream can hold.
    pub const ROWS_MAX: u32 = u16::MAX as u32;

    /// The cursor of an empty stream.
    pub const fn new() -> Self {
        let window = Window::NONE;
        Self { time: 0, delta: 0, value: 0, bits: 0, rows: 0, window }
    }

    /// How many rows there are.
    pub fn rows(&self) -> u32 {
        u32::from(self.rows)
    }

    /// How many bytes of the buffer are in use; those behind may hold anything.
    pub fn bytes(&self) -> usize {
        (self.bits as usize).div_ceil(8)
    }

    /// The time appended last; 0 where there is none.
    pub fn last_time(&self) -> i64 {
        self.time
    }

    /// The value appended last; 0 where there is none.
    pub fn last_value(&self) -> f64 {
        f64::from_bits(self.value)
    }

    /// Appends a row. None, and the stream as it was, where `buffer` is too short for it or the
    /// stream has [`Cursor::ROWS_MAX`] rows.
    #[inline]
    pub fn append(&mut self, buffer: &mut [u8], time: i64, value: f64) -> Option<()> {
        let rows = self.rows.checked_add(1)?;
        let delta = time.wrapping_sub(self.time);
        let change = zigzag(delta.wrapping_sub(self.delta));
        let (code, window) = self.window.encode(self.value, value.to_bits());

        let ones = time_class(change);
        let raw_bits = if ones == TIME_RAW { 64 } else { 0 };
        let (time_head, time_bits) = time_code(ones, change);
        let end = self.bits + time_bits + raw_bits + code.head_bits + code.body_bits;
        if end as usize > buffer.len() * 8 {
            return None;
        }

        let mut at = self.bits as usize;
        let (mut head, mut head_bits) = (time_head, time_bits);
        if ones == TIME_RAW {
            bits::put(buffer, at, head, head_bits);
            bits::put(buffer, at + head_bits as usize, change, 64);
            at += (head_bits + 64) as usize;
            (head, head_bits) = (0, 0);
        }
        head |= code.head << head_bits;
        head_bits += code.head_bits;
        if head_bits + code.body_bits <= WORD_BITS {
            bits::put(buffer, at, head | code.body << head_bits, head_bits + code.body_bits);
        } else {
            bits::put(buffer, at, head, head_bits);
            bits::put(buffer, at + head_bits as usize, code.body, code.body_bits);
        }

        // The first row has no row before it: its time is no pace.
        self.delta = if rows == 1 { 0 } else { delta };
        self.time = time;
        self.value = value.to_bits();
        self.bits = end;
        self.rows = rows;
        self.window = window;
        Some(())
    }

    /// The cursor of a stream of which only the rows and the bytes are left: reads it once.
    ///
    /// # Errors
    /// [`Error::Truncated`] where `buffer` ends before the last row, [`Error::TooManyRows`].
    pub fn recover(rows: u32, buffer: &[u8]) -> Result<Self, Error> {
        let limit = Self::ROWS_MAX as usize;
        let too_many = Error::TooManyRows { rows: rows as usize, limit };
        let rows = u16::try_from(rows).map_err(|_| too_many)?;
        let (mut cursor, reader) = replay(buffer, 0..rows, |_, _, _| ());
        reader.finish()?;
        cursor.rows = rows;
        cursor.bits = u32::try_from(reader.position()).map_err(|_| too_many)?;
        Ok(cursor)
    }
}

/// Decodes all rows of a stream: pushes a time and a value for each. On an error, pushes nothing.
///
/// # Errors
/// [`Error::Truncated`] where `buffer` ends before the last row, [`Error::Misaligned`] where the
/// rows end elsewhere than `cursor`.
pub fn decode(
    cursor: &Cursor,
    buffer: &[u8],
    times: &mut Vec<i64>,
    values: &mut Vec<f64>,
) -> Result<(), Error> {
    let Some(buffer) = buffer.get(..cursor.bytes()) else {
        return Err(Error::Truncated { len: buffer.len() });
    };
    let (times_len, values_len) = (times.len(), values.len());
    let rows = cursor.rows() as usize;
    times.resize(times_len + rows, 0);
    values.resize(values_len + rows, 0.0);
    let new_rows = times.iter_mut().skip(times_len).zip(values.iter_mut().skip(values_len));
    let (_, reader) = replay(buffer, new_rows, |(new_time, new_value), time, value| {
        *new_time = time;
        *new_value = f64::from_bits(value);
    });
    let (expected, found) = (u64::from(cursor.bits), reader.position() as u64);
    if expected != found {
        times.truncate(times_len);
        values.truncate(values_len);
        return Err(Error::Misaligned { expected, found });
    }
    Ok(())
}

/// Reads a row for each of `rows` and hands it over with its time and its value's bits. The cursor
/// returned lacks the rows and bits: the caller counts the rows, the reader knows the bits.
#[inline]
fn replay<R>(
    buffer: &[u8],
    rows: impl Iterator<Item = R>,
    mut row_read: impl FnMut(R, i64, u64),
) -> (Cursor, Reader<'_>) {
    // Locals, not a cursor's fields: what is in a struct behind a pointer is stored on every row.
    let (mut time, mut delta, mut value) = (0_i64, 0_i64, 0);
    let (mut window, mut reader) = (Window::NONE, Reader::new(buffer, 0));
    let mut is_first = true;
    for row in rows {
        delta = delta.wrapping_add(unzigzag(read_time(&mut reader)));
        time = time.wrapping_add(delta);
        value = window.decode(value, &mut reader);
        row_read(row, time, value);
        if is_first {
            (is_first, delta) = (false, 0);
        }
    }
    (Cursor { time, delta, value, window, ..Cursor::new() }, reader)
}

/// How many ones stand before a second difference.
#[inline]
const fn time_class(change: u64) -> u32 {
    if change == 0 {
        0
    } else if change <= mask(TIME_BITS[1]) {
        1
    } else if change <= mask(TIME_BITS[2]) {
        2
    } else if change <= mask(TIME_BITS[3]) {
        3
    } else if change <= mask(TIME_BITS[4]) {
        4
    } else {
        TIME_RAW
    }
}

/// Ones, the zero that ends them, and the second difference; only the ones of [`TIME_RAW`].
#[inline]
const fn time_code(ones: u32, change: u64) -> (u64, u32) {
    match ones {
        0 => (0, 1),
        1 => (0b1 | change << 2, 2 + TIME_BITS[1]),
        2 => (0b11 | change << 3, 3 + TIME_BITS[2]),
        3 => (0b111 | change << 4, 4 + TIME_BITS[3]),
        4 => (0b1111 | change << 5, 5 + TIME_BITS[4]),
        _ => (0b1_1111, TIME_RAW),
    }
}

/// Reads a second difference, zigzagged. Branches, not a table: a stream's rows are alike, and a
/// guessed branch lets the next load begin before this one is done.
#[inline]
fn read_time(reader: &mut Reader<'_>) -> u64 {
    let word = reader.peek();
    let (head, bits) = if word & 0b1 == 0 {
        reader.skip(1);
        return 0;
    } else if word & 0b10 == 0 {
        (2, TIME_BITS[1])
    } else if word & 0b100 == 0 {
        (3, TIME_BITS[2])
    } else if word & 0b1000 == 0 {
        (4, TIME_BITS[3])
    } else if word & 0b1_0000 == 0 {
        (5, TIME_BITS[4])
    } else {
        reader.skip(TIME_RAW);
        return reader.take(64);
    };
    reader.skip(head + bits);
    word >> head & mask(bits)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Rows as bits, so that NaN equals itself and -0 is not 0.
    fn bits_of(rows: &[(i64, f64)]) -> Vec<(i64, u64)> {
        rows.iter().map(|(time, value)| (*time, value.to_bits())).collect()
    }

    /// Appends to a buffer that grows as the head's does, moving each time.
    fn encode(rows: &[(i64, f64)]) -> (Cursor, Vec<u8>) {
        let (mut cursor, mut buffer) = (Cursor::new(), vec![0xaa; 32]);
        for (time, value) in rows {
            while cursor.append(&mut buffer, *time, *value).is_none() {
                let mut grown = vec![0x55; buffer.len() * 2];
                grown[..buffer.len()].copy_from_slice(&buffer);
                buffer = grown;
            }
        }
        (cursor, buffer)
    }

    fn decoded(cursor: &Cursor, buffer: &[u8]) -> Result<Vec<(i64, u64)>, Error> {
        let (mut times, mut values) = (vec![7], vec![7.0]);
        let result = decode(cursor, buffer, &mut times, &mut values);
        assert_eq!((times[0], values[0]), (7, 7.0), "what was there stays");
        let rows = times.iter().zip(&values).skip(1).map(|(t, v)| (*t, v.to_bits())).collect();
        result.map(|()| rows)
    }

    fn check(rows: &[(i64, f64)]) {
        let (cursor, buffer) = encode(rows);
        let used = cursor.bytes();
        assert_eq!(cursor.rows() as usize, rows.len());
        assert_eq!(decoded(&cursor, &buffer), Ok(bits_of(rows)));
        assert_eq!(
            decoded(&cursor, &buffer[..used]),
            Ok(bits_of(rows)),
            "only the used bytes count"
        );
        assert_eq!(Cursor::recover(cursor.rows(), &buffer[..used]), Ok(cursor));
        for end in 0..used {
            assert_eq!(decoded(&cursor, &buffer[..end]), Err(Error::Truncated { len: end }));
        }
    }

    fn any_value() -> impl Strategy<Value = f64> {
        prop_oneof![
            any::<u64>().prop_map(f64::from_bits),
            (-1000_i32..1000).prop_map(f64::from),
            any::<i32>().prop_map(|whole| f64::from(whole) * 1e6),
            (0_i32..100).prop_map(|cents| f64::from(cents) / 100.0),
            prop::sample::select(vec![0.0, -0.0, f64::NAN, f64::INFINITY, 5e-324]),
            Just(f64::from_bits(0x7ff0_0000_0000_0002)),
        ]
    }

    proptest! {
        #[test]
        fn any_rows_come_back(rows in prop::collection::vec((any::<i64>(), any_value()), 0..40)) {
            check(&rows);
        }

        #[test]
        fn scraped_rows_come_back(
            steps in prop::collection::vec((0_i64..40, prop::sample::select(vec![0, 0, 1, 7, 90, 4000, 300_000, -5])), 1..200)
        ) {
            let (mut time, mut value) = (1_767_225_600_000, 0_i32);
            let rows: Vec<_> = steps.into_iter().map(|(late, step)| {
                time += 15_000;
                value += step;
                (time + late, f64::from(value))
            }).collect();
            check(&rows);
        }

        #[test]
        fn any_bytes_decode_or_err(rows in 0_u32..300, bytes: Vec<u8>) {
            if let Ok(cursor) = Cursor::recover(rows, &bytes) {
                prop_assert_eq!(decoded(&cursor, &bytes).map(|rows| rows.len()), Ok(rows as usize));
            }
            let (rows, bits) = (rows.try_into().unwrap(), (bytes.len() * 8).try_into().unwrap());
            let cursor = Cursor { bits, rows, ..Cursor::new() };
            let _ = decoded(&cursor, &bytes);
        }

        #[test]
        fn a_row_that_does_not_fit_changes_nothing(
            rows in prop::collection::vec((any::<i64>(), any_value()), 1..20), size in 0_usize..64
        ) {
            let (mut cursor, mut buffer) = (Cursor::new(), vec![0; size]);
            let mut taken = Vec::new();
            for (time, value) in rows {
                let before = cursor;
                if cursor.append(&mut buffer, time, value).is_some() {
                    taken.push((time, value));
                } else {
                    prop_assert_eq!(cursor, before);
                }
            }
            prop_assert_eq!(decoded(&cursor, &buffer), Ok(bits_of(&taken)));
        }
    }

    #[test]
    fn a_steady_row_that_repeats_the_value_is_two_bits() {
        let rows: Vec<_> = (0..1000).map(|i| (i * 15_000, 1.5)).collect();
        let (cursor, _) = encode(&rows);
        assert!(cursor.bytes() <= 1000 / 4 + 16, "{}", cursor.bytes());
        assert_eq!((cursor.last_time(), cursor.last_value()), (999 * 15_000, 1.5));
    }

    #[test]
    fn extreme_times_wrap() {
        check(&[(i64::MIN, 1.0), (i64::MAX, 2.0), (i64::MIN, -0.0), (0, 0.0), (-1, f64::MAX)]);
    }

    #[test]
    fn a_full_stream_takes_no_row_more() {
        let (mut cursor, mut buffer) = (Cursor::new(), vec![0; 1 << 16]);
        for _ in 0..Cursor::ROWS_MAX {
            assert_eq!(cursor.append(&mut buffer, 0, 0.0), Some(()));
        }
        assert_eq!(cursor.append(&mut buffer, 0, 0.0), None);
        assert_eq!(decoded(&cursor, &buffer).map(|rows| rows.len()), Ok(65_535));
    }
}
