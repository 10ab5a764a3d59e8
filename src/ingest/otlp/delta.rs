//! Differences summed up, for senders that say only what came since they spoke last.
//!
//! A sum lives as long as its sender speaks: it is dropped when nothing was added for a while, and all
//! sums together have a size that they may not pass. A difference that comes a second time, because
//! its sender did not hear that it was taken, is not added again. After a restart sums begin at zero
//! with a new start, which reads as a reset.
//!
//! Idea: the collector's `deltatocumulativeprocessor`.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::ingest::Reason;
use crate::ingest::otlp::Config;
use crate::math::histogram;
use crate::model::{Histogram, SeriesRef, TenantId};

/// Bytes of a sum beside its buckets: key, times, its place in the map.
const STREAM_BYTES: usize = 192;

/// Names [`Config::delta_max_bytes`].
const BYTES_OPTION: &str = "delta_max_bytes";

/// All sums.
#[derive(Debug)]
pub(super) struct Deltas {
    stale_nanos: i64,
    bytes_max: usize,
    streams: Mutex<Streams>,
}

#[derive(Debug, Default)]
struct Streams {
    by_series: HashMap<(TenantId, SeriesRef), Stream>,
    bytes: usize,
    /// When stale ones were looked for last.
    swept: i64,
}

#[derive(Debug)]
struct Stream {
    sum: Sum,
    start: i64,
    /// Time of the last difference.
    last: i64,
    /// When it came.
    seen: i64,
}

/// What is summed up.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Sum {
    Number(f64),
    Classic(Classic),
    Native(Box<Histogram>),
}

/// A histogram with explicit bounds.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Classic {
    pub(super) count: u64,
    pub(super) sum: Option<f64>,
    pub(super) bounds: Vec<f64>,
    pub(super) counts: Vec<u64>,
}

/// Nanoseconds of a difference: when it came, what it says of itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub(super) now: i64,
    pub(super) time: i64,
    /// 0 = unknown.
    pub(super) start: i64,
}

impl Deltas {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            stale_nanos: i64::try_from(config.delta_max_stale.as_nanos()).unwrap_or(i64::MAX),
            bytes_max: config.delta_max_bytes,
            streams: Mutex::default(),
        }
    }

    /// Adds a difference; the start of the sum, and the sum.
    pub(super) fn add(
        &self,
        id: (TenantId, SeriesRef),
        times: Times,
        difference: Sum,
    ) -> Result<(i64, Sum), Reason> {
        let mut streams = self.streams();
        self.sweep(&mut streams, times.now);
        let Some(stream) = streams.by_series.get_mut(&id) else {
            return self.begin(&mut streams, id, times, difference);
        };
        if times.time < stream.last {
            return Err(Reason::DeltaTooLate { time: times.time, last: stream.last });
        }
        stream.seen = times.now;
        if times.time > stream.last {
            let before = stream.sum.size_bytes();
            if !stream.sum.add(&difference) {
                // Other buckets: a new sum, which begins where the old one ended.
                stream.start = if times.start == 0 { stream.last } else { times.start };
                stream.sum = difference;
            }
            stream.last = times.time;
            let told = (stream.start, stream.sum.clone());
            let after = stream.sum.size_bytes();
            streams.bytes = (streams.bytes + after).saturating_sub(before);
            return Ok(told);
        }
        Ok((stream.start, stream.sum.clone()))
    }

    /// Ends a sum: its sender says that it is no more.
    pub(super) fn forget(&self, id: (TenantId, SeriesRef)) {
        let mut streams = self.streams();
        if let Some(stream) = streams.by_series.remove(&id) {
            streams.bytes = streams.bytes.saturating_sub(stream.sum.size_bytes());
        }
    }

    fn begin(
        &self,
        streams: &mut Streams,
        id: (TenantId, SeriesRef),
        Times { now, time, start }: Times,
        sum: Sum,
    ) -> Result<(i64, Sum), Reason> {
        let bytes = streams.bytes + sum.size_bytes();
        if bytes > self.bytes_max {
            return Err(Reason::Limit {
                what: "size of the sums of delta streams",
                actual: bytes,
                limit: self.bytes_max,
                option: BYTES_OPTION,
            });
        }
        streams.bytes = bytes;
        let stream = Stream { sum: sum.clone(), start, last: time, seen: now };
        streams.by_series.insert(id, stream);
        Ok((start, sum))
    }

    /// Drops what is stale, not more often than eight times while a sum becomes so.
    fn sweep(&self, streams: &mut Streams, now: i64) {
        if now.saturating_sub(streams.swept) < self.stale_nanos / 8 && now >= streams.swept {
            return;
        }
        streams.swept = now;
        let oldest = now.saturating_sub(self.stale_nanos);
        streams.by_series.retain(|_, stream| stream.seen >= oldest);
        let sizes = streams.by_series.values().map(|stream| stream.sum.size_bytes());
        streams.bytes = sizes.sum();
    }

    fn streams(&self) -> MutexGuard<'_, Streams> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sum {
    /// Adds; false where the two do not fit together.
    fn add(&mut self, other: &Self) -> bool {
        match (self, other) {
            (Self::Number(sum), Self::Number(value)) => *sum += value,
            (Self::Classic(sum), Self::Classic(other)) => return sum.add(other),
            (Self::Native(sum), Self::Native(other)) => {
                let Ok((mut added, _)) = histogram::add(sum, other) else { return false };
                added.is_integer = sum.is_integer && other.is_integer;
                **sum = added;
            }
            (Self::Number(_) | Self::Classic(_) | Self::Native(_), _) => return false,
        }
        true
    }

    fn size_bytes(&self) -> usize {
        let buckets = match self {
            Self::Number(_) => 0,
            Self::Classic(sum) => sum.bounds.len() + sum.counts.len(),
            Self::Native(sum) => {
                size_of::<Histogram>() / 8
                    + sum.positive.len()
                    + sum.negative.len()
                    + sum.positive_spans.len()
                    + sum.negative_spans.len()
                    + sum.custom_values.len()
            }
        };
        STREAM_BYTES + buckets * 8
    }
}

impl Classic {
    fn add(&mut self, other: &Self) -> bool {
        if self.bounds != other.bounds || self.counts.len() != other.counts.len() {
            return false;
        }
        self.count = self.count.saturating_add(other.count);
        self.sum = self.sum.zip(other.sum).map(|(sum, more)| sum + more);
        for (sum, more) in self.counts.iter_mut().zip(&other.counts) {
            *sum = sum.saturating_add(*more);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn deltas(bytes_max: usize) -> Deltas {
        Deltas::new(&Config {
            delta_max_bytes: bytes_max,
            delta_max_stale: Duration::from_mins(1),
            ..Config::default()
        })
    }

    fn add(deltas: &Deltas, series: u64, time: i64, value: f64) -> Result<(i64, f64), Reason> {
        let times = Times { now: time * SECOND, time: time * SECOND, start: (time - 1) * SECOND };
        let id = (TenantId(0), SeriesRef(series));
        let (start, sum) = deltas.add(id, times, Sum::Number(value))?;
        let Sum::Number(value) = sum else { panic!("{sum:?}") };
        Ok((start / SECOND, value))
    }

    #[test]
    fn differences_are_summed_up_and_never_twice() {
        let deltas = deltas(1 << 20);
        assert_eq!(add(&deltas, 1, 10, 2.0), Ok((9, 2.0)));
        assert_eq!(add(&deltas, 1, 11, 3.0), Ok((9, 5.0)));
        assert_eq!(add(&deltas, 2, 11, 7.0), Ok((10, 7.0)));
        assert_eq!(add(&deltas, 1, 11, 3.0), Ok((9, 5.0)), "sent again");
        let late = Reason::DeltaTooLate { time: 10 * SECOND, last: 11 * SECOND };
        assert_eq!(add(&deltas, 1, 10, 2.0), Err(late));
        deltas.forget((TenantId(0), SeriesRef(1)));
        assert_eq!(add(&deltas, 1, 12, 1.0), Ok((11, 1.0)));
    }

    #[test]
    fn who_is_silent_is_forgotten() {
        let deltas = deltas(1 << 20);
        for time in [10, 40, 95, 150] {
            add(&deltas, 1, time, 1.0).unwrap();
        }
        assert_eq!(add(&deltas, 1, 205, 1.0), Ok((9, 5.0)));
        assert_eq!(add(&deltas, 2, 300, 1.0), Ok((299, 1.0)));
        assert_eq!(add(&deltas, 1, 300, 1.0), Ok((299, 1.0)), "70 s of silence");
    }

    #[test]
    fn memory_is_bounded_and_comes_back() {
        let deltas = deltas(10 * STREAM_BYTES);
        let taken = (0..100).filter(|series| add(&deltas, *series, 10, 1.0).is_ok()).count();
        assert_eq!(taken, 10);
        let error = add(&deltas, 99, 11, 1.0).unwrap_err().to_string();
        assert!(error.contains("delta_max_bytes"), "{error}");
        assert!(add(&deltas, 99, 100, 1.0).is_ok(), "the others are stale by now");
        assert_eq!(deltas.streams().bytes, STREAM_BYTES);
    }

    #[test]
    fn other_buckets_begin_anew() {
        let deltas = deltas(1 << 20);
        let classic = |bounds: &[f64]| {
            Sum::Classic(Classic {
                count: 3,
                sum: Some(1.5),
                bounds: bounds.to_vec(),
                counts: vec![1; bounds.len() + 1],
            })
        };
        let id = (TenantId(0), SeriesRef(1));
        let add = |time, sum| deltas.add(id, Times { now: time, time, start: time - 1 }, sum);
        add(10, classic(&[1.0, 2.0])).unwrap();
        let (start, sum) = add(11, classic(&[1.0, 2.0])).unwrap();
        let Sum::Classic(sum) = sum else { panic!("{sum:?}") };
        assert_eq!((start, sum.count, sum.sum, sum.counts), (9, 6, Some(3.0), vec![2; 3]));
        assert_eq!(add(12, classic(&[1.0])), Ok((11, classic(&[1.0]))));
    }
}
