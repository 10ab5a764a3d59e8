//! What is asked about: series of many shapes, made from a seed.
//!
//! No row lies on a whole second, and every question looks at whole seconds only: a row on a window's
//! edge is in for Prometheus 2 and out since 3, and none is there.

use quipu::model::STALE_BITS;

use crate::tiers::Dice;

/// ms; a midnight, so that rows fall into two partitions. No multiple of a day is a window's edge.
pub(crate) const MIDNIGHT: i64 = 20_000 * 86_400_000;
/// ms between the midnight and the first and the last row.
pub(crate) const HALF: i64 = 90 * 60_000;

/// A series: sorted labels with the name, rows by time in ms.
pub(crate) struct Series {
    pub(crate) labels: Vec<(&'static str, String)>,
    pub(crate) rows: Vec<(i64, f64)>,
}

/// How values of a series come about.
#[derive(Clone, Copy)]
enum Shape {
    /// Rises in whole steps, falls to zero now and then.
    Counter,
    /// Eighths, up and down, also below zero: their sums are exact.
    Gauge,
    /// Never changes.
    Constant,
    /// Fractions that no float has exactly.
    Smooth,
    /// Infinities, NaN, zeros of both signs, the largest and smallest.
    Odd,
}

/// When rows of a series come.
#[derive(Clone, Copy)]
enum Pace {
    /// Every 15 or 30 s, give or take one.
    Steady,
    /// With gaps, some of them said by stale markers.
    Gaps,
    /// Less often than a value counts as the newest.
    Sparse,
    /// From somewhere in the middle on.
    Late,
    /// Up to somewhere in the middle.
    Early,
}

struct Family {
    name: &'static str,
    shape: Shape,
    pace: Pace,
    labels: &'static [(&'static str, &'static [&'static str])],
}

const JOB: (&str, &[&str]) = ("job", &["a", "b"]);
const INSTANCE: (&str, &[&str]) = ("instance", &["0", "1", "2"]);
const CODE: (&str, &[&str]) = ("code", &["200", "500"]);

const FAMILIES: [Family; 10] = [
    Family {
        name: "requests_total",
        shape: Shape::Counter,
        pace: Pace::Steady,
        labels: &[JOB, INSTANCE, CODE],
    },
    Family {
        name: "errors_total",
        shape: Shape::Counter,
        pace: Pace::Gaps,
        labels: &[JOB, INSTANCE, CODE],
    },
    Family {
        name: "late_total",
        shape: Shape::Counter,
        pace: Pace::Late,
        labels: &[JOB, INSTANCE],
    },
    Family { name: "warmth", shape: Shape::Gauge, pace: Pace::Steady, labels: &[JOB, INSTANCE] },
    Family {
        name: "depth",
        shape: Shape::Gauge,
        pace: Pace::Gaps,
        labels: &[JOB, INSTANCE, ("room", &["x", ""])],
    },
    Family { name: "gone", shape: Shape::Gauge, pace: Pace::Early, labels: &[JOB, INSTANCE] },
    Family { name: "sparse", shape: Shape::Gauge, pace: Pace::Sparse, labels: &[JOB] },
    Family { name: "up", shape: Shape::Constant, pace: Pace::Steady, labels: &[JOB, INSTANCE] },
    Family { name: "load", shape: Shape::Smooth, pace: Pace::Steady, labels: &[JOB, INSTANCE] },
    Family { name: "odd", shape: Shape::Odd, pace: Pace::Steady, labels: &[("kind", &["p", "q"])] },
];

/// All series of a seed.
pub(crate) fn all(seed: u64) -> Vec<Series> {
    let mut dice = Dice(seed);
    let mut all = Vec::new();
    for family in &FAMILIES {
        for labels in products(family) {
            let times = times(family.pace, &mut dice);
            let rows = values(family.shape, times, &mut dice);
            all.push(Series { labels, rows });
        }
    }
    for job in JOB.1 {
        for instance in INSTANCE.1 {
            histogram(&[("job", job), ("instance", instance)], &mut dice, &mut all);
        }
    }
    for series in &mut all {
        series.labels.sort();
    }
    all
}

fn products(family: &Family) -> Vec<Vec<(&'static str, String)>> {
    let mut all = vec![vec![("__name__", family.name.to_owned())]];
    for (name, values) in family.labels {
        all = all
            .iter()
            .flat_map(|labels| {
                values.iter().map(|value| {
                    let more = (!value.is_empty()).then(|| (*name, (*value).to_owned()));
                    labels.iter().cloned().chain(more).collect()
                })
            })
            .collect();
    }
    all
}

/// Times, and whether the series is said to end there.
fn times(pace: Pace, dice: &mut Dice) -> Vec<(i64, bool)> {
    let (first, last) = (MIDNIGHT - HALF, MIDNIGHT + HALF);
    let middle = MIDNIGHT + dice.below(5_400_000).cast_signed() - 2_700_000;
    let (from, until, interval) = match pace {
        Pace::Steady => (first, last, [15, 30][dice.below(2) as usize]),
        Pace::Gaps => (first, last, 20),
        Pace::Sparse => (first, last, 430),
        Pace::Late => (middle, last, 15),
        Pace::Early => (first, middle, 30),
    };
    let mut times = Vec::new();
    let mut second = from / 1000 + dice.below(interval).cast_signed();
    while second < until / 1000 {
        let jitter = dice.below(3).cast_signed();
        times.push(((second + jitter) * 1000 + 1 + dice.below(999).cast_signed(), false));
        second += interval.cast_signed() + 1;
        if matches!(pace, Pace::Gaps) && dice.below(25) == 0 {
            if dice.below(2) == 0 {
                times.push((second * 1000 + 2500, true));
            }
            second += 10 + dice.below(900).cast_signed();
        }
    }
    if matches!(pace, Pace::Early) {
        times.push((second * 1000 + 3500, true));
    }
    times.sort_unstable();
    times
}

fn values(shape: Shape, times: Vec<(i64, bool)>, dice: &mut Dice) -> Vec<(i64, f64)> {
    let whole = |dice: &mut Dice, below: u64| dice.below(below) as f64;
    let constant = whole(dice, 3);
    let mut value = match shape {
        Shape::Counter => whole(dice, 2000),
        Shape::Gauge => whole(dice, 800) / 8.0 - 40.0,
        Shape::Constant => constant,
        Shape::Smooth | Shape::Odd => whole(dice, 100) / 7.0,
    };
    let mut next = |dice: &mut Dice| {
        value = match shape {
            Shape::Counter if dice.below(60) == 0 => whole(dice, 5),
            Shape::Counter => value + whole(dice, 9),
            Shape::Gauge => value + (whole(dice, 33) - 16.0) / 8.0,
            Shape::Constant => value,
            Shape::Smooth => value * 0.9 + whole(dice, 1000) / 70.0,
            Shape::Odd => odd(dice),
        };
        value
    };
    let stale = f64::from_bits(STALE_BITS);
    times.into_iter().map(|(time, ends)| (time, if ends { stale } else { next(dice) })).collect()
}

fn odd(dice: &mut Dice) -> f64 {
    match dice.below(30) {
        0 => f64::INFINITY,
        1 => f64::NEG_INFINITY,
        2 | 3 => f64::NAN,
        4 => -0.0,
        5 => 0.0,
        6 => 1e300,
        7 => -1e300,
        8 => 5e-324,
        _ => dice.below(64) as f64 / 4.0 - 8.0,
    }
}

/// A classic histogram: buckets, sum and count of one scrape have one time.
fn histogram(labels: &[(&'static str, &'static str)], dice: &mut Dice, all: &mut Vec<Series>) {
    const BOUNDS: [(&str, f64); 6] =
        [("0.1", 0.05), ("0.5", 0.25), ("1", 0.75), ("2.5", 1.5), ("10", 4.0), ("+Inf", 20.0)];
    let times = times(Pace::Steady, dice);
    let mut counts = [0.0; 6];
    let mut sum = 0.0;
    let named = |name: &str, le: Option<&str>| {
        let mut all: Vec<(&'static str, String)> =
            labels.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        all.push(("__name__", name.to_owned()));
        all.extend(le.map(|le| ("le", le.to_owned())));
        all
    };
    let from = all.len();
    for (le, _) in BOUNDS {
        all.push(Series { labels: named("lat_bucket", Some(le)), rows: Vec::new() });
    }
    all.push(Series { labels: named("lat_sum", None), rows: Vec::new() });
    all.push(Series { labels: named("lat_count", None), rows: Vec::new() });
    for (time, _) in times {
        if dice.below(150) == 0 {
            (counts, sum) = ([0.0; 6], 0.0);
        }
        for _ in 0..dice.below(6) {
            let first = dice.below(6) as usize;
            let (_, middle) = BOUNDS[first];
            sum += middle;
            counts[first..].iter_mut().for_each(|count| *count += 1.0);
        }
        let values = counts.into_iter().chain([sum, counts[5]]);
        all[from..]
            .iter_mut()
            .zip(values)
            .for_each(|(series, value)| series.rows.push((time, value)));
    }
}
