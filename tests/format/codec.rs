//! Columns, streams and sorted strings: one file an encoding.
#![expect(clippy::unwrap_used, reason = "a test that cannot make its values may stop")]

use quipu::codec::{
    ENCODINGS, Encoding, decode_floats, decode_ints, decode_sorted, encode_floats, encode_ints,
    encode_sorted, encoding_of, gorilla,
};

use crate::golden::same_bytes;

const ROWS: i64 = 100;

/// Numbers without a pattern, the same for ever: the 31 bits of `row`.
fn mix(row: i64) -> i64 {
    let mixed = row.cast_unsigned().wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (mixed >> 33).cast_signed()
}

fn float(number: i64) -> f64 {
    f64::from(u32::try_from(number).unwrap())
}

fn ints(encoding: Encoding) -> Option<Vec<i64>> {
    let start = 1_767_225_600_000_000_000;
    let value: fn(i64) -> i64 = match encoding {
        Encoding::Constant => |_| 1_767_225_600_000_000_000,
        Encoding::Stride => |row| row * -15_000_000_000,
        Encoding::Packed => |row| 1_000 + mix(row) % 50,
        Encoding::Delta => |row| (row * 500 + mix(row) % 60) * 4_096,
        Encoding::DeltaDelta => |row| row * row * 30 + row % 2,
        Encoding::PatchedPacked => |row| if row % 30 == 7 { i64::MIN } else { mix(row) % 500 },
        Encoding::PatchedDelta => |row| (row + row / 40 * 7) * 15_000 + mix(row) % 9,
        Encoding::PatchedDeltaDelta => |row| row * row * 30 + row / 50 * 9_999_999,
        Encoding::Runs => |row| mix(row / 5),
        Encoding::Dictionary => |row| mix(mix(row) % 5) * 77,
        Encoding::Raw => |row| mix(row) << 33 ^ mix(row + ROWS) << 2,
        _ => return None,
    };
    let shift = if encoding == Encoding::Stride { start } else { 0 };
    Some((0..ROWS).map(|row| value(row) + shift).collect())
}

fn floats(encoding: Encoding) -> Option<Vec<f64>> {
    let value: fn(i64) -> f64 = match encoding {
        Encoding::Constant => |_| 2.0_f64.sqrt(),
        Encoding::Decimal => |row| float(mix(row) % 5_000) / 100.0,
        Encoding::PatchedDecimal => |row| match row {
            17 => f64::from_bits(0x7ff0_0000_0000_0002),
            40 => -0.0,
            _ => float(row * 3 + mix(row) % 4) / 1e7,
        },
        Encoding::Bits => |row| (1e9 + float(mix(row))).sqrt(),
        Encoding::Xor => |row| {
            let changed = (0..=row).rev().find(|row| mix(*row) % 2 == 0);
            changed.map_or(2.0, |row| float(mix(row)).sqrt())
        },
        _ => return None,
    };
    Some((0..ROWS).map(value).collect())
}

#[test]
fn columns_of_whole_numbers() {
    for encoding in ENCODINGS {
        let Some(values) = ints(encoding) else { continue };
        let mut written = Vec::new();
        encode_ints(&values, &mut written);
        assert_eq!(encoding_of(&written), Ok(encoding));
        let golden = same_bytes(&format!("v1/codec/ints-{}.bin", encoding.name()), &written);
        let mut read = Vec::new();
        assert_eq!(decode_ints(&golden, values.len(), &mut read), Ok(golden.len()));
        assert_eq!(read, values, "{encoding:?}");
    }
}

#[test]
fn columns_of_floats() {
    for encoding in ENCODINGS {
        let Some(values) = floats(encoding) else { continue };
        let mut written = Vec::new();
        encode_floats(&values, &mut written);
        assert_eq!(encoding_of(&written), Ok(encoding));
        let golden = same_bytes(&format!("v1/codec/floats-{}.bin", encoding.name()), &written);
        let mut read = Vec::new();
        assert_eq!(decode_floats(&golden, values.len(), &mut read), Ok(golden.len()));
        let bits = |values: &[f64]| -> Vec<u64> { values.iter().map(|v| v.to_bits()).collect() };
        assert_eq!(bits(&read), bits(&values), "{encoding:?}");
    }
}

#[test]
fn every_encoding_has_a_golden_column() {
    for encoding in ENCODINGS {
        assert!(ints(encoding).is_some() || floats(encoding).is_some(), "{encoding:?}");
    }
}

/// Steady and late rows, whole and broken values, and a time far back: every code of the stream.
#[test]
fn open_stream() {
    let late = [0, 0, 0, 3, 90, 700_000, 4_000_000_000, -50_000_000_000_000, 0, 0];
    let rows: Vec<(i64, f64)> = (0..ROWS)
        .map(|row| {
            let value = match row % 10 {
                0..4 => float(row / 10 * 100),
                4 => float(mix(row)),
                5 => float(mix(row)) + 1.0,
                6 => float(mix(row)).sqrt(),
                7 => f64::NAN,
                8 => -0.0,
                _ => float(mix(row) % 100) / 10.0,
            };
            let late = usize::try_from(row % 10).ok().and_then(|at| late.get(at)).unwrap();
            (1_767_225_600_000 + row * 15_000 + late, value)
        })
        .collect();
    let (mut cursor, mut buffer) = (gorilla::Cursor::new(), vec![0; 4096]);
    for (time, value) in &rows {
        cursor.append(&mut buffer, *time, *value).unwrap();
    }
    buffer.truncate(cursor.bytes());
    let golden = same_bytes("v1/codec/stream.bin", &buffer);
    let cursor = gorilla::Cursor::recover(cursor.rows(), &golden).unwrap();
    let (mut times, mut values) = (Vec::new(), Vec::new());
    gorilla::decode(&cursor, &golden, &mut times, &mut values).unwrap();
    let read: Vec<_> = times.into_iter().zip(values.iter().map(|value| value.to_bits())).collect();
    let expected: Vec<_> = rows.iter().map(|(time, value)| (*time, value.to_bits())).collect();
    assert_eq!(read, expected);
}

#[test]
fn sorted_strings() {
    let strings = ["", "http_requests_failed", "http_requests_total", "job", "job", "Ω", "ω"];
    let mut written = Vec::new();
    encode_sorted(&strings, &mut written);
    let golden = same_bytes("v1/codec/strings.bin", &written);
    let read: Result<Vec<String>, _> = decode_sorted(&golden, strings.len()).collect();
    assert_eq!(read.unwrap(), strings);
}
