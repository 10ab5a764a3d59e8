//! Compensated sums, partials, histogram arithmetic, counter resets, sketches. Pure.
//!
//! What Prometheus computes is computed here in the same order of operations, so that answers agree
//! bit for bit where they can.

pub mod histogram;
pub mod number;

mod compensated;
mod counter;
mod partial;
mod quantile;

pub use compensated::{Compensated, Mean, Variance, linear_regression, variance};
pub use counter::{StartedAt, is_start_reset, starts_overlap};
pub use partial::{
    float_partial, float_partial_of, histogram_partial, is_float_reset, line, merge_floats,
    merge_histograms, variance_of,
};
pub use quantile::{
    ClassicBucket, ForcedMonotonicity, almost_equal, classic_fraction, classic_quantile, nan_first,
    quantile, quantile_of_sorted,
};
