//! From the words to the source that they name.

use super::{
    prometheus,
    words::{Choice, From, Import},
};
use crate::cli::{error::Error, units};
use crate::http::selector;
use crate::model::{Matcher, TimeRange, Timestamp};
use crate::os::{Clock, SystemClock};

pub(in crate::cli) fn run(import: &Import) -> Result<(), Error> {
    match &import.from {
        From::Prometheus(words) => prometheus::run(words),
    }
}

impl Choice {
    /// The range of time; all of it where nothing is said.
    pub(super) fn range(&self) -> Result<TimeRange, Error> {
        let now_ms = SystemClock::new().now().div_euclid(1_000_000);
        let time = |text: &Option<String>, default| match text {
            None => Ok(default),
            Some(text) => units::time(text, now_ms).map(Timestamp::from_millis_saturating),
        };
        let start = time(&self.start, Timestamp::MIN).map_err(Error::Usage)?;
        let end = time(&self.end, Timestamp::MAX).map_err(Error::Usage)?;
        // The whole last millisecond: their rows have no finer times.
        let last = Timestamp(end.nanos().saturating_add(999_999));
        let range = TimeRange::closed(start, last).filter(|_| start <= end);
        range.ok_or_else(|| Error::Usage("--end lies before --start".into()))
    }

    /// The selectors, any of which a series may match.
    pub(super) fn selectors(&self) -> Result<Vec<Vec<Matcher>>, Error> {
        self.selectors
            .iter()
            .map(|text| selector(text).map_err(|e| Error::Usage(e.to_string())))
            .collect()
    }
}
