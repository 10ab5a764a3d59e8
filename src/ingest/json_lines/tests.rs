//! Lines and what becomes of them.

use proptest::collection::vec;
use proptest::prelude::*;

use super::{Ask, decode};
use crate::ingest::{Config, ExtraLabels, Intake, LabelBook, Report, Session};
use crate::model::{Batch, TenantId, TimeRange, Timestamp};

struct Door {
    book: LabelBook,
    config: Config,
    session: Session,
    batch: Batch,
    extra: ExtraLabels,
}

impl Door {
    fn new() -> Self {
        Self {
            book: LabelBook::new(TimeRange::new(Timestamp(0), Timestamp(1 << 62)).unwrap()),
            config: Config { import_line_bytes_max: 4096, ..Config::default() },
            session: Session::new(),
            batch: Batch::default(),
            extra: ExtraLabels::default(),
        }
    }

    fn send(&mut self, body: &[u8]) -> Report {
        let intake = Intake { config: &self.config, registry: &self.book, tenant: TenantId(1) };
        let ask = Ask { extra: Some(&self.extra) };
        decode(body, &ask, &mut self.session, &intake, &mut self.batch).unwrap()
    }

    fn rows(&self) -> Vec<String> {
        let rows = &self.batch.rows;
        rows.runs()
            .flat_map(|(series, range)| {
                let labels = self.book.labels(series).unwrap();
                range.map(move |at| {
                    format!("{labels} {} {:?}", rows.times()[at] / 1_000_000, rows.values()[at])
                })
            })
            .collect()
    }
}

#[test]
fn lines_of_columns_become_rows() {
    let body = "{\"metric\":{\"__name__\":\"up\",\"job\":\"a\\\"\\u00e9\"},\"values\":[1,-0.0,null,\"Infinity\",\"-inf\",\"NaN\",1e-3],\"timestamps\":[1,2,3,4,5,6,7]}\n\r\n\
                \t{ \"timestamps\" : [ 8 , 9 ], \"more\":{\"x\":[1,{\"y\":\"}\"}]}, \"values\":[ 10 , 11 ], \"metric\":{\"__name__\":\"b\",\"gone\":\"\"} } \r\n\
                {\"metric\":{\"only\":\"label\"},\"values\":[],\"timestamps\":[]}";
    let mut door = Door::new();
    for _ in 0..2 {
        let report = door.send(body.as_bytes());
        assert!(report.is_clean(), "{report}");
        let up = |rest: &str| format!(r#"{{__name__="up", job="a\"é"}} {rest}"#);
        let mut expected: Vec<String> =
            ["1 1.0", "2 -0.0", "3 NaN", "4 inf", "5 -inf", "6 NaN", "7 0.001"].map(up).into();
        expected.extend([r#"{__name__="b"} 8 10.0"#.into(), r#"{__name__="b"} 9 11.0"#.into()]);
        assert_eq!(door.rows(), expected);
    }
}

/// vmctl and `VictoriaMetrics` up to 1.79 write what JSON has no number for as Go prints it.
#[test]
fn bare_words_of_older_tools_are_numbers() {
    let body = r#"{"metric":{"__name__":"up"},"values":[+Inf,-Inf,Inf,NaN,nan,1e+06],"timestamps":[1,2,3,4,5,6]}"#;
    let mut door = Door::new();
    let report = door.send(body.as_bytes());
    assert!(report.is_clean(), "{report}");
    let up = |rest: &str| format!(r#"{{__name__="up"}} {rest}"#);
    let expected = ["1 inf", "2 -inf", "3 inf", "4 NaN", "5 NaN", "6 1000000.0"].map(up);
    assert_eq!(door.rows(), expected);
}

#[test]
fn histograms_of_our_own_export_are_read_back() {
    let body = r#"{"metric":{"__name__":"h"},"histograms":[{"count":3,"sum":4.5,"schema":1,"zero_threshold":0,"zero_count":0,"positive_spans":[[-1,2]],"positive":[1,2]},{"count":2.5,"sum":"Infinity","schema":-53,"zero_threshold":0,"zero_count":0,"positive_spans":[[0,1]],"positive":[2.5],"custom_values":[5]}],"timestamps":[2,3]}"#;
    let mut door = Door::new();
    let report = door.send(body.as_bytes());
    assert!(report.is_clean() && report.histograms == 2, "{report}");
    let [first, second] = &door.batch.histograms[..] else { panic!() };
    assert!(
        first.value.is_integer && first.value.positive == [1.0, 2.0] && first.time == 2_000_000
    );
    assert!(!second.value.is_integer && second.value.custom_values == [5.0]);
    assert_eq!(second.value.sum, f64::INFINITY);
}

/// A line, and what is said of it.
const ERRORS: &[(&str, &str)] = &[
    ("x", "expected '{', found \"x\""),
    ("{}", "\"metric\" is missing"),
    ("[]", "expected '{'"),
    ("{\"metric\":{\"a\":\"b\"}}", "\"timestamps\" is missing"),
    ("{\"metric\":{\"a\":\"b\"},\"timestamps\":[1]}", "\"values\" is missing"),
    ("{\"metric\":{},\"values\":[1],\"timestamps\":[1]}", "series has no labels"),
    ("{\"metric\":{\"a\":1},\"values\":[1],\"timestamps\":[1]}", "expected a text"),
    ("{\"metric\":[],\"values\":[1],\"timestamps\":[1]}", "expected '{'"),
    ("{\"metric\":{\"a\":\"b\",\"a\":\"c\"},\"values\":[1],\"timestamps\":[1]}", "duplicate label"),
    ("{\"metric\":{\"\":\"c\"},\"values\":[1],\"timestamps\":[1]}", "label name is empty"),
    ("{\"metric\":{\"a\":\"\\ud800\"},\"values\":[1],\"timestamps\":[1]}", "bad escape"),
    ("{\"metric\":{\"a\":\"b\"},\"values\":[1,2],\"timestamps\":[1]}", "2 values and 1 timestamps"),
    ("{\"metric\":{\"a\":\"b\"},\"values\":[1],\"timestamps\":[1,2]}", "1 values and 2 timestamps"),
    ("{\"metric\":{\"a\":\"b\"},\"values\":[x],\"timestamps\":[1]}", "\"x\" is no number"),
    ("{\"metric\":{\"a\":\"b\"},\"values\":[true],\"timestamps\":[1]}", "\"true\" is no number"),
    ("{\"metric\":{\"a\":\"b\"},\"values\":[\"x\"],\"timestamps\":[1]}", "\"x\" is no number"),
    ("{\"metric\":{\"a\":\"b\"},\"values\":[1],\"timestamps\":[1.5]}", "no timestamp in whole"),
    ("{\"metric\":{\"a\":\"b\"},\"values\":[1],\"timestamps\":[-5]}", "older than"),
    (
        "{\"metric\":{\"a\":\"b\"},\"values\":[1],\"timestamps\":[9223372036854775807]}",
        "outside the years",
    ),
    ("{\"metric\":{\"a\":\"b\"},\"values\":[1],\"timestamps\":[1]} x", "the end of the line"),
    (
        "{\"metric\":{\"a\":\"b\"},\"values\":[1],\"values\":[1],\"timestamps\":[1]}",
        "stands there twice",
    ),
    ("{\"metric\":{\"a\":\"b\"},\"values\":[1],\"timestamps\":[1]", "expected '}', found the end"),
    ("{\"metric\":{\"a\":\"b},\"values\":[1]}", "text is not closed"),
    ("{\"metric\":{\"a\":\"b\"},\"histograms\":[{}],\"timestamps\":[1]}", "missing field"),
    (
        "{\"metric\":{\"a\":\"b\"},\"histograms\":[{\"count\":1,\"sum\":1,\"schema\":50}],\"timestamps\":[1]}",
        "invalid schema",
    ),
    ("{\"metric\":{\"a\":\"b\"},\"histograms\":[],\"values\":[],\"timestamps\":[]}", "not both"),
];

#[test]
fn a_bad_line_harms_only_itself() {
    let good = r#"{"metric":{"a":"b"},"values":[1],"timestamps":[1]}"#;
    for (line, what) in ERRORS {
        let mut door = Door::new();
        let body = format!("{good}\n{line}\n{good}\n");
        for _ in 0..2 {
            let report = door.send(body.as_bytes());
            let text = report.to_string();
            assert!(text.starts_with("line 2: ") && text.contains(what), "{line}: {text}");
            assert_eq!((report.refused, report.samples), (1, 2), "{line}");
        }
    }
    let deep = format!("{{\"x\":{}1{}}}", "[".repeat(40), "]".repeat(40));
    assert!(Door::new().send(deep.as_bytes()).to_string().contains("nested deeper than 32"));
    let long = format!("{{\"x\":\"{}\"}}", "x".repeat(5000));
    let text = Door::new().send(long.as_bytes()).to_string();
    assert!(text.contains("--ingest-import-line-max"), "{text}");
}

#[test]
fn labels_of_the_request_are_added() {
    let mut door = Door::new();
    let body = br#"{"metric":{"__name__":"m","a":"b"},"values":[1],"timestamps":[1]}"#;
    door.send(body);
    door.extra = ExtraLabels::new([("a".into(), "x".into()), ("c".into(), "d".into())]);
    door.send(body);
    assert_eq!(door.rows(), [r#"{__name__="m", a="x", c="d"} 1 1.0"#]);
}

proptest! {
    #[test]
    fn any_bytes_give_rows_or_refusals_and_the_same_the_second_time(
        pieces in vec("[{}\\[\\]\",:0-9.enul\\\\ \n-]{0,6}|\"metric\":\\{\"a\":\"b\"\\}|\"values\":\\[1\\]|\"timestamps\":\\[1\\]|\\{|\\}|,", 0..16),
        bytes: Vec<u8>
    ) {
        let body = [pieces.concat().as_bytes(), &bytes].concat();
        let mut door = Door::new();
        let first = door.send(&body);
        let rows = door.rows();
        prop_assert_eq!(door.send(&body), first);
        prop_assert_eq!(door.rows(), rows);
    }

    #[test]
    fn rows_come_back_as_they_went_in(
        labels in proptest::collection::btree_map("\\PC{1,5}", "\\PC{1,5}", 1..4),
        rows in vec((any::<f64>(), 0_i64..4_000_000_000_000), 1..20)
    ) {
        let metric = serde_json::to_string(&labels).unwrap();
        let values: Vec<String> = rows.iter().map(|(value, _)| {
            if value.is_nan() { "null".into() } else if value.is_infinite() { format!("\"{value}\"") } else { format!("{value:?}") }
        }).collect();
        let times: Vec<String> = rows.iter().map(|(_, time)| time.to_string()).collect();
        let line = format!("{{\"metric\":{metric},\"values\":[{}],\"timestamps\":[{}]}}", values.join(","), times.join(","));
        let mut door = Door::new();
        let report = door.send(line.as_bytes());
        prop_assert!(report.is_clean(), "{report}");
        for (at, (value, millis)) in rows.iter().enumerate() {
            let read = door.batch.rows.values()[at];
            prop_assert!(read.to_bits() == value.to_bits() || (read.is_nan() && value.is_nan()));
            prop_assert_eq!(door.batch.rows.times()[at], millis * 1_000_000);
        }
    }
}
