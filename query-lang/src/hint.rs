//! What someone may have meant.

use crate::aggregations::Aggregation;
use crate::functions::Function;

/// The function or aggregation whose name is like `name`, if one is like enough.
pub(crate) fn function_like(name: &str) -> Option<&'static str> {
    let functions = Function::ALL.iter().map(|function| function.name());
    let known = functions.chain(Aggregation::ALL.iter().map(|op| op.name()));
    closest(name, known)
}

/// The one of `known` that is like `name`, if one is like enough to be meant.
pub fn closest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let lower = name.to_ascii_lowercase();
    // A third of the letters may be wrong; names too long to be typing errors are not compared.
    let tolerance = (lower.len() / 3).clamp(1, 3);
    known
        .filter(|known| known.len().abs_diff(lower.len()) <= tolerance)
        .map(|known| (edits(&lower, known), known))
        .filter(|(edits, _)| *edits <= tolerance)
        .min()
        .map(|(_, known)| known)
}

/// The Levenshtein distance: letters to insert, remove or replace.
fn edits(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (above, from) in from.bytes().enumerate() {
        let mut diagonal = above;
        let mut left = above + 1;
        for (cell, to) in row.iter_mut().skip(1).zip(to.bytes()) {
            let replaced = diagonal + usize::from(from != to);
            diagonal = *cell;
            left = replaced.min(diagonal + 1).min(left + 1);
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = above + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_errors_are_recognised() {
        assert_eq!(function_like("raet"), None);
        assert_eq!(function_like("ratee"), Some("rate"));
        assert_eq!(function_like("Increase"), Some("increase"));
        assert_eq!(function_like("histogram_quantil"), Some("histogram_quantile"));
        assert_eq!(function_like("lable_replace"), Some("label_replace"));
        assert_eq!(function_like("frobnicate"), None);
    }

    #[test]
    fn edits_are_counted() {
        assert_eq!(edits("kitten", "sitting"), 3);
        assert_eq!(edits("", "abc"), 3);
        assert_eq!(edits("abc", "abc"), 0);
    }
}
