//! Protobuf's wire format, read where it lies.
//!
//! Nothing is copied and nothing allocated; every length is checked against the bytes that are there.
//! Source: protobuf.dev, "Encoding".

use crate::ingest::{Damage, Error};

/// Where a message is damaged, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed {
    at: usize,
    what: Damage,
}

impl From<Malformed> for Error {
    fn from(malformed: Malformed) -> Self {
        Self::Protobuf { at: malformed.at, what: malformed.what }
    }
}

/// A message, or what is left of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wire<'a> {
    rest: &'a [u8],
    /// Where it ends, counted from the start of the body: places are told by what is left.
    end: usize,
}

/// A field: its number and what it holds.
pub(super) type Field<'a> = (u32, Value<'a>);

/// What a field holds, by wire type.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(Wire<'a>),
    Fixed32,
}

const NUMBER_MAX: u64 = (1 << 29) - 1;

impl<'a> Wire<'a> {
    /// The whole body.
    pub(super) fn new(body: &'a [u8]) -> Self {
        Self { rest: body, end: body.len() }
    }

    #[inline]
    pub(super) fn bytes(&self) -> &'a [u8] {
        self.rest
    }

    /// How many bytes were read since `before`, a copy of this.
    #[inline]
    pub(super) fn since(&self, before: &Self) -> &'a [u8] {
        before.rest.get(..before.rest.len() - self.rest.len()).unwrap_or_default()
    }

    /// The next byte of the body that would be read.
    #[inline]
    pub(super) fn at(&self) -> usize {
        self.end - self.rest.len()
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    #[cold]
    pub(super) fn malformed(&self, what: Damage) -> Malformed {
        Malformed { at: self.at(), what }
    }

    /// For a known field in a foreign wire type.
    #[cold]
    pub(super) fn mismatch(&self, message: &'static str, field: u32) -> Malformed {
        self.malformed(Damage::Mismatch { message, field })
    }

    /// The next field; None at the end.
    #[inline]
    pub(super) fn field(&mut self) -> Result<Option<Field<'a>>, Malformed> {
        match self.rest {
            [] => Ok(None),
            // What nearly every field is: a low number, length-delimited, under 128 bytes.
            [key, length, rest @ ..]
                if key & 0x87 == 2 && *key > 7 && usize::from(*length) <= rest.len().min(0x7f) =>
            {
                self.rest = rest;
                let value = self.take(usize::from(*length))?;
                Ok(Some((u32::from(key >> 3), Value::Bytes(value))))
            }
            _ => self.any_field(),
        }
    }

    fn any_field(&mut self) -> Result<Option<Field<'a>>, Malformed> {
        let before = *self;
        let key = self.varint()?;
        let value = match key & 7 {
            0 => Value::Varint(self.varint()?),
            1 => Value::Fixed64(self.fixed64()?),
            2 => Value::Bytes(self.delimited()?),
            5 => {
                self.take(4)?;
                Value::Fixed32
            }
            wire => return Err(before.malformed(foreign(key >> 3, wire))),
        };
        match u32::try_from(key >> 3) {
            Ok(number) if number != 0 && key >> 3 <= NUMBER_MAX => Ok(Some((number, value))),
            _ => Err(before.malformed(Damage::FieldNumber(key >> 3))),
        }
    }

    /// Steps over the fields of key `tag` and wire type 2 that come next.
    #[inline]
    pub(super) fn step_over_all(&mut self, tag: u8) -> Result<(), Malformed> {
        loop {
            match self.rest {
                [first, length, rest @ ..] if *first == tag && *length < 0x80 => {
                    match rest.get(usize::from(*length)..) {
                        Some(rest) => self.rest = rest,
                        None => return self.field().map(|_| ()),
                    }
                }
                [first, ..] if *first == tag => {
                    self.field()?;
                }
                _ => return Ok(()),
            }
        }
    }

    /// Steps over `byte`, if it comes next.
    #[inline]
    pub(super) fn step_over_byte(&mut self, byte: u8) -> bool {
        match self.rest {
            [first, rest @ ..] if *first == byte => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    #[inline]
    pub(super) fn varint(&mut self) -> Result<u64, Malformed> {
        match self.rest {
            [byte, rest @ ..] if *byte < 0x80 => {
                self.rest = rest;
                Ok(u64::from(*byte))
            }
            _ => self.long_varint(),
        }
    }

    fn long_varint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0;
        for (index, byte) in self.rest.iter().take(10).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * index);
            if *byte < 0x80 {
                if index == 9 && *byte > 1 {
                    break;
                }
                self.rest = self.rest.get(index + 1..).unwrap_or_default();
                return Ok(value);
            }
        }
        let what = if self.rest.len() < 10 { Damage::Truncated } else { Damage::Varint };
        Err(self.malformed(what))
    }

    #[inline]
    pub(super) fn fixed64(&mut self) -> Result<u64, Malformed> {
        match self.rest.split_first_chunk() {
            Some((word, rest)) => {
                self.rest = rest;
                Ok(u64::from_le_bytes(*word))
            }
            None => Err(self.malformed(Damage::Truncated)),
        }
    }

    /// What comes next behind its length.
    #[inline]
    pub(super) fn delimited(&mut self) -> Result<Self, Malformed> {
        let length = self.varint()?;
        match usize::try_from(length) {
            Ok(length) if length <= self.rest.len() => self.take(length),
            _ => Err(self.malformed(Damage::Length { length, left: self.rest.len() })),
        }
    }

    #[inline]
    fn take(&mut self, size: usize) -> Result<Self, Malformed> {
        match self.rest.split_at_checked(size) {
            Some((head, rest)) => {
                self.rest = rest;
                Ok(Self { rest: head, end: self.at() })
            }
            None => Err(self.malformed(Damage::Truncated)),
        }
    }
}

fn foreign(field: u64, wire: u64) -> Damage {
    match u8::try_from(wire) {
        Ok(3 | 4) | Err(_) => Damage::Group(field),
        Ok(wire) => Damage::WireType { field, wire },
    }
}

/// Zigzag: signed numbers near zero as small varints.
#[inline]
pub(super) fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

/// Zigzag of 32 bits: what is beyond them is cut off, as every protobuf reader does.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "protobuf defines it so")]
pub(super) fn unzigzag32(value: u64) -> i32 {
    unzigzag(u64::from(value as u32)) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(bytes: &[u8]) -> Result<Vec<u32>, Malformed> {
        let mut wire = Wire::new(bytes);
        let mut numbers = Vec::new();
        while let Some((number, _)) = wire.field()? {
            numbers.push(number);
        }
        Ok(numbers)
    }

    #[test]
    fn fields_of_every_wire_type_are_stepped_over() {
        let bytes = [8, 150, 1, 0x11, 0, 0, 0, 0, 0, 0, 0, 0, 0x1a, 1, 7, 0x25, 0, 0, 0, 0];
        assert_eq!(fields(&bytes), Ok(vec![1, 2, 3, 4]));
    }

    #[test]
    fn damage_is_named_with_its_place() {
        let case = |bytes: &[u8], at, what| assert_eq!(fields(bytes), Err(Malformed { at, what }));
        case(&[0x0b], 0, Damage::Group(1));
        case(&[0x0c], 0, Damage::Group(1));
        case(&[8, 1, 0x0f], 2, Damage::WireType { field: 1, wire: 7 });
        case(&[0xff; 12], 0, Damage::Varint);
        case(&[0x0a, 0xff], 1, Damage::Truncated);
        case(&[0x0a, 5, 1], 2, Damage::Length { length: 5, left: 1 });
        case(&[0x00, 1], 0, Damage::FieldNumber(0));
        case(&[0x11, 0, 0], 1, Damage::Truncated);
        case(&[0x25, 0, 0], 1, Damage::Truncated);
        let huge = [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
        case(&huge, 10, Damage::Length { length: (1 << 63) - 1, left: 0 });
        case(&[8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2], 1, Damage::Varint);
    }

    #[test]
    fn zigzag_numbers_alternate() {
        assert_eq!([0, 1, 2, 3].map(unzigzag), [0, -1, 1, -2]);
        assert_eq!((unzigzag(u64::MAX), unzigzag(u64::MAX - 1)), (i64::MIN, i64::MAX));
        assert_eq!((unzigzag32(105), unzigzag32(u64::from(u32::MAX))), (-53, i32::MIN));
    }
}
