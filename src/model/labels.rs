//! Label sets: sorted by name, names unique, values never empty, text UTF-8.

use std::{cmp::Ordering, fmt, sync::Arc};

/// The label that holds a metric's name.
pub const METRIC_NAME: &str = "__name__";

/// A name and its value.
pub type Label<'a> = (&'a str, &'a str);

/// An immutable label set, cheap to clone.
///
/// Sorted by name in byte order, each name once, no empty value (a label with an empty value is no
/// label). Ordered as Prometheus orders label sets: pair by pair, name before value; a set that is
/// the beginning of another comes first.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Labels {
    /// All names and values, one after the other.
    text: Arc<str>,
    /// Where each name and each value ends in `text`: two entries a label.
    ends: Arc<[u32]>,
}

impl Labels {
    /// From pairs in any order; pairs with an empty value are left out.
    ///
    /// # Errors
    /// The name that stands there twice.
    pub fn new<'a>(pairs: impl IntoIterator<Item = Label<'a>>) -> Result<Self, String> {
        let mut pairs: Vec<Label<'a>> =
            pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        pairs.sort_unstable_by(|a, b| a.0.cmp(b.0));
        for (left, right) in pairs.iter().zip(pairs.iter().skip(1)) {
            if left.0 == right.0 {
                return Err(left.0.to_owned());
            }
        }
        Ok(Self::from_sorted(&pairs))
    }

    /// From pairs that are sorted, unique and without empty values; the caller's promise.
    pub fn from_sorted(pairs: &[Label<'_>]) -> Self {
        debug_assert!(pairs.is_sorted_by(|a, b| a.0 < b.0), "label names are sorted and unique");
        let mut text = String::with_capacity(pairs.iter().map(|(n, v)| n.len() + v.len()).sum());
        let mut ends = Vec::with_capacity(pairs.len() * 2);
        for (name, value) in pairs {
            for part in [name, value] {
                text.push_str(part);
                ends.push(u32::try_from(text.len()).unwrap_or(u32::MAX));
            }
        }
        Self { text: text.into(), ends: ends.into() }
    }

    /// The set without labels.
    pub fn empty() -> Self {
        Self::from_sorted(&[])
    }

    /// How many labels there are.
    pub fn len(&self) -> usize {
        self.ends.len() / 2
    }

    /// Whether there is no label.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The pairs, by name.
    pub fn iter(&self) -> impl Iterator<Item = Label<'_>> + Clone {
        let mut start = 0;
        let mut ends = self.ends.iter();
        std::iter::from_fn(move || {
            let mut part = || {
                let end = *ends.next()? as usize;
                let text = self.text.get(start..end).unwrap_or_default();
                start = end;
                Some(text)
            };
            Some((part()?, part()?))
        })
    }

    /// The value of `name`; None where there is no such label.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(n, _)| *n == name).map(|(_, value)| value)
    }

    /// The metric's name; empty where there is none.
    pub fn metric(&self) -> &str {
        self.get(METRIC_NAME).unwrap_or_default()
    }
}

impl Ord for Labels {
    fn cmp(&self, other: &Self) -> Ordering {
        self.iter().cmp(other.iter())
    }
}

impl PartialOrd for Labels {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (i, (name, value)) in self.iter().enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            write!(f, "{comma}{name}={value:?}")?;
        }
        f.write_str("}")
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_sorted_and_empty_values_left_out() {
        let labels = Labels::new([("job", "a"), ("__name__", "up"), ("gone", "")]).unwrap();
        assert_eq!(labels.to_string(), r#"{__name__="up", job="a"}"#);
        assert_eq!((labels.metric(), labels.get("gone")), ("up", None));
    }

    #[test]
    fn a_name_that_stands_twice_is_named() {
        assert_eq!(Labels::new([("a", "1"), ("b", "2"), ("a", "3")]), Err("a".into()));
    }

    #[test]
    fn order_is_pair_by_pair_and_a_beginning_comes_first() {
        let labels =
            |pairs: &[(&'static str, &'static str)]| Labels::new(pairs.iter().copied()).unwrap();
        assert!(labels(&[("a", "1")]) < labels(&[("a", "1"), ("b", "0")]));
        assert!(labels(&[("a", "1"), ("b", "9")]) < labels(&[("a", "10")]));
        assert!(labels(&[]) < labels(&[("a", "1")]));
    }
}
