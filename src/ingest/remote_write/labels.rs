//! Labels as message 1 writes them: read, gathered, spelled.

use std::fmt::Write as _;

use super::decoder::Fault;
use crate::ingest::Config;
use crate::ingest::labels::{Checked, shown as shown_text};
use crate::ingest::wire::{Malformed, Value, Wire};
use crate::model::Label;

/// Bytes of labels that an error repeats.
const SHOWN_BYTES_MAX: usize = 300;

/// The labels of a series: sorted, unique, at least one.
pub(super) fn parse<'a>(mut fields: Wire<'a>, config: &Config) -> Result<Vec<Label<'a>>, Fault> {
    let mut checked = Checked::new(config);
    while let Some((number, value)) = fields.field()? {
        if let (1, Value::Bytes(message)) = (number, value) {
            let (name, value) = pair(message)?;
            checked.add(name, value)?;
        }
    }
    Ok(checked.finish()?)
}

/// Name and value of a label.
pub(in crate::ingest) fn pair(mut message: Wire<'_>) -> Result<(&[u8], &[u8]), Malformed> {
    let (mut name, mut text): (&[u8], &[u8]) = (&[], &[]);
    loop {
        let before = message;
        match message.field()? {
            Some((1, Value::Bytes(bytes))) => name = bytes.bytes(),
            Some((2, Value::Bytes(bytes))) => text = bytes.bytes(),
            Some((number @ (1 | 2), _)) => return Err(before.mismatch("Label", number)),
            Some(_) => {}
            None => return Ok((name, text)),
        }
    }
}

/// Appends the label fields of a series, wherever they stand in it.
pub(in crate::ingest) fn gather(mut series: Wire<'_>, out: &mut Vec<u8>) -> Result<(), Malformed> {
    while let Some((number, value)) = series.field()? {
        if let (1, Value::Bytes(label)) = (number, value) {
            out.push(0x0a);
            put_length(label.bytes().len(), out);
            out.extend_from_slice(label.bytes());
        }
    }
    Ok(())
}

/// Appends a label as Prometheus itself encodes it: no field for an empty text.
#[inline]
pub(super) fn spell(name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    let size =
        |text: &[u8]| if text.is_empty() { 0 } else { 1 + length_size(text.len()) + text.len() };
    out.push(0x0a);
    put_length(size(name) + size(value), out);
    for (tag, text) in [(0x0a, name), (0x12, value)] {
        if !text.is_empty() {
            out.push(tag);
            put_length(text.len(), out);
            out.extend_from_slice(text);
        }
    }
}

#[inline]
fn length_size(length: usize) -> usize {
    if length < 0x80 { 1 } else { (usize::BITS - length.leading_zeros()).div_ceil(7) as usize }
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "seven bits at a time")]
fn put_length(mut length: usize, out: &mut Vec<u8>) {
    while length >= 0x80 {
        out.push(length as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
}

/// The labels for a person to recognise, however bad they are.
pub(in crate::ingest) fn shown(labels: &[u8]) -> String {
    let mut text = String::from("{");
    let mut fields = Wire::new(labels);
    while let Ok(Some((number, value))) = fields.field() {
        let (1, Value::Bytes(message)) = (number, value) else { continue };
        let Ok((name, value)) = pair(message) else { break };
        if text.len() > SHOWN_BYTES_MAX {
            text.push('…');
            break;
        }
        let comma = if text.len() == 1 { "" } else { ", " };
        let (name, value) = (shown_text(name), shown_text(value));
        // Writing to a string cannot fail.
        let _ = write!(text, "{comma}{name}={value:?}");
    }
    text.push('}');
    text
}
