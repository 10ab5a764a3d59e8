//! Which of the series of a data point, and what it is called.

use crate::ingest::otlp::labels::Set;

/// Which of the series of a data point.
#[derive(Clone, Copy, Debug)]
pub(super) enum Role {
    /// The only one.
    Whole,
    Sum,
    Count,
    /// A bucket up to a bound.
    Bucket(f64),
    /// The bucket of everything.
    Infinite,
    Quantile(f64),
}

impl Role {
    /// Appends what tells it from the others.
    pub(super) fn put(self, key: &mut Vec<u8>) {
        let (tag, value) = match self {
            Self::Whole => (0, None),
            Self::Sum => (1, None),
            Self::Count => (2, None),
            Self::Bucket(bound) => (3, Some(bound)),
            Self::Infinite => (4, None),
            Self::Quantile(quantile) => (5, Some(quantile)),
        };
        key.push(tag);
        if let Some(value) = value {
            key.extend_from_slice(&value.to_le_bytes());
        }
    }

    /// The name of the series, and the label that its role has.
    pub(super) fn name(self, family: &str, set: &mut Set<'_>) -> String {
        let suffix = match self {
            Self::Whole => "",
            Self::Sum => "_sum",
            Self::Count => "_count",
            Self::Bucket(bound) => {
                set.set("le", number_text(bound).into_bytes().into());
                "_bucket"
            }
            Self::Infinite => {
                set.set("le", b"+Inf".as_slice().into());
                "_bucket"
            }
            Self::Quantile(quantile) => {
                set.set("quantile", number_text(quantile).into_bytes().into());
                ""
            }
        };
        format!("{family}{suffix}")
    }
}

/// As Go's `FormatFloat(…, 'f', -1, 64)`.
fn number_text(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "+Inf".into() } else { "-Inf".into() };
    }
    value.to_string()
}
