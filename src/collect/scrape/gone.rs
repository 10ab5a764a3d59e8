//! Which series ended, and how many are new.

use crate::model::SeriesRef;

/// What is in `before` and not in `now`, each once; and how many of `now` are not in `before`.
///
/// Mostly both are equal and in one order, which a comparison of memory finds.
pub(super) fn difference(before: &[SeriesRef], now: &[SeriesRef]) -> (Vec<SeriesRef>, usize) {
    if before == now {
        return (Vec::new(), 0);
    }
    let sorted = |series: &[SeriesRef]| {
        let mut series = series.to_vec();
        series.sort_unstable();
        series.dedup();
        series
    };
    let (before, now) = (sorted(before), sorted(now));
    let (mut gone, mut kept) = (Vec::new(), 0);
    let mut rest = now.iter().peekable();
    for series in before {
        while rest.next_if(|next| **next < series).is_some() {}
        if rest.peek() == Some(&&series) {
            kept += 1;
        } else {
            gone.push(series);
        }
    }
    (gone, now.len() - kept)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn differences_are_those_of_sets(before: Vec<u8>, now: Vec<u8>) {
            let refs = |numbers: &[u8]| -> Vec<SeriesRef> {
                numbers.iter().map(|number| SeriesRef(u64::from(*number))).collect()
            };
            let (before, now) = (refs(&before), refs(&now));
            let (gone, added) = difference(&before, &now);
            let set = |list: &[SeriesRef]| list.iter().copied().collect::<BTreeSet<_>>();
            let expected: Vec<_> = set(&before).difference(&set(&now)).copied().collect();
            prop_assert_eq!(gone, expected);
            prop_assert_eq!(added, set(&now).difference(&set(&before)).count());
        }
    }
}
