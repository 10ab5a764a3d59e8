//! Functions, aggregations and operators of Prometheus 2.42 that `generate.rs` chooses from.
//!
//! Those with arguments of their own are written out there.

pub(crate) const ONCE: [&str; 27] = [
    "abs",
    "ceil",
    "floor",
    "exp",
    "ln",
    "log2",
    "log10",
    "sqrt",
    "sgn",
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atanh",
    "cos",
    "cosh",
    "sin",
    "sinh",
    "tan",
    "tanh",
    "deg",
    "rad",
    "round",
    "histogram_count",
    "histogram_sum",
    "histogram_fraction",
];

pub(crate) const DATES: [&str; 8] = [
    "minute",
    "hour",
    "day_of_week",
    "day_of_month",
    "day_of_year",
    "days_in_month",
    "month",
    "year",
];

pub(crate) const COUNTER_WINDOWS: [&str; 5] = ["rate", "increase", "irate", "resets", "changes"];

pub(crate) const WINDOWS: [&str; 20] = [
    "avg_over_time",
    "min_over_time",
    "max_over_time",
    "sum_over_time",
    "count_over_time",
    "stddev_over_time",
    "stdvar_over_time",
    "last_over_time",
    "present_over_time",
    "absent_over_time",
    "delta",
    "idelta",
    "deriv",
    "changes",
    "resets",
    "rate",
    "increase",
    "irate",
    "quantile_over_time",
    "predict_linear",
];

pub(crate) const FOLDS: [&str; 8] =
    ["sum", "avg", "count", "min", "max", "group", "stddev", "stdvar"];

pub(crate) const ARITHMETIC: [&str; 7] = ["+", "-", "*", "/", "%", "^", "atan2"];

pub(crate) const COMPARISONS: [&str; 6] = ["==", "!=", ">", "<", ">=", "<="];
