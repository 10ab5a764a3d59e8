//! From the words to the source that they name.

use tokio::runtime;

use super::{
    influx, prometheus, remote_read, text, victoria,
    words::{Choice, From, Import, Time},
};
use crate::cli::{error::Error, units};
use crate::http::selector;
use crate::model::{Matcher, TimeRange, Timestamp};
use crate::os::{Clock, SystemClock};

pub(in crate::cli) fn run(import: &Import) -> Result<(), Error> {
    if let From::Prometheus(words) = &import.from {
        return prometheus::run(words);
    }
    let runtime = runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.map_err(|error| Error::Failed(error.to_string()))?;
    runtime.block_on(async {
        match &import.from {
            From::Prometheus(words) => prometheus::run(words),
            From::Openmetrics(file) => text::open_metrics(file).await,
            From::Jsonl(file) => text::json_lines(file).await,
            From::Csv(csv) => text::csv(csv).await,
            From::Lines(lines) => text::lines(lines).await,
            From::RemoteRead(server) => remote_read::run(server).await,
            From::Victoriametrics(server) => victoria::run(server).await,
            From::Influxdb(influx) => influx::run(influx).await,
        }
    })
}

impl Time {
    /// Milliseconds, both included; None where nothing is said.
    pub(super) fn millis(&self) -> Result<(Option<i64>, Option<i64>), Error> {
        let now_ms = SystemClock::new().now().div_euclid(1_000_000);
        let time = |text: &Option<String>| {
            text.as_deref().map(|text| units::time(text, now_ms).map_err(Error::Usage)).transpose()
        };
        let (start, end) = (time(&self.start)?, time(&self.end)?);
        if start.zip(end).is_some_and(|(start, end)| end < start) {
            return Err(Error::Usage("--end lies before --start".into()));
        }
        Ok((start, end))
    }
}

impl Choice {
    /// The range of time; all of it where nothing is said.
    pub(super) fn range(&self) -> Result<TimeRange, Error> {
        let (start, end) = self.time.millis()?;
        let start = start.map_or(Timestamp::MIN, Timestamp::from_millis_saturating);
        let end = end.map_or(Timestamp::MAX, Timestamp::from_millis_saturating);
        // The whole last millisecond: their rows have no finer times.
        let last = Timestamp(end.nanos().saturating_add(999_999));
        TimeRange::closed(start, last)
            .ok_or_else(|| Error::Usage("there is no time between --start and --end".into()))
    }

    /// The selectors, any of which a series may match.
    pub(super) fn selectors(&self) -> Result<Vec<Vec<Matcher>>, Error> {
        let parse = |text: &String| selector(text).map_err(|error| Error::Usage(error.to_string()));
        self.selectors.iter().map(parse).collect()
    }
}
