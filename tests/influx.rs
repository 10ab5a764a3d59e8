//! Line protocol as `InfluxDB` 1.6.7 answered it: status, message and kept rows of each body.
//!
//! `tools/compat/lines.py --record` made the answers, and compares with the real thing in
//! `make compat`.

#![expect(clippy::unwrap_used, reason = "what cannot be is a failed test")]

#[path = "http/server.rs"]
#[expect(dead_code, reason = "each test binary uses a part")]
mod server;

use std::collections::BTreeSet;

use serde::Deserialize;
use server::Server;

#[derive(Deserialize)]
struct Answer {
    body: String,
    status: u16,
    error: String,
    /// Measurement, tags, field, time in ns (0 is that of the request), value.
    rows: Vec<(String, Tags, String, i64, f64)>,
}

#[derive(Deserialize)]
struct Exported {
    metric: std::collections::BTreeMap<String, String>,
    values: Vec<f64>,
    timestamps: Vec<i64>,
}

type Tags = Vec<(String, String)>;

/// Metric, tags, milliseconds (None is about now), bits of the value: InfluxDB prints no -0.
type Row = (String, Tags, Option<i64>, u64);

/// Later than any time of the corpus but that of the request.
const RECENT_MS: i64 = 1_700_000_000_000;

fn kept(server: &Server, db: &str) -> BTreeSet<Row> {
    let got = server.get(&format!("/api/v1/export?match[]=%7Bdb=%22{db}%22%7D"));
    let mut rows = BTreeSet::new();
    for line in got.body.lines() {
        let Exported { mut metric, values, timestamps } = serde_json::from_str(line).unwrap();
        let name = metric.remove("__name__").unwrap();
        metric.remove("db");
        let tags: Tags = metric.into_iter().collect();
        for (time, value) in timestamps.into_iter().zip(values) {
            let time = (time < RECENT_MS).then_some(time);
            rows.insert((name.clone(), tags.clone(), time, (value + 0.0).to_bits()));
        }
    }
    rows
}

#[test]
fn every_body_has_the_status_message_and_rows_of_influxdb() {
    let server = Server::start();
    let text = include_str!("influx/answers.jsonl");
    let mut differences = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let answer: Answer = serde_json::from_str(line).unwrap();
        let db = format!("c{index}");
        let got = server.post(&format!("/write?db={db}&precision=ns"), &[], &answer.body);
        let error = match serde_json::from_str::<serde_json::Value>(&got.body) {
            Ok(value) => value["error"].as_str().unwrap().to_owned(),
            Err(_) => String::new(),
        };
        let expected: BTreeSet<Row> = answer
            .rows
            .into_iter()
            .map(|(measurement, tags, field, time, value)| {
                let time =
                    (time != 0 || answer.body.ends_with(" 0")).then(|| time.div_euclid(1_000_000));
                (format!("{measurement}_{field}"), tags, time, (value + 0.0).to_bits())
            })
            .collect();
        let rows = kept(&server, &db);
        if (got.status, &error, &rows) != (answer.status, &answer.error, &expected) {
            differences.push(format!(
                "{:?}: {} {error:?} {rows:?}, InfluxDB: {} {:?} {expected:?}",
                answer.body, got.status, answer.status, answer.error
            ));
        }
    }
    assert!(text.lines().count() >= 60);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
