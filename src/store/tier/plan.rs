//! When rows and buckets go, and which files of a tier are merged. No files, no clock.

use std::time::Duration;

use crate::model::Tier;
use crate::store::manifest::DAY;

/// What ends before this instant goes; None where it is kept for ever.
pub(super) fn cutoff(now: i64, kept: Option<Duration>) -> Option<i64> {
    let span = i64::try_from(kept?.as_nanos()).unwrap_or(i64::MAX);
    Some(now.saturating_sub(span))
}

/// The end of the last partition that ends before `cutoff`.
pub(super) fn grid(tier: Option<Tier>, cutoff: i64) -> i64 {
    let length = tier.map_or(DAY, Tier::partition);
    cutoff.saturating_sub(1).div_euclid(length).saturating_mul(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_goes_when_all_of_it_is_old() {
        assert_eq!(cutoff(10 * DAY, None), None);
        let cutoff = cutoff(10 * DAY, Some(Duration::from_hours(72))).unwrap();
        assert_eq!(cutoff, 7 * DAY);
        assert_eq!(grid(None, cutoff), 6 * DAY);
        assert_eq!(grid(None, cutoff + 1), 7 * DAY);
        assert_eq!(grid(Some(Tier::Hour1), 40 * DAY), 32 * DAY);
    }
}
