//! Native histograms: sparse buckets of exponential or custom bounds.
//!
//! Source: Prometheus' native histogram specification; `io.prometheus.write.v2.Histogram`.

/// The schema of histograms whose bounds are listed in `custom_values`.
pub const CUSTOM_BUCKETS_SCHEMA: i8 = -53;

/// A run of consecutive buckets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Distance from the end of the run before; of the first run, the index of its first bucket.
    pub offset: i32,
    /// How many buckets.
    pub length: u32,
}

/// What a sender knows of counter resets before this histogram.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResetHint {
    /// Nothing: compare with the row before.
    #[default]
    Unknown,
    /// The counts began anew here.
    Reset,
    /// The counts did not begin anew.
    NoReset,
    /// Not a counter.
    Gauge,
}

/// A native histogram. Bucket counts are absolute (not deltas between buckets).
///
/// Integer histograms keep their counts as floats, exact up to 2^53; doors refuse larger ones.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Histogram {
    /// Whether the sender counted in integers.
    pub is_integer: bool,
    /// What is known of resets.
    pub reset_hint: ResetHint,
    /// -4 to 8: bounds grow by 2^(2^-schema); [`CUSTOM_BUCKETS_SCHEMA`]: `custom_values`.
    pub schema: i8,
    /// Observations of at most this size fall in the zero bucket.
    pub zero_threshold: f64,
    /// Observations in the zero bucket.
    pub zero_count: f64,
    /// All observations.
    pub count: f64,
    /// Sum of all observations; the staleness marker here marks the series stale.
    pub sum: f64,
    /// Runs of buckets above zero.
    pub positive_spans: Vec<Span>,
    /// Runs of buckets below zero.
    pub negative_spans: Vec<Span>,
    /// A count for each bucket of `positive_spans`.
    pub positive: Vec<f64>,
    /// A count for each bucket of `negative_spans`.
    pub negative: Vec<f64>,
    /// Upper bounds of custom buckets, rising, without +Inf.
    pub custom_values: Vec<f64>,
}
