//! A range of time in slices of a day, so that a server is not asked for everything at once and an
//! import can go on where it was.

const DAY_MS: i64 = 86_400_000;

/// Slices from `start` to `end`, both in milliseconds and included; one where the start is not known.
/// What a note says is done is left out.
pub(super) fn slices(
    (start, end): (Option<i64>, i64),
    done: Option<i64>,
) -> impl Iterator<Item = (Option<i64>, i64)> {
    let mut next =
        done.map_or(start, |done| Some(start.unwrap_or(i64::MIN).max(done.saturating_add(1))));
    let mut is_over = next.is_some_and(|next| next > end);
    std::iter::from_fn(move || {
        if is_over {
            return None;
        }
        let begin = next;
        let last = begin.map_or(end, |begin| {
            let day = begin.div_euclid(DAY_MS).saturating_add(1).saturating_mul(DAY_MS);
            day.saturating_sub(1).min(end)
        });
        next = Some(last.saturating_add(1));
        is_over = last >= end;
        Some((begin, last))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_are_days_and_what_is_done_is_left_out() {
        let all = |range, done| slices(range, done).collect::<Vec<_>>();
        assert_eq!(all((None, 5), None), [(None, 5)]);
        assert_eq!(
            all((Some(DAY_MS - 2), DAY_MS + 1), None),
            [(Some(DAY_MS - 2), DAY_MS - 1), (Some(DAY_MS), DAY_MS + 1)]
        );
        assert_eq!(all((Some(0), DAY_MS + 1), Some(DAY_MS - 1)), [(Some(DAY_MS), DAY_MS + 1)]);
        assert!(all((Some(0), 9), Some(9)).is_empty());
        assert!(all((None, 9), Some(9)).is_empty());
    }
}
