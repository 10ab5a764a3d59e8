//! Days from midnight to midnight, in milliseconds since 1970.

use crate::export::TimeForm;

const DAY_MS: i64 = 86_400_000;

/// Each day with a time from `first` to `last`: its name, and its times in the range, both included.
pub(super) fn days(first: i64, last: i64) -> impl Iterator<Item = (String, i64, i64)> {
    let numbers = first.div_euclid(DAY_MS)..=last.div_euclid(DAY_MS);
    numbers.map(move |day| {
        let begin = day.saturating_mul(DAY_MS);
        (name(begin), begin.max(first), begin.saturating_add(DAY_MS - 1).min(last))
    })
}

/// `2026-11-25`.
fn name(millis: i64) -> String {
    let mut text = Vec::new();
    TimeForm::Rfc3339.write(millis.saturating_mul(1_000_000), &mut text);
    let text = String::from_utf8_lossy(&text);
    text.split('T').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_cut_at_midnight() {
        let found: Vec<_> = days(DAY_MS - 5, DAY_MS * 2).collect();
        assert_eq!(
            found,
            [
                ("1970-01-01".to_owned(), DAY_MS - 5, DAY_MS - 1),
                ("1970-01-02".to_owned(), DAY_MS, DAY_MS * 2 - 1),
                ("1970-01-03".to_owned(), DAY_MS * 2, DAY_MS * 2),
            ]
        );
        assert_eq!(days(5, 4).count(), 1, "one day still");
    }
}
