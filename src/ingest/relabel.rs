//! Labels that are changed on their way in.

use std::borrow::Cow;

use crate::model::{Label, Labels};

/// A label's name and value, escapes undone; text that was not looked at yet.
pub type Pair<'a> = (Cow<'a, [u8]>, Cow<'a, [u8]>);

/// Changes the labels of a series before it is registered: relabelling, labels of a target.
pub trait Relabel: Send + Sync {
    /// The labels that the series shall have; None where it is not wanted.
    ///
    /// `labels` holds labels as they came: unsorted, a metric's name first where the format sets it
    /// apart, names unique, and with those of empty value, which some targets send to say "not even yours".
    fn relabel(&self, labels: &[Label<'_>]) -> Option<Labels>;
}

/// Labels that a request adds to all its series; of two with one name, these win.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExtraLabels {
    pairs: Vec<(String, String)>,
    scope: Vec<u8>,
}

impl ExtraLabels {
    /// From pairs in any order; of two with one name the later is meant.
    pub fn new(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut extra = Self::default();
        for (name, value) in pairs {
            extra.pairs.retain(|(there, _)| *there != name);
            extra.pairs.push((name, value));
        }
        for text in extra.pairs.iter().flat_map(|(name, value)| [name, value]) {
            extra.scope.extend_from_slice(&text.len().to_le_bytes());
            extra.scope.extend_from_slice(text.as_bytes());
        }
        extra
    }

    /// Whether nothing is added.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// Bytes that differ where the labels do.
    pub fn scope(&self) -> &[u8] {
        &self.scope
    }

    /// Itself, unless nothing is added.
    pub fn as_relabel(&self) -> Option<&dyn Relabel> {
        (!self.is_empty()).then_some(self as &dyn Relabel)
    }
}

impl Relabel for ExtraLabels {
    fn relabel(&self, labels: &[Label<'_>]) -> Option<Labels> {
        let is_own = |name: &str| self.pairs.iter().any(|(extra, _)| extra == name);
        let own = self.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let others = labels.iter().copied().filter(|(name, _)| !is_own(name));
        // Names are unique on both sides.
        Labels::new(others.chain(own)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extra_labels_win_and_an_empty_one_removes() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let extra = ExtraLabels::new([pair("a", "0"), pair("b", ""), pair("a", "1")]);
        let labels = extra.relabel(&[("__name__", "m"), ("a", "x"), ("b", "y"), ("c", "z")]);
        assert_eq!(labels.unwrap().to_string(), r#"{__name__="m", a="1", c="z"}"#);
        assert!(ExtraLabels::default().as_relabel().is_none());
        let other = ExtraLabels::new([pair("a", "1"), pair("b", "")]);
        assert_ne!(extra.scope(), other.scope());
    }
}
