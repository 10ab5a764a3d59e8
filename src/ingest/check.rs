//! Whether a whole body is well formed, before anything is done that outlives it.
//!
//! Registering a series cannot be taken back. So the first unknown series of a request has all of
//! the body checked; a request of known series only never pays for this.

use crate::ingest::Damage;
use crate::ingest::wire::{Malformed, Value, Wire};

/// A message and its known fields; fields not listed may hold anything.
pub(super) struct Shape {
    pub(super) name: &'static str,
    pub(super) fields: &'static [(u32, Kind)],
}

/// What a known field holds.
pub(super) enum Kind {
    Varint,
    /// A double, or an integer of fixed size.
    Fixed64,
    Text,
    /// Repeated varints, packed or one by one.
    Varints,
    /// Repeated ones, packed or one by one.
    Fixed64s,
    Message(&'static Shape),
}

/// Messages within messages. Attributes of OTLP may hold each other without end.
const DEPTH_MAX: u8 = 64;

/// Ok where every known field of `wire` has its wire type, and everything its length.
pub(super) fn check(wire: Wire<'_>, shape: &'static Shape) -> Result<(), Malformed> {
    check_within(wire, shape, 0)
}

fn check_within(mut wire: Wire<'_>, shape: &'static Shape, depth: u8) -> Result<(), Malformed> {
    if depth > DEPTH_MAX {
        return Err(wire.malformed(Damage::Depth(DEPTH_MAX)));
    }
    loop {
        let before = wire;
        let Some((number, value)) = wire.field()? else { return Ok(()) };
        let Some((_, kind)) = shape.fields.iter().find(|(known, _)| *known == number) else {
            continue;
        };
        match (kind, value) {
            (Kind::Message(shape), Value::Bytes(inner)) => check_within(inner, shape, depth + 1)?,
            (Kind::Varints, Value::Bytes(mut packed)) => {
                while !packed.is_empty() {
                    packed.varint()?;
                }
            }
            (Kind::Fixed64s, Value::Bytes(mut packed)) => {
                while !packed.is_empty() {
                    packed.fixed64()?;
                }
            }
            (Kind::Text, Value::Bytes(_))
            | (Kind::Varint | Kind::Varints, Value::Varint(_))
            | (Kind::Fixed64 | Kind::Fixed64s, Value::Fixed64(_)) => {}
            _ => return Err(before.mismatch(shape.name, number)),
        }
    }
}
