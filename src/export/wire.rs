//! Protobuf's wire format, written. Fields of value zero are left out, as proto3 has it.

/// Appends the key of a field.
pub(in crate::export) fn put_key(field: u32, wire: u8, out: &mut Vec<u8>) {
    put_varint(u64::from(field) << 3 | u64::from(wire), out);
}

/// Appends seven bits a byte, the lowest first.
#[expect(clippy::cast_possible_truncation, reason = "seven bits at a time")]
pub(in crate::export) fn put_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Signed numbers near zero as small ones.
pub(in crate::export) fn zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63).cast_unsigned()
}

/// A number; none where it is 0.
pub(in crate::export) fn put_number(field: u32, value: u64, out: &mut Vec<u8>) {
    if value != 0 {
        put_present(field, value, out);
    }
}

/// A number that is there even when it is 0: one of several that exclude each other.
pub(in crate::export) fn put_present(field: u32, value: u64, out: &mut Vec<u8>) {
    put_key(field, 0, out);
    put_varint(value, out);
}

/// A float; none where all its bits are 0. -0 is written.
pub(in crate::export) fn put_float(field: u32, value: f64, out: &mut Vec<u8>) {
    if value.to_bits() != 0 {
        put_present_float(field, value, out);
    }
}

/// A float that is there even when it is 0.
pub(in crate::export) fn put_present_float(field: u32, value: f64, out: &mut Vec<u8>) {
    put_key(field, 1, out);
    out.extend_from_slice(&value.to_le_bytes());
}

/// A text; none where it is empty.
pub(in crate::export) fn put_text(field: u32, text: &str, out: &mut Vec<u8>) {
    if !text.is_empty() {
        put_present_text(field, text, out);
    }
}

/// A text that is there even when it is empty: an entry of a list.
pub(in crate::export) fn put_present_text(field: u32, text: &str, out: &mut Vec<u8>) {
    put_key(field, 2, out);
    put_varint(text.len() as u64, out);
    out.extend_from_slice(text.as_bytes());
}

/// A message, or a packed list: its length is known only when it is written, so what is written is
/// then moved up by the few bytes of key and length.
pub(in crate::export) fn put_message(
    field: u32,
    out: &mut Vec<u8>,
    write: impl FnOnce(&mut Vec<u8>),
) {
    let begin = out.len();
    write(out);
    let end = out.len();
    put_key(field, 2, out);
    put_varint((end - begin) as u64, out);
    let size = out.len() - end;
    if let Some(moved) = out.get_mut(begin..) {
        moved.rotate_right(size);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut out = vec![9];
        write(&mut out);
        out.split_off(1)
    }

    #[test]
    fn fields_are_those_of_the_specification() {
        // The examples of protobuf.dev, "Encoding".
        assert_eq!(written(|out| put_number(1, 150, out)), [0x08, 0x96, 0x01]);
        assert_eq!(written(|out| put_text(2, "testing", out)), *b"\x12\x07testing");
        let nested = written(|out| put_message(3, out, |out| put_number(1, 150, out)));
        assert_eq!(nested, [0x1a, 0x03, 0x08, 0x96, 0x01]);
        assert_eq!([0, -1, 1, -2, i64::MIN].map(zigzag), [0, 1, 2, 3, u64::MAX]);
    }

    #[test]
    fn zeros_are_left_out_and_minus_zero_is_not() {
        let zeros = |out: &mut Vec<u8>| {
            put_number(1, 0, out);
            put_float(2, 0.0, out);
            put_text(3, "", out);
        };
        assert!(written(zeros).is_empty());
        assert_eq!(written(|out| put_float(1, -0.0, out)).len(), 9);
        assert_eq!(written(|out| put_present(1, 0, out)), [8, 0]);
        assert_eq!(written(|out| put_present_text(4, "", out)), [0x22, 0]);
    }

    #[test]
    fn a_long_message_has_a_long_length() {
        let nested = written(|out| put_message(1, out, |out| out.resize(out.len() + 300, 7)));
        assert_eq!((nested.len(), &nested[..4]), (303, &[0x0a, 0xac, 0x02, 7][..]));
    }
}
