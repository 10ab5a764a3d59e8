//! Which tier stands for rows when, in ms, and windows moved to the edges of its buckets.

use crate::model::{Tier, Zone};
use crate::query::annotations::Note;
use crate::query::error::Error;

const NANOS_IN_MILLI: i64 = 1_000_000;

/// Where buckets stand for the rows of a series; at least one zone.
#[derive(Clone, Debug)]
pub(crate) struct Zones(Vec<Zone>);

/// A window whose edges are those of buckets where there are buckets, ms. Left-open, right-closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moved {
    pub start: i64,
    pub end: i64,
}

impl Zones {
    /// None where rows are all there is.
    pub(crate) fn new(zones: Vec<Zone>) -> Option<Self> {
        (!zones.is_empty()).then_some(Self(zones))
    }

    /// Up to which ms buckets stand for rows.
    pub(crate) fn until(&self) -> i64 {
        self.0.last().map_or(i64::MIN, |zone| zone.until.div_euclid(NANOS_IN_MILLI))
    }

    /// The zone that a ms is in.
    fn at(&self, millis: i64) -> Option<Tier> {
        let is_in = |zone: &&Zone| millis <= zone.until.div_euclid(NANOS_IN_MILLI);
        self.0.iter().find(is_in).map(|zone| zone.tier)
    }

    fn floor(&self, millis: i64) -> i64 {
        let Some(tier) = self.at(millis) else { return millis };
        let width = width(tier);
        millis.div_euclid(width).saturating_mul(width)
    }

    /// A window of a length with its edges moved; None where it begins behind all buckets. A window
    /// shorter than a bucket becomes as long as one: it is never empty for being short.
    pub(crate) fn move_window(&self, end: i64, length: i64) -> Option<Moved> {
        let start = end.saturating_sub(length);
        if start >= self.until() {
            return None;
        }
        let shortest = self.at(start.saturating_add(1)).map_or(0, width);
        let start = self.floor(end.saturating_sub(length.max(shortest)));
        Some(Moved { start, end: self.floor(end) })
    }

    /// What is to be said where windows moved, or a value may be older.
    pub(crate) fn note(&self, is_range: bool) -> Option<Note> {
        let zone = self.0.last()?;
        let until = zone.until.div_euclid(1_000_000_000);
        let tier = zone.tier.name();
        Some(if is_range {
            Note::TierWindows { tier, until }
        } else {
            Note::TierLookback { tier, until }
        })
    }

    /// Something that buckets do not tell.
    pub(crate) fn refuse(&self, what: &str) -> Error {
        let zone = self.0.last();
        Error::NeedsRaw {
            what: what.to_owned(),
            tier: zone.map_or("", |zone| zone.tier.name()),
            until: zone.map_or(0, |zone| zone.until.div_euclid(1_000_000_000)),
        }
    }
}

/// How long a bucket is, ms.
fn width(tier: Tier) -> i64 {
    tier.width().div_euclid(NANOS_IN_MILLI)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    fn zones() -> Zones {
        let zone = |tier, hours: i64| Zone { tier, until: hours * HOUR * NANOS_IN_MILLI };
        Zones::new(vec![zone(Tier::Hour1, 24), zone(Tier::Minutes5, 48)]).unwrap()
    }

    #[test]
    fn windows_move_to_the_edges_of_the_buckets_they_touch() {
        let moved = |end, length| zones().move_window(end, length).map(|it| (it.start, it.end));
        // Aligned windows stay.
        assert_eq!(moved(10 * HOUR, 2 * HOUR), Some((8 * HOUR, 10 * HOUR)));
        assert_eq!(moved(10 * HOUR + 5, 2 * HOUR), Some((8 * HOUR, 10 * HOUR)));
        // Short ones become a bucket long.
        assert_eq!(moved(10 * HOUR + 5, HOUR / 12), Some((9 * HOUR, 10 * HOUR)));
        // From one tier into another, and into raw rows.
        assert_eq!(moved(25 * HOUR + 5, 2 * HOUR + 7), Some((22 * HOUR, 25 * HOUR)));
        assert_eq!(moved(48 * HOUR + 9, HOUR), Some((47 * HOUR, 48 * HOUR + 9)));
        // Behind all buckets nothing moves.
        assert_eq!(moved(49 * HOUR, HOUR), None);
        assert!(moved(49 * HOUR, HOUR + 1).is_some());
    }
}
