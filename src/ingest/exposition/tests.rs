//! Expositions and what becomes of them.

use proptest::collection::vec;
use proptest::prelude::*;

use super::{Ask, Format, Relabel, decode};
use crate::ingest::{Config, Error, Intake, LabelBook, Report, Session};
use crate::model::{Batch, Label, Labels, MetricKind, TenantId, TimeRange, Timestamp};

mod protobuf;

const NOW: Timestamp = Timestamp(1_234_567_890_123_000_000);

/// A sender, and what becomes of what it sends.
pub(super) struct Door {
    pub(super) book: LabelBook,
    pub(super) config: Config,
    pub(super) session: Session,
    pub(super) batch: Batch,
}

impl Door {
    pub(super) fn new() -> Self {
        Self::within(TimeRange::ALL)
    }

    fn within(window: TimeRange) -> Self {
        Self {
            book: LabelBook::new(window),
            config: Config::default(),
            session: Session::new(),
            batch: Batch::default(),
        }
    }

    pub(super) fn send(&mut self, body: &[u8], ask: &Ask<'_>) -> Result<Report, Error> {
        let intake = Intake { config: &self.config, registry: &self.book, tenant: TenantId(3) };
        decode(body, ask, &mut self.session, &intake, &mut self.batch)
    }

    /// Series, time and value of each row, as text; a start behind them where there is one.
    pub(super) fn rows(&self) -> Vec<String> {
        let rows = &self.batch.rows;
        assert_eq!(rows.series().len(), rows.len(), "a run for each row");
        let row = |at: usize| {
            let labels: Labels = self.book.labels(rows.series()[at]).unwrap();
            let start = rows.starts().get(at).filter(|start| **start != 0);
            let start = start.map(|start| format!(" since {start}")).unwrap_or_default();
            format!("{labels} {} {:?}{start}", rows.times()[at], rows.values()[at])
        };
        (0..rows.len()).map(row).collect()
    }

    fn exemplars(&self) -> Vec<String> {
        let exemplar = |it: &crate::model::Exemplar| {
            let series = self.book.labels(it.series).unwrap();
            format!("{series} {} {:?} {}", it.time, it.value, it.labels)
        };
        self.batch.exemplars.iter().map(exemplar).collect()
    }
}

fn ask(format: Format) -> Ask<'static> {
    Ask { format, now: NOW, ..Ask::default() }
}

fn check(format: Format, body: &str, expected: &[&str]) {
    let mut door = Door::new();
    for round in 0..3 {
        let report = door.send(body.as_bytes(), &ask(format)).unwrap();
        assert!(report.is_clean(), "{body:?}: {report}");
        let now = NOW.0.to_string();
        let rows: Vec<String> = door.rows().iter().map(|row| row.replace(&now, "now")).collect();
        assert_eq!(rows, expected, "{body:?}, round {round}");
    }
}

#[test]
fn text_becomes_samples() {
    check(
        Format::Text,
        "# HELP http_requests_total The total.\n\
         # TYPE http_requests_total counter\n\
         http_requests_total{method=\"post\",code=\"200\"} 1027 1395066363000\n\
         http_requests_total{method=\"post\",code=\"400\"}    3 1395066363000\n\
         \n\
         # Escaping in label values:\n\
         msdos_file_access_time_seconds{path=\"C:\\\\DIR\\\\FILE.TXT\",error=\"Cannot find file:\\n\\\"FILE.TXT\\\"\"} 1.458255915e9\n\
         metric_without_timestamp_and_labels 12.47\n\
         something_weird{problem=\"division by zero\"} +Inf -3982045\n\
         \t nan_here\t{ a = \"}\" , } NaN\t5\n\
         {\"utf8.name\", \"la bel\"=\"x\",y=\"\"} -0\n\
         last{a=\"b\" c=\"d\"} 5e-1",
        &[
            r#"{__name__="http_requests_total", code="200", method="post"} 1395066363000000000 1027.0"#,
            r#"{__name__="http_requests_total", code="400", method="post"} 1395066363000000000 3.0"#,
            r#"{__name__="msdos_file_access_time_seconds", error="Cannot find file:\n\"FILE.TXT\"", path="C:\\DIR\\FILE.TXT"} now 1458255915.0"#,
            r#"{__name__="metric_without_timestamp_and_labels"} now 12.47"#,
            r#"{__name__="something_weird", problem="division by zero"} -3982045000000 inf"#,
            r#"{__name__="nan_here", a="}"} 5000000 NaN"#,
            r#"{__name__="utf8.name", la bel="x"} now -0.0"#,
            r#"{__name__="last", a="b", c="d"} now 0.5"#,
        ],
    );
    check(Format::Text, "", &[]);
    check(Format::Text, "\n\r\n# only\r\n#\n", &[]);
    check(
        Format::Text,
        "a 1\r\nb 2 3\r\n",
        &[r#"{__name__="a"} now 1.0"#, r#"{__name__="b"} 3000000 2.0"#],
    );
}

#[test]
fn bounds_and_quantiles_are_one_series_however_they_are_spelled() {
    let body = "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"1.0\"} 2\nh_bucket{le=\"1000000\"} 3\n\
                h_bucket{le=\"+Inf\"} 4\n# TYPE s summary\ns{quantile=\"1\"} 5\ns{quantile=\"x\"} 6\n# TYPE g gauge\ng{le=\"1\"} 7\n";
    check(
        Format::Text,
        body,
        &[
            r#"{__name__="h_bucket", le="1.0"} now 1.0"#,
            r#"{__name__="h_bucket", le="1.0"} now 2.0"#,
            r#"{__name__="h_bucket", le="1e+06"} now 3.0"#,
            r#"{__name__="h_bucket", le="+Inf"} now 4.0"#,
            r#"{__name__="s", quantile="1.0"} now 5.0"#,
            r#"{__name__="s", quantile="x"} now 6.0"#,
            r#"{__name__="g", le="1"} now 7.0"#,
        ],
    );
    // The same bytes under another type are another series.
    let mut door = Door::new();
    door.send(b"h{le=\"1\"} 1\n", &ask(Format::Text)).unwrap();
    door.send(b"# TYPE h histogram\nh{le=\"1\"} 1\n", &ask(Format::Text)).unwrap();
    assert_eq!(door.rows(), [format!(r#"{{__name__="h", le="1.0"}} {} 1.0"#, NOW.0)]);
}

#[test]
fn openmetrics_has_seconds_exemplars_and_starts() {
    let body = "# TYPE acme counter\n# HELP acme Say \\\"hi\\\" \\\\ and\\nmore\n# UNIT acme \n\
                acme_total{code=\"a\"} 17.0 1520879607.789 # {trace_id=\"KOO5S4vxi0o\"} 0.67 1520879606.5\n\
                acme_created{code=\"a\"} 1520430000.123\n\
                acme_total{code=\"b\"} 3\nacme_created{code=\"c\"} 5\n\
                # TYPE lag_seconds histogram\n# UNIT lag_seconds seconds\n\
                lag_seconds_bucket{le=\"0.1\",x=\"y\"} 8 # {} 0.05\n\
                lag_seconds_bucket{le=\"+Inf\",x=\"y\"} 9 # {a=\"}\",\"b c\"=\"d\"} 7\n\
                lag_seconds_count{x=\"y\"} 9\nlag_seconds_sum{x=\"y\"} 2.5\nlag_seconds_created{x=\"y\"} 9.5\n\
                # TYPE i info\ni_info{v=\"1\"} 1\n# TYPE st stateset\nst{st=\"a\"} 0\n# EOF\n";
    let mut door = Door::new();
    let report = door.send(body.as_bytes(), &ask(Format::OpenMetrics)).unwrap();
    assert!(report.is_clean(), "{report}");
    assert_eq!((report.samples, report.exemplars, report.metadata), (11, 3, 4));
    let now = NOW.0;
    let rows = door.rows();
    assert_eq!(
        rows[..4],
        [
            r#"{__name__="acme_total", code="a"} 1520879607789000000 17.0 since 1520430000123000000"#
                .to_owned(),
            format!(r#"{{__name__="acme_created", code="a"}} {now} 1520430000.123"#),
            format!(r#"{{__name__="acme_total", code="b"}} {now} 3.0"#),
            format!(r#"{{__name__="acme_created", code="c"}} {now} 5.0"#),
        ]
    );
    assert!(rows[4..8].iter().all(|row| row.ends_with(" since 9500000000")), "{rows:?}");
    assert_eq!(
        door.exemplars(),
        [
            r#"{__name__="acme_total", code="a"} 1520879606500000000 0.67 {trace_id="KOO5S4vxi0o"}"#
                .to_owned(),
            format!(r#"{{__name__="lag_seconds_bucket", le="0.1", x="y"}} {now} 0.05 {{}}"#),
            format!(
                r#"{{__name__="lag_seconds_bucket", le="+Inf", x="y"}} {now} 7.0 {{a="}}", b c="d"}}"#
            ),
        ]
    );
    let metadata = &door.batch.metadata;
    assert_eq!(metadata[0].help, "Say \"hi\" \\ and\nmore");
    assert_eq!((metadata[1].kind, metadata[1].unit.as_str()), (MetricKind::Histogram, "seconds"));

    let without = Ask { keep_created: false, ..ask(Format::OpenMetrics) };
    let report = door.send(body.as_bytes(), &without).unwrap();
    assert_eq!(report.samples, 8);
    assert_eq!(door.rows()[0], rows[0]);
}

#[test]
fn metadata_is_told_once_with_its_escapes_undone() {
    let body = "# TYPE a counter\n# HELP a two\\nlines \\\\ \\\" x\n# TYPE b gauge\na 1\n# TYPE a counter\n\
                # HELP \"c.d\" dots\n# HELP e\n";
    let mut door = Door::new();
    let report = door.send(body.as_bytes(), &ask(Format::Text)).unwrap();
    assert!(report.is_clean(), "{report}");
    let told: Vec<_> =
        door.batch.metadata.iter().map(|m| (m.metric.as_str(), m.kind, m.help.as_str())).collect();
    assert_eq!(
        told,
        [
            ("a", MetricKind::Counter, "two\nlines \\ \\\" x"),
            ("b", MetricKind::Gauge, ""),
            ("a", MetricKind::Counter, ""),
            ("c.d", MetricKind::Unknown, "dots"),
            ("e", MetricKind::Unknown, ""),
        ]
    );
    assert_eq!(door.send(body.as_bytes(), &ask(Format::Text)).unwrap().metadata, 5);
    assert!(door.batch.metadata.is_empty());
}

/// A line of text, and what is said of it.
const TEXT_ERRORS: &[(&str, &str)] = &[
    ("a", "expected a value after the series, found \"\\n"),
    ("a{b=\"c\"}", "expected a value after the series"),
    ("a 1 2 3", "expected the end of the line, found \"3\\n"),
    ("a 1 1.5", "expected milliseconds between 1677 and 2262 as time, found \"1.5\""),
    ("a 1 9223372036855", "as time"),
    ("a one", "expected a number as value, found \"one\""),
    ("a 1_0", "a number as value"),
    ("a 0x1", "a number as value"),
    ("a 1e999", "a number as value"),
    ("a 1 # {x=\"y\"} 1", "as time, found \"#\""),
    ("a{b=\"c\" 1", "braces of labels are not closed in their line"),
    ("a{b=\"c} 1", "quotes are not closed in their line"),
    ("a{b=\"c\\", "quotes are not closed in their line"),
    ("a{b=c} 1", "expected a quoted value after the label's =, found \"c\""),
    ("a{b} 1", "expected '=' after a label's name, found the end"),
    ("a{=\"c\"} 1", "expected a label's name, found \"=\\\"c\\\"\""),
    ("a{1b=\"c\"} 1", "expected a label's name, found \"1b"),
    ("a{,} 1", "expected a label's name"),
    ("a{\"b\"} 1", "metric name stands there twice"),
    ("{\"a\",\"b\"} 1", "metric name stands there twice"),
    ("{a=\"b\"} 1", "series has no metric name"),
    ("{} 1", "series has no metric name"),
    ("{\"\"} 1", "series has no metric name"),
    ("1a 1", "expected a metric's name, found \"1a\""),
    ("a-b 1", "expected '{' or a blank after the metric's name, found \"-b\""),
    ("a{b=\"c\"}x 1", "expected a number as value, found \"x\""),
    ("a{b=\"c\",b=\"d\"} 1", "duplicate label name \"b\""),
    ("a{__name__=\"d\"} 1", "duplicate label name \"__name__\""),
    ("a{\"\"=\"d\"} 1", "label name is empty, its value is \"d\""),
    ("# TYPE a nonsense", "expected a type, found \"nonsense\""),
    ("# TYPE 1 counter", "expected a metric's name, found \"1 counte\""),
    ("# HELP \"a x", "quotes are not closed in their line"),
];

#[test]
fn a_bad_line_harms_only_itself_and_is_told_with_its_number() {
    for (line, what) in TEXT_ERRORS {
        let mut door = Door::new();
        let body = format!("ok 1\n{line}\nok 2\n");
        for _ in 0..2 {
            let report = door.send(body.as_bytes(), &ask(Format::Text)).unwrap();
            let text = report.to_string();
            assert!(text.starts_with("line 2: ") && text.contains(what), "{line}: {text}");
            assert_eq!((report.refused, report.samples), (1, 2), "{line}");
            assert_eq!(door.book.len(), 1);
        }
        let whole = Ask { is_whole: true, ..ask(Format::Text) };
        let mut door = Door::new();
        let error = door.send(body.as_bytes(), &whole).unwrap_err().to_string();
        assert!(error.starts_with("line 2: ") && error.contains(what), "{line}: {error}");
        assert!(door.batch.is_empty());
    }
}

#[test]
fn a_body_that_is_taken_whole_registers_nothing_before_it_is_read() {
    let whole = Ask { is_whole: true, ..ask(Format::Text) };
    for body in ["a 1\nb 2\nc{ 3\n", "a 1\nb 2\nc{x=y} 3\n", "a 1\n# TYPE a x\n"] {
        let mut door = Door::new();
        assert!(door.send(body.as_bytes(), &whole).is_err());
        assert!(door.book.is_empty() && door.session.present().is_empty(), "{body}");
    }
}

/// An `OpenMetrics` body without its end, and what is said of it.
const OPENMETRICS_ERRORS: &[(&str, &str)] = &[
    ("a 1\n", "line 2: text does not end with # EOF"),
    ("a 1", "line 1: text does not end with # EOF"),
    ("\n# EOF\n", "line 1: expected a metric's name"),
    ("a 1\n# EOF\nb 1\n", "line 2: text follows # EOF"),
    ("a  1\n# EOF", "line 1: expected a value after the series"),
    (" a 1\n# EOF", "line 1: expected a metric's name"),
    ("a\t1\n# EOF", "line 1: expected a value after the series"),
    ("a 1 \n# EOF", "line 1: expected the end of the line"),
    ("a{ b=\"c\"} 1\n# EOF", "line 1: expected a label's name"),
    ("a{b=\"c\" d=\"e\"} 1\n# EOF", "line 1: expected ',' or '}' after a label"),
    ("# remark\n# EOF", "line 1: expected HELP, TYPE, UNIT or EOF after '# '"),
    ("#TYPE a counter\n# EOF", "line 1: expected HELP, TYPE, UNIT or EOF"),
    ("# TYPE a untyped\n# EOF", "line 1: expected a type"),
    ("# UNIT a_b seconds\n# EOF", "line 1: unit \"seconds\" is not the end of the metric's name"),
    ("a 1 NaN\n# EOF", "line 1: expected seconds between 1677 and 2262 as time"),
    ("a 1 # {x=\"y\"}\n# EOF", "line 1: expected a value after the exemplar's labels"),
    ("a 1 # {\"x\"} 1\n# EOF", "line 1: label of an exemplar has no value"),
    ("a 1 # {x=\"y\"} 1 z\n# EOF", "line 1: expected seconds"),
    ("a 1 # {x=\"y\",x=\"z\"} 1\n# EOF", "line 1: duplicate label name \"x\""),
    ("a 1\r\n# EOF\r\n", "line 1: expected the end of the line"),
];

#[test]
fn openmetrics_is_read_as_strictly_as_prometheus_reads_it() {
    for (body, what) in OPENMETRICS_ERRORS {
        let report = Door::new().send(body.as_bytes(), &ask(Format::OpenMetrics)).unwrap();
        let text = report.to_string();
        assert!(text.contains(what), "{body:?}: {text}");
    }
    check(Format::OpenMetrics, "# EOF", &[]);
    check(Format::OpenMetrics, "a 1\n# EOF", &[r#"{__name__="a"} now 1.0"#]);
}

#[test]
fn bytes_that_are_not_utf8_are_refused_and_register_nothing() {
    for body in [&b"a{b=\"\xff\"} 1"[..], b"{\"\xff\"} 1", b"a{\"\xff\"=\"b\"} 1", b"# HELP a \xff"]
    {
        let mut door = Door::new();
        let text = door.send(body, &ask(Format::Text)).unwrap().to_string();
        assert!(text.contains("is not UTF-8 at byte"), "{text}");
        assert!(door.book.is_empty() && door.batch.is_empty());
    }
}

#[test]
fn limits_are_named_with_their_options() {
    let many: Vec<String> = (0..64).map(|i| format!("l{i}=\"v\"")).collect();
    for (body, option) in [
        (format!("a{{{}}} 1", many.join(",")), "--ingest-labels-max"),
        (format!("a{{b=\"{}\"}} 1", "x".repeat(5000)), "--ingest-label-value-max"),
        (format!("{} 1", "x".repeat(5000)), "--ingest-label-value-max"),
        (format!("a{{{}=\"b\"}} 1", "x".repeat(300)), "--ingest-label-name-max"),
        (format!("# HELP a {}", "x".repeat(5000)), "--ingest-label-value-max"),
    ] {
        let mut door = Door::new();
        let text = door.send(body.as_bytes(), &ask(Format::Text)).unwrap().to_string();
        assert!(text.contains(option) && text.len() < 1000 && door.book.is_empty(), "{text}");
    }
    let body = format!("a 1 # {{b=\"{}\"}} 1\n# EOF", "x".repeat(200));
    let report = Door::new().send(body.as_bytes(), &ask(Format::OpenMetrics)).unwrap();
    assert!(report.to_string().contains("--ingest-exemplar-max") && report.samples == 1);
}

#[test]
fn times_may_be_ignored_and_rows_out_of_time_are_refused() {
    let mut door = Door::new();
    let ignoring = Ask { honor_timestamps: false, ..ask(Format::Text) };
    door.send(b"a 1 5\nb 2\n", &ignoring).unwrap();
    assert!(door.batch.rows.times().iter().all(|time| *time == NOW.0));
    assert_eq!(door.session.present().len(), 2);
    door.send(b"a 1 5\nb 2\n", &ask(Format::Text)).unwrap();
    assert_eq!(door.session.present(), &door.batch.rows.series()[1..]);

    let window = TimeRange::new(Timestamp(5_000_000), Timestamp(9_000_000)).unwrap();
    let mut door = Door::within(window);
    let report = door.send(b"a 1 4\nb 2 5\nc 3 9\n", &ask(Format::Text)).unwrap();
    assert_eq!((report.refused, report.samples, door.book.len()), (2, 1, 1));
    assert!(report.to_string().contains("too far in the future"));
}

struct Rules(&'static str);

impl Relabel for Rules {
    fn relabel(&self, labels: &[Label<'_>]) -> Option<Labels> {
        assert_eq!(labels[0].0, "__name__");
        if labels[0].1 == "dropped" {
            return None;
        }
        let has_instance = labels.iter().any(|(name, _)| *name == "instance");
        let target = [("instance", self.0)];
        let added = target.iter().copied().filter(|_| !has_instance);
        Some(Labels::new(labels.iter().copied().chain(added)).unwrap())
    }
}

#[test]
fn labels_are_changed_before_registration_and_known_by_the_scope() {
    let mut door = Door::new();
    let body = b"a 1\ndropped 2\nb{instance=\"\"} 3\nc{instance=\"own\"} 4\n";
    for (scope, target) in [("1", "x"), ("2", "y"), ("1", "x")] {
        let rules = Rules(target);
        let ask = Ask { relabel: Some(&rules), scope: scope.as_bytes(), ..ask(Format::Text) };
        for _ in 0..2 {
            let report = door.send(body, &ask).unwrap();
            assert!(report.is_clean() && report.samples == 3, "{report}");
            let series: Vec<String> = door
                .rows()
                .iter()
                .filter_map(|row| Some(row.split_once(" 12")?.0.into()))
                .collect();
            assert_eq!(
                series,
                [
                    format!(r#"{{__name__="a", instance="{target}"}}"#),
                    r#"{__name__="b"}"#.into(),
                    r#"{__name__="c", instance="own"}"#.into(),
                ]
            );
        }
    }
    assert_eq!(door.book.len(), 4);
}

fn any_label_text() -> impl Strategy<Value = String> {
    "[a-zA-Z_é\"\\\\\n{}=, .]{0,6}"
}

fn any_line() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        any::<f64>().prop_map(|v| format!("{v:?}")),
        "[-+0-9.eEInfNa]{1,8}",
        Just("1".to_owned()),
    ];
    let labels = vec(("[a-z_\" ]{0,4}", any_label_text()), 0..3);
    let behind = prop_oneof![
        Just(String::new()),
        any::<i32>().prop_map(|time| format!(" {time}")),
        "( # \\{[a-z=\"]{0,6}\\} [0-9]{0,2}){0,1}[ 0-9]{0,3}",
    ];
    let sample =
        ("[a-z_:{\"#]{0,5}", labels, value, behind).prop_map(|(name, labels, value, behind)| {
            let labels: Vec<String> = labels.iter().map(|(n, v)| format!("{n}=\"{v}\"")).collect();
            format!("{name}{{{}}} {value}{behind}", labels.join(","))
        });
    prop_oneof![
        4 => sample,
        1 => "# (TYPE|HELP|UNIT|EOF|x) [a-z_\"]{0,5} (counter|histogram|summary|info|x)",
        1 => Just("# EOF".to_owned()),
        1 => "[a-z_]{1,3}(_created)?\\{(le=\"1\")?\\} [0-9]",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn any_text_gives_rows_or_refusals_and_the_same_the_second_time(
        lines in vec(any_line(), 0..8), bytes: Vec<u8>, is_open_metrics: bool, is_whole: bool
    ) {
        let format = if is_open_metrics { Format::OpenMetrics } else { Format::Text };
        let body = [lines.join("\n").as_bytes(), &bytes].concat();
        let ask = Ask { is_whole, ..ask(format) };
        let mut door = Door::new();
        let first = door.send(&body, &ask).map_err(|error| error.to_string());
        let (rows, count) = (door.rows(), door.book.len());
        if first.is_err() {
            prop_assert!(rows.is_empty());
        }
        for _ in 0..2 {
            let again = door.send(&body, &ask).map_err(|error| error.to_string());
            prop_assert_eq!(&again, &first);
            prop_assert_eq!(&door.rows(), &rows);
            prop_assert_eq!(door.book.len(), count);
            door.session.forget();
        }
    }

    #[test]
    fn good_samples_come_out_as_they_went_in(
        name in "[a-z.é\"\\\\\n ]{1,8}",
        labels in proptest::collection::btree_map("[a-zé\"\\\\\n .]{1,5}", "[a-z\"\\\\\n,{}]{1,5}", 0..4),
        value: f64,
        millis in -9_000_000_000_000_i64..9_000_000_000_000,
    ) {
        let escape = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let pairs: Vec<String> =
            labels.iter().map(|(n, v)| format!("\"{}\"=\"{}\"", escape(n), escape(v))).collect();
        let series = format!("{{\"{}\",{}}}", escape(&name), pairs.join(","));
        let mut expected: Vec<(&str, &str)> =
            labels.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        expected.push(("__name__", &name));
        let expected = Labels::new(expected).unwrap();
        let seconds = format!("{}{}.{:03}", if millis < 0 { "-" } else { "" }, millis.abs() / 1000, millis.abs() % 1000);
        for (format, text) in [
            (Format::Text, format!("{series} {value:?} {millis}\n")),
            (Format::OpenMetrics, format!("{series} {value:?} {seconds}\n# EOF\n")),
        ] {
            let mut door = Door::new();
            let report = door.send(text.as_bytes(), &ask(format)).unwrap();
            prop_assert!(report.is_clean(), "{report}");
            prop_assert_eq!(door.book.labels(door.batch.rows.series()[0]).unwrap(), expected.clone());
            prop_assert_eq!(door.batch.rows.times(), [millis * 1_000_000]);
            let read = door.batch.rows.values()[0];
            prop_assert!(read.to_bits() == value.to_bits() || (read.is_nan() && value.is_nan()));
        }
    }
}
