//! Functions of series: their labels, their order, their times, their buckets.

/// Rows of the table, handed to the next list or to `functions!`.
macro_rules! series {
    ($then:ident $($next:ident)* => $($rows:tt)*) => { $then! { $($next)* => $($rows)*
        Absent "absent" Presence PromQl Stable (v: V) Once, @ 0 -> V,
            "One series of value 1 where the vector is empty, with the labels its matchers name.",
            r#"absent(temperature{room="cellar"})"# => r#"{room="cellar"} 1"#;
        AbsentOverTime "absent_over_time" Presence PromQl Stable (r: R) Once, @ 0 -> V,
            "One series of value 1 where no series has a row in the window.",
            r#"absent_over_time(temperature{room="cellar"}[5m])"# => r#"{room="cellar"} 1"#;
        Scalar "scalar" Presence PromQl Stable (v: V) Once, @ 0 -> S,
            "The value of the one series of a vector; NaN if there is not exactly one.",
            r#"scalar(temperature{room="hall"})"# => "21";
        Vector "vector" Presence PromQl Stable (s: S) Once, @ 0 -> V,
            "A number as a vector of one series without labels.",
            "vector(1)" => "{} 1";
        Alias "alias" Labels MetricsQl Stable (v: V, name: T) Once, @ 1 -> V,
            "The vector under another name.",
            r#"alias(temperature{room="hall"}, "warmth")"# => r#"{__name__="warmth", room="hall"} 21"#;
        DropCommonLabels "drop_common_labels" Labels MetricsQl Stable (v: V) AtLeastOnce, @ 0 -> V,
            "Without labels that have the same value in all series.",
            "drop_common_labels(requests_total)" => r#"{path="/a"} 600
{path="/b"} 100"#;
        Info "info" Labels PromQl Experimental (v: V, labels: V) UpTo(1), @ 1 -> V,
            "The vector with the labels of its info series, as `target_info`.",
            "info(up)" => r#"{__name__="up", instance="a", job="web", version="2"} 1"#;
        LabelCopy "label_copy" Labels MetricsQl Stable (v: V, from: T, to: T) Pairs, @ 2 -> V,
            "Copies values of labels to others, in pairs.",
            r#"label_copy(temperature, "room", "place")"# => r#"{__name__="temperature", place="attic", room="attic"} 20
{__name__="temperature", place="hall", room="hall"} 21"#;
        LabelDel "label_del" Labels MetricsQl Stable (v: V, label: T) Any, @ 1 -> V,
            "Without these labels.",
            r#"label_del(requests_total, "job")"# => r#"{__name__="requests_total", path="/a"} 600
{__name__="requests_total", path="/b"} 100"#;
        LabelJoin "label_join" Labels PromQl Stable (v: V, destination: T, separator: T, source: T) Any, @ 3 -> V,
            "Sets a label to the values of others, joined.",
            r#"label_join(requests_total, "key", ":", "job", "path")"# => r#"{__name__="requests_total", job="web", key="web:/a", path="/a"} 600
{__name__="requests_total", job="web", key="web:/b", path="/b"} 100"#;
        LabelKeep "label_keep" Labels MetricsQl Stable (v: V, label: T) Any, @ 1 -> V,
            "With these labels only.",
            r#"label_keep(requests_total, "path")"# => r#"{path="/a"} 600
{path="/b"} 100"#;
        LabelLowercase "label_lowercase" Labels MetricsQl Stable (v: V, label: T) Any, @ 1 -> V,
            "Values of labels in lower case.",
            r#"label_lowercase(label_set(temperature{room="hall"}, "site", "North"), "site")"# => r#"{__name__="temperature", room="hall", site="north"} 21"#;
        LabelMap "label_map" Labels MetricsQl Stable (v: V, label: T, from: T, to: T) Pairs, @ 3 -> V,
            "Changes values of a label to others, in pairs.",
            r#"label_map(temperature, "room", "hall", "lobby")"# => r#"{__name__="temperature", room="attic"} 20
{__name__="temperature", room="lobby"} 21"#;
        LabelMatch "label_match" Labels MetricsQl Stable (v: V, label: T, regex: T) Once, @ 2 -> V,
            "The series whose label matches a regular expression.",
            r#"label_match(temperature, "room", "h.*")"# => r#"{__name__="temperature", room="hall"} 21"#;
        LabelMismatch "label_mismatch" Labels MetricsQl Stable (v: V, label: T, regex: T) Once, @ 2 -> V,
            "The series whose label does not match a regular expression.",
            r#"label_mismatch(temperature, "room", "h.*")"# => r#"{__name__="temperature", room="attic"} 20"#;
        LabelMove "label_move" Labels MetricsQl Stable (v: V, from: T, to: T) Pairs, @ 2 -> V,
            "Gives labels other names, in pairs.",
            r#"label_move(temperature, "room", "place")"# => r#"{__name__="temperature", place="attic"} 20
{__name__="temperature", place="hall"} 21"#;
        LabelReplace "label_replace" Labels PromQl Stable (v: V, destination: T, replacement: T, source: T, regex: T) Once, @ 4 -> V,
            "Sets a label from another by a regular expression.",
            r#"label_replace(temperature, "place", "$1", "room", "(h.*)")"# => r#"{__name__="temperature", place="hall", room="hall"} 21
{__name__="temperature", room="attic"} 20"#;
        LabelSet "label_set" Labels MetricsQl Stable (v: V, label: T, value: T) Pairs, @ 2 -> V,
            "Sets labels to values, in pairs.",
            r#"label_set(temperature, "site", "north")"# => r#"{__name__="temperature", room="attic", site="north"} 20
{__name__="temperature", room="hall", site="north"} 21"#;
        LabelTransform "label_transform" Labels MetricsQl Stable (v: V, label: T, regex: T, replacement: T) Once, @ 3 -> V,
            "Replaces all that a regular expression finds in a label.",
            r#"label_transform(temperature, "room", "[aeiou]", "_")"# => r#"{__name__="temperature", room="_tt_c"} 20
{__name__="temperature", room="h_ll"} 21"#;
        LabelUppercase "label_uppercase" Labels MetricsQl Stable (v: V, label: T) Any, @ 1 -> V,
            "Values of labels in upper case.",
            r#"label_uppercase(temperature, "room")"# => r#"{__name__="temperature", room="ATTIC"} 20
{__name__="temperature", room="HALL"} 21"#;
        LabelValue "label_value" Labels MetricsQl Stable (v: V, label: T) Once, @ 1 -> V,
            "The value of a label as a number.",
            r#"label_value(latency_bucket{le="1"}, "le")"# => r#"{le="1"} 1"#;
        LabelsEqual "labels_equal" Labels MetricsQl Stable (v: V, label: T, label: T) Any, @ 2 -> V,
            "The series whose labels have the same value.",
            r#"labels_equal(up, "job", "job")"# => r#"{__name__="up", instance="a", job="web"} 1"#;
        Union "union" Labels MetricsQl Stable (v: V) AtLeastOnce, @ 0 -> V,
            "The series of all vectors; of those with the same labels the first.",
            "union(temperature, up)" => r#"{__name__="temperature", room="attic"} 20
{__name__="temperature", room="hall"} 21
{__name__="up", instance="a", job="web"} 1"#;
        LimitOffset "limit_offset" Sort MetricsQl Stable (limit: S, offset: S, v: V) Once, @ 2 -> V,
            "So many series behind the first `offset` ones, in label order.",
            "limit_offset(1, 1, temperature)" => r#"{__name__="temperature", room="hall"} 21"#;
        Sort "sort" Sort PromQl Stable (v: V) Once, @ 0 -> V,
            "The vector, ordered by rising value.",
            "sort(temperature)" => r#"{__name__="temperature", room="attic"} 20
{__name__="temperature", room="hall"} 21"#;
        SortByLabel "sort_by_label" Sort PromQl Experimental (v: V, label: T) Any, @ 1 -> V,
            "The vector, in natural order of the values of labels.",
            r#"sort_by_label(temperature, "room")"# => r#"{__name__="temperature", room="attic"} 20
{__name__="temperature", room="hall"} 21"#;
        SortByLabelDesc "sort_by_label_desc" Sort PromQl Experimental (v: V, label: T) Any, @ 1 -> V,
            "The vector, in falling natural order of the values of labels.",
            r#"sort_by_label_desc(temperature, "room")"# => r#"{__name__="temperature", room="hall"} 21
{__name__="temperature", room="attic"} 20"#;
        SortByLabelNumeric "sort_by_label_numeric" Sort MetricsQl Stable (v: V, label: T) Any, @ 1 -> V,
            "The vector, in order of the numbers in labels.",
            r#"sort_by_label_numeric(latency_bucket, "le")"# => r#"{__name__="latency_bucket", le="+Inf"} 40
{__name__="latency_bucket", le="0.1"} 10
{__name__="latency_bucket", le="0.5"} 30
{__name__="latency_bucket", le="1"} 40"#;
        SortByLabelNumericDesc "sort_by_label_numeric_desc" Sort MetricsQl Stable (v: V, label: T) Any, @ 1 -> V,
            "The vector, in falling order of the numbers in labels.",
            r#"sort_by_label_numeric_desc(latency_bucket, "le")"# => r#"{__name__="latency_bucket", le="1"} 40
{__name__="latency_bucket", le="0.5"} 30
{__name__="latency_bucket", le="0.1"} 10
{__name__="latency_bucket", le="+Inf"} 40"#;
        SortDesc "sort_desc" Sort PromQl Stable (v: V) Once, @ 0 -> V,
            "The vector, ordered by falling value.",
            "sort_desc(temperature)" => r#"{__name__="temperature", room="hall"} 21
{__name__="temperature", room="attic"} 20"#;
        DayOfMonth "day_of_month" Time PromQl Stable (v: V) UpTo(1), @ 0 -> V,
            "The day of the month, 1 to 31, in UTC.",
            "day_of_month(vector(1709212530))" => "{} 29";
        DayOfWeek "day_of_week" Time PromQl Stable (v: V) UpTo(1), @ 0 -> V,
            "The day of the week, 0 for Sunday to 6, in UTC.",
            "day_of_week(vector(1709212530))" => "{} 4";
        DayOfYear "day_of_year" Time PromQl Stable (v: V) UpTo(1), @ 0 -> V,
            "The day of the year, 1 to 366, in UTC.",
            "day_of_year(vector(1709212530))" => "{} 60";
        DaysInMonth "days_in_month" Time PromQl Stable (v: V) UpTo(1), @ 0 -> V,
            "The number of days of the month, 28 to 31, in UTC.",
            "days_in_month(vector(1709212530))" => "{} 29";
        End "end" Time PromQl Experimental () Once, @ 0 -> S,
            "The time of the last step of the query, in seconds since 1970.",
            "end()" => "600";
        Hour "hour" Time PromQl Stable (v: V) UpTo(1), @ 0 -> V,
            "The hour of the day, 0 to 23, in UTC.",
            "hour(vector(1709212530))" => "{} 13";
        Minute "minute" Time PromQl Stable (v: V) UpTo(1), @ 0 -> V,
            "The minute of the hour, 0 to 59, in UTC.",
            "minute(vector(1709212530))" => "{} 15";
        Month "month" Time PromQl Stable (v: V) UpTo(1), @ 0 -> V,
            "The month of the year, 1 to 12, in UTC.",
            "month(vector(1709212530))" => "{} 2";
        Now "now" Time MetricsQl Stable () Once, @ 0 -> S,
            "The time at which the query runs, in seconds since 1970.",
            "now() > bool 0" => "1";
        Range "range" Time PromQl Experimental () Once, @ 0 -> S,
            "The length of the query, from its first step to its last, in seconds.",
            "range()" => "0";
        Start "start" Time PromQl Experimental () Once, @ 0 -> S,
            "The time of the first step of the query, in seconds since 1970.",
            "start()" => "600";
        StartTimestamp "start_timestamp" Time PromQl Experimental (v: V) Once, @ 0 -> V,
            "The start timestamp of each row, in seconds since 1970.",
            r#"start_timestamp(temperature{room="hall"})"# => r#"{room="hall"} 0"#;
        Step "step" Time PromQl Experimental () Once, @ 0 -> S,
            "The distance of the steps of the query, in seconds.",
            "step()" => "0";
        Time "time" Time PromQl Stable () Once, @ 0 -> S,
            "The time of the step, in seconds since 1970.",
            "time()" => "600";
        Timestamp "timestamp" Time PromQl Stable (v: V) Once, @ 0 -> V,
            "The time of each row, in seconds since 1970.",
            r#"timestamp(temperature{room="hall"})"# => r#"{room="hall"} 600"#;
        TimestampWithName "timestamp_with_name" Time MetricsQl Stable (r: R) Once, @ 0 -> V,
            "The time of the newest row in the window, in seconds since 1970; the name stays.",
            r#"timestamp_with_name(temperature{room="hall"}[5m])"# => r#"{__name__="temperature", room="hall"} 600"#;
        TimezoneOffset "timezone_offset" Time MetricsQl Stable (zone: T) Once, @ 0 -> S,
            "The offset of a time zone from UTC at each step, in seconds.",
            r#"timezone_offset("Europe/Berlin")"# => "3600";
        Year "year" Time PromQl Stable (v: V) UpTo(1), @ 0 -> V,
            "The year, in UTC.",
            "year(vector(1709212530))" => "{} 2024";
        BucketsLimit "buckets_limit" Histograms MetricsQl Stable (limit: S, v: V) Once, @ 1 -> V,
            "Classic buckets joined until so many are left, those with the fewest observations first.",
            "buckets_limit(3, latency_bucket)" => r#"{__name__="latency_bucket", le="+Inf"} 40
{__name__="latency_bucket", le="0.1"} 10
{__name__="latency_bucket", le="1"} 40"#;
        HistogramAvg "histogram_avg" Histograms PromQl Stable (v: V) Once, @ 0 -> V,
            "The mean of the observations of a native histogram.",
            "histogram_avg(sizes)" => "{} 2.25";
        HistogramCount "histogram_count" Histograms PromQl Stable (v: V) Once, @ 0 -> V,
            "The number of observations of a native histogram.",
            "histogram_count(sizes)" => "{} 8";
        HistogramFraction "histogram_fraction" Histograms PromQl Stable (lower: S, upper: S, v: V) Once, @ 2 -> V,
            "The estimated share of observations between two values.",
            "histogram_fraction(0, 0.1, latency_bucket)" => "{} 0.25";
        HistogramOverTime "histogram_over_time" Histograms MetricsQl Stable (r: R) Once, @ 0 -> V,
            "The values of the window as a native histogram.",
            r#"histogram_over_time(temperature{room="attic"}[5m])"# => r#"{room="attic"} {count:5, sum:110, (19.869724993175744,20.749432874416154]:1, (20.749432874416154,21.668088750990282]:1, (21.668088750990282,22.627416997969522]:1, (22.627416997969522,23.62921833503199]:1, (23.62921833503199,24.675373206527052]:1}"#;
        HistogramQuantile "histogram_quantile" Histograms PromQl Stable (phi: S, v: V) Once, @ 1 -> V,
            "The estimated quantile of the observations of a histogram.",
            "histogram_quantile(0.5, latency_bucket)" => "{} 0.3";
        HistogramQuantiles "histogram_quantiles" Histograms PromQl Experimental (v: V, label: T, phi: S, phi: S) UpTo(9), @ 3 -> V,
            "Several estimated quantiles, told apart by a label.",
            r#"histogram_quantiles(latency_bucket, "q", 0.25, 0.5)"# => r#"{q="0.25"} 0.1
{q="0.5"} 0.3"#;
        HistogramShare "histogram_share" Histograms MetricsQl Stable (le: S, v: V, bounds: T) UpTo(1), @ 2 -> V,
            "The estimated share of observations not greater than a number; with a label for bounds also the least and greatest it may be.",
            "histogram_share(0.1, latency_bucket)" => "{} 0.25";
        HistogramStddev "histogram_stddev" Histograms PromQl Stable (v: V) Once, @ 0 -> V,
            "The estimated standard deviation of the observations of a native histogram.",
            "histogram_stddev(sizes)" => "{} 0.718720011";
        HistogramStdvar "histogram_stdvar" Histograms PromQl Stable (v: V) Once, @ 0 -> V,
            "The estimated variance of the observations of a native histogram.",
            "histogram_stdvar(sizes)" => "{} 0.516558454";
        HistogramSum "histogram_sum" Histograms PromQl Stable (v: V) Once, @ 0 -> V,
            "The sum of the observations of a native histogram.",
            "histogram_sum(sizes)" => "{} 18";
    } };
}

pub(super) use series;
