//! A group as bytes, so that it outlives the process: a line with a checksum, then JSON.
//!
//! Floats are their bits, as JSON has no NaN. Layout: storage-format.md, "Pushed groups".

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use super::groups::{Group, Kept};
use super::read::{Row, Value};
use crate::model::{Histogram, Labels, ResetHint, Span};

/// What the first line begins with: a name, and the number of the layout.
const MAGIC: &str = "quipu-pushed 1 ";

/// Why bytes are no group.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SavedError {
    /// It does not begin as a group does.
    #[error("it does not begin with {MAGIC:?}")]
    Magic,
    /// A byte is another than was written.
    #[error("checksum is {found:016x}, expected {expected:016x}")]
    Checksum {
        /// Of the bytes.
        found: u64,
        /// Written in the first line.
        expected: u64,
    },
    /// The checksum holds and the content does not.
    #[error("cannot read it: {0}")]
    Content(String),
}

#[derive(Serialize, Deserialize)]
struct Saved {
    group: Vec<(String, String)>,
    pushed: i64,
    failed: i64,
    rows: Vec<SavedRow>,
}

#[derive(Serialize, Deserialize)]
struct SavedRow {
    family: String,
    labels: Vec<(String, String)>,
    value: SavedValue,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SavedValue {
    Float(u64),
    Histogram(Box<SavedHistogram>),
}

#[derive(Serialize, Deserialize)]
struct SavedHistogram {
    is_integer: bool,
    reset_hint: u8,
    schema: i8,
    zero_threshold: u64,
    zero_count: u64,
    count: u64,
    sum: u64,
    positive_spans: Vec<(i32, u32)>,
    negative_spans: Vec<(i32, u32)>,
    positive: Vec<u64>,
    negative: Vec<u64>,
    custom_values: Vec<u64>,
}

/// The name under which a group is saved: 32 hexadecimal digits of its labels.
pub(super) fn name(group: &Group) -> String {
    let mut bytes = Vec::new();
    for text in group.labels().iter().flat_map(|(name, value)| [name, value]) {
        bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
        bytes.extend_from_slice(text.as_bytes());
    }
    format!("{:032x}", xxh3_128(&bytes))
}

pub(super) fn save(group: &Group, kept: &Kept) -> Vec<u8> {
    let saved = Saved {
        group: group.labels().to_vec(),
        pushed: kept.pushed,
        failed: kept.failed,
        rows: kept.rows.iter().map(saved_row).collect(),
    };
    // Texts and numbers only: nothing in it that JSON refuses.
    let body = serde_json::to_vec(&saved).unwrap_or_default();
    let mut bytes = format!("{MAGIC}{:016x}\n", xxh3_64(&body)).into_bytes();
    bytes.extend_from_slice(&body);
    bytes
}

pub(super) fn load(bytes: &[u8]) -> Result<(Group, Kept), SavedError> {
    let rest = bytes.strip_prefix(MAGIC.as_bytes()).ok_or(SavedError::Magic)?;
    let (digits, rest) = rest.split_at_checked(16).ok_or(SavedError::Magic)?;
    let body = rest.strip_prefix(b"\n").ok_or(SavedError::Magic)?;
    let digits = str::from_utf8(digits).map_err(|_| SavedError::Magic)?;
    let expected = u64::from_str_radix(digits, 16).map_err(|_| SavedError::Magic)?;
    let found = xxh3_64(body);
    if found != expected {
        return Err(SavedError::Checksum { found, expected });
    }
    let saved: Saved =
        serde_json::from_slice(body).map_err(|error| SavedError::Content(error.to_string()))?;
    let rows = saved.rows.into_iter().map(row).collect::<Result<_, _>>()?;
    let kept = Kept { rows, pushed: saved.pushed, failed: saved.failed };
    Ok((Group::new(saved.group), kept))
}

fn saved_row(row: &Row) -> SavedRow {
    let labels =
        row.labels.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let value = match &row.value {
        Value::Float(value) => SavedValue::Float(value.to_bits()),
        Value::Histogram(value) => SavedValue::Histogram(Box::new(saved_histogram(value))),
    };
    SavedRow { family: row.family.clone(), labels, value }
}

fn row(saved: SavedRow) -> Result<Row, SavedError> {
    let pairs = saved.labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let labels = Labels::new(pairs).map_err(|error| SavedError::Content(error.clone()))?;
    let value = match saved.value {
        SavedValue::Float(bits) => Value::Float(f64::from_bits(bits)),
        SavedValue::Histogram(saved) => Value::Histogram(histogram(&saved)?),
    };
    Ok(Row { family: saved.family, labels, value })
}

fn saved_histogram(it: &Histogram) -> SavedHistogram {
    let all = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect();
    let spans = |spans: &[Span]| spans.iter().map(|span| (span.offset, span.length)).collect();
    SavedHistogram {
        is_integer: it.is_integer,
        reset_hint: match it.reset_hint {
            ResetHint::Unknown => 0,
            ResetHint::Reset => 1,
            ResetHint::NoReset => 2,
            ResetHint::Gauge => 3,
        },
        schema: it.schema,
        zero_threshold: it.zero_threshold.to_bits(),
        zero_count: it.zero_count.to_bits(),
        count: it.count.to_bits(),
        sum: it.sum.to_bits(),
        positive_spans: spans(&it.positive_spans),
        negative_spans: spans(&it.negative_spans),
        positive: all(&it.positive),
        negative: all(&it.negative),
        custom_values: all(&it.custom_values),
    }
}

fn histogram(it: &SavedHistogram) -> Result<Histogram, SavedError> {
    let all = |bits: &[u64]| bits.iter().map(|bits| f64::from_bits(*bits)).collect();
    let spans = |spans: &[(i32, u32)]| {
        spans.iter().map(|(offset, length)| Span { offset: *offset, length: *length }).collect()
    };
    let holds = |spans: &[(i32, u32)], counts: &[u64]| {
        spans.iter().map(|(_, length)| u64::from(*length)).sum::<u64>() == counts.len() as u64
    };
    if !holds(&it.positive_spans, &it.positive) || !holds(&it.negative_spans, &it.negative) {
        return Err(SavedError::Content("a histogram's spans and buckets differ".into()));
    }
    Ok(Histogram {
        is_integer: it.is_integer,
        reset_hint: match it.reset_hint {
            1 => ResetHint::Reset,
            2 => ResetHint::NoReset,
            3 => ResetHint::Gauge,
            _ => ResetHint::Unknown,
        },
        schema: it.schema,
        zero_threshold: f64::from_bits(it.zero_threshold),
        zero_count: f64::from_bits(it.zero_count),
        count: f64::from_bits(it.count),
        sum: f64::from_bits(it.sum),
        positive_spans: spans(&it.positive_spans),
        negative_spans: spans(&it.negative_spans),
        positive: all(&it.positive),
        negative: all(&it.negative),
        custom_values: all(&it.custom_values),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kept(bits: u64, text: &str) -> (Group, Kept) {
        let pairs = [("job".to_owned(), text.to_owned()), ("empty".to_owned(), String::new())];
        let labels = Labels::new([("__name__", "m"), ("x", text)]).unwrap();
        let histogram = Histogram {
            is_integer: true,
            reset_hint: ResetHint::Gauge,
            schema: 3,
            sum: f64::from_bits(bits),
            positive_spans: vec![Span { offset: -3, length: 2 }],
            positive: vec![1.0, 2.0],
            ..Histogram::default()
        };
        let row = |value| Row { family: "m".into(), labels: labels.clone(), value };
        let rows = vec![row(Value::Float(f64::from_bits(bits))), row(Value::Histogram(histogram))];
        (Group::new(pairs), Kept { rows, pushed: -5, failed: i64::MAX })
    }

    proptest! {
        #[test]
        fn a_group_comes_back_to_the_bit(bits: u64, text in "[^\\x00]{0,9}") {
            let (group, kept) = kept(bits, &text);
            let bytes = save(&group, &kept);
            let (again, back) = load(&bytes).unwrap();
            prop_assert_eq!(name(&again), name(&group));
            // NaN is not equal to itself, its bytes are.
            prop_assert_eq!(save(&again, &back), bytes);
        }

        #[test]
        fn a_changed_or_cut_file_is_an_error(at in 0_usize..2000, flip in 1_u8..) {
            let (group, kept) = kept(7, "a");
            let mut bytes = save(&group, &kept);
            let at = at % bytes.len();
            prop_assert!(load(&bytes[..at]).is_err());
            bytes[at] ^= flip;
            // A digit of the checksum may be written in capitals.
            prop_assert!(load(&bytes).is_err() || flip == 0x20);
        }

        #[test]
        fn any_bytes_are_a_group_or_an_error(bytes: Vec<u8>) {
            let _ = load(&bytes);
            let mut sealed = format!("{MAGIC}{:016x}\n", xxh3_64(&bytes)).into_bytes();
            sealed.extend_from_slice(&bytes);
            let _ = load(&sealed);
        }
    }

    #[test]
    fn groups_have_names_of_their_own() {
        let group = |pairs: &[(&str, &str)]| {
            Group::new(pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())))
        };
        let names = [
            name(&group(&[("job", "a")])),
            name(&group(&[("job", "ab")])),
            name(&group(&[("job", "a"), ("x", "")])),
            name(&group(&[("job", "a"), ("x", "y")])),
        ];
        let unique: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(unique.len(), names.len());
    }
}
