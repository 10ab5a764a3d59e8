//! Whether a whole body is well formed, before anything is done that outlives it.
//!
//! Registering a series cannot be taken back. So the first unknown series of a request has all of
//! the body checked; a request of known series only never pays for this.

use crate::ingest::wire::{Malformed, Value, Wire};

/// A message and its known fields; fields not listed may hold anything.
pub(super) struct Shape {
    pub(super) name: &'static str,
    pub(super) fields: &'static [(u32, Kind)],
}

/// What a field holds.
pub(super) enum Kind {
    Varint,
    Double,
    Text,
    /// Repeated varints, packed or one by one.
    Varints,
    /// Repeated doubles, packed or one by one.
    Doubles,
    Message(&'static Shape),
}

/// Ok where every known field of `wire` has its wire type, and everything its length. No shape holds
/// itself, so depth is bounded by the shapes.
pub(super) fn check(mut wire: Wire<'_>, shape: &'static Shape) -> Result<(), Malformed> {
    loop {
        let before = wire;
        let Some((number, value)) = wire.field()? else { return Ok(()) };
        let Some((_, kind)) = shape.fields.iter().find(|(known, _)| *known == number) else {
            continue;
        };
        match (kind, value) {
            (Kind::Message(shape), Value::Bytes(inner)) => check(inner, shape)?,
            (Kind::Varints, Value::Bytes(mut packed)) => {
                while !packed.is_empty() {
                    packed.varint()?;
                }
            }
            (Kind::Doubles, Value::Bytes(mut packed)) => {
                while !packed.is_empty() {
                    packed.fixed64()?;
                }
            }
            (Kind::Text, Value::Bytes(_))
            | (Kind::Varint | Kind::Varints, Value::Varint(_))
            | (Kind::Double | Kind::Doubles, Value::Fixed64(_)) => {}
            _ => return Err(before.mismatch(shape.name, number)),
        }
    }
}
