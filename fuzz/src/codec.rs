//! What has to hold for any bytes that are read as a column: they are values or an error, an error
//! pushes nothing, and what was read can be written and read again.
//!
//! The first byte says which decoder, the two behind it how many rows.

use quipu::codec;

fn is_same(left: &[f64], right: &[f64]) -> bool {
    left.iter().map(|value| value.to_bits()).eq(right.iter().map(|value| value.to_bits()))
}

pub(crate) fn columns(bytes: &[u8]) {
    let [which, low, high, rest @ ..] = bytes else { return };
    let rows = usize::from(u16::from_le_bytes([*low, *high]));
    match which % 5 {
        0 => ints(rest, rows),
        1 => floats(rest, rows),
        2 => stream(rest, rows),
        3 => mixed(rest, rows),
        _ => sorted(rest, rows),
    }
}

fn ints(bytes: &[u8], rows: usize) {
    let mut values = vec![7];
    let Ok(used) = codec::decode_ints(bytes, rows, &mut values) else {
        return assert_eq!(values, [7]);
    };
    assert!(used <= bytes.len() && values.len() == rows + 1);
    let (mut again, mut read) = (Vec::new(), vec![7]);
    codec::encode_ints(values.get(1..).unwrap_or_default(), &mut again);
    assert_eq!(codec::decode_ints(&again, rows, &mut read), Ok(again.len()));
    assert_eq!(read, values);
}

fn floats(bytes: &[u8], rows: usize) {
    let mut values = Vec::new();
    let Ok(used) = codec::decode_floats(bytes, rows, &mut values) else {
        return assert!(values.is_empty());
    };
    assert!(used <= bytes.len() && values.len() == rows);
    let (mut again, mut read) = (Vec::new(), Vec::new());
    codec::encode_floats(&values, &mut again);
    assert_eq!(codec::decode_floats(&again, rows, &mut read), Ok(again.len()));
    assert!(is_same(&read, &values));
}

fn stream(bytes: &[u8], rows: usize) {
    let Ok(count) = u32::try_from(rows) else { return };
    let Ok(cursor) = codec::gorilla::Cursor::recover(count, bytes) else { return };
    let (mut times, mut values) = (Vec::new(), Vec::new());
    let read = codec::gorilla::decode(&cursor, bytes, &mut times, &mut values);
    assert_eq!((read, times.len(), values.len()), (Ok(()), rows, rows));
}

fn mixed(bytes: &[u8], rows: usize) {
    let mut values = Vec::new();
    let Ok(used) = codec::decode_mixed(bytes, rows, &mut values) else { return };
    assert!(used <= bytes.len() && values.len() == rows);
    let (mut again, mut read) = (Vec::new(), Vec::new());
    codec::encode_mixed(&values, &mut again);
    assert_eq!(codec::decode_mixed(&again, rows, &mut read), Ok(again.len()));
    assert!(is_same(&read, &values));
}

fn sorted(bytes: &[u8], rows: usize) {
    let Ok(strings) = codec::decode_sorted(bytes, rows).collect::<Result<Vec<String>, _>>() else {
        return;
    };
    let mut again = Vec::new();
    codec::encode_sorted(&strings, &mut again);
    let read: Result<Vec<String>, _> = codec::decode_sorted(&again, rows).collect();
    assert_eq!(read, Ok(strings));
}
