//! Functions of windows, and of all steps of a query.

/// Rows of the table, handed to the next list or to `functions!`.
macro_rules! windows {
    ($then:ident $($next:ident)* => $($rows:tt)*) => { $then! { $($next)* => $($rows)*
        AggrOverTime "aggr_over_time" OverTime MetricsQl Stable (function: T, r: R) AtLeastOnce, @ 0 -> V,
            "Several functions of the window, named in a list of texts and told apart by the label `rollup`.",
            r#"aggr_over_time(("min_over_time", "max_over_time"), temperature{room="attic"}[5m])"# => r#"{rollup="max_over_time", room="attic"} 24
{rollup="min_over_time", room="attic"} 20"#;
        AscentOverTime "ascent_over_time" OverTime MetricsQl Stable (r: R) Once, @ 0 -> V,
            "The sum of all rises, from the row before the window on.",
            r#"ascent_over_time(temperature{room="attic"}[5m])"# => r#"{room="attic"} 0"#;
        AvgOverTime "avg_over_time" OverTime PromQl Stable (r: R) Once, @ 0 -> V,
            "The mean of the values in the window.",
            r#"avg_over_time(temperature{room="attic"}[5m])"# => r#"{room="attic"} 22"#;
        CountEqOverTime "count_eq_over_time" OverTime MetricsQl Stable (r: R, x: S) Once, @ 1 -> V,
            "How many values in the window are equal to a number.",
            r#"count_eq_over_time(temperature{room="attic"}[5m], 23)"# => r#"{room="attic"} 1"#;
        CountGtOverTime "count_gt_over_time" OverTime MetricsQl Stable (r: R, x: S) Once, @ 1 -> V,
            "How many values in the window are greater than a number.",
            r#"count_gt_over_time(temperature{room="attic"}[5m], 23)"# => r#"{room="attic"} 1"#;
        CountLeOverTime "count_le_over_time" OverTime MetricsQl Stable (r: R, x: S) Once, @ 1 -> V,
            "How many values in the window are not greater than a number.",
            r#"count_le_over_time(temperature{room="attic"}[5m], 23)"# => r#"{room="attic"} 4"#;
        CountNeOverTime "count_ne_over_time" OverTime MetricsQl Stable (r: R, x: S) Once, @ 1 -> V,
            "How many values in the window are other than a number.",
            r#"count_ne_over_time(temperature{room="attic"}[5m], 23)"# => r#"{room="attic"} 4"#;
        CountOverTime "count_over_time" OverTime PromQl Stable (r: R) Once, @ 0 -> V,
            "The number of values in the window.",
            r#"count_over_time(temperature{room="attic"}[5m])"# => r#"{room="attic"} 5"#;
        CountValuesOverTime "count_values_over_time" OverTime MetricsQl Stable (label: T, r: R) Once, @ 1 -> V,
            "How often each value is in the window, as a series for each with the value in a label.",
            r#"count_values_over_time("degrees", temperature{room="hall"}[5m])"# => r#"{degrees="19", room="hall"} 2
{degrees="20", room="hall"} 2
{degrees="21", room="hall"} 1"#;
        DecreasesOverTime "decreases_over_time" OverTime MetricsQl Stable (r: R) Once, @ 0 -> V,
            "How often the value fell, from the row before the window on.",
            r#"decreases_over_time(temperature{room="attic"}[5m])"# => r#"{room="attic"} 5"#;
        DefaultRollup "default_rollup" OverTime MetricsQl Stable (r: R) Once, @ 0 -> V,
            "The newest value in the window, none where that is a stale marker; the name stays.",
            r#"default_rollup(temperature{room="hall"}[5m])"# => r#"{__name__="temperature", room="hall"} 21"#;
        DescentOverTime "descent_over_time" OverTime MetricsQl Stable (r: R) Once, @ 0 -> V,
            "The sum of all falls, from the row before the window on.",
            r#"descent_over_time(temperature{room="attic"}[5m])"# => r#"{room="attic"} 5"#;
        DistinctOverTime "distinct_over_time" OverTime MetricsQl Stable (r: R) Once, @ 0 -> V,
            "How many different values the window holds.",
            r#"distinct_over_time(temperature{room="attic"}[5m])"# => r#"{room="attic"} 5"#;
        DoubleExponentialSmoothing "double_exponential_smoothing" OverTime PromQl Experimental (r: R, smoothing: S, trend: S) Once, @ 2 -> V,
            "The value smoothed with a smoothing factor and a trend factor.",
            r#"double_exponential_smoothing(temperature{room="hall"}[5m], 0.5, 0.5)"# => r#"{room="hall"} 20.59375"#;
        DurationOverTime "duration_over_time" OverTime MetricsQl Stable (r: R, max: S) Once, @ 1 -> V,
            "The seconds that rows cover: distances of neighbours up to the maximum, added.",
            r#"duration_over_time(temperature{room="attic"}[5m], 90)"# => r#"{room="attic"} 240"#;
        FirstOverTime "first_over_time" OverTime PromQl Stable (r: R) Once, @ 0 -> V,
            "The oldest value in the window.",
            r#"first_over_time(temperature{room="attic"}[5m])"# => r#"{__name__="temperature", room="attic"} 24"#;
        GeomeanOverTime "geomean_over_time" OverTime MetricsQl Stable (r: R) Once, @ 0 -> V,
            "The geometric mean of the values in the window.",
            r#"geomean_over_time(temperature{room="attic"}[5m])"# => r#"{room="attic"} 21.954432211"#;
        IncreasesOverTime "increases_over_time" OverTime MetricsQl Stable (r: R) Once, @ 0 -> V,
            "How often the value rose, from the row before the window on.",
            r#"increases_over_time(temperature{room="hall"}[5m])"# => r#"{room="hall"} 2"#;
        Integrate "integrate" OverTime MetricsQl Stable (r: R) Once, @ 0 -> V,
            "The integral of a gauge over the window, in values times seconds; each value holds until the next.",
            r#"integrate(temperature{room="attic"}[5m])"# => r#"{room="attic"} 6900"#;
        Lag "lag" OverTime MetricsQl Stable (r: R) Once, @ 0 -> V,
            "How many seconds ago the newest row was, the row before the window included.",
            r#"lag(temperature{room="attic"}[150s] offset 30s)"# => r#"{room="attic"} 30"#;
        LastOverTime "last_over_time" OverTime PromQl Stable (r: R) Once, @ 0 -> V,
            "The newest value in the window.",
            r#"last_over_time(temperature{room="attic"}[5m])"# => r#"{__name__="temperature", room="attic"} 20"#;
        Lifetime "lifetime" OverTime MetricsQl Stable (r: R) Once, @ 0 -> V,
            "The seconds from the row before the window, or its first, to its last.",
            r#"lifetime(temperature{room="attic"}[5m])"# => r#"{room="attic"} 300"#;
        MadOverTime "mad_over_time" OverTime PromQl Experimental (r: R) Once, @ 0 -> V,
            "The median absolute deviation of the values in the window.",
            r#"mad_over_time(temperature{room="attic"}[5m])"# => r#"{room="attic"} 1"#;
        MaxOverTime "max_over_time" OverTime PromQl Stable (r: R) Once, @ 0 -> V,
            "The greatest value in the window.",
            r#"max_over_time(temperature{room="attic"}[5m])"# => r#"{room="attic"} 24"#;
        MedianOverTime "median_over_time" OverTime MetricsQl Stable (r: R) Once, @ 0 -> V,
            "The median of the values in the window.",
            r#"median_over_time(temperature{room="attic"}[5m])"# => r#"{room="attic"} 22"#;
        MinOverTime "min_over_time" OverTime PromQl Stable (r: R) Once, @ 0 -> V,
            "The least value in the window.",
            r#"min_over_time(temperature{room="attic"}[5m])"# => r#"{room="attic"} 20"#;
        ModeOverTime "mode_over_time" OverTime MetricsQl Stable (r: R) Once, @ 0 -> V,
            "The most frequent value in the window; of several the least.",
            r#"mode_over_time(temperature{room="hall"}[5m])"# => r#"{room="hall"} 19"#;
        OutlierIqrOverTime "outlier_iqr_over_time" OverTime MetricsQl Stable (r: R) Once, @ 0 -> V,
            "The newest value, where it is further than 1.5 interquartile ranges from the quartiles of the window.",
            r#"outlier_iqr_over_time(temperature{room="hall"}[5m])"# => "nothing";
        PresentOverTime "present_over_time" OverTime PromQl Stable (r: R) Once, @ 0 -> V,
            "1 for each series with a row in the window.",
            r#"present_over_time(temperature{room="attic"}[5m])"# => r#"{room="attic"} 1"#;
        QuantileOverTime "quantile_over_time" OverTime PromQl Stable (phi: S, r: R) Once, @ 1 -> V,
            "The quantile of the values in the window.",
            r#"quantile_over_time(0.5, temperature{room="attic"}[5m])"# => r#"{room="attic"} 22"#;
        QuantilesOverTime "quantiles_over_time" OverTime MetricsQl Stable (label: T, phi: S, r: R) AtLeastOnce, @ 1 -> V,
            "Several quantiles of the values in the window, told apart by a label.",
            r#"quantiles_over_time("phi", 0.25, 0.75, temperature{room="attic"}[5m])"# => r#"{phi="0.25", room="attic"} 21
{phi="0.75", room="attic"} 23"#;
        RangeOverTime "range_over_time" OverTime MetricsQl Stable (r: R) Once, @ 0 -> V,
            "The greatest value in the window less the least.",
            r#"range_over_time(temperature{room="attic"}[5m])"# => r#"{room="attic"} 4"#;
        RateOverSum "rate_over_sum" OverTime MetricsQl Stable (r: R) Once, @ 0 -> V,
            "The sum of the values in the window per second.",
            r#"rate_over_sum(temperature{room="attic"}[5m])"# => r#"{room="attic"} 0.366666667"#;
        ScrapeInterval "scrape_interval" OverTime MetricsQl Stable (r: R) Once, @ 0 -> V,
            "The mean distance of rows in seconds, the row before the window included.",
            r#"scrape_interval(temperature{room="attic"}[5m])"# => r#"{room="attic"} 60"#;
        ShareEqOverTime "share_eq_over_time" OverTime MetricsQl Stable (r: R, x: S) Once, @ 1 -> V,
            "The share of values in the window that are equal to a number, 0 to 1.",
            r#"share_eq_over_time(temperature{room="attic"}[5m], 23)"# => r#"{room="attic"} 0.2"#;
        ShareGtOverTime "share_gt_over_time" OverTime MetricsQl Stable (r: R, x: S) Once, @ 1 -> V,
            "The share of values in the window that are greater than a number, 0 to 1.",
            r#"share_gt_over_time(temperature{room="attic"}[5m], 23)"# => r#"{room="attic"} 0.2"#;
        ShareLeOverTime "share_le_over_time" OverTime MetricsQl Stable (r: R, x: S) Once, @ 1 -> V,
            "The share of values in the window that are not greater than a number, 0 to 1.",
            r#"share_le_over_time(temperature{room="attic"}[5m], 23)"# => r#"{room="attic"} 0.8"#;
        StaleSamplesOverTime "stale_samples_over_time" OverTime MetricsQl Stable (r: R) Once, @ 0 -> V,
            "How many stale markers the window holds.",
            r#"stale_samples_over_time(temperature{room="attic"}[5m])"# => r#"{room="attic"} 0"#;
        StddevOverTime "stddev_over_time" OverTime PromQl Stable (r: R) Once, @ 0 -> V,
            "The standard deviation of the values in the window.",
            r#"stddev_over_time(temperature{room="attic"}[5m])"# => r#"{room="attic"} 1.414213562"#;
        StdvarOverTime "stdvar_over_time" OverTime PromQl Stable (r: R) Once, @ 0 -> V,
            "The variance of the values in the window.",
            r#"stdvar_over_time(temperature{room="attic"}[5m])"# => r#"{room="attic"} 2"#;
        Sum2OverTime "sum2_over_time" OverTime MetricsQl Stable (r: R) Once, @ 0 -> V,
            "The sum of the squares of the values in the window.",
            r#"sum2_over_time(temperature{room="attic"}[5m])"# => r#"{room="attic"} 2430"#;
        SumEqOverTime "sum_eq_over_time" OverTime MetricsQl Stable (r: R, x: S) Once, @ 1 -> V,
            "The sum of the values in the window that are equal to a number.",
            r#"sum_eq_over_time(temperature{room="attic"}[5m], 23)"# => r#"{room="attic"} 23"#;
        SumGtOverTime "sum_gt_over_time" OverTime MetricsQl Stable (r: R, x: S) Once, @ 1 -> V,
            "The sum of the values in the window that are greater than a number.",
            r#"sum_gt_over_time(temperature{room="attic"}[5m], 23)"# => r#"{room="attic"} 24"#;
        SumLeOverTime "sum_le_over_time" OverTime MetricsQl Stable (r: R, x: S) Once, @ 1 -> V,
            "The sum of the values in the window that are not greater than a number.",
            r#"sum_le_over_time(temperature{room="attic"}[5m], 23)"# => r#"{room="attic"} 86"#;
        SumOverTime "sum_over_time" OverTime PromQl Stable (r: R) Once, @ 0 -> V,
            "The sum of the values in the window.",
            r#"sum_over_time(temperature{room="attic"}[5m])"# => r#"{room="attic"} 110"#;
        TlastChangeOverTime "tlast_change_over_time" OverTime MetricsQl Stable (r: R) Once, @ 0 -> V,
            "The time of the newest change in the window, in seconds since 1970.",
            r#"tlast_change_over_time(temperature{room="hall"}[5m])"# => r#"{room="hall"} 600"#;
        TsOfFirstOverTime "ts_of_first_over_time" OverTime PromQl Experimental (r: R) Once, @ 0 -> V,
            "The time of the oldest value in the window.",
            r#"ts_of_first_over_time(temperature{room="attic"}[5m])"# => r#"{room="attic"} 360"#;
        TsOfLastOverTime "ts_of_last_over_time" OverTime PromQl Experimental (r: R) Once, @ 0 -> V,
            "The time of the newest value in the window.",
            r#"ts_of_last_over_time(temperature{room="attic"}[5m])"# => r#"{room="attic"} 600"#;
        TsOfMaxOverTime "ts_of_max_over_time" OverTime PromQl Experimental (r: R) Once, @ 0 -> V,
            "The time of the last greatest value in the window.",
            r#"ts_of_max_over_time(temperature{room="attic"}[5m])"# => r#"{room="attic"} 360"#;
        TsOfMinOverTime "ts_of_min_over_time" OverTime PromQl Experimental (r: R) Once, @ 0 -> V,
            "The time of the last least value in the window.",
            r#"ts_of_min_over_time(temperature{room="attic"}[5m])"# => r#"{room="attic"} 600"#;
        ZscoreOverTime "zscore_over_time" OverTime MetricsQl Stable (r: R) Once, @ 0 -> V,
            "How many standard deviations the newest value is from the mean of the window; 0 where it is the mean.",
            r#"zscore_over_time(temperature{room="attic"}[5m])"# => r#"{room="attic"} -1.414213562"#;
        Rollup "rollup" Rollups MetricsQl Stable (r: R, which: T) UpTo(1), @ 1 -> V,
            "Least, greatest and mean of the values in the window, told apart by the label `rollup`, or the named one of them.",
            r#"rollup(temperature{room="attic"}[5m])"# => r#"{rollup="avg", room="attic"} 22
{rollup="max", room="attic"} 24
{rollup="min", room="attic"} 20"#;
        RollupCandlestick "rollup_candlestick" Rollups MetricsQl Stable (r: R, which: T) UpTo(1), @ 1 -> V,
            "First, last, least and greatest value of the window, told apart by the label `rollup`, or the named one (`open`, `close`, `low`, `high`).",
            r#"rollup_candlestick(temperature{room="attic"}[5m])"# => r#"{rollup="close", room="attic"} 21
{rollup="high", room="attic"} 25
{rollup="low", room="attic"} 21
{rollup="open", room="attic"} 25"#;
        RollupDelta "rollup_delta" Rollups MetricsQl Stable (r: R, which: T) UpTo(1), @ 1 -> V,
            "Least, greatest and mean of the differences of neighbours in the window, told apart by the label `rollup`, or the named one of them.",
            r#"rollup_delta(temperature{room="attic"}[5m])"# => r#"{rollup="avg", room="attic"} -1
{rollup="max", room="attic"} -1
{rollup="min", room="attic"} -1"#;
        RollupDeriv "rollup_deriv" Rollups MetricsQl Stable (r: R, which: T) UpTo(1), @ 1 -> V,
            "Least, greatest and mean of the slopes between neighbours in the window, told apart by the label `rollup`, or the named one of them.",
            r#"rollup_deriv(temperature{room="attic"}[5m])"# => r#"{rollup="avg", room="attic"} -0.016666667
{rollup="max", room="attic"} -0.016666667
{rollup="min", room="attic"} -0.016666667"#;
        RollupIncrease "rollup_increase" Rollups MetricsQl Stable (r: R, which: T) UpTo(1), @ 1 -> V,
            "Least, greatest and mean of the increases of a counter between neighbours in the window, told apart by the label `rollup`, or the named one of them.",
            r#"rollup_increase(requests_total{path="/b"}[5m])"# => r#"{job="web", path="/b", rollup="avg"} 26
{job="web", path="/b", rollup="max"} 30
{job="web", path="/b", rollup="min"} 10"#;
        RollupRate "rollup_rate" Rollups MetricsQl Stable (r: R, which: T) UpTo(1), @ 1 -> V,
            "Least, greatest and mean of the rates of a counter between neighbours in the window, told apart by the label `rollup`, or the named one of them.",
            r#"rollup_rate(requests_total{path="/b"}[5m])"# => r#"{job="web", path="/b", rollup="avg"} 0.433333333
{job="web", path="/b", rollup="max"} 0.5
{job="web", path="/b", rollup="min"} 0.166666667"#;
        RollupScrapeInterval "rollup_scrape_interval" Rollups MetricsQl Stable (r: R, which: T) UpTo(1), @ 1 -> V,
            "Least, greatest and mean of the distances of neighbours in seconds in the window, told apart by the label `rollup`, or the named one of them.",
            r#"rollup_scrape_interval(temperature{room="attic"}[5m])"# => r#"{rollup="avg", room="attic"} 60
{rollup="max", room="attic"} 60
{rollup="min", room="attic"} 60"#;
        DropEmptySeries "drop_empty_series" WholeRange MetricsQl Stable (v: V) Once, @ 0 -> V,
            "Without series that have no value at any step.",
            r#"avg_over_time(drop_empty_series(temperature{room="attic"} == (20, 24))[5m:1m])"# => r#"{room="attic"} 22"#;
        Interpolate "interpolate" WholeRange MetricsQl Stable (v: V) Once, @ 0 -> V,
            "Gaps of each series filled with a line between the values around them.",
            r#"avg_over_time(interpolate(temperature{room="attic"} == (20, 24))[5m:1m])"# => r#"{room="attic"} 22"#;
        KeepLastValue "keep_last_value" WholeRange MetricsQl Stable (v: V) Once, @ 0 -> V,
            "Gaps of each series filled with the last value before them.",
            r#"avg_over_time(keep_last_value(temperature{room="attic"} == (20, 24))[5m:1m])"# => r#"{room="attic"} 23.2"#;
        KeepNextValue "keep_next_value" WholeRange MetricsQl Stable (v: V) Once, @ 0 -> V,
            "Gaps of each series filled with the next value behind them.",
            r#"avg_over_time(keep_next_value(temperature{room="attic"} == (20, 24))[5m:1m])"# => r#"{room="attic"} 20.8"#;
        RangeAvg "range_avg" WholeRange MetricsQl Stable (v: V) Once, @ 0 -> V,
            "The mean of each series over all steps of the query, at each step.",
            r#"first_over_time(range_avg(temperature{room="attic"})[5m:1m])"# => r#"{__name__="temperature", room="attic"} 22"#;
        RangeFirst "range_first" WholeRange MetricsQl Stable (v: V) Once, @ 0 -> V,
            "The first value of each series over all steps of the query, at each step.",
            r#"first_over_time(range_first(temperature{room="attic"})[5m:1m])"# => r#"{__name__="temperature", room="attic"} 24"#;
        RangeLast "range_last" WholeRange MetricsQl Stable (v: V) Once, @ 0 -> V,
            "The last value of each series over all steps of the query, at each step.",
            r#"first_over_time(range_last(temperature{room="attic"})[5m:1m])"# => r#"{__name__="temperature", room="attic"} 20"#;
        RangeLinearRegression "range_linear_regression" WholeRange MetricsQl Stable (v: V) Once, @ 0 -> V,
            "The line through each series over all steps of the query.",
            r#"first_over_time(range_linear_regression(temperature{room="attic"})[5m:1m])"# => r#"{__name__="temperature", room="attic"} 24"#;
        RangeMad "range_mad" WholeRange MetricsQl Stable (v: V) Once, @ 0 -> V,
            "The median absolute deviation of each series over all steps of the query, at each step.",
            r#"first_over_time(range_mad(temperature{room="attic"})[5m:1m])"# => r#"{room="attic"} 1"#;
        RangeMax "range_max" WholeRange MetricsQl Stable (v: V) Once, @ 0 -> V,
            "The greatest value of each series over all steps of the query, at each step.",
            r#"first_over_time(range_max(temperature{room="attic"})[5m:1m])"# => r#"{__name__="temperature", room="attic"} 24"#;
        RangeMedian "range_median" WholeRange MetricsQl Stable (v: V) Once, @ 0 -> V,
            "The median of each series over all steps of the query, at each step.",
            r#"first_over_time(range_median(temperature{room="attic"})[5m:1m])"# => r#"{__name__="temperature", room="attic"} 22"#;
        RangeMin "range_min" WholeRange MetricsQl Stable (v: V) Once, @ 0 -> V,
            "The least value of each series over all steps of the query, at each step.",
            r#"first_over_time(range_min(temperature{room="attic"})[5m:1m])"# => r#"{__name__="temperature", room="attic"} 20"#;
        RangeNormalize "range_normalize" WholeRange MetricsQl Stable (v: V) Once, @ 0 -> V,
            "Each series brought to 0 to 1 over all steps of the query.",
            r#"first_over_time(range_normalize(temperature{room="attic"})[5m:1m])"# => r#"{__name__="temperature", room="attic"} 1"#;
        RangeQuantile "range_quantile" WholeRange MetricsQl Stable (phi: S, v: V) Once, @ 1 -> V,
            "The quantile of each series over all steps of the query, at each step.",
            r#"first_over_time(range_quantile(0.5, temperature{room="attic"})[5m:1m])"# => r#"{__name__="temperature", room="attic"} 22"#;
        RangeStddev "range_stddev" WholeRange MetricsQl Stable (v: V) Once, @ 0 -> V,
            "The standard deviation of each series over all steps of the query, at each step.",
            r#"first_over_time(range_stddev(temperature{room="attic"})[5m:1m])"# => r#"{room="attic"} 1.414213562"#;
        RangeStdvar "range_stdvar" WholeRange MetricsQl Stable (v: V) Once, @ 0 -> V,
            "The variance of each series over all steps of the query, at each step.",
            r#"first_over_time(range_stdvar(temperature{room="attic"})[5m:1m])"# => r#"{room="attic"} 2"#;
        RangeSum "range_sum" WholeRange MetricsQl Stable (v: V) Once, @ 0 -> V,
            "The sum of each series over all steps of the query, at each step.",
            r#"first_over_time(range_sum(temperature{room="attic"})[5m:1m])"# => r#"{room="attic"} 110"#;
        RangeTrimOutliers "range_trim_outliers" WholeRange MetricsQl Stable (k: S, v: V) Once, @ 1 -> V,
            "Without values further than k median absolute deviations from the median of their series.",
            r#"first_over_time(range_trim_outliers(1, temperature{room="attic"})[5m:1m])"# => r#"{__name__="temperature", room="attic"} 23"#;
        RangeTrimSpikes "range_trim_spikes" WholeRange MetricsQl Stable (phi: S, v: V) Once, @ 1 -> V,
            "Without the given share of greatest and least values of each series, half of it at either end.",
            r#"first_over_time(range_trim_spikes(0.5, temperature{room="attic"})[5m:1m])"# => r#"{__name__="temperature", room="attic"} 23"#;
        RangeTrimZscore "range_trim_zscore" WholeRange MetricsQl Stable (z: S, v: V) Once, @ 1 -> V,
            "Without values further than z standard deviations from the mean of their series.",
            r#"first_over_time(range_trim_zscore(1, temperature{room="attic"})[5m:1m])"# => r#"{__name__="temperature", room="attic"} 23"#;
        RangeZscore "range_zscore" WholeRange MetricsQl Stable (v: V) Once, @ 0 -> V,
            "How many standard deviations each value is from the mean of its series over all steps of the query.",
            r#"first_over_time(range_zscore(temperature{room="attic"})[5m:1m])"# => r#"{room="attic"} 1.414213562"#;
        RemoveResets "remove_resets" WholeRange MetricsQl Stable (v: V) Once, @ 0 -> V,
            "Each counter without its resets, over the steps of the query.",
            r#"last_over_time(remove_resets(requests_total{path="/b"})[5m:1m])"# => r#"{__name__="requests_total", job="web", path="/b"} 280"#;
        RunningAvg "running_avg" WholeRange MetricsQl Stable (v: V) Once, @ 0 -> V,
            "The mean of each series from the first step of the query up to each step.",
            r#"last_over_time(running_avg(requests_total{path="/b"})[5m:1m])"# => r#"{__name__="requests_total", job="web", path="/b"} 80"#;
        RunningMax "running_max" WholeRange MetricsQl Stable (v: V) Once, @ 0 -> V,
            "The greatest value of each series from the first step of the query up to each step.",
            r#"last_over_time(running_max(requests_total{path="/b"})[5m:1m])"# => r#"{__name__="requests_total", job="web", path="/b"} 180"#;
        RunningMin "running_min" WholeRange MetricsQl Stable (v: V) Once, @ 0 -> V,
            "The least value of each series from the first step of the query up to each step.",
            r#"last_over_time(running_min(requests_total{path="/b"})[5m:1m])"# => r#"{__name__="requests_total", job="web", path="/b"} 10"#;
        RunningSum "running_sum" WholeRange MetricsQl Stable (v: V) Once, @ 0 -> V,
            "The sum of each series from the first step of the query up to each step.",
            r#"last_over_time(running_sum(requests_total{path="/b"})[5m:1m])"# => r#"{job="web", path="/b"} 400"#;
        SmoothExponential "smooth_exponential" WholeRange MetricsQl Stable (v: V, factor: S) Once, @ 1 -> V,
            "Each series smoothed: factor times the value and the rest of what was before, step by step.",
            r#"last_over_time(smooth_exponential(temperature{room="attic"}, 0.5)[5m:1m])"# => r#"{__name__="temperature", room="attic"} 20.9375"#;
    } };
}

pub(super) use windows;
