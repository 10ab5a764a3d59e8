//! `quipu query`.

use std::{
    io::{self, BufWriter, Write},
    time::Duration,
};

use serde::Deserialize;
use serde_json::Value as Json;
use tokio::runtime;

use crate::app::Local;
use crate::cli::{
    client::{Client, FORM, Got, Remote, form},
    command::{ExplainHow, Format, Query},
    error::Error,
    serve::say,
    table::Table,
    units,
};
use crate::os::{Clock, SystemClock};

/// Points of a range where no step is given.
const POINTS: u32 = 100;

/// What the API answers, as far as a table shows it.
#[derive(Debug, Deserialize)]
struct Envelope {
    #[serde(default)]
    error: String,
    data: Option<Data>,
    #[serde(default)]
    warnings: Vec<String>,
    #[serde(default)]
    infos: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Data {
    #[serde(rename = "resultType")]
    kind: String,
    result: Json,
}

pub(super) fn run(query: &Query) -> Result<(), Error> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Error::Failed(error.to_string()))?;
    let (path, body) = question(query, SystemClock::new().now().div_euclid(1_000_000))?;
    let token = query.token.clone().map(|token| token.0);
    let got = runtime.block_on(async {
        let mut client = match &query.data {
            Some(directory) => Client::Local(Box::new(Local::open(directory)?)),
            None => Client::Remote(Box::new(Remote::connect(&query.url, token).await?)),
        };
        let Some(how) = query.explain else { return client.post(path, FORM, body).await };
        let mut more = vec![("format", if query.format == Format::Json { "json" } else { "text" })];
        if how == ExplainHow::Analyze {
            more.push(("analyze", "1"));
        }
        let body = format!("{body}&{}", form(&more));
        client.post("/api/quipu/v1/explain", FORM, body).await
    })?;
    if query.explain.is_some() && got.status.is_success() {
        let mut out = io::stdout().lock();
        out.write_all(&got.body)?;
        if !got.body.ends_with(b"\n") {
            writeln!(out)?;
        }
        return Ok(());
    }
    print(query, &got)
}

/// Path and form of the question.
fn question(query: &Query, now_ms: i64) -> Result<(&'static str, String), Error> {
    let time = |text: &str| units::time(text, now_ms).map_err(Error::Usage);
    let seconds = |millis: i64| {
        let mut out = Vec::new();
        crate::export::write_seconds(millis, &mut out);
        String::from_utf8_lossy(&out).into_owned()
    };
    let Some(start) = &query.start else {
        let at = query.at.as_deref().map_or(Ok(now_ms), time)?;
        let body = form(&[("query", &query.text), ("time", &seconds(at))]);
        return Ok(("/api/v1/query", body));
    };
    let start = time(start)?;
    let end = query.end.as_deref().map_or(Ok(now_ms), time)?;
    let span = u64::try_from(end.saturating_sub(start)).unwrap_or(0);
    // Whole seconds, so that times are round.
    let default = Duration::from_secs((span / u64::from(POINTS) / 1000).max(1));
    let step = query.step.unwrap_or(default).as_secs_f64().to_string();
    let body = form(&[
        ("query", &query.text),
        ("start", &seconds(start)),
        ("end", &seconds(end)),
        ("step", &step),
    ]);
    Ok(("/api/v1/query_range", body))
}

fn print(query: &Query, got: &Got) -> Result<(), Error> {
    let envelope: Envelope = serde_json::from_slice(&got.body).map_err(|error| {
        Error::Failed(format!("the answer (status {}) cannot be read: {error}", got.status))
    })?;
    if !got.status.is_success() {
        return Err(refusal(&query.text, envelope.error));
    }
    for note in envelope.warnings.iter().chain(&envelope.infos) {
        say(note);
    }
    let mut out = BufWriter::new(io::stdout().lock());
    if query.format == Format::Json {
        out.write_all(&got.body)?;
        writeln!(out)?;
    } else if let Some(data) = &envelope.data {
        let table = table(data);
        if table.is_empty() {
            say("no series has a value there");
        } else {
            table.print(query.format, &mut out)?;
        }
    }
    out.flush()?;
    Ok(())
}

/// Draws the place where the text is wrong; other refusals are told as the server told them.
fn refusal(text: &str, told: String) -> Error {
    match query_lang::parse(text) {
        Err(error) => Error::Question(error.picture("query")),
        Ok(_) => Error::Failed(told),
    }
}

fn table(data: &Data) -> Table {
    let mut table = Table::new(&["series", "time", "value"]);
    let items: Vec<&Json> = match (data.kind.as_str(), &data.result) {
        ("scalar" | "string", pair) => {
            push_point("", pair, &mut table);
            Vec::new()
        }
        (_, Json::Array(items)) => items.iter().collect(),
        _ => Vec::new(),
    };
    for item in items {
        let name = series_name(item.get("metric"));
        for key in ["value", "histogram"] {
            if let Some(pair) = item.get(key) {
                push_point(&name, pair, &mut table);
            }
        }
        for key in ["values", "histograms"] {
            for pair in item.get(key).and_then(Json::as_array).into_iter().flatten() {
                push_point(&name, pair, &mut table);
            }
        }
    }
    table
}

fn push_point(series: &str, pair: &Json, table: &mut Table) {
    let cell = |index: usize| match pair.get(index) {
        Some(Json::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    table.push(vec![series.to_owned(), cell(0), cell(1)]);
}

/// `name{label="value"}`.
fn series_name(metric: Option<&Json>) -> String {
    let Some(labels) = metric.and_then(Json::as_object) else { return String::new() };
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let name = labels.get("__name__").map(text).unwrap_or_default();
    let others: Vec<String> = labels
        .iter()
        .filter(|(key, _)| *key != "__name__")
        .map(|(key, value)| format!("{key}={:?}", text(value)))
        .collect();
    if others.is_empty() && !name.is_empty() {
        name
    } else {
        format!("{name}{{{}}}", others.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(words: &[&str]) -> Result<(&'static str, String), Error> {
        use clap::Parser;
        let words = ["quipu", "query"].iter().chain(words);
        let command = crate::cli::Command::try_parse_from(words).unwrap();
        let crate::cli::command::Verb::Query(query) = command.verb else { panic!("a query") };
        question(&query, 1_700_000_000_500)
    }

    #[test]
    fn a_range_has_a_hundred_points_unless_told_otherwise() {
        assert_eq!(
            ask(&["up", "--start", "-1h"]).unwrap(),
            (
                "/api/v1/query_range",
                "query=up&start=1699996400.5&end=1700000000.5&step=36".to_owned()
            )
        );
        let (_, body) =
            ask(&["up", "--start", "0", "--end", "1970-01-02", "--step", "1500ms"]).unwrap();
        assert_eq!(body, "query=up&start=0&end=86400&step=1.5");
        let (path, body) = ask(&["a b", "--at", "now-1s"]).unwrap();
        assert_eq!((path, body.as_str()), ("/api/v1/query", "query=a%20b&time=1699999999.5"));
        assert!(matches!(ask(&["up", "--at", "noon"]), Err(Error::Usage(_))));
    }

    #[test]
    fn answers_of_every_kind_become_rows() {
        let rows = |json: &str| {
            let data: Data = serde_json::from_str(json).unwrap();
            let mut out = Vec::new();
            table(&data).print(Format::Csv, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(
            rows(r#"{"resultType":"scalar","result":[1.5,"2"]}"#),
            "series,time,value\n,1.5,2\n"
        );
        assert_eq!(
            rows(
                r#"{"resultType":"matrix","result":[{"metric":{"__name__":"up"},"values":[[1,"2"],[2,"3"]]},{"metric":{"a":"b"},"values":[[1,"4"]]}]}"#
            ),
            "series,time,value\nup,1,2\nup,2,3\n\"{a=\"\"b\"\"}\",1,4\n"
        );
    }

    #[test]
    fn a_wrong_text_is_drawn() {
        let drawn = refusal("rate(up)", "told".into()).to_string();
        assert!(drawn.contains("╭─[ query:1:6 ]"), "{drawn}");
        assert_eq!(refusal("up", "told".into()).to_string(), "told");
    }
}
