//! From the tree to types, by serde: what fails says where, and what was meant.

use std::fmt::Display;

use query_lang::Span;
use serde::{
    Deserialize, Deserializer,
    de::{
        self, DeserializeSeed, EnumAccess, Error as _, MapAccess, SeqAccess, Unexpected,
        VariantAccess, Visitor,
    },
    forward_to_deserialize_any,
};

use crate::app::config::{
    fault::Fault,
    tree::{Name, Node, Scalar, Value},
};
use crate::collect::scrape::unsupported;

impl Node {
    /// The value that this describes.
    pub(super) fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Fault> {
        T::deserialize(self).map_err(|error| error.fault(self.span))
    }
}

/// A fault on its way up, to the first who knows its place.
#[derive(Debug)]
pub(super) struct Error {
    span: Option<Span>,
    message: String,
    /// A name that is none, and those that are: which of them was meant is found once.
    unknown: Option<(String, &'static [&'static str])>,
}

impl Error {
    fn fault(self, place: Span) -> Fault {
        let span = self.span.unwrap_or(place);
        match &self.unknown {
            Some((name, known)) => match unsupported(name) {
                Some(error) => Fault::at(span, error.to_string()),
                None => Fault::unknown_key(span, name, known),
            },
            None => Fault::at(span, self.message),
        }
    }

    fn or_at(mut self, span: Span) -> Self {
        self.span.get_or_insert(span);
        self
    }
}

impl Display for Error {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl de::Error for Error {
    fn custom<T: Display>(message: T) -> Self {
        Self { span: None, message: message.to_string(), unknown: None }
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let message = format!("unknown key {field:?}");
        Self { span: None, message, unknown: Some((field.to_owned(), expected)) }
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::custom(format!("{variant:?} is none of {}", expected.join(", ")))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::custom(format!("key {field:?} is missing"))
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::custom(format!("key {field:?} is there twice"))
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::custom(format!("expected {expected}, found {unexpected}"))
    }
}

impl Scalar {
    fn as_bool(&self) -> Option<bool> {
        match self.text.as_str() {
            "true" | "True" | "TRUE" | "yes" | "on" => Some(true),
            "false" | "False" | "FALSE" | "no" | "off" => Some(false),
            _ => None,
        }
    }

    fn as_int(&self) -> Option<i64> {
        self.text.replace('_', "").parse().ok()
    }

    fn as_float(&self) -> Option<f64> {
        match self.text.as_str() {
            ".inf" | "+.inf" => Some(f64::INFINITY),
            "-.inf" => Some(f64::NEG_INFINITY),
            ".nan" => Some(f64::NAN),
            text => {
                text.starts_with(|c: char| "+-.".contains(c) || c.is_ascii_digit()).then_some(())?;
                text.parse().ok()
            }
        }
    }
}

impl Node {
    fn scalar(&self, expected: &str) -> Result<&Scalar, Error> {
        match &self.value {
            Value::Scalar(scalar) => Ok(scalar),
            Value::Null | Value::List(_) | Value::Map(_) => Err(self.wrong(expected)),
        }
    }

    fn wrong(&self, expected: &str) -> Error {
        Error::custom(format!("expected {expected}, found {}", self.kind())).or_at(self.span)
    }
}

macro_rules! numbers {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            let scalar = self.scalar("a whole number")?;
            let number = scalar.as_int().ok_or_else(|| self.wrong("a whole number"))?;
            visitor.visit_i64(number).map_err(|error: Error| error.or_at(self.span))
        }
    )*};
}

impl<'de> Deserializer<'de> for &'de Node {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let read = match &self.value {
            Value::Null => visitor.visit_unit(),
            Value::List(items) => visitor.visit_seq(Items(items.iter())),
            Value::Map(entries) => visitor.visit_map(Entries { left: entries.iter(), value: None }),
            Value::Scalar(scalar) if scalar.is_plain => {
                match (scalar.as_bool(), scalar.as_int(), scalar.as_float()) {
                    (Some(truth), _, _) => visitor.visit_bool(truth),
                    (None, Some(number), _) => visitor.visit_i64(number),
                    (None, None, Some(number)) => visitor.visit_f64(number),
                    (None, None, None) => visitor.visit_str(&scalar.text),
                }
            }
            Value::Scalar(scalar) => visitor.visit_str(&scalar.text),
        };
        read.map_err(|error: Error| error.or_at(self.span))
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let scalar = self.scalar("true or false")?;
        let truth = scalar.as_bool().ok_or_else(|| self.wrong("true or false"))?;
        visitor.visit_bool(truth).map_err(|error: Error| error.or_at(self.span))
    }

    numbers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let number = self.scalar("a number")?.as_float().ok_or_else(|| self.wrong("a number"))?;
        visitor.visit_f64(number).map_err(|error: Error| error.or_at(self.span))
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        // A number or a truth is text where text is wanted, as Prometheus' own reader has it.
        let text = match &self.value {
            Value::Null => "",
            _ => self.scalar("text")?.text.as_str(),
        };
        visitor.visit_borrowed_str(text).map_err(|error: Error| error.or_at(self.span))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self).map_err(|error: Error| error.or_at(self.span))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let items = match &self.value {
            Value::List(items) => items.as_slice(),
            Value::Null => &[],
            Value::Scalar(_) | Value::Map(_) => return Err(self.wrong("a list")),
        };
        visitor.visit_seq(Items(items.iter())).map_err(|error: Error| error.or_at(self.span))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let entries = self.entries().ok_or_else(|| self.wrong("a map"))?;
        let entries = Entries { left: entries.iter(), value: None };
        visitor.visit_map(entries).map_err(|error: Error| error.or_at(self.span))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let choice = match &self.value {
            Value::Scalar(scalar) => Choice { name: &scalar.text, span: self.span, content: None },
            Value::Map(entries) => match entries.as_slice() {
                [(name, node)] => Choice { name: &name.text, span: name.span, content: Some(node) },
                _ => return Err(self.wrong("one of several names")),
            },
            Value::Null | Value::List(_) => return Err(self.wrong("one of several names")),
        };
        visitor.visit_enum(choice).map_err(|error: Error| error.or_at(self.span))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        i128 u128 char bytes byte_buf unit unit_struct tuple tuple_struct
    }
}

struct Items<'de>(std::slice::Iter<'de, Node>);

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        self.0.next().map(|node| seed.deserialize(node)).transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

struct Entries<'de> {
    left: std::slice::Iter<'de, (Name, Node)>,
    value: Option<&'de Node>,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        let Some((name, node)) = self.left.next() else { return Ok(None) };
        self.value = Some(node);
        let name_reader = de::value::BorrowedStrDeserializer::new(&name.text);
        seed.deserialize(name_reader).map(Some).map_err(|error: Error| error.or_at(name.span))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let node = self.value.take().ok_or_else(|| Error::custom("a value without a key"))?;
        seed.deserialize(node).map_err(|error| error.or_at(node.span))
    }
}

struct Choice<'de> {
    name: &'de str,
    span: Span,
    content: Option<&'de Node>,
}

impl<'de> EnumAccess<'de> for Choice<'de> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Error> {
        let name = de::value::BorrowedStrDeserializer::new(self.name);
        let value = seed.deserialize(name).map_err(|error: Error| error.or_at(self.span))?;
        Ok((value, self))
    }
}

impl<'de> VariantAccess<'de> for Choice<'de> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        match self.content {
            None => Ok(()),
            Some(node) => Err(node.wrong("nothing")),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        let missing = || Error::custom(format!("{} needs a value", self.name)).or_at(self.span);
        seed.deserialize(self.content.ok_or_else(missing)?)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        let missing = || Error::custom(format!("{} needs a list", self.name)).or_at(self.span);
        self.content.ok_or_else(missing)?.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let missing = || Error::custom(format!("{} needs keys", self.name)).or_at(self.span);
        self.content.ok_or_else(missing)?.deserialize_map(visitor)
    }
}
