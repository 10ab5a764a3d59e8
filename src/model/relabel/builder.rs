//! Labels that are being changed.

use crate::model::{Label, Labels};

/// A label set under change: sorted by name, each name once, no empty value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelBuilder {
    pairs: Vec<(String, String)>,
}

impl LabelBuilder {
    /// Without labels.
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins with these labels; of two of one name the later stays.
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = Label<'a>>) -> Self {
        let mut builder = Self::new();
        for (name, value) in pairs {
            builder.set(name, value);
        }
        builder
    }

    /// The value of `name`; empty where there is no such label.
    pub fn get(&self, name: &str) -> &str {
        let found = self.find(name).ok().and_then(|index| self.pairs.get(index));
        found.map_or("", |(_, value)| value.as_str())
    }

    /// Gives `name` a value; an empty one removes the label.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        let value = value.into();
        match self.find(name) {
            Ok(index) if value.is_empty() => {
                self.pairs.remove(index);
            }
            Ok(index) => {
                if let Some(pair) = self.pairs.get_mut(index) {
                    pair.1 = value;
                }
            }
            Err(_) if value.is_empty() => {}
            Err(index) => self.pairs.insert(index, (name.to_owned(), value)),
        }
    }

    /// Removes a label.
    pub fn remove(&mut self, name: &str) {
        if let Ok(index) = self.find(name) {
            self.pairs.remove(index);
        }
    }

    /// Keeps the labels whose names `keep` wants.
    pub fn retain(&mut self, mut keep: impl FnMut(&str) -> bool) {
        self.pairs.retain(|(name, _)| keep(name));
    }

    /// Removes all labels, keeping the memory.
    pub fn clear(&mut self) {
        self.pairs.clear();
    }

    /// The pairs, by name.
    pub fn iter(&self) -> impl Iterator<Item = Label<'_>> + Clone {
        self.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// How many labels there are.
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Whether there is no label.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// What it holds now, as an immutable set.
    pub fn labels(&self) -> Labels {
        let pairs: Vec<Label<'_>> = self.iter().collect();
        Labels::from_sorted(&pairs)
    }

    fn find(&self, name: &str) -> Result<usize, usize> {
        self.pairs.binary_search_by(|(there, _)| there.as_str().cmp(name))
    }
}

impl From<&Labels> for LabelBuilder {
    fn from(labels: &Labels) -> Self {
        let owned = |(name, value): Label<'_>| (name.to_owned(), value.to_owned());
        Self { pairs: labels.iter().map(owned).collect() }
    }
}
