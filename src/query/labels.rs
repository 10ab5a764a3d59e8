//! Label sets changed: some kept, some dropped, one set.

use crate::model::{Label, Labels, METRIC_NAME};

/// Labels that describe a metric and go when its name goes.
const METADATA: [&str; 3] = [METRIC_NAME, "__type__", "__unit__"];

/// Only the labels that `keep` says.
pub(crate) fn filtered(labels: &Labels, keep: impl Fn(&str) -> bool) -> Labels {
    let pairs: Vec<Label<'_>> = labels.iter().filter(|(name, _)| keep(name)).collect();
    if pairs.len() == labels.len() { labels.clone() } else { Labels::from_sorted(&pairs) }
}

/// Only these labels.
pub(crate) fn only(labels: &Labels, names: &[String]) -> Labels {
    filtered(labels, |name| names.iter().any(|n| n == name))
}

/// All but these labels.
pub(crate) fn without(labels: &Labels, names: &[String]) -> Labels {
    filtered(labels, |name| names.iter().all(|n| n != name))
}

/// Without the name, the type and the unit.
pub(crate) fn without_metadata(labels: &Labels) -> Labels {
    filtered(labels, |name| !METADATA.contains(&name))
}

/// With a label set; an empty value takes it away.
pub(crate) fn with(labels: &Labels, name: &str, value: &str) -> Labels {
    let mut pairs: Vec<Label<'_>> = labels.iter().filter(|(n, _)| *n != name).collect();
    if !value.is_empty() {
        let at = pairs.partition_point(|(n, _)| *n < name);
        pairs.insert(at, (name, value));
    }
    Labels::from_sorted(&pairs)
}

/// Whether Prometheus takes it for a label's name: any UTF-8 but the empty text.
///
/// The language gives U+FFFD for bytes that are no UTF-8, and no question holds one otherwise.
pub(crate) fn is_valid_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(char::REPLACEMENT_CHARACTER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_set_in_order_and_taken_away_by_nothing() {
        let labels = Labels::new([("a", "1"), ("c", "3")]).unwrap();
        let more = with(&labels, "b", "2");
        assert_eq!(more.to_string(), r#"{a="1", b="2", c="3"}"#);
        assert_eq!(with(&more, "b", ""), labels);
        assert_eq!(only(&more, &["c".into()]).to_string(), r#"{c="3"}"#);
    }
}
