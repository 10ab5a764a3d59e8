//! Lines and what becomes of them.

use proptest::prelude::*;

use super::layout::Layout;
use super::{Ask, Format, decode};
use crate::ingest::{Config, ExtraLabels, Intake, LabelBook, Report, Session};
use crate::model::{Batch, TenantId, TimeRange, Timestamp};

const NOW: Timestamp = Timestamp(77_000_000);

struct Door {
    book: LabelBook,
    session: Session,
    batch: Batch,
}

impl Door {
    fn new() -> Self {
        let book = LabelBook::new(TimeRange::ALL);
        Self { book, session: Session::new(), batch: Batch::default() }
    }

    fn send(&mut self, format: &str, delimiter: u8, body: &str) -> Report {
        let config = Config::default();
        let intake = Intake { config: &config, registry: &self.book, tenant: TenantId(1) };
        let format = Format::parse(format).unwrap();
        let extra = ExtraLabels::default();
        let ask = Ask { format: &format, delimiter, now: NOW, extra: Some(&extra) };
        decode(body.as_bytes(), &ask, &mut self.session, &intake, &mut self.batch).unwrap()
    }

    fn rows(&self) -> Vec<String> {
        let rows = &self.batch.rows;
        let row = |at: usize| {
            let labels = self.book.labels(rows.series()[at]).unwrap();
            format!("{labels} {} {:?}", rows.times()[at], rows.values()[at])
        };
        (0..rows.len()).map(row).collect()
    }
}

#[test]
fn columns_become_labels_metrics_and_times() {
    let mut door = Door::new();
    for _ in 0..2 {
        let report = door.send(
            "2:metric:ask,3:metric:bid,1:label:ticker,4:label:market,6:time:unix_s",
            b',',
            "GOOG,1.23,4.56,NYSE,x,1\r\n\nMSFT,3.21,,\"NA\"\"S,DAQ\",x,2.5,more\n'a''b',NaN,-0,,,3",
        );
        assert!(report.is_clean(), "{report}");
        assert_eq!(
            door.rows(),
            [
                r#"{__name__="ask", market="NYSE", ticker="GOOG"} 1000000000 1.23"#,
                r#"{__name__="bid", market="NYSE", ticker="GOOG"} 1000000000 4.56"#,
                r#"{__name__="ask", market="NA\"S,DAQ", ticker="MSFT"} 2500000000 3.21"#,
                r#"{__name__="ask", ticker="a'b"} 3000000000 NaN"#,
                r#"{__name__="bid", ticker="a'b"} 3000000000 -0.0"#,
            ]
        );
    }
    let mut door = Door::new();
    door.send("1:metric:m,2:label:a", b';', "1;x\n");
    assert_eq!(door.rows(), [r#"{__name__="m", a="x"} 77000000 1.0"#]);
    door.send("1:metric:m,1:label:a,2:time:unix_ms", b'\t', "1\t5\n");
    assert_eq!(door.rows(), [r#"{__name__="m", a="1"} 5000000 1.0"#]);
}

/// Long CSV, as our own export writes it, has metrics of many names in one column.
#[test]
fn a_column_may_hold_the_name_of_the_metric() {
    let mut door = Door::new();
    for _ in 0..2 {
        let format = "1:label:__name__,2:label:a,3:time:unix_s,4:metric:value";
        let report = door.send(format, b',', "up,x,1,5\n,x,1,6\nup,y,1,7\n");
        assert!(report.is_clean(), "{report}");
        let rows = [
            r#"{__name__="up", a="x"} 1000000000 5.0"#,
            r#"{__name__="value", a="x"} 1000000000 6.0"#,
            r#"{__name__="up", a="y"} 1000000000 7.0"#,
        ];
        assert_eq!(door.rows(), rows);
    }
}

#[test]
fn a_bad_line_harms_only_itself() {
    let format = "1:metric:m,2:label:a,3:time:rfc3339";
    let good = "1,x,2020-01-01T00:00:00Z";
    for (line, what) in [
        ("1,x", "line has 2 columns, the format names column 3"),
        ("one,x,2020-01-01T00:00:00Z", "\"one\" of the metric \"m\" is no number"),
        ("1,x,2020-13-01T00:00:00Z", "\"2020-13-01T00:00:00Z\" is no time of the format"),
        ("1,\"x,2020-01-01T00:00:00Z", "quotes are not closed in their line"),
        ("1,\"x\"y,2020-01-01T00:00:00Z", "text follows a closing quote"),
    ] {
        let report = Door::new().send(format, b',', &format!("{good}\n{line}\n{good}\n"));
        let text = report.to_string();
        assert!(text.starts_with("line 2: ") && text.contains(what), "{line}: {text}");
        assert_eq!((report.refused, report.samples), (1, 2));
    }
}

#[test]
fn formats_say_what_is_wrong_with_them() {
    for (text, what) in [
        ("", "format is empty"),
        ("1:metric", "is not POSITION:TYPE:CONTEXT"),
        ("0:metric:x", "no number from 1 to 1024"),
        ("x:metric:x", "no number from 1 to 1024"),
        ("9999999:metric:x", "no number from 1 to 1024"),
        ("1:tag:x", "none of label, metric, time"),
        ("1:metric:", "column 1 of the format has no name"),
        ("1:label:x", "no column of type metric"),
        ("1:metric:x,2:time:unix", "none of unix_s, unix_ms, unix_ns, rfc3339"),
        ("1:metric:x,2:time:custom:abc", "names no part of Mon Jan 2"),
        ("1:metric:x,2:time:unix_s,3:time:unix_s", "two columns of time"),
    ] {
        let error = Format::parse(text).unwrap_err();
        let text_of = |error: &super::FormatError| match std::error::Error::source(error) {
            Some(source) => format!("{error} {source}"),
            None => error.to_string(),
        };
        assert!(text_of(&error).contains(what), "{text}: {error}");
    }
    assert_eq!(Ask::delimiter(None), Ok(b','));
    assert_eq!(Ask::delimiter(Some("\\t")), Ok(b'\t'));
    assert_eq!(Ask::delimiter(Some("|")), Ok(b'|'));
    for bad in ["", "ab", "\"", "\n", "é"] {
        assert!(Ask::delimiter(Some(bad)).is_err(), "{bad:?}");
    }
}

#[test]
fn layouts_are_those_of_go() {
    for (layout, text, expected) in [
        (
            "2006-01-02T15:04:05Z07:00",
            "2015-06-02T13:21:14.5+02:00",
            Some(1_433_244_074_500_000_000),
        ),
        ("2006-01-02T15:04:05Z07:00", "1970-01-01T00:00:01Z", Some(1_000_000_000)),
        ("Mon, 02 Jan 2006 15:04:05 MST", "Thu, 01 Jan 1970 00:01:00 UTC", Some(60_000_000_000)),
        ("2006/1/2 3:04:05 PM", "1970/1/2 12:00:01 AM", Some(86_401_000_000_000)),
        ("2006/1/2 3:04:05 PM", "1970/1/1 1:00:00 PM", Some(46_800_000_000_000)),
        ("2006/1/2 3:04:05 PM", "1970/1/1 13:00:00 PM", None),
        (
            "_2/January/06 15:04:05.000 -0700",
            " 1/january/70 00:00:00.250 -0100",
            Some(3_600_250_000_000),
        ),
        ("02.01.2006", "31.02.2020", None),
        ("02.01.2006", "29.02.2020", Some(1_582_934_400_000_000_000)),
        ("2006-01-02 MST", "1970-01-01 CEST", None),
        ("2006", "20", None),
        ("2006", "1970x", None),
        ("é2006", "é1970", Some(0)),
        ("2006", "9999", None),
    ] {
        assert_eq!(
            Layout::parse(layout).unwrap().read(text.as_bytes()),
            expected,
            "{layout} {text}"
        );
    }
}

proptest! {
    #[test]
    fn any_text_gives_rows_or_refusals_and_the_same_the_second_time(
        format in "[0-9]{1,2}:(metric|label|time):(x|unix_s|rfc3339|custom:[a-z0-9 :.éPMZ]{0,9}),1:metric:m",
        body in "([0-9,.\"'a\n;é-]{0,6}){0,9}",
        bytes: Vec<u8>,
    ) {
        if Format::parse(&format).is_err() {
            return Ok(());
        }
        let body = format!("{body}{}", String::from_utf8_lossy(&bytes));
        let mut door = Door::new();
        let first = door.send(&format, b',', &body);
        let rows = door.rows();
        prop_assert_eq!(door.send(&format, b',', &body), first);
        prop_assert_eq!(door.rows(), rows);
    }

    #[test]
    fn any_layout_reads_any_text_or_none(layout: String, text: Vec<u8>) {
        if let Ok(layout) = Layout::parse(&layout) {
            let _ = layout.read(&text);
        }
    }

    #[test]
    fn any_format_is_one_or_an_error(text: String) {
        let _ = Format::parse(&text);
    }
}
