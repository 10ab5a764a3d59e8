//! The chapters of `docs/language.md` that the tables of functions and aggregations make.

use std::fmt::Write as _;

use crate::aggregations::Aggregation;
use crate::functions::{Family, Function, Maturity, Origin};

/// The rows that examples are asked over: a series, and its values a minute apart from 0 on. They are
/// asked at the tenth minute. Beside them there is `sizes`, a native histogram of four observations
/// in (1, 2] and four in (2, 4], their sum 18.
pub const EXAMPLE_ROWS: [(&str, [f64; 11]); 10] = [
    (
        r#"requests_total{job="web",path="/a"}"#,
        [0.0, 60.0, 120.0, 180.0, 240.0, 300.0, 360.0, 420.0, 480.0, 540.0, 600.0],
    ),
    (
        r#"requests_total{job="web",path="/b"}"#,
        [0.0, 30.0, 60.0, 90.0, 120.0, 150.0, 180.0, 10.0, 40.0, 70.0, 100.0],
    ),
    (
        r#"temperature{room="attic"}"#,
        [20.0, 21.0, 22.0, 23.0, 24.0, 25.0, 24.0, 23.0, 22.0, 21.0, 20.0],
    ),
    (
        r#"temperature{room="hall"}"#,
        [18.0, 18.0, 18.0, 18.0, 19.0, 19.0, 19.0, 19.0, 20.0, 20.0, 21.0],
    ),
    (r#"latency_bucket{le="0.1"}"#, [10.0; 11]),
    (r#"latency_bucket{le="0.5"}"#, [30.0; 11]),
    (r#"latency_bucket{le="1"}"#, [40.0; 11]),
    (r#"latency_bucket{le="+Inf"}"#, [40.0; 11]),
    (r#"up{instance="a",job="web"}"#, [1.0; 11]),
    (r#"target_info{instance="a",job="web",version="2"}"#, [1.0; 11]),
];

/// The chapters, in Markdown.
pub fn reference() -> String {
    let mut page = String::new();
    rows(&mut page);
    page.push_str("\n## Aggregations\n");
    for op in Aggregation::ALL {
        let usage = format!("{}({})", op.name(), op.parameters().usage());
        let (example, answer) = op.example();
        let entry = Entry {
            usage: &usage,
            summary: op.summary(),
            origin: op.origin(),
            maturity: op.maturity(),
            example,
            answer,
        };
        entry.write(&mut page);
    }
    for family in Family::ALL {
        let _ = write!(page, "\n## {}\n", family.title());
        let signatures = Function::ALL.iter().map(|function| function.signature());
        for signature in signatures.filter(|signature| signature.family == family) {
            let usage = signature.usage();
            let entry = Entry {
                usage: &usage,
                summary: signature.summary,
                origin: signature.origin,
                maturity: signature.maturity,
                example: signature.example,
                answer: signature.answer,
            };
            entry.write(&mut page);
        }
    }
    page.push_str("\n## Other names\n\n");
    page.push_str("| name | function |\n| --- | --- |\n");
    for (alias, function) in Function::ALIASES {
        let _ = writeln!(page, "| `{alias}` | `{}` |", function.name());
    }
    page
}

fn rows(page: &mut String) {
    page.push_str("## Rows of the examples\n\n");
    page.push_str(
        "Each example below is asked at 00:10:00 on 1970-01-01 over these rows, one a minute from \
         00:00:00 on.\n\n",
    );
    page.push_str("| series | values |\n| --- | --- |\n");
    for (series, values) in EXAMPLE_ROWS {
        let values: Vec<String> = values.iter().map(ToString::to_string).collect();
        let _ = writeln!(page, "| `{series}` | {} |", values.join(" "));
    }
    page.push_str(
        "| `sizes` | a native histogram: four observations in (1, 2], four in (2, 4], their sum 18 \
         |\n",
    );
}

/// A function or an aggregation.
struct Entry<'a> {
    usage: &'a str,
    summary: &'a str,
    origin: Origin,
    maturity: Maturity,
    example: &'a str,
    answer: &'a str,
}

impl Entry<'_> {
    fn write(&self, page: &mut String) {
        let from = match (self.origin, self.maturity) {
            (Origin::PromQl, Maturity::Stable) => "PromQL",
            (Origin::PromQl, Maturity::Experimental) => "PromQL, experimental there",
            (Origin::MetricsQl, _) => "MetricsQL",
        };
        let answer = if self.answer == "nothing" { "(nothing)" } else { self.answer };
        // Writing to a text does not fail.
        let _ = write!(
            page,
            "\n### `{}`\n\n{} ({from})\n\n```\n{}\n  {}\n```\n",
            self.usage,
            self.summary,
            self.example,
            answer.replace('\n', "\n  "),
        );
    }
}
