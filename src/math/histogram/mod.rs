//! Native histograms: their arithmetic, resets, estimates and text.

mod arithmetic;
mod bounds;
mod buckets;
mod estimate;
mod powers;
mod reset;
mod sum;
#[cfg(test)]
mod tests;
mod text;
mod trim;

pub use arithmetic::{add, compact, divide, equal, multiply, subtract, to_schema};
pub use bounds::is_custom;
pub use buckets::{Bucket, all_buckets, negative_buckets, positive_buckets, zero_bucket};
pub use estimate::{NanEffect, fraction, quantile, variance};
pub use reset::is_reset;
pub use sum::{HistogramSum, Incompatible, Joined};
pub use text::text;
pub use trim::{Keep, trim};
