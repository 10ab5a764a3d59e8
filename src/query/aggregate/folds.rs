//! What a group keeps at a step while values are folded into it.

use crate::math::{Compensated, Mean, Variance};

/// A running aggregate of floats. Two of disjoint rows merge into that of both.
pub(super) trait Fold: Copy + Send {
    /// Of one value.
    fn new(value: f64) -> Self;
    /// Adds a value.
    fn add(&mut self, value: f64);
    /// Adds the values that another was made of, which come later.
    fn merge(&mut self, other: Self);
    /// The result.
    fn value(self) -> f64;
}

/// A fold that is one of `math`, under the name of its aggregate.
macro_rules! fold_of {
    ($name:ident, $of:ty) => {
        #[derive(Clone, Copy)]
        pub(super) struct $name($of);

        impl Fold for $name {
            #[inline]
            fn new(value: f64) -> Self {
                Self(<$of>::new(value))
            }

            #[inline]
            fn add(&mut self, value: f64) {
                self.0.add(value);
            }

            fn merge(&mut self, other: Self) {
                self.0.merge(other.0);
            }

            fn value(self) -> f64 {
                self.0.value()
            }
        }
    };
}

fold_of!(Sum, Compensated);
fold_of!(Avg, Mean);

#[derive(Clone, Copy)]
pub(super) struct Spread<const IS_DEVIATION: bool>(Variance);

impl<const IS_DEVIATION: bool> Fold for Spread<IS_DEVIATION> {
    #[inline]
    fn new(value: f64) -> Self {
        Self(Variance::new(value))
    }

    #[inline]
    fn add(&mut self, value: f64) {
        self.0.add(value);
    }

    fn merge(&mut self, other: Self) {
        self.0.merge(other.0);
    }

    fn value(self) -> f64 {
        let variance = self.0.value();
        if IS_DEVIATION { variance.sqrt() } else { variance }
    }
}

/// The least or the greatest; NaN only where all are.
#[derive(Clone, Copy)]
pub(super) struct Extreme<const IS_MIN: bool>(f64);

impl<const IS_MIN: bool> Fold for Extreme<IS_MIN> {
    #[inline]
    fn new(value: f64) -> Self {
        Self(value)
    }

    #[inline]
    fn add(&mut self, value: f64) {
        let wins = if IS_MIN { self.0 > value } else { self.0 < value };
        if wins || self.0.is_nan() {
            self.0 = value;
        }
    }

    fn merge(&mut self, other: Self) {
        self.add(other.0);
    }

    fn value(self) -> f64 {
        self.0
    }
}

#[derive(Clone, Copy)]
pub(super) struct Count(f64);

impl Fold for Count {
    #[inline]
    fn new(_value: f64) -> Self {
        Self(1.0)
    }

    #[inline]
    fn add(&mut self, _value: f64) {
        self.0 += 1.0;
    }

    fn merge(&mut self, other: Self) {
        self.0 += other.0;
    }

    fn value(self) -> f64 {
        self.0
    }
}

#[derive(Clone, Copy)]
pub(super) struct Group;

impl Fold for Group {
    #[inline]
    fn new(_value: f64) -> Self {
        Self
    }

    #[inline]
    fn add(&mut self, _value: f64) {}

    fn merge(&mut self, _other: Self) {}

    fn value(self) -> f64 {
        1.0
    }
}
