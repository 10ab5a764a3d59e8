//! Whether labels may become a series: text, names, number, size.

use crate::ingest::config::{LABELS_OPTION, NAME_OPTION, VALUE_OPTION};
use crate::ingest::{Config, Reason};
use crate::model::Label;

/// Bytes of foreign text that an error repeats.
const SHOWN_BYTES_MAX: usize = 200;

/// Labels of one series on their way to the registry.
#[derive(Debug)]
pub(super) struct Checked<'a, 'c> {
    labels: Vec<Label<'a>>,
    config: &'c Config,
}

impl<'a, 'c> Checked<'a, 'c> {
    pub(super) fn new(config: &'c Config) -> Self {
        Self { labels: Vec::new(), config }
    }

    /// Adds a label as it came. One with an empty value is no label.
    pub(super) fn add(&mut self, name: &'a [u8], value: &'a [u8]) -> Result<(), Reason> {
        if name.is_empty() {
            return Err(Reason::EmptyName(shown(value)));
        }
        limit("label name size", name.len(), self.config.name_bytes_max, NAME_OPTION)?;
        limit("label value size", value.len(), self.config.value_bytes_max, VALUE_OPTION)?;
        let (name, value) = (text("name", name)?, text("value", value)?);
        if !value.is_empty() {
            limit("label count", self.labels.len() + 1, self.config.labels_max, LABELS_OPTION)?;
            self.labels.push((name, value));
        }
        Ok(())
    }

    /// All of them: sorted, unique, at least one.
    pub(super) fn finish(mut self) -> Result<Vec<Label<'a>>, Reason> {
        if self.labels.is_empty() {
            return Err(Reason::NoLabels);
        }
        if !self.labels.is_sorted_by(|a, b| a.0 < b.0) {
            self.labels.sort_unstable();
        }
        let mut pairs = self.labels.iter().zip(self.labels.iter().skip(1));
        match pairs.find(|(left, right)| left.0 == right.0) {
            Some((twice, _)) => Err(Reason::DuplicateLabel(twice.0.to_owned())),
            None => Ok(self.labels),
        }
    }
}

/// `bytes` as text.
pub(super) fn text<'a>(what: &'static str, bytes: &'a [u8]) -> Result<&'a str, Reason> {
    std::str::from_utf8(bytes).map_err(|error| Reason::NotUtf8 {
        what,
        text: shown(bytes),
        at: error.valid_up_to(),
    })
}

/// Ok where `actual` is within `limit`.
pub(super) fn limit(
    what: &'static str,
    actual: usize,
    limit: usize,
    option: &'static str,
) -> Result<(), Reason> {
    if actual <= limit {
        return Ok(());
    }
    Err(Reason::Limit { what, actual, limit, option })
}

/// The beginning of foreign bytes, as text that is fit for an error.
pub(super) fn shown(bytes: &[u8]) -> String {
    shown_up_to(SHOWN_BYTES_MAX, bytes)
}

/// [`shown`], of another size.
pub(super) fn shown_up_to(bytes_max: usize, bytes: &[u8]) -> String {
    let beginning = bytes.get(..bytes_max).unwrap_or(bytes);
    let mut text = String::from_utf8_lossy(beginning).into_owned();
    if beginning.len() < bytes.len() {
        text.truncate(text.trim_end_matches(char::REPLACEMENT_CHARACTER).len());
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(labels: &[(&str, &str)]) -> Result<Vec<(String, String)>, Reason> {
        let config =
            Config { labels_max: 3, name_bytes_max: 8, value_bytes_max: 9, ..Config::default() };
        let mut checked = Checked::new(&config);
        for (name, value) in labels {
            checked.add(name.as_bytes(), value.as_bytes())?;
        }
        Ok(checked.finish()?.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect())
    }

    #[test]
    fn labels_are_sorted_and_empty_values_dropped() {
        let labels = check(&[("z", "1"), ("a", "2"), ("gone", "")]).unwrap();
        assert_eq!(labels, [("a".into(), "2".into()), ("z".into(), "1".into())]);
    }

    #[test]
    fn each_fault_has_its_reason() {
        assert_eq!(check(&[]), Err(Reason::NoLabels));
        assert_eq!(check(&[("gone", "")]), Err(Reason::NoLabels));
        assert_eq!(check(&[("", "x")]), Err(Reason::EmptyName("x".into())));
        let twice = [("a", "1"), ("b", "2"), ("a", "3")];
        assert_eq!(check(&twice), Err(Reason::DuplicateLabel("a".into())));
        let many = [("a", "1"), ("b", "1"), ("c", "1"), ("d", "1")];
        let text = check(&many).unwrap_err().to_string();
        assert_eq!(
            text,
            "label count is 4, over the limit of 3; raise it with --ingest-labels-max"
        );
        assert!(check(&[("123456789", "1")]).unwrap_err().to_string().contains(NAME_OPTION));
        assert!(check(&[("a", "1234567890")]).unwrap_err().to_string().contains(VALUE_OPTION));
    }

    #[test]
    fn long_foreign_text_is_cut_at_a_character() {
        let long = "é".repeat(150);
        let text = shown(&long.as_bytes()[1..]);
        assert!(text.ends_with("é…") && text.len() < 220, "{text}");
        assert_eq!(shown(b"short"), "short");
    }
}
