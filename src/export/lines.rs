//! Line protocol: a line a sample, times in nanoseconds.
//!
//! The name of a metric is split at its last underscore, so that whoever reads measurement and field as
//! `measurement_field`, as our own door does, has the name again; `up` becomes field `value` of `up`. NaN
//! and infinities cannot be said and are left out; of a histogram there are `count` and `sum`.

use crate::export::{Pieces, RowWriter, write_float, write_integer};
use crate::model::{Error, Labels, METRIC_NAME, Rows};

/// Writes line protocol.
pub struct Lines<'a> {
    pieces: Pieces<'a>,
    /// Measurement and tags of the series at hand.
    head: Vec<u8>,
    /// Of a histogram: the whole name and tags.
    whole_head: Vec<u8>,
    /// The field's name.
    field: Vec<u8>,
}

impl<'a> Lines<'a> {
    /// Without a line yet.
    pub fn new(pieces: Pieces<'a>) -> Self {
        Self { pieces, head: Vec::new(), whole_head: Vec::new(), field: Vec::new() }
    }

    fn push(&mut self, time: i64, is_whole: bool, fields: &[(&[u8], f64)]) {
        let mut before = b' ';
        let out = &mut self.pieces.out;
        let finite = fields.iter().filter(|(_, value)| value.is_finite());
        for (i, (name, value)) in finite.enumerate() {
            if i == 0 {
                out.extend_from_slice(if is_whole { &self.whole_head } else { &self.head });
            }
            out.push(before);
            out.extend_from_slice(if name.is_empty() { &self.field } else { name });
            out.push(b'=');
            write_float(*value, out);
            before = b',';
        }
        if before == b',' {
            out.push(b' ');
            write_integer(time, out);
            out.push(b'\n');
        }
    }
}

/// Appends `text`, with a backslash before what has a meaning there. A line feed cannot be said in all
/// versions of the protocol; it becomes a blank.
fn write_escaped(text: &str, special: &[u8], out: &mut Vec<u8>) {
    let end = text.len().saturating_sub(1);
    for (i, byte) in text.bytes().enumerate() {
        match byte {
            b'\n' | b'\r' => out.extend_from_slice(b"\\ "),
            // One at the end would escape what follows.
            b'\\' if i == end => out.extend_from_slice(b"\\\\"),
            _ => {
                if special.contains(&byte) {
                    out.push(b'\\');
                }
                out.push(byte);
            }
        }
    }
}

impl RowWriter for Lines<'_> {
    fn series(&mut self, labels: &Labels) -> Result<(), Error> {
        let name = labels.metric();
        let (measurement, field) = match name.rsplit_once('_') {
            Some((measurement, field)) if !measurement.is_empty() && !field.is_empty() => {
                (measurement, field)
            }
            _ => (if name.is_empty() { "unnamed" } else { name }, "value"),
        };
        let mut tags = Vec::new();
        for (name, value) in labels.iter().filter(|(name, _)| *name != METRIC_NAME) {
            tags.push(b',');
            write_escaped(name, b",= ", &mut tags);
            tags.push(b'=');
            write_escaped(value, b",= ", &mut tags);
        }
        for (head, name) in [(&mut self.head, measurement), (&mut self.whole_head, name)] {
            head.clear();
            write_escaped(name, b", ", head);
            head.extend_from_slice(&tags);
        }
        self.field.clear();
        write_escaped(field, b",= ", &mut self.field);
        Ok(())
    }

    fn rows(&mut self, rows: Rows<'_>) -> Result<(), Error> {
        for (time, value) in rows.times.iter().zip(rows.values) {
            self.push(*time, false, &[(b"", *value)]);
        }
        for (time, value) in rows.times.iter().zip(rows.histograms) {
            self.push(*time, true, &[(b"count", value.count), (b"sum", value.sum)]);
        }
        self.pieces.send_full()
    }

    fn finish(mut self: Box<Self>) -> Result<(), Error> {
        self.pieces.send_rest()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::Histogram;

    #[test]
    fn names_are_split_and_texts_escaped() {
        let mut out = Vec::new();
        let mut send = |piece| {
            out.extend::<Vec<u8>>(piece);
            Ok(())
        };
        let mut lines = Box::new(Lines::new(Pieces::new(&mut send)));
        let floats =
            |values: &'static [f64]| Rows { times: &[5, 6], values, starts: &[], histograms: &[] };
        let labels = [("__name__", "a_b c"), ("job", "x, y=\\")];
        lines.series(&Labels::new(labels).unwrap()).unwrap();
        lines.rows(floats(&[0.5, f64::NAN])).unwrap();
        lines.series(&Labels::new([("__name__", "up")]).unwrap()).unwrap();
        lines.rows(floats(&[1.0, f64::INFINITY])).unwrap();
        let histogram = Histogram { count: 3.0, sum: f64::NAN, ..Histogram::default() };
        let histograms = &[Arc::new(histogram)];
        lines.rows(Rows { times: &[7], values: &[], starts: &[], histograms }).unwrap();
        lines.finish().unwrap();
        let expected = "a,job=x\\,\\ y\\=\\\\ b\\ c=0.5 5\nup value=1 5\nup count=3 7\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
