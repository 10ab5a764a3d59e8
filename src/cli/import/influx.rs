//! A database of InfluxDB 1: measurement by measurement, in chunks, as line protocol.
//!
//! `SELECT * FROM "m" GROUP BY *` gives series with their tags; each row becomes a line. Numbers stay
//! what they are; texts go along, and the door for lines does with them what it does with all texts.

use serde::Deserialize;
use serde_json::Value as Json;

use super::{
    note::Note,
    slices::slices,
    target::{Target, told},
    words::Influx,
};
use crate::cli::{
    client::{FORM, Pieces, Remote, form},
    error::Error,
};
use crate::os::{Clock, SystemClock};

/// Bytes of a body, about.
const BODY_BYTES: usize = 2 << 20;
/// An answer of one chunk is not longer: we ask for 10,000 rows each.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// One answer, of which there is one a chunk.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Answer {
    results: Vec<Statement>,
    error: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Statement {
    series: Vec<Series>,
    error: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Series {
    name: String,
    tags: serde_json::Map<String, Json>,
    columns: Vec<String>,
    values: Vec<Vec<Json>>,
}

pub(super) async fn run(words: &Influx) -> Result<(), Error> {
    let (start, end) = words.time.millis()?;
    let now_ms = SystemClock::new().now().div_euclid(1_000_000);
    let mut note = Note::open(words.to.resume.clone(), format!("{} {}", words.url, words.db))?;
    let mut source = Remote::connect(&words.url, None).await?;
    let mut target = Target::open(&words.to).await?;
    let measurements = measurements(&mut source, words).await?;
    let done = note.position;
    // Rows may lie ahead of the clock.
    let end = end.unwrap_or(now_ms.saturating_add(3_600_000));
    for (begin, last) in slices((start, end), done) {
        for measurement in &measurements {
            copy(&mut source, words, (measurement, begin, last), &mut target).await?;
        }
        note.keep(last)?;
    }
    target.finish("lines")
}

async fn ask(source: &mut Remote, words: &Influx, query: &str) -> Result<Chunks, Error> {
    let body = form(&[
        ("db", &words.db),
        ("q", query),
        ("epoch", "ns"),
        ("chunked", "true"),
        ("chunk_size", "10000"),
    ]);
    let answer = source.stream("/query", FORM, body).await?;
    if !answer.status.is_success() {
        let got = answer.rest().await?;
        return Err(Error::Failed(format!(
            "{} answered {}: {}",
            words.url,
            got.status,
            told(&got)
        )));
    }
    Ok(Chunks { answer, rest: Vec::new() })
}

/// Answers, a line each.
struct Chunks {
    answer: Pieces,
    rest: Vec<u8>,
}

impl Chunks {
    async fn next(&mut self) -> Result<Option<Vec<Series>>, Error> {
        let mut looked = 0;
        loop {
            let unseen = self.rest.get(looked..).unwrap_or_default();
            if let Some(at) = memchr::memchr(b'\n', unseen).map(|at| at + looked) {
                let later = self.rest.split_off(at + 1);
                let line = std::mem::replace(&mut self.rest, later);
                return parse(&line).map(Some);
            }
            looked = self.rest.len();
            if looked > ANSWER_BYTES_MAX {
                return Err(Error::Failed("the server sent a chunk of more than 64 MiB".into()));
            }
            match self.answer.next().await? {
                Some(piece) => self.rest.extend_from_slice(&piece),
                None if self.rest.iter().all(u8::is_ascii_whitespace) => return Ok(None),
                None => {
                    let line = std::mem::take(&mut self.rest);
                    return parse(&line).map(Some);
                }
            }
        }
    }
}

fn parse(line: &[u8]) -> Result<Vec<Series>, Error> {
    let answer: Answer = serde_json::from_slice(line)
        .map_err(|error| Error::Failed(format!("the answer cannot be read: {error}")))?;
    let mut series = Vec::new();
    for statement in answer.results {
        if let Some(error) = statement.error {
            return Err(Error::Failed(format!("the server refused: {error}")));
        }
        series.extend(statement.series);
    }
    match answer.error {
        Some(error) => Err(Error::Failed(format!("the server refused: {error}"))),
        None => Ok(series),
    }
}

async fn measurements(source: &mut Remote, words: &Influx) -> Result<Vec<String>, Error> {
    let mut chunks = ask(source, words, "SHOW MEASUREMENTS").await?;
    let mut names = Vec::new();
    while let Some(series) = chunks.next().await? {
        let rows = series.into_iter().flat_map(|series| series.values);
        names.extend(rows.filter_map(|row| Some(row.first()?.as_str()?.to_owned())));
    }
    Ok(names)
}

async fn copy(
    source: &mut Remote,
    words: &Influx,
    (measurement, begin, last): (&str, Option<i64>, i64),
    target: &mut Target,
) -> Result<(), Error> {
    let name = measurement.replace('\\', "\\\\").replace('"', "\\\"");
    let from = begin.map(|begin| format!("time >= {begin}ms AND ")).unwrap_or_default();
    let until = last.saturating_add(1);
    let query = format!("SELECT * FROM \"{name}\" WHERE {from}time < {until}ms GROUP BY *");
    let mut chunks = ask(source, words, &query).await?;
    let db = if words.no_db_label { "" } else { words.db.as_str() };
    let path = format!("/write?{}", form(&[("precision", "ns"), ("db", db)]));
    let (mut body, mut lines) = (Vec::new(), 0);
    while let Some(series) = chunks.next().await? {
        for series in &series {
            lines += write_lines(series, &mut body);
            if body.len() >= BODY_BYTES {
                target.send(&path, "text/plain", std::mem::take(&mut body), lines).await?;
                lines = 0;
                target.meter.show(target.rows, None);
            }
        }
    }
    if lines > 0 {
        target.send(&path, "text/plain", body, lines).await?;
    }
    Ok(())
}

/// Appends the rows of a series; how many lines that is.
fn write_lines(series: &Series, out: &mut Vec<u8>) -> u64 {
    let mut head = Vec::new();
    escape(&series.name, b", ", &mut head);
    for (name, value) in &series.tags {
        let Some(value) = value.as_str().filter(|value| !value.is_empty()) else { continue };
        head.push(b',');
        escape(name, b",= ", &mut head);
        head.push(b'=');
        escape(value, b",= ", &mut head);
    }
    let mut lines = 0;
    for row in &series.values {
        let begin = out.len();
        out.extend_from_slice(&head);
        let (mut before, mut time) = (b' ', None);
        for (column, value) in series.columns.iter().zip(row) {
            if column == "time" {
                time = value.as_i64();
                continue;
            }
            let text = match value {
                Json::Null | Json::Array(_) | Json::Object(_) => continue,
                Json::String(text) => {
                    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
                }
                other => other.to_string(),
            };
            out.push(before);
            escape(column, b",= ", out);
            out.push(b'=');
            out.extend_from_slice(text.as_bytes());
            before = b',';
        }
        match time.filter(|_| before == b',') {
            Some(time) => {
                out.extend_from_slice(format!(" {time}\n").as_bytes());
                lines += 1;
            }
            None => out.truncate(begin),
        }
    }
    lines
}

fn escape(text: &str, special: &[u8], out: &mut Vec<u8>) {
    for byte in text.bytes() {
        if special.contains(&byte) {
            out.push(b'\\');
        }
        out.push(if byte == b'\n' { b' ' } else { byte });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_lines() {
        let answer = br#"{"results":[{"series":[{"name":"cpu load","tags":{"host":"a,b","dc":""},
            "columns":["time","idle","on","text","gone"],
            "values":[[7,99.5,true,"x\"y",null],[8,null,null,null,null],[9,3,null,null,null]]}]}]}"#;
        let series = parse(answer).unwrap();
        let mut out = Vec::new();
        assert_eq!(write_lines(&series[0], &mut out), 2);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "cpu\\ load,host=a\\,b idle=99.5,on=true,text=\"x\\\"y\" 7\ncpu\\ load,host=a\\,b idle=3 9\n"
        );
        assert!(parse(br#"{"results":[{"error":"database not found"}]}"#).is_err());
        assert!(parse(b"<html>").is_err());
    }
}
