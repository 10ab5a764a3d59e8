//! Values of answers as the Prometheus API prints them.
//!
//! This is written by hand because it is written by the million: a long range query is mostly
//! printing. Source: Prometheus `util/jsonutil/marshal.go`, `web/api/v1/json_codec.go`.

use crate::export::{write_labels, write_seconds, write_string, write_value};
use crate::http::{
    Error,
    outlet::Page,
    prometheus::envelope::{write_list, write_long},
};
use crate::math::histogram::all_buckets;
use crate::model::{Histogram, Labels};
use crate::query::{Point, Sample, Series, Value};

/// Appends `{"resultType":…,"result":…}` without its end.
pub(super) fn write_result<P: Page>(value: &Value, page: &mut P) -> Result<(), Error> {
    let name = match value {
        Value::Scalar(..) => "scalar",
        Value::String(..) => "string",
        Value::Vector(_) => "vector",
        Value::Matrix(_) => "matrix",
    };
    let out = page.out();
    out.extend_from_slice(br#"{"resultType":""#);
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(br#"","result":"#);
    match value {
        Value::Scalar(time, value) => write_float_at(*time, *value, out),
        Value::String(time, text) => {
            out.push(b'[');
            write_seconds(*time, out);
            out.push(b',');
            write_string(text, out);
            out.push(b']');
        }
        Value::Vector(samples) => write_long(samples, page, write_sample)?,
        Value::Matrix(series) => write_long(series, page, write_series)?,
    }
    Ok(())
}

fn write_metric(labels: &Labels, out: &mut Vec<u8>) {
    out.extend_from_slice(br#"{"metric":"#);
    write_labels(labels, out);
}

fn write_sample<P: Page>(sample: &Sample, page: &mut P) -> Result<(), Error> {
    let out = page.out();
    write_metric(&sample.labels, out);
    match &sample.value {
        Point::Float(value) => {
            out.extend_from_slice(br#","value":"#);
            write_float_at(sample.time, *value, out);
        }
        Point::Histogram(histogram) => {
            out.extend_from_slice(br#","histogram":"#);
            write_histogram_at(sample.time, histogram, out);
        }
    }
    out.push(b'}');
    Ok(())
}

fn write_series<P: Page>(series: &Series, page: &mut P) -> Result<(), Error> {
    let out = page.out();
    write_metric(&series.labels, out);
    if !series.floats.is_empty() {
        out.extend_from_slice(br#","values":"#);
        // A point is about 30 bytes: growing in small steps would copy the answer several times.
        out.reserve(series.floats.len() * 32);
        write_list(&series.floats, out, |(time, value), out| write_float_at(*time, *value, out));
    }
    if !series.histograms.is_empty() {
        out.extend_from_slice(br#","histograms":"#);
        // A point may have kilobytes.
        write_long(&series.histograms, page, |(time, histogram), page| {
            write_histogram_at(*time, histogram, page.out());
            Ok(())
        })?;
    }
    page.out().push(b'}');
    Ok(())
}

fn write_float_at(time: i64, value: f64, out: &mut Vec<u8>) {
    out.push(b'[');
    write_seconds(time, out);
    out.push(b',');
    write_value(value, out);
    out.push(b']');
}

fn write_histogram_at(time: i64, histogram: &Histogram, out: &mut Vec<u8>) {
    out.push(b'[');
    write_seconds(time, out);
    out.push(b',');
    write_histogram(histogram, out);
    out.push(b']');
}

/// Buckets are `[rule,"lower","upper","count"]`; rule 0 is (lower, upper], 1 [lower, upper), 2 open, 3
/// closed. Empty buckets are left out, and the list where all are.
fn write_histogram(histogram: &Histogram, out: &mut Vec<u8>) {
    out.extend_from_slice(br#"{"count":"#);
    write_value(histogram.count, out);
    out.extend_from_slice(br#","sum":"#);
    write_value(histogram.sum, out);
    let buckets = all_buckets(histogram);
    let mut filled = buckets.iter().filter(|bucket| bucket.count != 0.0).peekable();
    if filled.peek().is_some() {
        out.extend_from_slice(br#","buckets":["#);
        for (i, bucket) in filled.enumerate() {
            if i > 0 {
                out.push(b',');
            }
            let rule = match (bucket.includes_lower, bucket.includes_upper) {
                (false, true) => b'0',
                (true, false) => b'1',
                (false, false) => b'2',
                (true, true) => b'3',
            };
            out.extend_from_slice(&[b'[', rule]);
            for number in [bucket.lower, bucket.upper, bucket.count] {
                out.push(b',');
                write_value(number, out);
            }
            out.push(b']');
        }
        out.push(b']');
    }
    out.push(b'}');
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::Span;

    fn check(value: &Value, expected: &str) {
        let mut out = Vec::new();
        write_result(value, &mut out).unwrap();
        out.push(b'}');
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, expected);
        assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
    }

    fn up() -> Labels {
        Labels::new([("__name__", "up"), ("job", "a")]).unwrap()
    }

    #[test]
    fn scalars_strings_and_empty_results() {
        check(&Value::Scalar(1500, -0.0), r#"{"resultType":"scalar","result":[1.5,"-0"]}"#);
        let text = Value::String(-1, "a\"".into());
        check(&text, r#"{"resultType":"string","result":[-0.001,"a\""]}"#);
        check(&Value::Vector(Vec::new()), r#"{"resultType":"vector","result":[]}"#);
        check(&Value::Matrix(Vec::new()), r#"{"resultType":"matrix","result":[]}"#);
    }

    #[test]
    fn vectors_and_matrices_have_their_labels_by_name() {
        let sample = Sample { labels: up(), time: 1000, value: Point::Float(f64::INFINITY) };
        check(
            &Value::Vector(vec![sample]),
            r#"{"resultType":"vector","result":[{"metric":{"__name__":"up","job":"a"},"value":[1,"+Inf"]}]}"#,
        );
        let series = Series {
            labels: Labels::empty(),
            floats: vec![(0, 1e21), (15_000, 1e-7)],
            histograms: Vec::new(),
        };
        check(
            &Value::Matrix(vec![series]),
            r#"{"resultType":"matrix","result":[{"metric":{},"values":[[0,"1e+21"],[15,"1e-07"]]}]}"#,
        );
    }

    #[test]
    fn buckets_say_which_ends_are_in_and_empty_ones_are_left_out() {
        let histogram = Histogram {
            count: 6.0,
            sum: 2.5,
            schema: 0,
            zero_threshold: 0.001,
            zero_count: 1.0,
            positive_spans: vec![Span { offset: 0, length: 2 }],
            positive: vec![2.0, 0.0],
            negative_spans: vec![Span { offset: 1, length: 1 }],
            negative: vec![3.0],
            ..Histogram::default()
        };
        let value = Point::Histogram(Arc::new(histogram));
        check(
            &Value::Vector(vec![Sample { labels: Labels::empty(), time: 0, value }]),
            r#"{"resultType":"vector","result":[{"metric":{},"histogram":[0,{"count":"6","sum":"2.5","buckets":[[1,"-2","-1","3"],[3,"-0.001","0.001","1"],[0,"0.5","1","2"]]}]}]}"#,
        );
    }

    #[test]
    fn a_histogram_without_filled_buckets_has_none() {
        let value = Point::Histogram(Arc::new(Histogram::default()));
        check(
            &Value::Vector(vec![Sample { labels: Labels::empty(), time: 0, value }]),
            r#"{"resultType":"vector","result":[{"metric":{},"histogram":[0,{"count":"0","sum":"0"}]}]}"#,
        );
    }
}
