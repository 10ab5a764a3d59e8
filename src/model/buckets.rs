//! Buckets of one series as columns: what is asked of them is read, and nothing else.

use crate::model::{FloatPartial, HistogramPartial, Partial, Tier, TierRow};

/// What of the floats of a bucket is asked for. How many there are is always told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts(u16);

impl Facts {
    /// How many alone.
    pub const COUNT: Self = Self(0);
    /// Sum, rest and mean.
    pub const SUM: Self = Self(1);
    /// The least.
    pub const MIN: Self = Self(1 << 1);
    /// The greatest.
    pub const MAX: Self = Self(1 << 2);
    /// First value and its time.
    pub const FIRST: Self = Self(1 << 3);
    /// Last value and its time.
    pub const LAST: Self = Self(1 << 4);
    /// Start timestamps of the first and the last.
    pub const STARTS: Self = Self(1 << 5);
    /// Resets, and what was lost at them.
    pub const RESETS: Self = Self(1 << 6);
    /// Changes.
    pub const CHANGES: Self = Self(1 << 7);
    /// Spread and line.
    pub const SPREAD: Self = Self(1 << 8);
    /// Everything.
    pub const ALL: Self = Self((1 << 9) - 1);

    /// Both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` is asked for.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// The floats of buckets, a column for each fact. Those of facts that are not asked for are empty.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "the words of FloatPartial")]
pub struct FloatColumns {
    /// 0 where a bucket has no float; then nothing else counts.
    pub count: Vec<u64>,
    pub sum: Vec<f64>,
    pub rest: Vec<f64>,
    pub min: Vec<f64>,
    pub max: Vec<f64>,
    pub first: Vec<f64>,
    pub last: Vec<f64>,
    pub first_time: Vec<i64>,
    pub last_time: Vec<i64>,
    pub first_start: Vec<i64>,
    pub last_start: Vec<i64>,
    pub lost: Vec<f64>,
    pub resets: Vec<u64>,
    pub changes: Vec<u64>,
    pub mean: Vec<f64>,
    pub squares: Vec<f64>,
    pub products: Vec<f64>,
    pub time_sum: Vec<i128>,
    pub time_squares: Vec<i128>,
    /// Whether a bucket lacks spread and line, which its tier does not keep.
    pub lacks_spread: bool,
}

/// Buckets of one series by end, each end once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Buckets {
    /// Where each ends, ns; in it.
    pub untils: Vec<i64>,
    /// Whether a staleness marker is the last row of each.
    pub ends_stale: Vec<bool>,
    /// Floats.
    pub floats: FloatColumns,
    /// Histograms; empty where there are none at all.
    pub histograms: Vec<Option<Box<HistogramPartial>>>,
}

/// Does something with each column.
macro_rules! for_columns {
    ($of:expr, |$column:ident| $do:expr) => {
        for_columns!(@ $of, $column, $do, count sum rest min max first last first_time last_time
            first_start last_start lost resets changes mean squares products time_sum time_squares)
    };
    (@ $of:expr, $column:ident, $do:expr, $($name:ident)*) => {
        $({ let $column = &mut $of.$name; $do; })*
    };
}

/// Does something with each column and that of another.
macro_rules! for_both {
    ($of:expr, $other:expr, |$column:ident, $theirs:ident| $do:expr) => {
        for_both!(@ $of, $other, $column, $theirs, $do, count sum rest min max first last first_time
            last_time first_start last_start lost resets changes mean squares products time_sum
            time_squares)
    };
    (@ $of:expr, $other:expr, $column:ident, $theirs:ident, $do:expr, $($name:ident)*) => {
        $({ let ($column, $theirs) = (&mut $of.$name, &$other.$name); $do; })*
    };
}

impl Buckets {
    /// How many.
    pub fn len(&self) -> usize {
        self.untils.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.untils.is_empty()
    }

    /// Makes it empty, keeping its memory.
    pub fn clear(&mut self) {
        self.untils.clear();
        self.ends_stale.clear();
        self.histograms.clear();
        self.floats.lacks_spread = false;
        for_columns!(self.floats, |column| column.clear());
    }

    /// Adds buckets that all end later, of which the same facts were asked.
    pub fn append(&mut self, later: &Self) {
        if !(self.histograms.is_empty() && later.histograms.is_empty()) {
            self.histograms.resize(self.len(), None);
            self.histograms.extend_from_slice(&later.histograms);
            self.histograms.resize(self.len() + later.len(), None);
        }
        self.untils.extend_from_slice(&later.untils);
        self.ends_stale.extend_from_slice(&later.ends_stale);
        self.floats.lacks_spread |= later.floats.lacks_spread;
        for_both!(self.floats, later.floats, |column, theirs| column.extend_from_slice(theirs));
    }

    /// Keeps the buckets of these places.
    pub fn keep(&mut self, places: std::ops::Range<usize>) {
        fn cut<T>(column: &mut Vec<T>, places: &std::ops::Range<usize>) {
            column.truncate(places.end);
            column.drain(..places.start.min(column.len()));
        }
        if places == (0..self.len()) {
            return;
        }
        cut(&mut self.untils, &places);
        cut(&mut self.ends_stale, &places);
        cut(&mut self.histograms, &places);
        for_columns!(self.floats, |column| cut(column, &places));
    }

    /// Adds a bucket that ends later, with the facts that are asked.
    pub fn push(&mut self, bucket: &Partial, facts: Facts) {
        if bucket.histograms.is_some() || !self.histograms.is_empty() {
            self.histograms.resize(self.len(), None);
            self.histograms.push(bucket.histograms.clone());
        }
        self.untils.push(bucket.until);
        self.ends_stale.push(bucket.ends_stale);
        self.floats.push(bucket.until, bucket.floats.as_ref(), facts);
    }

    /// What is known of the floats of a bucket; None where it has none.
    pub fn float(&self, i: usize) -> Option<FloatPartial> {
        let of = &self.floats;
        let count = of.count.get(i).copied().filter(|count| *count > 0)?;
        let float = |column: &[f64]| column.get(i).copied().unwrap_or_default();
        let int = |column: &[i64]| column.get(i).copied().unwrap_or_default();
        let number = |column: &[u64]| column.get(i).copied().unwrap_or_default();
        let wide = |column: &[i128]| column.get(i).copied().unwrap_or_default();
        let row = |value: &[f64], time: &[i64], start: &[i64]| TierRow {
            time: int(time),
            start: int(start),
            value: float(value),
        };
        let has_spread = !of.lacks_spread && i < of.squares.len();
        Some(FloatPartial {
            count,
            sum: float(&of.sum),
            rest: float(&of.rest),
            min: float(&of.min),
            max: float(&of.max),
            first: row(&of.first, &of.first_time, &of.first_start),
            last: row(&of.last, &of.last_time, &of.last_start),
            lost: float(&of.lost),
            resets: number(&of.resets),
            changes: number(&of.changes),
            has_spread,
            mean: float(&of.mean),
            squares: if has_spread { float(&of.squares) } else { 0.0 },
            time_sum: if has_spread { wide(&of.time_sum) } else { 0 },
            time_squares: if has_spread { wide(&of.time_squares) } else { 0 },
            products: if has_spread { float(&of.products) } else { 0.0 },
        })
    }

    /// What is known of the histograms of a bucket.
    pub fn histogram(&self, i: usize) -> Option<&HistogramPartial> {
        self.histograms.get(i)?.as_deref()
    }

    /// A bucket with all that is known of it.
    pub fn partial(&self, tier: Tier, i: usize) -> Option<Partial> {
        Some(Partial {
            tier,
            until: *self.untils.get(i)?,
            ends_stale: self.ends_stale.get(i).copied().unwrap_or_default(),
            floats: self.float(i),
            histograms: self.histograms.get(i).cloned().flatten(),
        })
    }

    /// Whether a bucket says nothing.
    pub fn is_hole(&self, i: usize) -> bool {
        self.floats.count.get(i).is_none_or(|count| *count == 0)
            && !self.ends_stale.get(i).copied().unwrap_or_default()
            && self.histogram(i).is_none()
    }
}

impl FloatColumns {
    fn push(&mut self, until: i64, floats: Option<&FloatPartial>, facts: Facts) {
        let none = TierRow { time: until, start: 0, value: 0.0 };
        let (first, last) = floats.map_or((none, none), |of| (of.first, of.last));
        let float = |of: fn(&FloatPartial) -> f64| floats.map_or(0.0, of);
        let number = |of: fn(&FloatPartial) -> u64| floats.map_or(0, of);
        self.count.push(number(|of| of.count));
        if facts.has(Facts::SUM) {
            self.sum.push(float(|of| of.sum));
            self.rest.push(float(|of| of.rest));
            self.mean.push(float(|of| of.mean));
        }
        if facts.has(Facts::MIN) {
            self.min.push(float(|of| of.min));
        }
        if facts.has(Facts::MAX) {
            self.max.push(float(|of| of.max));
        }
        if facts.has(Facts::FIRST) {
            self.first.push(first.value);
            self.first_time.push(first.time);
        }
        if facts.has(Facts::LAST) {
            self.last.push(last.value);
            self.last_time.push(last.time);
        }
        if facts.has(Facts::STARTS) {
            self.first_start.push(first.start);
            self.last_start.push(last.start);
        }
        if facts.has(Facts::RESETS) {
            self.lost.push(float(|of| of.lost));
            self.resets.push(number(|of| of.resets));
        }
        if facts.has(Facts::CHANGES) {
            self.changes.push(number(|of| of.changes));
        }
        if facts.has(Facts::SPREAD) {
            self.lacks_spread |= floats.is_some_and(|of| !of.has_spread);
            self.squares.push(float(|of| of.squares));
            self.products.push(float(|of| of.products));
            self.time_sum.push(floats.map_or(0, |of| of.time_sum));
            self.time_squares.push(floats.map_or(0, |of| of.time_squares));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(until: i64, value: f64) -> Partial {
        let row = |time| TierRow { time, start: 0, value };
        let floats = FloatPartial {
            count: 2,
            sum: value * 2.0,
            rest: 0.0,
            min: value,
            max: value,
            first: row(until - 5),
            last: row(until),
            lost: 0.0,
            resets: 0,
            changes: 1,
            has_spread: true,
            mean: value,
            squares: 0.5,
            time_sum: 5,
            time_squares: 25,
            products: 0.25,
        };
        let tier = Tier::Hour1;
        Partial { tier, until, ends_stale: value > 1.0, floats: Some(floats), histograms: None }
    }

    #[test]
    fn what_was_asked_for_comes_back_and_nothing_else() {
        let mut all = Buckets::default();
        let mut some = Buckets::default();
        for i in 1..5_i32 {
            let bucket = bucket(i64::from(i) * 100, f64::from(i));
            all.push(&bucket, Facts::ALL);
            some.push(&bucket, Facts::MAX);
            let place = usize::try_from(i - 1).unwrap();
            assert_eq!(all.partial(Tier::Hour1, place), Some(bucket));
        }
        assert_eq!((some.floats.max.len(), some.floats.min.len()), (4, 0));
        assert_eq!(
            some.float(2).map(|of| (of.count, of.max, of.has_spread)),
            Some((2, 3.0, false))
        );
        let mut twice = all.clone();
        twice.append(&all);
        twice.keep(2..6);
        assert_eq!(twice.untils, [300, 400, 100, 200]);
        assert_eq!(twice.float(2), all.float(0));
        twice.clear();
        assert_eq!(twice, Buckets::default());
    }
}
