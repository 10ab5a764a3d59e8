//! Instants and ranges of time: nanoseconds since 1970 UTC.

use std::fmt;

/// The value that says "this series ended here": a NaN with Prometheus' payload, kept bit for bit.
pub const STALE_BITS: u64 = 0x7ff0_0000_0000_0002;

/// Whether `value` is the staleness marker.
#[inline]
pub fn is_stale(value: f64) -> bool {
    value.to_bits() == STALE_BITS
}

/// An instant: nanoseconds since 1970-01-01 UTC, from 1677 to 2262.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The first instant there is.
    pub const MIN: Self = Self(i64::MIN);
    /// The last instant there is.
    pub const MAX: Self = Self(i64::MAX);

    /// From milliseconds, as Prometheus counts; None outside 1677-2262.
    pub fn from_millis(millis: i64) -> Option<Self> {
        millis.checked_mul(1_000_000).map(Self)
    }

    /// From milliseconds; what lies outside 1677-2262 becomes the nearest instant inside.
    pub fn from_millis_saturating(millis: i64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// Whole milliseconds, floored: doors that speak milliseconds show this.
    pub fn millis(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// Nanoseconds since 1970.
    pub fn nanos(self) -> i64 {
        self.0
    }
}

/// A half-open range of time: `start` is in, `end` is out. Never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimeRange {
    start: Timestamp,
    end: Timestamp,
}

impl TimeRange {
    /// All of time but its very last nanosecond.
    pub const ALL: Self = Self { start: Timestamp::MIN, end: Timestamp::MAX };

    /// None where no instant would be in it.
    pub fn new(start: Timestamp, end: Timestamp) -> Option<Self> {
        (start < end).then_some(Self { start, end })
    }

    /// The range that holds both ends.
    pub fn closed(first: Timestamp, last: Timestamp) -> Option<Self> {
        Self::new(first, Timestamp(last.0.saturating_add(1)))
    }

    /// The first instant in it.
    pub fn start(self) -> Timestamp {
        self.start
    }

    /// The first instant after it.
    pub fn end(self) -> Timestamp {
        self.end
    }

    /// Whether `time` is in it.
    pub fn contains(self, time: Timestamp) -> bool {
        self.start <= time && time < self.end
    }

    /// Whether an instant is in both.
    pub fn overlaps(self, other: Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// What is in both; None where nothing is.
    pub fn intersection(self, other: Self) -> Option<Self> {
        Self::new(self.start.max(other.start), self.end.min(other.end))
    }
}

impl fmt::Display for TimeRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} ns, {} ns)", self.start.0, self.end.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_before_1970_floor_towards_the_past() {
        assert_eq!(Timestamp(-1).millis(), -1);
        assert_eq!(Timestamp(-1_000_000).millis(), -1);
        assert_eq!(Timestamp(999_999).millis(), 0);
    }

    #[test]
    fn ranges_that_touch_do_not_overlap() {
        let range = |a, b| TimeRange::new(Timestamp(a), Timestamp(b)).unwrap();
        assert!(!range(0, 5).overlaps(range(5, 9)));
        assert_eq!(range(0, 5).intersection(range(3, 9)), Some(range(3, 5)));
        assert_eq!(TimeRange::new(Timestamp(3), Timestamp(3)), None);
    }
}
