//! Functions over the rows of a window: what slides, and what is computed at each step.

mod bare;
mod before;
mod call;
mod changes;
mod extended;
mod histogram_rate;
mod instant;
mod irate;
mod over_time;
mod rate;
mod regression;
mod several;
mod slide;
mod values;

pub(crate) use bare::{bare, reach};
pub(crate) use before::gain;
pub(crate) use call::{Context, RangeCall, evaluate};
pub(crate) use instant::{Instant, Stamp, instant_row, smoothed_row, stamp_row};
pub(crate) use over_time::HistogramMean;
pub(crate) use rate::{Gain, Sampled};
pub(crate) use several::{Several, yields_several};
pub(crate) use values::{distinct, iqr_bounds, mode, quantile_of, sum};
