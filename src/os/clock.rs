//! Time, from the machine or as a test says.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant, SystemTime};

/// Two clocks: one that dates rows and may jump, one that measures and never goes back.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// Nanoseconds since 1970 UTC. Jumps when somebody sets the machine's clock.
    fn now(&self) -> i64;

    /// Time since some fixed moment. Never goes back.
    fn monotonic(&self) -> Duration;
}

/// The machine's clocks.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    started: Instant,
}

impl SystemClock {
    /// Monotonic time counts from here.
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine")]
    pub fn new() -> Self {
        Self { started: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine")]
    fn now(&self) -> i64 {
        match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => nanoseconds(since),
            Err(before) => -nanoseconds(before.duration()),
        }
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }
}

/// A clock that moves only when told to. Clones are the same clock.
#[derive(Clone, Debug, Default)]
pub struct SimClock(Arc<Times>);

#[derive(Debug, Default)]
struct Times {
    now: AtomicI64,
    monotonic: AtomicU64,
}

impl SimClock {
    /// A clock that says `now` (nanoseconds since 1970 UTC).
    pub fn new(now: i64) -> Self {
        let clock = Self::default();
        clock.set(now);
        clock
    }

    /// Sets the date, also back, as an operator or NTP may. Monotonic time does not notice.
    pub fn set(&self, now: i64) {
        self.0.now.store(now, SeqCst);
    }

    /// Lets `time` pass on both clocks.
    pub fn advance(&self, time: Duration) {
        let step = nanoseconds(time);
        self.0.now.fetch_add(step, SeqCst);
        self.0.monotonic.fetch_add(step.unsigned_abs(), SeqCst);
    }
}

impl Clock for SimClock {
    fn now(&self) -> i64 {
        self.0.now.load(SeqCst)
    }

    fn monotonic(&self) -> Duration {
        Duration::from_nanos(self.0.monotonic.load(SeqCst))
    }
}

/// Saturates in the year 2262, where `i64` ends.
fn nanoseconds(time: Duration) -> i64 {
    i64::try_from(time.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_simulated_clock_stands_still_until_told() {
        let clock = SimClock::new(1_000);
        let same = clock.clone();
        assert_eq!((same.now(), same.monotonic()), (1_000, Duration::ZERO));
        clock.advance(Duration::from_nanos(5));
        assert_eq!((same.now(), same.monotonic()), (1_005, Duration::from_nanos(5)));
        clock.set(-7);
        assert_eq!((same.now(), same.monotonic()), (-7, Duration::from_nanos(5)));
    }

    #[test]
    fn the_system_clock_is_past_2020_and_measures_forwards() {
        let clock = SystemClock::new();
        assert!(clock.now() > 1_577_836_800_000_000_000);
        let before = clock.monotonic();
        assert!(clock.monotonic() >= before);
    }
}
