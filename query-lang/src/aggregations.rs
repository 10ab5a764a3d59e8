//! The aggregations: one table for type check, documentation, completion and hints.

use crate::functions::{Maturity, Origin};
use crate::operators::ValueType;

/// What an aggregation takes beside its vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameters {
    /// Nothing.
    None,
    /// A number before the vector.
    Number,
    /// A label before the vector.
    Label,
    /// A label and numbers before the vector.
    LabelAndNumbers,
    /// A number before the vector, and a text behind it or not.
    NumberAndRest,
    /// Two numbers before the vector, and a text behind it or not.
    TwoNumbersAndRest,
}

impl Parameters {
    /// As they are written around the vector `v`.
    pub fn usage(self) -> &'static str {
        match self {
            Self::None => "v",
            Self::Number => "k, v",
            Self::Label => "label, v",
            Self::LabelAndNumbers => "label, phi …, v",
            Self::NumberAndRest => "k, v, rest?",
            Self::TwoNumbersAndRest => "phi, k, v, rest?",
        }
    }
}

macro_rules! aggregations {
    ($($variant:ident $name:literal $parameters:ident $origin:ident $maturity:ident,
        $summary:literal, $example:literal => $answer:literal;)*) => {
        /// What to make of the series of a group.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Aggregation {
            $(#[doc = $summary] $variant,)*
        }

        impl Aggregation {
            /// All there are, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// As it is written.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What it takes beside its vector.
            pub fn parameters(self) -> Parameters {
                match self { $(Self::$variant => Parameters::$parameters,)* }
            }

            /// Whose it is.
            pub fn origin(self) -> Origin {
                match self { $(Self::$variant => Origin::$origin,)* }
            }

            /// Whether it may still change.
            pub fn maturity(self) -> Maturity {
                match self { $(Self::$variant => Maturity::$maturity,)* }
            }

            /// What it does, in a line.
            pub fn summary(self) -> &'static str {
                match self { $(Self::$variant => $summary,)* }
            }

            /// A question that uses it, and what that yields over the rows of the reference.
            pub fn example(self) -> (&'static str, &'static str) {
                match self { $(Self::$variant => ($example, $answer),)* }
            }
        }
    };
}

impl Aggregation {
    /// The type of the first parameter, where there is one.
    pub fn parameter(self) -> Option<ValueType> {
        match self.parameters() {
            Parameters::None => None,
            Parameters::Label | Parameters::LabelAndNumbers => Some(ValueType::String),
            Parameters::Number | Parameters::NumberAndRest | Parameters::TwoNumbersAndRest => {
                Some(ValueType::Scalar)
            }
        }
    }
}

aggregations! {
    Sum "sum" None PromQl Stable,
        "The sum of the values.",
        "sum by (job) (requests_total)" => r#"{job="web"} 700"#;
    Avg "avg" None PromQl Stable,
        "The mean of the values.",
        "avg(temperature)" => "{} 20.5";
    Count "count" None PromQl Stable,
        "The number of series.",
        "count(temperature)" => "{} 2";
    Min "min" None PromQl Stable,
        "The least value.",
        "min(temperature)" => "{} 20";
    Max "max" None PromQl Stable,
        "The greatest value.",
        "max(temperature)" => "{} 21";
    Group "group" None PromQl Stable,
        "1 for each group.",
        "group by (job) (requests_total)" => r#"{job="web"} 1"#;
    Stddev "stddev" None PromQl Stable,
        "The standard deviation of the values.",
        "stddev(temperature)" => "{} 0.5";
    Stdvar "stdvar" None PromQl Stable,
        "The variance of the values.",
        "stdvar(temperature)" => "{} 0.25";
    Topk "topk" Number PromQl Stable,
        "The k series of the greatest values.",
        "topk(1, temperature)" => r#"{__name__="temperature", room="hall"} 21"#;
    Bottomk "bottomk" Number PromQl Stable,
        "The k series of the least values.",
        "bottomk(1, temperature)" => r#"{__name__="temperature", room="attic"} 20"#;
    CountValues "count_values" Label PromQl Stable,
        "How many series have each value, with the value in a label.",
        r#"count_values("degrees", temperature)"# => r#"{degrees="20"} 1
{degrees="21"} 1"#;
    Quantile "quantile" Number PromQl Stable,
        "The quantile of the values.",
        "quantile(0.5, temperature)" => "{} 20.5";
    Limitk "limitk" Number PromQl Experimental,
        "k series of each group.",
        "limitk(1, temperature)" => r#"{__name__="temperature", room="attic"} 20"#;
    LimitRatio "limit_ratio" Number PromQl Experimental,
        "A share of the series, the same ones whenever it is asked.",
        "limit_ratio(1, temperature)" => r#"{__name__="temperature", room="attic"} 20
{__name__="temperature", room="hall"} 21"#;
    Any "any" None MetricsQl Stable,
        "The first series of each group, as it is.",
        "any(temperature)" => r#"{__name__="temperature", room="attic"} 20"#;
    Distinct "distinct" None MetricsQl Stable,
        "How many different values there are.",
        "distinct(latency_bucket)" => "{} 3";
    Geomean "geomean" None MetricsQl Stable,
        "The geometric mean of the values.",
        "geomean(latency_bucket)" => "{} 26.321480259";
    Histogram "histogram" None MetricsQl Stable,
        "The values as a native histogram.",
        "histogram_count(histogram(temperature))" => "{} 2";
    Mad "mad" None MetricsQl Stable,
        "The median absolute deviation of the values.",
        "mad(latency_bucket)" => "{} 5";
    Median "median" None MetricsQl Stable,
        "The median of the values.",
        "median(temperature)" => "{} 20.5";
    Mode "mode" None MetricsQl Stable,
        "The most frequent value; of several the least.",
        "mode(latency_bucket)" => "{} 40";
    Share "share" None MetricsQl Stable,
        "The share of each series in the sum of its group; none of negative values.",
        "share(requests_total)" => r#"{job="web", path="/a"} 0.857142857
{job="web", path="/b"} 0.142857143"#;
    Sum2 "sum2" None MetricsQl Stable,
        "The sum of the squares of the values.",
        "sum2(temperature)" => "{} 841";
    Zscore "zscore" None MetricsQl Stable,
        "How many standard deviations each series is from the mean of its group.",
        "zscore(temperature)" => r#"{room="attic"} -1
{room="hall"} 1"#;
    Quantiles "quantiles" LabelAndNumbers MetricsQl Stable,
        "Several quantiles of the values, told apart by a label.",
        r#"quantiles("phi", 0, 1, temperature)"# => r#"{phi="0"} 20
{phi="1"} 21"#;
    Outliersk "outliersk" Number MetricsQl Stable,
        "The k series that are furthest from the median over all steps of the query.",
        "outliersk(1, latency_bucket)" => r#"{__name__="latency_bucket", le="0.1"} 10"#;
    OutliersMad "outliers_mad" Number MetricsQl Stable,
        "The series that are at any step further than so many median absolute deviations from the median.",
        "outliers_mad(1, latency_bucket)" => r#"{__name__="latency_bucket", le="0.1"} 10"#;
    OutliersIqr "outliers_iqr" None MetricsQl Stable,
        "The series that are at any step further than 1.5 interquartile ranges from the quartiles.",
        "outliers_iqr(latency_bucket)" => "nothing";
    TopkAvg "topk_avg" NumberAndRest MetricsQl Stable,
        "The k series of the greatest mean over all steps of the query; with a label for the sum of the others.",
        "topk_avg(1, temperature)" => r#"{__name__="temperature", room="hall"} 21"#;
    TopkMax "topk_max" NumberAndRest MetricsQl Stable,
        "The k series of the greatest greatest value over all steps of the query; with a label for the sum of the others.",
        "topk_max(1, temperature)" => r#"{__name__="temperature", room="hall"} 21"#;
    TopkMedian "topk_median" NumberAndRest MetricsQl Stable,
        "The k series of the greatest median over all steps of the query; with a label for the sum of the others.",
        "topk_median(1, temperature)" => r#"{__name__="temperature", room="hall"} 21"#;
    TopkMin "topk_min" NumberAndRest MetricsQl Stable,
        "The k series of the greatest least value over all steps of the query; with a label for the sum of the others.",
        "topk_min(1, temperature)" => r#"{__name__="temperature", room="hall"} 21"#;
    TopkLast "topk_last" NumberAndRest MetricsQl Stable,
        "The k series of the greatest last value over all steps of the query; with a label for the sum of the others.",
        "topk_last(1, temperature)" => r#"{__name__="temperature", room="hall"} 21"#;
    TopkSum "topk_sum" NumberAndRest MetricsQl Stable,
        "The k series of the greatest sum over all steps of the query; with a label for the sum of the others.",
        "topk_sum(1, temperature)" => r#"{__name__="temperature", room="hall"} 21"#;
    TopkQuantile "topk_quantile" TwoNumbersAndRest MetricsQl Stable,
        "The k series of the greatest quantile over all steps of the query: `topk_quantile(phi, k, v)`.",
        "topk_quantile(0.5, 1, temperature)" => r#"{__name__="temperature", room="hall"} 21"#;
    BottomkAvg "bottomk_avg" NumberAndRest MetricsQl Stable,
        "The k series of the least mean over all steps of the query; with a label for the sum of the others.",
        "bottomk_avg(1, temperature)" => r#"{__name__="temperature", room="attic"} 20"#;
    BottomkMax "bottomk_max" NumberAndRest MetricsQl Stable,
        "The k series of the least greatest value over all steps of the query; with a label for the sum of the others.",
        "bottomk_max(1, temperature)" => r#"{__name__="temperature", room="attic"} 20"#;
    BottomkMedian "bottomk_median" NumberAndRest MetricsQl Stable,
        "The k series of the least median over all steps of the query; with a label for the sum of the others.",
        "bottomk_median(1, temperature)" => r#"{__name__="temperature", room="attic"} 20"#;
    BottomkMin "bottomk_min" NumberAndRest MetricsQl Stable,
        "The k series of the least least value over all steps of the query; with a label for the sum of the others.",
        "bottomk_min(1, temperature)" => r#"{__name__="temperature", room="attic"} 20"#;
    BottomkLast "bottomk_last" NumberAndRest MetricsQl Stable,
        "The k series of the least last value over all steps of the query; with a label for the sum of the others.",
        "bottomk_last(1, temperature)" => r#"{__name__="temperature", room="attic"} 20"#;
    BottomkSum "bottomk_sum" NumberAndRest MetricsQl Stable,
        "The k series of the least sum over all steps of the query; with a label for the sum of the others.",
        "bottomk_sum(1, temperature)" => r#"{__name__="temperature", room="attic"} 20"#;
    BottomkQuantile "bottomk_quantile" TwoNumbersAndRest MetricsQl Stable,
        "The k series of the least quantile over all steps of the query: `bottomk_quantile(phi, k, v)`.",
        "bottomk_quantile(0.5, 1, temperature)" => r#"{__name__="temperature", room="attic"} 20"#;
}
