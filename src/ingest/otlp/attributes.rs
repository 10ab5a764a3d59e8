//! Attributes: `KeyValue` with an `AnyValue`, and values as text.
//!
//! Text is what the collector's `AsString` makes of a value: arrays and maps become JSON, bytes
//! base64.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::ingest::otlp::encodings::put_base64;
use crate::ingest::wire::{Malformed, Value, Wire};

/// A key and its value, which may be missing.
pub(super) type Attribute<'w> = (&'w [u8], Option<Wire<'w>>);

/// The attributes in field `number` of `message`, as they come.
pub(super) fn read(mut message: Wire<'_>, number: u32) -> Result<Vec<Attribute<'_>>, Malformed> {
    let mut attributes = Vec::new();
    while let Some((found, value)) = message.field()? {
        if let (true, Value::Bytes(attribute)) = (found == number, value) {
            attributes.push(pair(attribute)?);
        }
    }
    Ok(attributes)
}

/// Appends the attributes in field `number` of `message` as bytes that name them.
pub(super) fn gather(
    mut message: Wire<'_>,
    number: u32,
    out: &mut Vec<u8>,
) -> Result<(), Malformed> {
    while let Some((found, value)) = message.field()? {
        if let (true, Value::Bytes(attribute)) = (found == number, value) {
            out.extend_from_slice(&attribute.bytes().len().to_le_bytes());
            out.extend_from_slice(attribute.bytes());
        }
    }
    Ok(())
}

/// The value of the last attribute that is called `key`, as text.
pub(super) fn find<'w>(
    attributes: &[Attribute<'w>],
    key: &str,
) -> Result<Option<Cow<'w, [u8]>>, Malformed> {
    let found = attributes.iter().rfind(|(name, _)| *name == key.as_bytes());
    found.map(|(_, value)| text(*value)).transpose()
}

fn pair(mut message: Wire<'_>) -> Result<Attribute<'_>, Malformed> {
    let (mut key, mut any): (&[u8], _) = (&[], None);
    loop {
        let before = message;
        match message.field()? {
            Some((1, Value::Bytes(bytes))) => key = bytes.bytes(),
            Some((2, Value::Bytes(value))) => any = Some(value),
            Some((number @ (1 | 2), _)) => return Err(before.mismatch("KeyValue", number)),
            Some(_) => {}
            None => return Ok((key, any)),
        }
    }
}

/// A value as text, in UTF-8 unless it is a string that is not.
pub(super) fn text(value: Option<Wire<'_>>) -> Result<Cow<'_, [u8]>, Malformed> {
    let any = value.map(read_any).transpose()?.unwrap_or(Any::Nothing);
    let owned = match any {
        Any::Nothing => String::new(),
        Any::Text(text) => return Ok(Cow::Borrowed(text)),
        Any::Bool(value) => value.to_string(),
        Any::Integer(value) => value.to_string(),
        Any::Double(value) => double_text(value),
        Any::Bytes(bytes) => {
            let mut out = String::new();
            put_base64(bytes, &mut out);
            out
        }
        Any::Array(_) | Any::Map(_) => {
            let mut out = String::new();
            put_json(any, &mut out)?;
            out
        }
    };
    Ok(Cow::Owned(owned.into_bytes()))
}

/// What a value is.
#[derive(Clone, Copy)]
enum Any<'w> {
    Nothing,
    Text(&'w [u8]),
    Bool(bool),
    Integer(i64),
    Double(f64),
    Bytes(&'w [u8]),
    Array(Wire<'w>),
    Map(Wire<'w>),
}

fn read_any(mut message: Wire<'_>) -> Result<Any<'_>, Malformed> {
    let mut any = Any::Nothing;
    loop {
        let before = message;
        any = match message.field()? {
            Some((1, Value::Bytes(text))) => Any::Text(text.bytes()),
            Some((2, Value::Varint(number))) => Any::Bool(number != 0),
            Some((3, Value::Varint(number))) => Any::Integer(number.cast_signed()),
            Some((4, Value::Fixed64(bits))) => Any::Double(f64::from_bits(bits)),
            Some((5, Value::Bytes(array))) => Any::Array(array),
            Some((6, Value::Bytes(map))) => Any::Map(map),
            Some((7, Value::Bytes(bytes))) => Any::Bytes(bytes.bytes()),
            Some((number @ 1..=7, _)) => return Err(before.mismatch("AnyValue", number)),
            Some(_) => any,
            None => return Ok(any),
        }
    }
}

/// Depth is bounded: the body was checked before any value is read.
fn put_json(any: Any<'_>, out: &mut String) -> Result<(), Malformed> {
    match any {
        Any::Text(text) => put_json_text(&String::from_utf8_lossy(text), out),
        Any::Bool(value) => out.push_str(if value { "true" } else { "false" }),
        Any::Integer(value) => out.push_str(&value.to_string()),
        Any::Double(value) if value.is_finite() => out.push_str(&double_text(value)),
        // JSON has no word for what is not finite.
        Any::Nothing | Any::Double(_) => out.push_str("null"),
        Any::Bytes(bytes) => {
            out.push('"');
            put_base64(bytes, out);
            out.push('"');
        }
        Any::Array(mut array) => {
            out.push('[');
            let mut comma = "";
            while let Some((number, value)) = array.field()? {
                let (1, Value::Bytes(item)) = (number, value) else { continue };
                out.push_str(comma);
                put_json(read_any(item)?, out)?;
                comma = ",";
            }
            out.push(']');
        }
        Any::Map(map) => put_json_map(map, out)?,
    }
    Ok(())
}

fn put_json_map(map: Wire<'_>, out: &mut String) -> Result<(), Malformed> {
    let sorted: BTreeMap<_, _> = read(map, 1)?.into_iter().collect();
    out.push('{');
    let mut comma = "";
    for (key, value) in sorted {
        out.push_str(comma);
        put_json_text(&String::from_utf8_lossy(key), out);
        out.push(':');
        put_json(value.map(read_any).transpose()?.unwrap_or(Any::Nothing), out)?;
        comma = ",";
    }
    out.push('}');
    Ok(())
}

/// As Go writes it: what means something in HTML is escaped, too.
fn put_json_text(text: &str, out: &mut String) {
    use std::fmt::Write as _;
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            _ => out.push(c),
        }
    }
    out.push('"');
}

/// As Go's JSON has it: an exponent only for the very large and the very small.
fn double_text(value: f64) -> String {
    if value.is_nan() {
        return "NaN".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf".into() } else { "-Inf".into() };
    }
    if value != 0.0 && !(1e-6..1e21).contains(&value.abs()) {
        let text = format!("{value:e}");
        return if text.contains("e-") { text } else { text.replace('e', "e+") };
    }
    value.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::otlp::oracle::{any_value, encode};
    use serde_json::json;

    fn check(value: &serde_json::Value, expected: &str) {
        let bytes = encode(&any_value(value));
        let text = text(Some(Wire::new(&bytes))).unwrap();
        assert_eq!(String::from_utf8_lossy(&text), expected, "{value}");
    }

    #[test]
    fn values_are_what_the_collector_makes_of_them() {
        check(&json!("a b"), "a b");
        check(&json!(true), "true");
        check(&json!(-7), "-7");
        check(&json!(1.5), "1.5");
        check(&json!(2.0), "2");
        check(&json!(1e21), "1e+21");
        check(&json!(2.5e-7), "2.5e-7");
        check(&json!(0.000_001), "0.000001");
        check(&json!(["a", 1, [true]]), r#"["a",1,[true]]"#);
        check(&json!({"z": 1, "a": {"k": "<\"\n"}}), r#"{"a":{"k":"\u003c\"\n"},"z":1}"#);
        assert_eq!(text(None).unwrap().as_ref(), b"");
    }
}
