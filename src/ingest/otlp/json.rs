//! A JSON request rewritten as protobuf: one decoder is enough.
//!
//! Protobuf's rules for JSON with OTLP's exceptions: names in lowerCamelCase (the names of the
//! `.proto` files are taken, too), 64-bit integers as numbers or text, enums as numbers or names, ids
//! hexadecimal, other bytes base64, null as absent, unknown names ignored.
//!
//! Lengths are written in five bytes, so that nothing is moved when they are known.
//!
//! Source: the OTLP specification, "JSON Protobuf Encoding".

use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use crate::ingest::Error;
use crate::ingest::otlp::encodings::{from_base64, from_hex};

mod messages;

use messages::{Field, Kind, Message, REQUEST};

/// The message that a JSON body holds; an empty one where it holds nothing.
pub(super) fn to_protobuf(body: &[u8]) -> Result<Vec<u8>, Error> {
    let mut out = Vec::with_capacity(body.len() / 2);
    if body.trim_ascii().is_empty() {
        return Ok(out);
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let read = json.deserialize_map(Fields { message: &REQUEST, out: &mut out });
    read.and_then(|()| json.end()).map_err(Error::Json)?;
    Ok(out)
}

/// The fields of a message.
struct Fields<'o> {
    message: &'static Message,
    out: &'o mut Vec<u8>,
}

impl<'de> Visitor<'de> for Fields<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object that is a {}", self.message.name)
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        while let Some(field) = map.next_key_seed(Name(self.message))? {
            match field {
                Some(field) => map.next_value_seed(Content { field, out: self.out })?,
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// A name, which may be that of a field.
struct Name(&'static Message);

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Option<&'static Field>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name {
    type Value = Option<&'static Field>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.fields.iter().find(|field| field.is_called(name)))
    }
}

/// What a field holds: a value, or a list of them where it may be repeated.
struct Content<'o> {
    field: &'static Field,
    out: &'o mut Vec<u8>,
}

impl<'de> DeserializeSeed<'de> for Content<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Content<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = if self.field.is_repeated { "a list, each " } else { "" };
        write!(f, "{list}{} for {:?}", self.field.kind.expecting(), self.field.name)
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> Result<(), S::Error> {
        if !self.field.is_repeated {
            return Err(S::Error::custom(format!("a list for {:?}", self.field.name)));
        }
        while list.next_element_seed(Item { field: self.field, out: self.out })?.is_some() {}
        Ok(())
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<(), M::Error> {
        self.one()?.visit_map(map)
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<(), E> {
        self.one()?.visit_bool(value)
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<(), E> {
        self.one()?.visit_u64(value)
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<(), E> {
        self.one()?.visit_i64(value)
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<(), E> {
        self.one()?.visit_f64(value)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        self.one()?.visit_str(text)
    }
}

impl<'o> Content<'o> {
    /// For a value that is no list.
    fn one<E: serde::de::Error>(self) -> Result<Item<'o>, E> {
        if self.field.is_repeated {
            return Err(E::custom(format!("{:?} is not a list", self.field.name)));
        }
        Ok(Item { field: self.field, out: self.out })
    }
}

/// One value.
struct Item<'o> {
    field: &'static Field,
    out: &'o mut Vec<u8>,
}

impl<'de> DeserializeSeed<'de> for Item<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Item<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} for {:?}", self.field.kind.expecting(), self.field.name)
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<(), M::Error> {
        let Kind::Message(message) = self.field.kind else {
            return Err(self.wrong("an object"));
        };
        put_key(self.field.number, 2, self.out);
        let at = self.out.len();
        self.out.extend_from_slice(&[0; LENGTH_BYTES]);
        Fields { message, out: self.out }.visit_map(map)?;
        let size = self.out.len() - at - LENGTH_BYTES;
        let place = self.out.get_mut(at..at + LENGTH_BYTES).unwrap_or_default();
        put_length(size, place).then_some(()).ok_or_else(|| {
            // Bodies are limited long before that.
            M::Error::custom("a message of more than 4 GiB")
        })
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<(), E> {
        let Kind::Bool = self.field.kind else { return Err(self.wrong("a boolean")) };
        self.put_varint(u64::from(value));
        Ok(())
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<(), E> {
        match (self.field.kind, i64::try_from(value)) {
            (Kind::Fixed64 | Kind::Varint | Kind::Enum(_), _) => self.put_integer(value),
            (_, Ok(value)) => return self.visit_i64(value),
            #[expect(clippy::cast_precision_loss, reason = "as every reader of JSON does")]
            (Kind::Double, Err(_)) => self.put_double(value as f64),
            (_, Err(_)) => return Err(self.wrong(&format!("the number {value}"))),
        }
        Ok(())
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<(), E> {
        match (self.field.kind, u64::try_from(value)) {
            #[expect(clippy::cast_precision_loss, reason = "as every reader of JSON does")]
            (Kind::Double, _) => self.put_double(value as f64),
            (Kind::SignedFixed64 | Kind::Signed, _) => self.put_integer(value.cast_unsigned()),
            (Kind::Zigzag, _) => self.put_integer(((value << 1) ^ (value >> 63)).cast_unsigned()),
            (Kind::Fixed64 | Kind::Varint | Kind::Enum(_), Ok(value)) => self.put_integer(value),
            _ => return Err(self.wrong(&format!("the number {value}"))),
        }
        Ok(())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<(), E> {
        if matches!(self.field.kind, Kind::Double) {
            self.put_double(value);
            return Ok(());
        }
        // Protobuf's JSON lets integers be written 1.0 or 1e3.
        match whole(value) {
            Some(integer) => self.visit_i64(integer),
            None => Err(self.wrong(&format!("the number {value}"))),
        }
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        let bytes = match self.field.kind {
            Kind::Text => Some(text.as_bytes().into()),
            Kind::Id => from_hex(text),
            Kind::Bytes => from_base64(text),
            Kind::Bool | Kind::Message(_) => None,
            Kind::Double
            | Kind::Enum(_)
            | Kind::Fixed64
            | Kind::SignedFixed64
            | Kind::Varint
            | Kind::Signed
            | Kind::Zigzag => return self.visit_number(text),
        };
        match bytes {
            Some(bytes) => self.put_bytes(&bytes),
            None => return Err(self.wrong(&format!("{text:?}"))),
        }
        Ok(())
    }
}

impl Item<'_> {
    /// A number that was written as text, or the name of one.
    fn visit_number<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        if let (Kind::Double, Ok(value)) = (self.field.kind, text.parse()) {
            self.put_double(value);
            return Ok(());
        }
        let named = match self.field.kind {
            Kind::Enum(names) => names.iter().find(|(name, _)| *name == text),
            _ => None,
        };
        if let Some(value) = named.map(|(_, number)| *number).or_else(|| text.parse().ok()) {
            return self.visit_u64(value);
        }
        if let Ok(value) = text.parse::<i64>() {
            return self.visit_i64(value);
        }
        Err(self.wrong(&format!("{text:?}")))
    }

    fn put_integer(self, value: u64) {
        match self.field.kind {
            Kind::Fixed64 | Kind::SignedFixed64 => self.put_fixed(value),
            _ => self.put_varint(value),
        }
    }

    fn put_double(self, value: f64) {
        self.put_fixed(value.to_bits());
    }

    fn put_fixed(self, value: u64) {
        put_key(self.field.number, 1, self.out);
        self.out.extend_from_slice(&value.to_le_bytes());
    }

    fn put_varint(self, value: u64) {
        put_key(self.field.number, 0, self.out);
        put_varint(value, self.out);
    }

    fn put_bytes(self, bytes: &[u8]) {
        put_key(self.field.number, 2, self.out);
        put_varint(bytes.len() as u64, self.out);
        self.out.extend_from_slice(bytes);
    }

    fn wrong<E: serde::de::Error>(&self, found: &str) -> E {
        let found: String = found.chars().take(100).collect();
        E::custom(format!(
            "{found} for {:?}, which is {}",
            self.field.name,
            self.field.kind.expecting()
        ))
    }
}

/// Bytes of a length written before it is known: enough for 32 bits.
const LENGTH_BYTES: usize = 5;

/// Whether it has room.
fn put_length(size: usize, place: &mut [u8]) -> bool {
    let Ok(mut left) = u32::try_from(size) else { return false };
    let last = place.len().saturating_sub(1);
    for (index, byte) in place.iter_mut().enumerate() {
        let [low, ..] = left.to_le_bytes();
        *byte = low & 0x7f | if index < last { 0x80 } else { 0 };
        left >>= 7;
    }
    true
}

fn put_key(number: u8, wire: u8, out: &mut Vec<u8>) {
    out.push(number << 3 | wire);
}

fn put_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        let [low, ..] = value.to_le_bytes();
        out.push(low | 0x80);
        value >>= 7;
    }
    out.extend(value.to_le_bytes().first());
}

/// A float that is an integer, exactly.
#[expect(clippy::cast_possible_truncation, reason = "only what is exact is taken")]
fn whole(value: f64) -> Option<i64> {
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    (value.fract() == 0.0 && value.abs() <= EXACT_MAX).then_some(value as i64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fails(body: &str, says: &str) {
        let error = to_protobuf(body.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(says), "{body}: {error}");
    }

    fn point(fields: &str) -> String {
        format!(
            r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{{"name":"m","gauge":{{"dataPoints":[{{{fields}}}]}}}}]}}]}}]}}"#
        )
    }

    #[test]
    fn nothing_is_an_empty_request() {
        for body in ["", " \n", "{}", r#"{"resourceMetrics":null}"#, r#"{"unknown":[1,{"a":2}]}"#] {
            assert_eq!(to_protobuf(body.as_bytes()).unwrap(), b"", "{body}");
        }
    }

    #[test]
    fn numbers_are_taken_in_every_form_that_is_allowed() {
        let same = |fields: &[&str]| {
            let first = to_protobuf(point(fields[0]).as_bytes()).unwrap();
            for other in fields {
                let made = to_protobuf(point(other).as_bytes()).unwrap();
                assert_eq!(made, first, "{other} and {}", fields[0]);
            }
        };
        same(&[r#""asInt":"5""#, r#""asInt":5"#, r#""as_int":5.0"#, r#""asInt":5e0"#]);
        same(&[r#""asInt":"-9223372036854775808""#, r#""asInt":-9223372036854775808"#]);
        same(&[
            r#""asDouble":1"#,
            r#""asDouble":1.0"#,
            r#""asDouble":"1""#,
            r#""as_double":"1.0""#,
        ]);
        same(&[
            r#""timeUnixNano":"18446744073709551615""#,
            r#""timeUnixNano":18446744073709551615"#,
        ]);
        same(&[r#""asDouble":-0.0"#, r#""asDouble":"-0""#]);
        same(&[r#""flags":1"#, r#""flags":"1","startTimeUnixNano":null"#]);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        fails("[]", "invalid type: sequence, expected an object that is a ExportMetricsService");
        fails("{", "EOF while parsing an object at line 1 column 1");
        fails("{} x", "trailing characters at line 1 column 4");
        fails(r#"{"resourceMetrics":{}}"#, r#""resourceMetrics" is not a list"#);
        fails(&point(r#""asInt":1.5"#), r#"the number 1.5 for "asInt", which is an integer"#);
        fails(&point(r#""asInt":"x""#), r#""x" for "asInt""#);
        fails(&point(r#""timeUnixNano":-1"#), "the number -1");
        fails(&point(r#""asDouble":true"#), "a boolean");
        fails(&point(r#""attributes":[1]"#), "the number 1");
        fails(&point(r#""exemplars":[{"traceId":"xyz"}]"#), "xyz");
        fails(&point(r#""attributes":[{"value":{"bytesValue":"!"}}]"#), "base64");
    }

    #[test]
    fn depth_is_bounded() {
        let deep = r#"{"arrayValue":{"values":["#.repeat(10_000);
        fails(&point(&format!(r#""attributes":[{{"value":{deep}"#)), "recursion limit");
    }

    proptest! {
        #[test]
        fn any_bytes_are_rewritten_or_refused(bytes: Vec<u8>) {
            let _ = to_protobuf(&bytes);
        }
    }
}
