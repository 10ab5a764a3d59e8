//! JSON text, appended to a buffer: strings, label sets, values and times as the Prometheus API
//! writes them.

use crate::export::{write_float, write_integer};
use crate::model::Labels;

/// Appends `text` in quotes, escaped.
pub fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut copied = 0;
    for (at, byte) in bytes.iter().enumerate() {
        if *byte >= 0x20 && *byte != b'"' && *byte != b'\\' {
            continue;
        }
        out.extend_from_slice(bytes.get(copied..at).unwrap_or_default());
        write_escape(*byte, out);
        copied = at + 1;
    }
    out.extend_from_slice(bytes.get(copied..).unwrap_or_default());
    out.push(b'"');
}

fn write_escape(byte: u8, out: &mut Vec<u8>) {
    match byte {
        b'"' => out.extend_from_slice(br#"\""#),
        b'\\' => out.extend_from_slice(br"\\"),
        b'\n' => out.extend_from_slice(br"\n"),
        b'\r' => out.extend_from_slice(br"\r"),
        b'\t' => out.extend_from_slice(br"\t"),
        other => {
            const HEX: [u8; 16] = *b"0123456789abcdef";
            out.extend_from_slice(br"\u00");
            for nibble in [other >> 4, other & 15] {
                out.push(HEX.get(usize::from(nibble)).copied().unwrap_or(b'0'));
            }
        }
    }
}

/// Appends a label set as an object, by name.
pub fn write_labels(labels: &Labels, out: &mut Vec<u8>) {
    out.push(b'{');
    for (i, (name, value)) in labels.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write_string(name, out);
        out.push(b':');
        write_string(value, out);
    }
    out.push(b'}');
}

/// Appends milliseconds as seconds: at most three decimals, no zeros at the end, no exponent.
pub fn write_seconds(millis: i64, out: &mut Vec<u8>) {
    if millis < 0 {
        out.push(b'-');
    }
    let size = millis.unsigned_abs();
    let (whole, rest) = (size / 1000, size % 1000);
    // At most 9.3e15, so the conversion is exact in its sense: it cannot fail.
    write_integer(i64::try_from(whole).unwrap_or(i64::MAX), out);
    if rest > 0 {
        out.push(b'.');
        let mut divisor = 100;
        let mut left = rest;
        while left > 0 {
            #[expect(clippy::cast_possible_truncation, reason = "one decimal digit")]
            let digit = (left / divisor) as u8;
            out.push(b'0' + digit);
            left %= divisor;
            divisor /= 10;
        }
    }
}

/// Appends a value in quotes, as the query API has it.
pub fn write_value(value: f64, out: &mut Vec<u8>) {
    out.push(b'"');
    write_float(value, out);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn times_are_seconds_without_idle_zeros() {
        for (millis, expected) in [
            (0, "0"),
            (1_435_781_451_781, "1435781451.781"),
            (1_500, "1.5"),
            (10, "0.01"),
            (1, "0.001"),
            (-1000, "-1"),
            (-1, "-0.001"),
            (i64::MIN, "-9223372036854775.808"),
        ] {
            assert_eq!(written(|out| write_seconds(millis, out)), expected);
        }
    }

    #[test]
    fn strings_escape_what_json_must() {
        let text = "a\"b\\c\n\u{1}ü/\u{7f}";
        let json = written(|out| write_string(text, out));
        assert_eq!(json, "\"a\\\"b\\\\c\\n\\u0001ü/\u{7f}\"");
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }

    #[test]
    fn labels_are_an_object_by_name() {
        let labels = Labels::new([("job", "a"), ("__name__", "up")]).unwrap();
        assert_eq!(written(|out| write_labels(&labels, out)), r#"{"__name__":"up","job":"a"}"#);
        assert_eq!(written(|out| write_labels(&Labels::empty(), out)), "{}");
    }
}
