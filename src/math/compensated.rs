//! Sums that remember what rounding lost: Kahan and Babuška's sum in Neumaier's form.
//!
//! The order of additions and the treatment of infinity are those of Prometheus (`util/kahansum`),
//! so that sums over the same rows agree bit for bit.

/// A running sum and what rounding has taken from it so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Compensated {
    /// The sum, rounded at each addition.
    pub sum: f64,
    /// What is to be added to make up for rounding; 0 once the sum is infinite.
    pub rest: f64,
}

impl Compensated {
    /// A sum of one value.
    pub fn new(value: f64) -> Self {
        Self { sum: value, rest: 0.0 }
    }

    /// Adds a value.
    #[inline]
    pub fn add(&mut self, value: f64) {
        let total = self.sum + value;
        if is_infinite(total) {
            self.rest = 0.0;
        } else if self.sum.abs() >= value.abs() {
            self.rest += (self.sum - total) + value;
        } else {
            self.rest += (value - total) + self.sum;
        }
        self.sum = total;
    }

    /// Adds another sum: first what it is, then what it lost.
    #[inline]
    pub fn merge(&mut self, other: Self) {
        self.add(other.sum);
        self.add(other.rest);
    }

    /// Multiplies sum and rest.
    pub fn scale(&mut self, factor: f64) {
        self.sum *= factor;
        self.rest *= factor;
    }

    /// Divides sum and rest.
    pub fn divide(&mut self, divisor: f64) {
        self.sum /= divisor;
        self.rest /= divisor;
    }

    /// The best estimate of the true sum.
    #[inline]
    pub fn value(self) -> f64 {
        self.sum + self.rest
    }
}

/// False for NaN; cheaper than `f64::is_infinite` inside [`Compensated::add`].
#[inline]
fn is_infinite(value: f64) -> bool {
    !(-f64::MAX..=f64::MAX).contains(&value) && !value.is_nan()
}

/// An average: sum through count, until the sum overflows; from then on the mean moves by each value.
///
/// Prometheus found the direct mean the more accurate one (prometheus#16714), but 1e308 twice has a
/// mean and no sum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mean {
    /// The sum, or once `is_incremental` the mean.
    total: Compensated,
    count: f64,
    is_incremental: bool,
}

impl Mean {
    /// The mean of one value.
    pub fn new(value: f64) -> Self {
        Self { total: Compensated::new(value), count: 1.0, is_incremental: false }
    }

    /// Adds a value.
    #[inline]
    pub fn add(&mut self, value: f64) {
        self.count += 1.0;
        if !self.is_incremental {
            let mut total = self.total;
            total.add(value);
            if !total.sum.is_infinite() {
                self.total = total;
                return;
            }
            self.is_incremental = true;
            self.total.divide(self.count - 1.0);
        }
        self.total.scale((self.count - 1.0) / self.count);
        self.total.add(value / self.count);
    }

    /// Adds the values that another mean was made of.
    pub fn merge(&mut self, other: Self) {
        if !self.is_incremental && !other.is_incremental {
            let mut total = self.total;
            total.merge(other.total);
            if !total.sum.is_infinite() {
                self.total = total;
                self.count += other.count;
                return;
            }
        }
        let mut theirs = other.into_incremental();
        *self = self.into_incremental();
        let count = self.count + theirs.count;
        self.total.scale(self.count / count);
        theirs.total.scale(theirs.count / count);
        self.total.merge(theirs.total);
        self.count = count;
    }

    fn into_incremental(mut self) -> Self {
        if !self.is_incremental {
            self.is_incremental = true;
            self.total.divide(self.count);
        }
        self
    }

    /// The sum of the values; infinite where only the mean is not.
    pub fn sum(self) -> f64 {
        if self.is_incremental { self.total.value() * self.count } else { self.total.value() }
    }

    /// The mean.
    pub fn value(self) -> f64 {
        if self.is_incremental {
            self.total.value()
        } else {
            self.total.sum / self.count + self.total.rest / self.count
        }
    }
}

/// Welford's running variance, as the aggregations `stddev` and `stdvar` do it (not compensated).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Variance {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Variance {
    /// Of one value; NaN for ever where that is NaN or infinite.
    pub fn new(value: f64) -> Self {
        Self { count: 1.0, mean: value, squares: if value.is_finite() { 0.0 } else { f64::NAN } }
    }

    /// Adds a value.
    #[inline]
    pub fn add(&mut self, value: f64) {
        self.count += 1.0;
        let delta = value - self.mean;
        self.mean += delta / self.count;
        self.squares += delta * (value - self.mean);
    }

    /// Adds the values that another variance was made of (Chan et al., 1979).
    pub fn merge(&mut self, other: Self) {
        let count = self.count + other.count;
        let delta = other.mean - self.mean;
        self.mean += delta * other.count / count;
        self.squares += other.squares + delta * delta * self.count * other.count / count;
        self.count = count;
    }

    /// The variance of the whole population.
    pub fn value(self) -> f64 {
        self.squares / self.count
    }
}

/// The variance of `values` in order, every step compensated, as `stddev_over_time` does it.
pub fn variance(values: impl IntoIterator<Item = f64>) -> f64 {
    let (mut count, mut mean, mut squares) = (0.0, Compensated::default(), Compensated::default());
    for value in values {
        count += 1.0;
        let delta = value - mean.value();
        mean.add(delta / count);
        squares.add(delta * (value - mean.value()));
    }
    squares.value() / count
}

/// Slope per second and value at `origin` of the line of least squares through points (ms, value).
///
/// A constant series has slope 0 exactly; a constant infinite one has none (NaN).
#[expect(clippy::cast_precision_loss, reason = "ms differences within a query are far below 2^53")]
pub fn linear_regression(points: impl IntoIterator<Item = (i64, f64)>, origin: i64) -> (f64, f64) {
    let mut count = 0.0;
    let [mut xs, mut ys, mut xys, mut x2s] = [Compensated::default(); 4];
    let mut first = None;
    let mut is_constant = true;
    for (time, y) in points {
        let first = *first.get_or_insert(y);
        is_constant &= count == 0.0 || y == first;
        count += 1.0;
        let x = time.saturating_sub(origin) as f64 / 1e3;
        xs.add(x);
        ys.add(y);
        xys.add(x * y);
        x2s.add(x * x);
    }
    if is_constant {
        let level = first.unwrap_or(f64::NAN);
        return if level.is_infinite() { (f64::NAN, f64::NAN) } else { (0.0, level) };
    }
    let (x, y) = (xs.value(), ys.value());
    let covariance = xys.value() - x * y / count;
    let slope = covariance / (x2s.value() - x * x / count);
    (slope, y / count - slope * x / count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sum(values: &[f64]) -> f64 {
        let mut sum = Compensated::default();
        for value in values {
            sum.add(*value);
        }
        sum.value()
    }

    fn mean(values: &[f64]) -> f64 {
        let mut mean = Mean::new(values[0]);
        values[1..].iter().for_each(|v| mean.add(*v));
        mean.value()
    }

    #[test]
    fn what_a_plain_sum_forgets_is_kept() {
        assert_eq!(sum(&[1.0, 1e100, 1.0, -1e100]), 2.0);
    }

    #[test]
    fn infinity_stays_infinity_and_its_opposite_makes_nan() {
        assert_eq!(sum(&[1.0, f64::INFINITY, 5.0]), f64::INFINITY);
        assert!(sum(&[f64::INFINITY, f64::NEG_INFINITY]).is_nan());
    }

    #[test]
    fn a_mean_survives_a_sum_that_overflows() {
        assert_eq!(mean(&[f64::MAX, f64::MAX]), f64::MAX);
        assert_eq!(mean(&[9.988_465_674_311_58e307; 3]), 9.988_465_674_311_58e307);
        assert_eq!(mean(&[f64::INFINITY, 1.0]), f64::INFINITY);
    }

    #[test]
    fn a_line_is_found_again() {
        let (slope, at_zero) =
            linear_regression((0..10).map(|i| (i64::from(i) * 1000, 2.0 * f64::from(i) + 5.0)), 0);
        assert!((slope - 2.0).abs() < 1e-12 && (at_zero - 5.0).abs() < 1e-12);
        assert_eq!(linear_regression([(0, 3.0), (1000, 3.0)], 500), (0.0, 3.0));
    }

    proptest! {
        #[test]
        fn merged_partials_agree_with_one_pass(
            values in prop::collection::vec(-1e6..1e6f64, 2..50), cut in 1usize..49,
        ) {
            let cut = cut.min(values.len() - 1);
            let (left, right) = values.split_at(cut);
            let fold = |part: &[f64]| {
                let (mut m, mut v) = (Mean::new(part[0]), Variance::new(part[0]));
                part[1..].iter().for_each(|x| { m.add(*x); v.add(*x); });
                (m, v)
            };
            let ((mut m, mut v), (m2, v2), (whole_m, whole_v)) =
                (fold(left), fold(right), fold(&values));
            m.merge(m2);
            v.merge(v2);
            prop_assert!((m.value() - whole_m.value()).abs() <= 1e-6);
            prop_assert!((v.value() - whole_v.value()).abs() <= 1e-3 * (1.0 + whole_v.value()));
        }
    }
}
