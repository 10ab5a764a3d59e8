//! Lines and what becomes of them; errors in the words of `InfluxDB` 1.

use proptest::collection::vec;
use proptest::prelude::*;

use super::{Ask, Precision, decode, quick, strict};
use crate::ingest::{Config, Intake, LabelBook, Report, Session};
use crate::model::{Batch, Labels, TenantId, TimeRange, Timestamp};

const NOW: Timestamp = Timestamp(1_234_567_890_123_456_789);

/// A sender, and what becomes of what it sends.
struct Door {
    book: LabelBook,
    config: Config,
    session: Session,
    batch: Batch,
    precision: Precision,
    db: &'static str,
}

impl Door {
    fn new() -> Self {
        Self::within(TimeRange::ALL)
    }

    fn within(window: TimeRange) -> Self {
        Self {
            book: LabelBook::new(window),
            config: Config::default(),
            session: Session::new(),
            batch: Batch::default(),
            precision: Precision::Nanoseconds,
            db: "",
        }
    }

    fn send(&mut self, body: &[u8]) -> Report {
        let intake = Intake { config: &self.config, registry: &self.book, tenant: TenantId(3) };
        let ask = Ask { precision: self.precision, now: NOW, db: self.db };
        decode(body, &ask, &mut self.session, &intake, &mut self.batch).unwrap()
    }

    /// Series, time and value of each row, as text.
    fn rows(&self) -> Vec<String> {
        let rows = &self.batch.rows;
        assert_eq!(rows.series().len(), rows.len(), "a run for each row");
        let row = |at: usize| {
            let labels: Labels = self.book.labels(rows.series()[at]).unwrap();
            format!("{labels} {} {:?}", rows.times()[at], rows.values()[at])
        };
        (0..rows.len()).map(row).collect()
    }
}

fn check(body: &str, expected: &[&str]) {
    let mut door = Door::new();
    for _ in 0..2 {
        let report = door.send(body.as_bytes());
        assert!(report.is_clean(), "{body:?}: {report}");
        assert_eq!(door.rows(), expected, "{body:?}");
    }
}

#[test]
fn fields_become_samples_of_metrics_named_after_them() {
    check(
        "cpu,host=a,dc=x user=1.5,idle=-2i,n=3u,up=t,down=False 42",
        &[
            r#"{__name__="cpu_user", dc="x", host="a"} 42 1.5"#,
            r#"{__name__="cpu_idle", dc="x", host="a"} 42 -2.0"#,
            r#"{__name__="cpu_n", dc="x", host="a"} 42 3.0"#,
            r#"{__name__="cpu_up", dc="x", host="a"} 42 1.0"#,
            r#"{__name__="cpu_down", dc="x", host="a"} 42 0.0"#,
        ],
    );
    check("m value=1", &[r#"{__name__="m_value"} 1234567890123456789 1.0"#]);
    check("m a=1,a=2 5", &[r#"{__name__="m_a"} 5 1.0"#, r#"{__name__="m_a"} 5 2.0"#]);
}

#[test]
fn numbers_in_every_spelling() {
    for (text, value) in [
        ("0", 0.0),
        ("-0", -0.0),
        ("1.", 1.0),
        (".5", 0.5),
        ("-.5", -0.5),
        ("1e3", 1000.0),
        ("1E-3", 0.001),
        ("1.5e+2", 150.0),
        ("0.1", 0.1),
        ("123456789.123456789", 123_456_789.123_456_79),
        ("9007199254740993", 9_007_199_254_740_992.0),
        ("18446744073709551616", 18_446_744_073_709_552_000.0),
        ("1.7976931348623157e308", f64::MAX),
        ("9223372036854775807i", 9_223_372_036_854_775_807.0),
        ("-9223372036854775808i", -9_223_372_036_854_775_808.0),
        ("18446744073709551615u", 18_446_744_073_709_552_000.0),
        ("TRUE", 1.0),
        ("F", 0.0),
    ] {
        check(&format!("m f={text} 5"), &[&format!(r#"{{__name__="m_f"}} 5 {value:?}"#)]);
    }
}

#[test]
fn blank_lines_comments_and_line_ends_of_both_kinds_are_skipped() {
    let row = r#"{__name__="m_f", a="b"} 7 1.0"#;
    check("\n\n\n", &[]);
    check("# nothing", &[]);
    check("", &[]);
    check("   \t", &[]);
    check(" m,a=b f=1 7", &[row]);
    check("m,a=b f=1 7\r\n", &[row]);
    check("m,a=b f=1 7 \r\n\r\n# c = \"\nm,a=b f=1 7", &[row, row]);
    check("m,a=b   f=1   7  ", &[row]);
    check("m,a=b \tf=1 \t7", &[row]);
    check("\0m,a=b f=1i 7\nm,a=b f=1.0\r\n", &[row, &row.replace('7', "1234567890123456789")]);
}

#[test]
fn escapes_are_undone_where_they_stand() {
    check(
        r"a\,b\ c,t\=\ \,=v\ \,\= f\ \,\==1 5",
        &[r#"{__name__="a,b c_f ,=", t= ,="v ,="} 5 1.0"#],
    );
    check(r"a\b,t\x=v\\z f\y=1 5", &[r#"{__name__="a\\b_f\\y", t\x="v\\\\z"} 5 1.0"#]);
    check(r#"m,q="x" f=1 5"#, &[r#"{__name__="m_f", q="\"x\""} 5 1.0"#]);
}

#[test]
fn text_is_left_out_and_counted() {
    let mut door = Door::new();
    let body = b"m,a=b s=\"x, y=1 \\\" \n z\",f=1,u=\"\" 5\nm,a=b s=\"only\" 5\nm s=\"t\"\nm f=2 6";
    for _ in 0..2 {
        let report = door.send(body);
        assert!(report.is_clean(), "{report}");
        assert_eq!((report.samples, report.strings), (2, 4));
        assert_eq!(door.rows()[0], r#"{__name__="m_f", a="b"} 5 1.0"#);
    }
}

/// A line, and what `InfluxDB` 1 says of it.
const ERRORS: &[(&str, &str)] = &[
    ("cpu", "missing fields"),
    ("cpu ", "invalid field format"),
    ("cpu,", "missing tag key"),
    ("cpu, f=1", "missing tag key"),
    ("cpu,=b f=1", "missing tag key"),
    ("cpu,,a=b f=1", "missing tag key"),
    ("cpu,a f=1", "missing tag value"),
    ("cpu,a= f=1", "missing tag value"),
    ("cpu,a=,b=c f=1", "missing tag value"),
    ("cpu,a=b", "missing fields"),
    ("cpu,a=b=c f=1", "invalid tag format"),
    ("cpu,a=1,a=2 f=1", "duplicate tags"),
    ("cpu,b=1,a=1,b=2 f=1", "duplicate tags"),
    (",a=b f=1", "missing measurement"),
    ("cpu =1", "missing field key"),
    ("cpu f=1,=2", "missing field key"),
    ("m,a=b f=", "missing field value"),
    ("cpu f=,g=1", "missing field value"),
    ("cpu f= 5", "missing field value"),
    ("cpu f", "invalid field format"),
    ("cpu f=1,", "invalid field format"),
    ("cpu f=1,g", "invalid field format"),
    ("cpu f=\"abc", "unbalanced quotes"),
    ("cpu f=0x10", "invalid number"),
    ("cpu f=1.1.1", "invalid number"),
    ("cpu f=-", "invalid number"),
    ("cpu f=1a", "invalid number"),
    ("cpu f=1\"a\"", "invalid number"),
    ("cpu f=9i10", "invalid number"),
    ("cpu f=1.5i", "invalid number"),
    ("cpu f=-1u", "invalid number"),
    ("cpu f=NaN", "invalid number"),
    ("cpu f=nan", "invalid number"),
    ("cpu f=1_000", "invalid number"),
    ("cpu f=+Inf", "invalid boolean"),
    ("cpu f=+1", "invalid boolean"),
    ("cpu f=maybe", "invalid boolean"),
    ("cpu f=tru", "invalid boolean"),
    ("cpu f=1e999", "invalid float"),
    ("cpu f=1e", "invalid float"),
    ("cpu f=1e5e5", "invalid float"),
    ("cpu f=1 noon", "bad timestamp"),
    ("cpu f=1 17x", "bad timestamp"),
    ("cpu f=1 1.5", "bad timestamp"),
    ("cpu f=1 12 x", "point is invalid"),
    ("cpu f=1 -", "strconv.ParseInt: parsing \"-\": invalid syntax"),
    (
        "cpu f=99999999999999999999i",
        "unable to parse integer 99999999999999999999: strconv.ParseInt: parsing \
         \"99999999999999999999\": value out of range",
    ),
    (
        "cpu f=18446744073709551616u",
        "unable to parse unsigned 18446744073709551616: strconv.ParseUint: parsing \
         \"18446744073709551616\": value out of range",
    ),
    (
        "cpu f=1 9223372036854775808",
        "strconv.ParseInt: parsing \"9223372036854775808\": value out of range",
    ),
    (
        "cpu f=1 -9223372036854775808",
        "time outside range -9223372036854775806 - 9223372036854775806",
    ),
    ("cpu\tf=1", "missing fields"),
    ("cpu,__name__=x f=1", "duplicate label name \"__name__\""),
];

#[test]
fn errors_are_those_of_influxdb() {
    for (line, what) in ERRORS {
        let mut door = Door::new();
        let body = format!("ok f=1 5\n{line}\nok f=2 6");
        // Open quotes take the lines behind them along.
        let behind = if *what == "unbalanced quotes" { "\nok f=2 6" } else { "" };
        for _ in 0..2 {
            let report = door.send(body.as_bytes());
            let text = report.refusals.first().map(ToString::to_string).unwrap_or_default();
            assert_eq!(text, format!("unable to parse '{line}{behind}': {what}"));
            assert_eq!(report.refused, 1);
            assert!(report.samples >= 1 && report.refusals.len() == 1);
            assert_eq!(report.refusals[0].place, crate::ingest::Place::Line(2));
        }
    }
}

#[test]
fn text_that_is_not_utf8_is_refused_and_registers_nothing() {
    for body in [&b"cpu,a=\xff\xfe f=1"[..], b"c\xffpu f=1", b"cpu,\xff=a f=1", b"cpu f\xff=1"] {
        let mut door = Door::new();
        let report = door.send(body);
        let text = report.to_string();
        assert!(report.refused == 1 && text.contains("is not UTF-8 at byte"), "{text}");
        assert!(door.book.is_empty() && door.batch.is_empty());
    }
}

#[test]
fn limits_are_named_with_their_options() {
    let many_tags: Vec<String> = (0..64).map(|i| format!(",t{i}=v")).collect();
    let many_tags = many_tags.concat();
    let cases = [
        (format!("cpu{many_tags} f=1"), "--ingest-labels-max"),
        (format!("cpu{} f=1", ",t=v".repeat(100_000)), "duplicate tags"),
        (format!("{} f=1", "m".repeat(1 << 20)), "--ingest-line-max"),
        (format!("{} f=1", "m".repeat(5000)), "--ingest-label-value-max"),
        (format!("cpu f=\"{}\"", "x".repeat(10 << 20)), "--ingest-line-max"),
        (format!("cpu,{}=v f=1", "n".repeat(300)), "--ingest-label-name-max"),
        ("\\".repeat(1 << 20), "missing fields"),
    ];
    for (body, said) in cases {
        let mut door = Door::new();
        let report = door.send(body.as_bytes());
        let text = report.to_string();
        assert!(report.refused == 1 && text.contains(said), "{said}: {text}");
        assert!(text.len() < 1000 && door.book.is_empty());
    }
}

#[test]
fn a_line_of_many_fields_is_one_run_or_found_one_by_one() {
    let line = |names: std::ops::Range<usize>| {
        let fields: Vec<String> = names.map(|i| format!("f{i}={i}")).collect();
        format!("m,a=b {} 5\n", fields.join(","))
    };
    let mut door = Door::new();
    assert!(door.send(line(0..200).as_bytes()).is_clean());
    // Other fields of the same series: known, but scattered.
    let body = line(190..210) + &line(0..1) + "m,a=b f5=5,f3=3 5\n";
    for _ in 0..3 {
        assert!(door.send(body.as_bytes()).is_clean());
        assert_eq!((door.batch.rows.len(), door.book.len()), (23, 210));
        for row in door.rows() {
            let (labels, value) = row.split_once("\", a=\"b\"} 5 ").unwrap();
            assert_eq!(labels.trim_start_matches("{__name__=\"m_f").to_owned() + ".0", value);
        }
        door.session.forget();
    }
}

#[test]
fn a_database_becomes_a_label_unless_a_tag_is_named_so() {
    let mut door = Door { db: "telegraf", ..Door::new() };
    door.send(b"m f=1 5\nm,db=x f=1 5");
    let expected =
        [r#"{__name__="m_f", db="telegraf"} 5 1.0"#, r#"{__name__="m_f", db="x"} 5 1.0"#];
    assert_eq!(door.rows(), expected);
    door.db = "other";
    door.send(b"m f=1 5");
    assert_eq!(door.rows(), [r#"{__name__="m_f", db="other"} 5 1.0"#]);
    door.config.is_db_label = false;
    door.send(b"m f=1 5");
    assert_eq!(door.rows(), [r#"{__name__="m_f"} 5 1.0"#]);
}

#[test]
fn times_are_in_the_precision_asked_for() {
    for (word, time, nanos) in [
        ("ns", "5", 5),
        ("n", "-5", -5),
        ("u", "5", 5_000),
        ("µ", "5", 5_000),
        ("ms", "5", 5_000_000),
        ("s", "5", 5_000_000_000),
        ("m", "5", 300_000_000_000),
        ("h", "5", 18_000_000_000_000),
        ("", "5", 5),
        ("s", "", 1_234_567_890_000_000_000),
        ("h", "", 1_234_566_000_000_000_000),
    ] {
        let mut door = Door { precision: Precision::from_parameter(word), ..Door::new() };
        door.send(format!("m f=1 {time}").as_bytes());
        assert_eq!(door.batch.rows.times(), [nanos], "{word}");
    }
    for (time, nanos) in [
        ("1708976567", 1_708_976_567_000_000_000),
        ("1708976567000", 1_708_976_567_000_000_000),
        ("1708976567000000", 1_708_976_567_000_000_000),
        ("1708976567000000000", 1_708_976_567_000_000_000),
        ("-7", -7_000_000_000),
        ("", NOW.0),
    ] {
        let mut door = Door { precision: Precision::Auto, ..Door::new() };
        door.send(format!("m f=1 {time}").as_bytes());
        assert_eq!(door.batch.rows.times(), [nanos], "auto {time}");
    }
    let mut door = Door { precision: Precision::Hours, ..Door::new() };
    let report = door.send(b"m f=1 9999999999");
    assert!(report.to_string().contains("time outside range"), "{report}");
}

#[test]
fn rows_past_retention_are_refused_in_the_words_that_clients_look_for() {
    let mut door = Door::within(TimeRange::new(Timestamp(100), Timestamp(200)).unwrap());
    let report = door.send(b"m a=1,b=2 99\nm a=1,b=2 100\nm a=1 200\nm a=1");
    assert_eq!((report.samples, report.refused), (2, 4));
    assert!(report.to_string().contains("points beyond retention policy"), "{report}");
    assert!(report.to_string().contains("too far in the future"), "{report}");
}

fn any_line() -> impl Strategy<Value = String> {
    let text = "[a-z\\\\\", =é\\x00\t]{0,6}";
    let number = prop_oneof![
        any::<f64>().prop_map(|v| format!("{v:?}")),
        any::<i64>().prop_map(|v| format!("{v}i")),
        any::<u64>().prop_map(|v| format!("{v}u")),
        "[-+0-9.eE]{1,12}",
        "\"[a-z, =\\\\\n\"]{0,5}\"",
        Just("t".to_owned()),
        text.prop_map(|t| t),
    ];
    let time = prop_oneof![any::<i64>().prop_map(|t| format!(" {t}")), "[ 0-9x-]{0,4}"];
    let fields = vec(("[a-z\t\\\\]{0,4}", number), 0..4);
    ("[a-z#\\\\, ]{0,4}", vec((text, text), 0..3), fields, time, "(\n|\r\n| \n|)").prop_map(
        |(measurement, tags, fields, time, end)| {
            let mut line = measurement;
            for (name, value) in tags {
                line = format!("{line},{name}={value}");
            }
            let fields: Vec<String> = fields.iter().map(|(n, v)| format!("{n}={v}")).collect();
            format!("{line} {}{time}{end}", fields.join(","))
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_quick_reader_agrees_with_the_strict_one(lines in vec(any_line(), 1..4)) {
        let body = lines.concat();
        let body = body.as_bytes();
        let start = strict::skip_blanks(body, 0);
        let mut fields = Vec::new();
        if let Some(line) = quick::read(body, start, &mut fields) {
            let (end, next) = strict::line_of(body, start);
            prop_assert_eq!(line.next, next);
            let mut strict_fields = Vec::new();
            match strict::read(&body[start..end], start, &mut strict_fields) {
                Ok(strict) => {
                    prop_assert_eq!(super::field::Line { next, ..strict }, line);
                    let bits = |fields: &[super::Field]| -> Vec<_> {
                        fields.iter().map(|f| (f.name_start, f.name_end, f.value.to_bits())).collect()
                    };
                    prop_assert_eq!(bits(&fields), bits(&strict_fields));
                }
                // Tags are what the quick reader leaves to registration.
                Err(what) => prop_assert!(
                    what.contains("tag") || what == "missing fields" || what == "missing measurement",
                    "{what}: {:?}", String::from_utf8_lossy(body)
                ),
            }
        }
    }

    #[test]
    fn any_text_gives_rows_or_refusals_and_the_same_the_second_time(
        lines in vec(any_line(), 0..6), bytes: Vec<u8>
    ) {
        let body = [lines.concat().as_bytes(), &bytes].concat();
        let mut door = Door::new();
        let first = door.send(&body);
        let rows = door.rows();
        let count = door.book.len();
        for _ in 0..2 {
            prop_assert_eq!(&door.send(&body), &first);
            prop_assert_eq!(&door.rows(), &rows);
            prop_assert_eq!(door.book.len(), count);
            door.session.forget();
        }
    }

    #[test]
    fn good_lines_come_out_as_they_went_in(
        tags in proptest::collection::btree_map("[a-zé,= ]{1,5}", "[a-zé,= ]{1,5}", 0..4),
        fields in proptest::collection::btree_map("[a-z,= ]{1,5}", any::<f64>(), 1..9),
        time in -1_000_000_000_000_i64..1_000_000_000_000_000_000,
    ) {
        let escape = |text: &str| -> String {
            text.chars().flat_map(|c| {
                ",= ".contains(c).then_some('\\').into_iter().chain([c])
            }).collect()
        };
        let mut line = String::from("m");
        for (name, value) in &tags {
            line = format!("{line},{}={}", escape(name), escape(value));
        }
        let finite = |v: f64| if v.is_finite() { v } else { 0.25 };
        let text: Vec<String> =
            fields.iter().map(|(n, v)| format!("{}={:?}", escape(n), finite(*v))).collect();
        line = format!("{line} {} {time}", text.join(","));
        let mut door = Door::new();
        for _ in 0..2 {
            let report = door.send(line.as_bytes());
            prop_assert!(report.is_clean(), "{report}");
            let expected: Vec<String> = fields.iter().map(|(name, value)| {
                let metric = format!("m_{name}");
                let mut pairs: Vec<(&str, &str)> =
                    tags.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
                pairs.push(("__name__", &metric));
                format!("{} {time} {:?}", Labels::new(pairs).unwrap(), finite(*value))
            }).collect();
            prop_assert_eq!(door.rows(), expected);
        }
    }
}
