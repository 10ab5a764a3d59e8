//! JSON lines as VictoriaMetrics exports and imports them: a line a series, columns in it.
//!
//! `{"metric":{"__name__":"up"},"values":[1,null],"timestamps":[1700000000000,1700000015000]}`
//!
//! Numbers read back to the same bits; NaN, staleness markers too, is null; infinities are
//! `"Infinity"` and `"-Infinity"`. Rows that are histograms stand in lines of their own, whole and
//! lossless, under `histograms`. A long series is several lines.

use std::sync::Arc;

use crate::export::{Pieces, RowWriter, write_float, write_integer, write_labels};
use crate::model::{Error, Histogram, Labels, Rows, Span, Timestamp};

/// Rows in one line: about half a megabyte of text, so that memory stays bounded.
pub const LINE_ROWS_MAX: usize = 16_384;

/// Writes rows as JSON lines.
pub struct JsonLines<'a> {
    pieces: Pieces<'a>,
    line_rows_max: usize,
    labels: Labels,
    times: Vec<i64>,
    values: Vec<f64>,
    histograms: Vec<Arc<Histogram>>,
}

impl<'a> JsonLines<'a> {
    /// Lines of at most `line_rows_max` rows.
    pub fn new(pieces: Pieces<'a>, line_rows_max: usize) -> Self {
        Self {
            pieces,
            line_rows_max: line_rows_max.clamp(1, LINE_ROWS_MAX),
            labels: Labels::empty(),
            times: Vec::new(),
            values: Vec::new(),
            histograms: Vec::new(),
        }
    }

    /// A row may still be replaced by one of the same millisecond, so the newest waits.
    fn push(&mut self, time: i64, value: f64) -> Result<(), Error> {
        if !self.histograms.is_empty() {
            self.end_line(0)?;
        }
        if let (Some(last), Some(slot)) = (self.times.last(), self.values.last_mut())
            && *last == time
        {
            *slot = value;
            return Ok(());
        }
        self.times.push(time);
        self.values.push(value);
        if self.times.len() > self.line_rows_max { self.end_line(1) } else { Ok(()) }
    }

    fn push_histogram(&mut self, time: i64, value: &Arc<Histogram>) -> Result<(), Error> {
        if !self.values.is_empty() {
            self.end_line(0)?;
        }
        if let (Some(last), Some(slot)) = (self.times.last(), self.histograms.last_mut())
            && *last == time
        {
            *slot = Arc::clone(value);
            return Ok(());
        }
        self.times.push(time);
        self.histograms.push(Arc::clone(value));
        // Histograms are some hundred bytes each: fewer rows a line for the same memory.
        let full = self.times.len() > self.line_rows_max.min(1024);
        if full { self.end_line(1) } else { Ok(()) }
    }

    /// Writes the line of all rows but the last `kept`.
    fn end_line(&mut self, kept: usize) -> Result<(), Error> {
        let rows = self.times.len().saturating_sub(kept);
        if rows == 0 {
            return Ok(());
        }
        let out = &mut self.pieces.out;
        out.extend_from_slice(br#"{"metric":"#);
        write_labels(&self.labels, out);
        if self.histograms.is_empty() {
            out.extend_from_slice(br#","values":["#);
            write_list(self.values.iter().take(rows), out, |value, out| write_number(*value, out));
        } else {
            out.extend_from_slice(br#","histograms":["#);
            write_list(self.histograms.iter().take(rows), out, |value, out| {
                write_histogram(value, out);
            });
        }
        out.extend_from_slice(br#"],"timestamps":["#);
        write_list(self.times.iter().take(rows), out, |time, out| write_integer(*time, out));
        out.extend_from_slice(b"]}\n");
        self.times.drain(..rows);
        self.values.drain(..rows.min(self.values.len()));
        self.histograms.drain(..rows.min(self.histograms.len()));
        self.pieces.send_full()
    }
}

impl RowWriter for JsonLines<'_> {
    fn series(&mut self, labels: &Labels) -> Result<(), Error> {
        self.end_line(0)?;
        self.labels = labels.clone();
        Ok(())
    }

    fn rows(&mut self, rows: Rows<'_>) -> Result<(), Error> {
        for (time, value) in rows.times.iter().zip(rows.values) {
            self.push(Timestamp(*time).millis(), *value)?;
        }
        for (time, value) in rows.times.iter().zip(rows.histograms) {
            self.push_histogram(Timestamp(*time).millis(), value)?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<(), Error> {
        self.end_line(0)?;
        self.pieces.send_rest()
    }
}

fn write_list<T>(
    items: impl Iterator<Item = T>,
    out: &mut Vec<u8>,
    write: impl Fn(T, &mut Vec<u8>),
) {
    for (i, item) in items.enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write(item, out);
    }
}

fn write_number(value: f64, out: &mut Vec<u8>) {
    if value.is_nan() {
        out.extend_from_slice(b"null");
    } else if value.is_infinite() {
        out.extend_from_slice(if value > 0.0 { br#""Infinity""# } else { br#""-Infinity""# });
    } else if value == 0.0 && value.is_sign_negative() {
        // `-0` is an integer to many readers, and loses its sign.
        out.extend_from_slice(b"-0.0");
    } else {
        write_float(value, out);
    }
}

/// Appends a histogram, whole, as an object.
pub(super) fn write_histogram(histogram: &Histogram, out: &mut Vec<u8>) {
    out.extend_from_slice(br#"{"count":"#);
    write_number(histogram.count, out);
    out.extend_from_slice(br#","sum":"#);
    write_number(histogram.sum, out);
    out.extend_from_slice(br#","schema":"#);
    write_integer(i64::from(histogram.schema), out);
    out.extend_from_slice(br#","zero_threshold":"#);
    write_number(histogram.zero_threshold, out);
    out.extend_from_slice(br#","zero_count":"#);
    write_number(histogram.zero_count, out);
    write_buckets("positive", &histogram.positive_spans, &histogram.positive, out);
    write_buckets("negative", &histogram.negative_spans, &histogram.negative, out);
    if !histogram.custom_values.is_empty() {
        out.extend_from_slice(br#","custom_values":["#);
        write_list(histogram.custom_values.iter(), out, |bound, out| write_number(*bound, out));
        out.push(b']');
    }
    out.push(b'}');
}

fn write_buckets(side: &str, spans: &[Span], counts: &[f64], out: &mut Vec<u8>) {
    if spans.is_empty() {
        return;
    }
    out.extend_from_slice(format!(r#","{side}_spans":["#).as_bytes());
    write_list(spans.iter(), out, |span, out| {
        out.extend_from_slice(format!("[{},{}]", span.offset, span.length).as_bytes());
    });
    out.extend_from_slice(format!(r#"],"{side}":["#).as_bytes());
    write_list(counts.iter(), out, |count, out| write_number(*count, out));
    out.push(b']');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ResetHint, STALE_BITS};

    fn named(series: u32) -> Labels {
        let id = series.to_string();
        Labels::new([("__name__", "m"), ("s", id.as_str())]).unwrap()
    }

    fn exported(line_rows_max: usize, visits: &[(u32, &[(i64, f64)])]) -> String {
        let mut out = Vec::new();
        let mut send = |piece| {
            out.extend::<Vec<u8>>(piece);
            Ok(())
        };
        let mut lines = Box::new(JsonLines::new(Pieces::new(&mut send), line_rows_max));
        let mut current = None;
        for (series, rows) in visits {
            if current.replace(*series) != Some(*series) {
                lines.series(&named(*series)).unwrap();
            }
            let (times, values): (Vec<i64>, Vec<f64>) = rows.iter().copied().unzip();
            lines
                .rows(Rows { times: &times, values: &values, starts: &[], histograms: &[] })
                .unwrap();
        }
        lines.finish().unwrap();
        String::from_utf8(out).unwrap()
    }

    const MS: i64 = 1_000_000;

    #[test]
    fn a_series_is_a_line_and_values_keep_their_bits() {
        let stale = f64::from_bits(STALE_BITS);
        let text = exported(
            100,
            &[
                (0, &[(MS, 1.0), (2 * MS, -0.0), (3 * MS, stale)]),
                (0, &[(4 * MS, f64::INFINITY), (5 * MS, 0.1)]),
                (1, &[(-MS, 5e-324)]),
            ],
        );
        assert_eq!(
            text,
            concat!(
                r#"{"metric":{"__name__":"m","s":"0"},"values":[1,-0.0,null,"Infinity",0.1],"#,
                r#""timestamps":[1,2,3,4,5]}"#,
                "\n",
                r#"{"metric":{"__name__":"m","s":"1"},"values":[5e-324],"timestamps":[-1]}"#,
                "\n",
            )
        );
        assert!(text.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));
    }

    #[test]
    fn of_several_rows_in_a_millisecond_the_last_is_given_across_slices_and_lines() {
        let text = exported(1, &[(0, &[(MS, 1.0), (2 * MS, 2.0)]), (0, &[(2 * MS + 7, 3.0)])]);
        let tails: Vec<&str> =
            text.lines().filter_map(|line| line.split_once("},").map(|(_, tail)| tail)).collect();
        assert_eq!(
            tails,
            [r#""values":[1],"timestamps":[1]}"#, r#""values":[3],"timestamps":[2]}"#]
        );
    }

    #[test]
    fn histograms_stand_in_lines_of_their_own() {
        let histogram = Arc::new(Histogram {
            is_integer: true,
            reset_hint: ResetHint::Unknown,
            count: 3.0,
            sum: 4.5,
            schema: 1,
            positive_spans: vec![Span { offset: -1, length: 2 }],
            positive: vec![1.0, 2.0],
            ..Histogram::default()
        });
        let mut out = Vec::new();
        let mut send = |piece| {
            out.extend::<Vec<u8>>(piece);
            Ok(())
        };
        let mut lines = Box::new(JsonLines::new(Pieces::new(&mut send), 9));
        lines.series(&named(0)).unwrap();
        lines.rows(Rows { times: &[MS], values: &[1.0], starts: &[], histograms: &[] }).unwrap();
        let rows = Rows { times: &[2 * MS], values: &[], starts: &[], histograms: &[histogram] };
        lines.rows(rows).unwrap();
        lines.finish().unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.lines().count(), 2);
        assert!(text.contains(
            r#""histograms":[{"count":3,"sum":4.5,"schema":1,"zero_threshold":0,"zero_count":0,"positive_spans":[[-1,2]],"positive":[1,2]}],"timestamps":[2]"#
        ));
    }
}
