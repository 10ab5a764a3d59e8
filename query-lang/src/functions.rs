//! The functions: one table for type check, documentation and completion.
//!
//! A function is added by a line here; `match`es over [`Function`] then show where it must be
//! evaluated. Names, types and what is experimental are those of Prometheus
//! (`promql/parser/functions.go`).

use crate::operators::ValueType;

/// What a function takes and gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The name in the text.
    pub name: &'static str,
    /// The types of the arguments.
    pub arguments: &'static [ValueType],
    /// How often the last of them may stand.
    pub last: Times,
    /// What the function yields.
    pub returns: ValueType,
    /// Whether Prometheus has it behind a feature flag. Here it is always there.
    pub maturity: Maturity,
    /// What it does, in a line.
    pub summary: &'static str,
}

/// How often a function's last argument may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    /// Once: the number of arguments is fixed.
    Once,
    /// Not at all, or so often at most.
    UpTo(usize),
    /// As often as one likes, or not at all.
    Any,
}

/// Whether a function may still change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Maturity {
    /// It stays as it is.
    Stable,
    /// It follows Prometheus, should it change there.
    Experimental,
}

impl Signature {
    /// The fewest arguments.
    pub fn arguments_min(&self) -> usize {
        match self.last {
            Times::Once => self.arguments.len(),
            Times::UpTo(_) | Times::Any => self.arguments.len().saturating_sub(1),
        }
    }

    /// The most arguments, where there is a limit.
    pub fn arguments_max(&self) -> Option<usize> {
        match self.last {
            Times::Once => Some(self.arguments.len()),
            Times::UpTo(times) => Some(self.arguments_min() + times),
            Times::Any => None,
        }
    }

    /// The type of argument `index`: those past the last have its type.
    pub fn argument(&self, index: usize) -> Option<ValueType> {
        self.arguments.get(index).or(self.arguments.last()).copied()
    }
}

use Maturity::{Experimental, Stable};
use Times::{Any, Once, UpTo};
use ValueType::{InstantVector as V, RangeVector as R, Scalar as S, String as T};

/// Makes the enum, the signatures and the look-up out of one list, so that none can lack a line.
macro_rules! functions {
    ($($variant:ident, $name:literal, $arguments:expr, $last:expr, $returns:ident, $maturity:ident,
        $summary:literal;)*) => {
        /// A function of the language.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Function {
            $(#[doc = $summary] $variant,)*
        }

        impl Function {
            /// All there are, by name.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The function of that name. Names of functions have a case.
            pub fn named(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant),)*
                    _ => None,
                }
            }

            /// What it takes and gives.
            pub fn signature(self) -> &'static Signature {
                match self {
                    $(Self::$variant => &Signature {
                        name: $name,
                        arguments: &$arguments,
                        last: $last,
                        returns: $returns,
                        maturity: $maturity,
                        summary: $summary,
                    },)*
                }
            }

            /// The name in the text.
            pub fn name(self) -> &'static str {
                self.signature().name
            }
        }
    };
}

functions! {
    Abs, "abs", [V], Once, V, Stable,
        "The absolute value.";
    Absent, "absent", [V], Once, V, Stable,
        "One series of value 1 where the vector is empty, with the labels its matchers name.";
    AbsentOverTime, "absent_over_time", [R], Once, V, Stable,
        "One series of value 1 where no series has a row in the window.";
    Acos, "acos", [V], Once, V, Stable,
        "The arc cosine, in radians.";
    Acosh, "acosh", [V], Once, V, Stable,
        "The inverse hyperbolic cosine.";
    Asin, "asin", [V], Once, V, Stable,
        "The arc sine, in radians.";
    Asinh, "asinh", [V], Once, V, Stable,
        "The inverse hyperbolic sine.";
    Atan, "atan", [V], Once, V, Stable,
        "The arc tangent, in radians.";
    Atanh, "atanh", [V], Once, V, Stable,
        "The inverse hyperbolic tangent.";
    AvgOverTime, "avg_over_time", [R], Once, V, Stable,
        "The mean of the values in the window.";
    Ceil, "ceil", [V], Once, V, Stable,
        "The value rounded up to an integer.";
    Changes, "changes", [R], Once, V, Stable,
        "How often the value changed in the window.";
    Clamp, "clamp", [V, S, S], Once, V, Stable,
        "The value, brought between a minimum and a maximum.";
    ClampMax, "clamp_max", [V, S], Once, V, Stable,
        "The value, or the maximum where it is above.";
    ClampMin, "clamp_min", [V, S], Once, V, Stable,
        "The value, or the minimum where it is below.";
    Cos, "cos", [V], Once, V, Stable,
        "The cosine of radians.";
    Cosh, "cosh", [V], Once, V, Stable,
        "The hyperbolic cosine.";
    CountOverTime, "count_over_time", [R], Once, V, Stable,
        "The number of values in the window.";
    DayOfMonth, "day_of_month", [V], UpTo(1), V, Stable,
        "The day of the month, 1 to 31, in UTC.";
    DayOfWeek, "day_of_week", [V], UpTo(1), V, Stable,
        "The day of the week, 0 for Sunday to 6, in UTC.";
    DayOfYear, "day_of_year", [V], UpTo(1), V, Stable,
        "The day of the year, 1 to 366, in UTC.";
    DaysInMonth, "days_in_month", [V], UpTo(1), V, Stable,
        "The number of days of the month, 28 to 31, in UTC.";
    Deg, "deg", [V], Once, V, Stable,
        "Radians to degrees.";
    Delta, "delta", [R], Once, V, Stable,
        "The difference of a gauge over the window, extrapolated to its edges.";
    Deriv, "deriv", [R], Once, V, Stable,
        "The slope of a gauge per second, by linear regression.";
    DoubleExponentialSmoothing, "double_exponential_smoothing", [R, S, S], Once, V, Experimental,
        "The value smoothed with a smoothing factor and a trend factor.";
    End, "end", [], Once, S, Experimental,
        "The time of the last step of the query, in seconds since 1970.";
    Exp, "exp", [V], Once, V, Stable,
        "e to the power of the value.";
    FirstOverTime, "first_over_time", [R], Once, V, Stable,
        "The oldest value in the window.";
    Floor, "floor", [V], Once, V, Stable,
        "The value rounded down to an integer.";
    HistogramAvg, "histogram_avg", [V], Once, V, Stable,
        "The mean of the observations of a native histogram.";
    HistogramCount, "histogram_count", [V], Once, V, Stable,
        "The number of observations of a native histogram.";
    HistogramFraction, "histogram_fraction", [S, S, V], Once, V, Stable,
        "The estimated share of observations between two values.";
    HistogramQuantile, "histogram_quantile", [S, V], Once, V, Stable,
        "The estimated quantile of the observations of a histogram.";
    HistogramQuantiles, "histogram_quantiles", [V, T, S, S], UpTo(9), V, Experimental,
        "Several estimated quantiles, told apart by a label.";
    HistogramStddev, "histogram_stddev", [V], Once, V, Stable,
        "The estimated standard deviation of the observations of a native histogram.";
    HistogramStdvar, "histogram_stdvar", [V], Once, V, Stable,
        "The estimated variance of the observations of a native histogram.";
    HistogramSum, "histogram_sum", [V], Once, V, Stable,
        "The sum of the observations of a native histogram.";
    Hour, "hour", [V], UpTo(1), V, Stable,
        "The hour of the day, 0 to 23, in UTC.";
    Idelta, "idelta", [R], Once, V, Stable,
        "The difference of the last two values in the window.";
    Increase, "increase", [R], Once, V, Stable,
        "The increase of a counter over the window, extrapolated to its edges.";
    Info, "info", [V, V], UpTo(1), V, Experimental,
        "The vector with the labels of its info series, as `target_info`.";
    Irate, "irate", [R], Once, V, Stable,
        "The increase per second between the last two values of a counter.";
    LabelJoin, "label_join", [V, T, T, T], Any, V, Stable,
        "Sets a label to the values of others, joined.";
    LabelReplace, "label_replace", [V, T, T, T, T], Once, V, Stable,
        "Sets a label from another by a regular expression.";
    LastOverTime, "last_over_time", [R], Once, V, Stable,
        "The newest value in the window.";
    Ln, "ln", [V], Once, V, Stable,
        "The natural logarithm.";
    Log10, "log10", [V], Once, V, Stable,
        "The decimal logarithm.";
    Log2, "log2", [V], Once, V, Stable,
        "The binary logarithm.";
    MadOverTime, "mad_over_time", [R], Once, V, Experimental,
        "The median absolute deviation of the values in the window.";
    MaxOf, "max_of", [S, S], Once, S, Experimental,
        "The greater of two numbers.";
    MaxOverTime, "max_over_time", [R], Once, V, Stable,
        "The greatest value in the window.";
    MinOf, "min_of", [S, S], Once, S, Experimental,
        "The lesser of two numbers.";
    MinOverTime, "min_over_time", [R], Once, V, Stable,
        "The least value in the window.";
    Minute, "minute", [V], UpTo(1), V, Stable,
        "The minute of the hour, 0 to 59, in UTC.";
    Month, "month", [V], UpTo(1), V, Stable,
        "The month of the year, 1 to 12, in UTC.";
    Pi, "pi", [], Once, S, Stable,
        "The number pi.";
    PredictLinear, "predict_linear", [R, S], Once, V, Stable,
        "The value of a gauge so many seconds from now, by linear regression.";
    PresentOverTime, "present_over_time", [R], Once, V, Stable,
        "1 for each series with a row in the window.";
    QuantileOverTime, "quantile_over_time", [S, R], Once, V, Stable,
        "The quantile of the values in the window.";
    Rad, "rad", [V], Once, V, Stable,
        "Degrees to radians.";
    Range, "range", [], Once, S, Experimental,
        "The length of the query, from its first step to its last, in seconds.";
    Rate, "rate", [R], Once, V, Stable,
        "The increase of a counter per second, extrapolated to the edges of the window.";
    Resets, "resets", [R], Once, V, Stable,
        "How often a counter was reset in the window.";
    Round, "round", [V, S], UpTo(1), V, Stable,
        "The value rounded to the nearest integer, or multiple of a number.";
    Scalar, "scalar", [V], Once, S, Stable,
        "The value of the one series of a vector; NaN if there is not exactly one.";
    Sgn, "sgn", [V], Once, V, Stable,
        "The sign: -1, 0 or 1.";
    Sin, "sin", [V], Once, V, Stable,
        "The sine of radians.";
    Sinh, "sinh", [V], Once, V, Stable,
        "The hyperbolic sine.";
    Sort, "sort", [V], Once, V, Stable,
        "The vector, ordered by rising value.";
    SortByLabel, "sort_by_label", [V, T], Any, V, Experimental,
        "The vector, in natural order of the values of labels.";
    SortByLabelDesc, "sort_by_label_desc", [V, T], Any, V, Experimental,
        "The vector, in falling natural order of the values of labels.";
    SortDesc, "sort_desc", [V], Once, V, Stable,
        "The vector, ordered by falling value.";
    Sqrt, "sqrt", [V], Once, V, Stable,
        "The square root.";
    Start, "start", [], Once, S, Experimental,
        "The time of the first step of the query, in seconds since 1970.";
    StartTimestamp, "start_timestamp", [V], Once, V, Experimental,
        "The start timestamp of each row, in seconds since 1970.";
    StddevOverTime, "stddev_over_time", [R], Once, V, Stable,
        "The standard deviation of the values in the window.";
    StdvarOverTime, "stdvar_over_time", [R], Once, V, Stable,
        "The variance of the values in the window.";
    Step, "step", [], Once, S, Experimental,
        "The distance of the steps of the query, in seconds.";
    SumOverTime, "sum_over_time", [R], Once, V, Stable,
        "The sum of the values in the window.";
    Tan, "tan", [V], Once, V, Stable,
        "The tangent of radians.";
    Tanh, "tanh", [V], Once, V, Stable,
        "The hyperbolic tangent.";
    Time, "time", [], Once, S, Stable,
        "The time of the step, in seconds since 1970.";
    Timestamp, "timestamp", [V], Once, V, Stable,
        "The time of each row, in seconds since 1970.";
    TsOfFirstOverTime, "ts_of_first_over_time", [R], Once, V, Experimental,
        "The time of the oldest value in the window.";
    TsOfLastOverTime, "ts_of_last_over_time", [R], Once, V, Experimental,
        "The time of the newest value in the window.";
    TsOfMaxOverTime, "ts_of_max_over_time", [R], Once, V, Experimental,
        "The time of the last greatest value in the window.";
    TsOfMinOverTime, "ts_of_min_over_time", [R], Once, V, Experimental,
        "The time of the last least value in the window.";
    Vector, "vector", [S], Once, V, Stable,
        "A number as a vector of one series without labels.";
    Year, "year", [V], UpTo(1), V, Stable,
        "The year, in UTC.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_is_found_by_its_name_and_names_are_in_order() {
        for function in Function::ALL {
            assert_eq!(Function::named(function.name()), Some(*function));
        }
        assert!(Function::ALL.is_sorted_by_key(|function| function.name()));
        assert_eq!(Function::named("Rate"), None);
    }

    #[test]
    fn the_number_of_arguments_follows_the_last() {
        let range = |function: Function| {
            let signature = function.signature();
            (signature.arguments_min(), signature.arguments_max())
        };
        assert_eq!(range(Function::Time), (0, Some(0)));
        assert_eq!(range(Function::Clamp), (3, Some(3)));
        assert_eq!(range(Function::Round), (1, Some(2)));
        assert_eq!(range(Function::HistogramQuantiles), (3, Some(12)));
        assert_eq!(range(Function::LabelJoin), (3, None));
    }
}
