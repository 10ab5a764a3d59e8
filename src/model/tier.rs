//! Tiers: resolutions that rows are kept in when they are no longer kept one by one.
//!
//! A bucket is a span of time, left-open and right-closed as windows are, and what is known of the rows
//! of one series in it.

use std::sync::Arc;

use crate::model::Histogram;

const MINUTE: i64 = 60_000_000_000;

/// A resolution. Numbers stand in files and never change; 0 is raw rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Tier {
    /// Buckets of five minutes.
    Minutes5 = 1,
    /// Buckets of an hour.
    Hour1 = 2,
}

impl Tier {
    /// All, finest first.
    pub const ALL: [Self; 2] = [Self::Minutes5, Self::Hour1];

    /// The tier of a number.
    pub fn of(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|tier| *tier as u8 == number)
    }

    /// The tier of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tier| tier.name() == name)
    }

    /// Its name in paths, options and texts.
    pub fn name(self) -> &'static str {
        match self {
            Self::Minutes5 => "5m",
            Self::Hour1 => "1h",
        }
    }

    /// How long a bucket is, ns. Days are whole buckets.
    pub fn width(self) -> i64 {
        match self {
            Self::Minutes5 => 5 * MINUTE,
            Self::Hour1 => 60 * MINUTE,
        }
    }

    /// How long a partition is, ns: whole days.
    pub fn partition(self) -> i64 {
        match self {
            // 1,152 and 768 buckets a series: one or two chunks.
            Self::Minutes5 => 4 * 24 * 60 * MINUTE,
            Self::Hour1 => 32 * 24 * 60 * MINUTE,
        }
    }

    /// The end of the bucket that a time is in.
    pub fn bucket(self, time: i64) -> i64 {
        let number = time.saturating_sub(1).div_euclid(self.width());
        number.saturating_add(1).saturating_mul(self.width())
    }
}

/// Up to where buckets of a tier stand for the rows of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zone {
    /// Whose buckets.
    pub tier: Tier,
    /// ns; in the zone. The end of a bucket.
    pub until: i64,
}

/// One row that a bucket remembers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TierRow<V> {
    /// ns.
    pub time: i64,
    /// Start timestamp in ns, 0 = unknown.
    pub start: i64,
    /// The value.
    pub value: V,
}

/// What a bucket says of the rows of one series: of those that a query sees, so of several in one ms
/// of the last, and of staleness markers only whether one ends it.
#[derive(Clone, Debug, PartialEq)]
pub struct Partial {
    /// Whose bucket.
    pub tier: Tier,
    /// The bucket's end, ns; in it.
    pub until: i64,
    /// Whether a staleness marker is the last row.
    pub ends_stale: bool,
    /// Its floats.
    pub floats: Option<FloatPartial>,
    /// Its histograms.
    pub histograms: Option<Box<HistogramPartial>>,
}

impl Partial {
    /// How many rows it stands for.
    pub fn count(&self) -> u64 {
        self.floats.map_or(0, |floats| floats.count)
            + self.histograms.as_ref().map_or(0, |histograms| histograms.count)
    }
}

/// What is known of some floats of one series, all of a span of time; at least one.
///
/// Spread and line are 0 where a tier does not keep them: [`Self::has_spread`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FloatPartial {
    /// How many.
    pub count: u64,
    /// Their sum, rounded.
    pub sum: f64,
    /// What is to be added to the sum to make up for rounding.
    pub rest: f64,
    /// The least; NaN only where all are.
    pub min: f64,
    /// The greatest; NaN only where all are.
    pub max: f64,
    /// The first.
    pub first: TierRow<f64>,
    /// The last.
    pub last: TierRow<f64>,
    /// What counters lost at resets: to be added to `last - first` for the increase.
    pub lost: f64,
    /// How often a counter began anew.
    pub resets: u64,
    /// How often the value changed.
    pub changes: u64,
    /// Whether what follows is known.
    pub has_spread: bool,
    /// The mean.
    pub mean: f64,
    /// Sum of squared distances to the mean.
    pub squares: f64,
    /// Sum of times, each in ms after the first.
    pub time_sum: i128,
    /// Sum of their squares.
    pub time_squares: i128,
    /// Sum of products of the distances of time (ms) and value to their means.
    pub products: f64,
}

/// What is known of some histograms of one series, all of a span of time; at least one.
#[derive(Clone, Debug, PartialEq)]
pub struct HistogramPartial {
    /// How many.
    pub count: u64,
    /// Their sum; None where layouts do not combine.
    pub sum: Option<Arc<Histogram>>,
    /// The first.
    pub first: TierRow<Arc<Histogram>>,
    /// The last.
    pub last: TierRow<Arc<Histogram>>,
    /// What counters lost at resets; None where there was none.
    pub lost: Option<Arc<Histogram>>,
    /// How often a counter began anew.
    pub resets: u64,
    /// How often the value changed.
    pub changes: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_holds_its_end_and_days_are_whole_buckets() {
        let hour = Tier::Hour1.width();
        assert_eq!(Tier::Hour1.bucket(hour), hour);
        assert_eq!(Tier::Hour1.bucket(hour + 1), 2 * hour);
        assert_eq!(Tier::Hour1.bucket(0), 0);
        for tier in Tier::ALL {
            assert_eq!(Tier::named(tier.name()), Some(tier));
            assert_eq!(Tier::of(tier as u8), Some(tier));
            assert_eq!(86_400_000_000_000 % tier.width(), 0);
            assert_eq!(tier.partition() % 86_400_000_000_000, 0);
        }
    }
}
