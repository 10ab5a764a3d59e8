//! Counters that begin anew: what start timestamps say of it. All times in ms.

/// Whether a row's start timestamp tells that its counter began anew after the row before.
///
/// A start of 0 is unknown, one at or after its own row is no start. A start that equals the time of
/// the row before is a reset only where that row's own start is known and before it (a delta series).
pub fn is_start_reset(previous: StartedAt, current: StartedAt) -> bool {
    if current.start == 0 || current.start >= current.time || current.start < previous.time {
        return false;
    }
    if current.start > previous.time {
        return true;
    }
    previous.start != 0 && previous.start < previous.time
}

/// Whether a row claims to have started before the row before it was taken, yet not with it.
pub fn starts_overlap(previous: StartedAt, current: StartedAt) -> bool {
    current.start != 0 && current.start < previous.time && current.start != previous.start
}

/// When a row was taken and when its counter started (0 = unknown).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StartedAt {
    /// The row's start timestamp.
    pub start: i64,
    /// The row's time.
    pub time: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(start: i64, time: i64) -> StartedAt {
        StartedAt { start, time }
    }

    #[test]
    fn a_start_after_the_row_before_is_a_reset() {
        assert!(is_start_reset(at(1, 10), at(11, 20)));
        assert!(!is_start_reset(at(1, 10), at(1, 20)));
        assert!(!is_start_reset(at(1, 10), at(0, 20)));
        assert!(!is_start_reset(at(1, 10), at(20, 20)));
    }

    #[test]
    fn a_start_at_the_row_before_is_a_reset_of_a_delta_series_only() {
        assert!(is_start_reset(at(1, 10), at(10, 20)));
        assert!(!is_start_reset(at(10, 10), at(10, 20)));
        assert!(!is_start_reset(at(0, 10), at(10, 20)));
    }

    #[test]
    fn starts_may_stay_or_follow_but_not_overlap() {
        assert!(starts_overlap(at(1, 10), at(5, 20)));
        assert!(!starts_overlap(at(1, 10), at(10, 20)));
        assert!(!starts_overlap(at(1, 10), at(1, 20)));
    }
}
