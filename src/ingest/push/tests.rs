//! Pushes and what is written for them.

use super::{Group, Groups, How, Limits, Push, PushError, read};
use crate::ingest::exposition::Format;
use crate::ingest::{Config, LabelBook};
use crate::model::{Batch, Timestamp, is_stale};

const SECOND: i64 = 1_000_000_000;

fn group(pairs: &[(&str, &str)]) -> Group {
    Group::new(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
}

struct Gateway {
    groups: Groups,
    book: LabelBook,
    now: i64,
}

impl Gateway {
    fn new(limits: Limits) -> Self {
        Self { groups: Groups::new(limits), book: LabelBook::default(), now: 0 }
    }

    fn push(&mut self, group: &Group, how: How, body: &str) -> Result<Vec<String>, PushError> {
        self.now += SECOND;
        let pushed = read(body.as_bytes(), Format::Text, group, &Config::default())?;
        let batch =
            self.groups.push(Push { group, how, pushed }, Timestamp(self.now), &self.book)?;
        Ok(self.rows(&batch))
    }

    fn rows(&self, batch: &Batch) -> Vec<String> {
        let rows = &batch.rows;
        assert!(rows.times().iter().all(|time| *time == self.now));
        let row = |at: usize| {
            let value = rows.values()[at];
            let value = if is_stale(value) { "ends".into() } else { format!("{value:?}") };
            format!("{} {value}", self.book.labels(rows.series()[at]).unwrap())
        };
        (0..rows.len()).map(row).collect()
    }
}

#[test]
fn put_replaces_the_group_and_post_its_metrics() {
    let mut gateway = Gateway::new(Limits::default());
    let job = group(&[("job", "a"), ("gone", "")]);
    let body = "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\nh_sum 2\nh_count 1\nx{job=\"lie\",gone=\"y\",l=\"1\"} 5\n";
    let written = gateway.push(&job, How::Replace, body).unwrap();
    assert_eq!(
        written,
        [
            r#"{__name__="h_bucket", job="a", le="+Inf"} 1.0"#,
            r#"{__name__="h_sum", job="a"} 2.0"#,
            r#"{__name__="h_count", job="a"} 1.0"#,
            r#"{__name__="x", job="a", l="1"} 5.0"#,
            r#"{__name__="push_time_seconds", job="a"} 1.0"#,
            r#"{__name__="push_failure_time_seconds", job="a"} 0.0"#,
        ]
    );
    // Another metric beside those; then one of them anew, with another label.
    let written = gateway.push(&job, How::Merge, "y 6\n").unwrap();
    assert_eq!(written.len(), 7, "{written:?}");
    let written = gateway.push(&job, How::Merge, "x{l=\"2\"} 7\n").unwrap();
    assert_eq!(written[0], r#"{__name__="x", job="a", l="1"} ends"#);
    assert_eq!(written.len(), 8, "{written:?}");
    // A histogram replaced is replaced as one.
    let written = gateway.push(&job, How::Merge, "# TYPE h histogram\nh_count 2\n").unwrap();
    assert!(written.contains(&r#"{__name__="h_sum", job="a"} ends"#.into()), "{written:?}");
    let written = gateway.push(&job, How::Replace, "y 8\n").unwrap();
    assert_eq!(written.iter().filter(|row| row.ends_with("ends")).count(), 2, "{written:?}");
    assert_eq!((gateway.groups.len(), gateway.groups.series()), (1, 1));
    // An empty push leaves a group that is empty.
    let written = gateway.push(&job, How::Replace, "").unwrap();
    assert_eq!(written.len(), 3, "{written:?}");
}

#[test]
fn values_are_repeated_until_they_are_deleted() {
    let mut gateway = Gateway::new(Limits::default());
    let (one, two) = (group(&[("job", "a")]), group(&[("job", "a"), ("instance", "i")]));
    gateway.push(&one, How::Replace, "x 1\n").unwrap();
    gateway.push(&two, How::Replace, "x 2\n").unwrap();
    gateway.now += 60 * SECOND;
    let batch = gateway.groups.repeat(Timestamp(gateway.now), &gateway.book).unwrap();
    let rows = gateway.rows(&batch);
    assert!(rows.len() == 6 && rows.contains(&r#"{__name__="x", job="a"} 1.0"#.into()), "{rows:?}");
    assert!(rows.contains(&r#"{__name__="push_time_seconds", job="a"} 1.0"#.into()), "{rows:?}");
    let batch = gateway.groups.delete(&one, Timestamp(gateway.now), &gateway.book).unwrap();
    assert!(gateway.rows(&batch).iter().all(|row| row.ends_with("ends")) && batch.rows.len() == 3);
    assert_eq!((gateway.groups.len(), gateway.groups.series()), (1, 1));
    let batch = gateway.groups.delete(&one, Timestamp(gateway.now), &gateway.book).unwrap();
    assert!(batch.is_empty());
}

#[test]
fn a_push_is_taken_whole_or_not_at_all() {
    let mut gateway = Gateway::new(Limits::default());
    let job = group(&[("job", "a")]);
    for (body, what) in [
        ("x 1\ny\n", "text format parsing error: line 2: expected a value after the series"),
        ("x 1 5\n", "pushed metrics must not have timestamps"),
        ("x 1\nx 2\n", "was collected before with the same name and label values"),
        ("x{a=\"b\",a=\"c\"} 1", "duplicate label name \"a\""),
    ] {
        let error = gateway.push(&job, How::Replace, body).unwrap_err();
        assert!(error.to_string().contains(what), "{body}: {error}");
        assert!(gateway.groups.is_empty() && gateway.book.is_empty());
    }
    let batch = gateway.groups.fail(&job, Timestamp(gateway.now), &gateway.book).unwrap();
    assert_eq!(
        gateway.rows(&batch),
        [
            r#"{__name__="push_time_seconds", job="a"} 0.0"#,
            r#"{__name__="push_failure_time_seconds", job="a"} 4.0"#,
        ]
    );
    let written = gateway.push(&job, How::Merge, "push_time_seconds 9\nx 1\n").unwrap();
    assert_eq!(written.len(), 3, "{written:?}");
}

#[test]
fn limits_are_named_and_pushes_that_make_less_are_taken() {
    let mut gateway = Gateway::new(Limits { groups_max: 1, series_max: 2 });
    let job = group(&[("job", "a")]);
    gateway.push(&job, How::Replace, "x 1\ny 2\n").unwrap();
    let error = gateway.push(&job, How::Merge, "z 3\n").unwrap_err().to_string();
    assert!(error.contains("limit of 2") && error.contains("--push-series-max"), "{error}");
    let error = gateway.push(&group(&[("job", "b")]), How::Merge, "").unwrap_err().to_string();
    assert!(error.contains("limit of 1") && error.contains("--push-groups-max"), "{error}");
    gateway.push(&job, How::Replace, "z 3\n").unwrap();
}
