//! Asks for rows and writes down what comes.

use std::{
    fs,
    io::{self, BufWriter, Write},
    path::Path,
};

use serde::Deserialize;
use tokio::runtime;

use super::{days::days, words::Export};
use crate::cli::{
    client::{Client, FORM, Got, form},
    error::Error,
    serve::say,
    units,
};
use crate::export::Format;
use crate::os::{Clock, SystemClock};

/// Every series that has a name: the language asks for a matcher that does not match nothing.
const EVERYTHING: &str = "{__name__=~\".+\"}";

pub(in crate::cli) fn run(words: &Export) -> Result<(), Error> {
    let runtime = runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.map_err(|error| Error::Failed(error.to_string()))?;
    let plan = Plan::new(words)?;
    runtime.block_on(async {
        let mut client = Client::open(
            (&words.url, words.token.clone().map(|token| token.0)),
            words.data.as_deref(),
        )
        .await?;
        match (&words.partition, &words.output) {
            (Some(_), Some(folder)) => plan.days(&mut client, folder).await,
            (_, Some(file)) => {
                plan.file(&mut client, (plan.start, plan.end), file).await?;
                say(&format!("wrote {}", file.display()));
                Ok(())
            }
            (_, None) => {
                let mut out = BufWriter::new(io::stdout().lock());
                plan.write(&mut client, (plan.start, plan.end), &mut out).await?;
                Ok(out.flush()?)
            }
        }
    })
}

/// What to ask for.
struct Plan<'a> {
    words: &'a Export,
    format: Format,
    name: String,
    start: Option<i64>,
    end: Option<i64>,
}

/// First and last time that there are rows of.
#[derive(Debug, Deserialize)]
struct Status {
    data: Stats,
}

#[derive(Debug, Deserialize)]
struct Stats {
    #[serde(rename = "headStats")]
    head: Head,
}

#[derive(Debug, Deserialize)]
struct Head {
    #[serde(rename = "minTime")]
    min_time: i64,
    #[serde(rename = "maxTime")]
    max_time: i64,
}

/// What matters of an answer with a list.
#[derive(Debug, Deserialize)]
struct Listed {
    data: Vec<serde_json::Value>,
}

impl<'a> Plan<'a> {
    fn new(words: &'a Export) -> Result<Self, Error> {
        let ending = words.output.as_ref().and_then(|path| path.extension()?.to_str());
        let name = words.format.as_deref().or(ending.filter(|it| Format::named(it).is_some()));
        let name = name.unwrap_or("jsonl");
        let format = Format::named(name).ok_or_else(|| {
            Error::Usage(format!("{name:?} is no format; there are {}", Format::names()))
        })?;
        let now_ms = SystemClock::new().now().div_euclid(1_000_000);
        let time = |text: &Option<String>| {
            text.as_deref().map(|text| units::time(text, now_ms).map_err(Error::Usage)).transpose()
        };
        let (start, end) = (time(&words.start)?, time(&words.end)?);
        Ok(Self { words, format, name: name.to_owned(), start, end })
    }

    /// The form that asks for the rows of a range.
    fn form(&self, (start, end): (Option<i64>, Option<i64>)) -> String {
        let seconds = |millis: i64| {
            let mut out = Vec::new();
            crate::export::write_seconds(millis, &mut out);
            String::from_utf8_lossy(&out).into_owned()
        };
        let (start, end) = (start.map(seconds), end.map(seconds));
        let everything = [EVERYTHING.to_owned()];
        let selectors = &self.words.selectors;
        let selectors = if selectors.is_empty() { &everything[..] } else { selectors };
        let mut pairs: Vec<(&str, &str)> =
            selectors.iter().map(|selector| ("match[]", selector.as_str())).collect();
        let given = [
            ("format", Some(&self.name)),
            ("start", start.as_ref()),
            ("end", end.as_ref()),
            ("reduce", self.words.reduce.as_ref()),
            ("pivot", self.words.pivot.as_ref()),
            ("times", self.words.times.as_ref()),
        ];
        pairs.extend(given.into_iter().filter_map(|(name, value)| Some((name, value?.as_str()))));
        form(&pairs)
    }

    async fn write(
        &self,
        client: &mut Client,
        range: (Option<i64>, Option<i64>),
        out: &mut dyn Write,
    ) -> Result<(), Error> {
        let mut answer = client.stream("/api/v1/export", FORM, self.form(range)).await?;
        if !answer.status.is_success() {
            return Err(refusal(&answer.rest().await?));
        }
        while let Some(piece) = answer.next().await? {
            out.write_all(&piece)?;
        }
        Ok(())
    }

    /// Writes a file, which has its name when it is whole.
    #[expect(clippy::disallowed_methods, reason = "a file of the person who types, in no database")]
    async fn file(
        &self,
        client: &mut Client,
        range: (Option<i64>, Option<i64>),
        path: &Path,
    ) -> Result<(), Error> {
        let mut unfinished = path.as_os_str().to_owned();
        unfinished.push(".tmp");
        let unfinished = Path::new(&unfinished);
        let mut out = BufWriter::new(fs::File::create(unfinished)?);
        let written = self.write(client, range, &mut out).await;
        let written =
            written.and_then(|()| Ok(out.into_inner().map_err(io::Error::from)?.sync_all()?));
        if let Err(error) = written {
            // The first error counts.
            drop(fs::remove_file(unfinished));
            return Err(error);
        }
        Ok(fs::rename(unfinished, path)?)
    }

    async fn days(&self, client: &mut Client, folder: &Path) -> Result<(), Error> {
        let (first, last) = match (self.start, self.end) {
            (Some(first), Some(last)) => (first, last),
            (start, end) => {
                let got = client.post("/api/v1/status/tsdb", FORM, String::new()).await;
                let head = read::<Status>(&got?)?.data.head;
                (start.unwrap_or(head.min_time), end.unwrap_or(head.max_time))
            }
        };
        let mut count = 0;
        for (day, begin, end) in days(first, last) {
            let range = (Some(begin), Some(end));
            let wanted = format!("{}&limit=1", self.form(range));
            let got = client.post("/api/v1/series", FORM, wanted).await?;
            if read::<Listed>(&got)?.data.is_empty() {
                continue;
            }
            let folder = folder.join(format!("day={day}"));
            fs::create_dir_all(&folder)?;
            let path = folder.join(format!("part-0.{}", self.format.ending()));
            self.file(client, range, &path).await?;
            say(&format!("wrote {}", path.display()));
            count += 1;
        }
        say(&format!("{count} days"));
        Ok(())
    }
}

fn read<T: for<'de> Deserialize<'de>>(got: &Got) -> Result<T, Error> {
    if !got.status.is_success() {
        return Err(refusal(got));
    }
    serde_json::from_slice(&got.body)
        .map_err(|error| Error::Failed(format!("the answer cannot be read: {error}")))
}

/// What the server said, without its envelope.
fn refusal(got: &Got) -> Error {
    let told = serde_json::from_slice::<serde_json::Value>(&got.body).ok();
    let told = told.as_ref().and_then(|json| json.get("error")?.as_str());
    let text = String::from_utf8_lossy(&got.body);
    Error::Failed(format!("status {}: {}", got.status.as_u16(), told.unwrap_or(text.trim())))
}
