//! A steady pace: work beside the server's own takes so many bytes a second, and ends when asked to.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use crate::os::Clock;
use crate::store::{Error, backup::Pace};

/// How long a wait goes on without looking whether it shall end.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Lets so many bytes a second go by.
#[derive(Debug)]
pub struct Steady {
    bytes_per_s: u64,
    clock: Arc<dyn Clock>,
    /// When the next bytes may move, by the monotonic clock.
    next: Mutex<Duration>,
    is_over: AtomicBool,
}

impl Steady {
    /// 0 is as fast as it goes.
    pub fn new(bytes_per_s: u64, clock: Arc<dyn Clock>) -> Self {
        Self { bytes_per_s, clock, next: Mutex::default(), is_over: AtomicBool::new(false) }
    }

    /// Ends the work at its next step.
    pub fn end(&self) {
        self.is_over.store(true, Relaxed);
    }
}

impl Pace for Steady {
    fn moved(&self, bytes: u64) -> Result<(), Error> {
        let until = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let now = self.clock.monotonic();
            let nanos = u128::from(bytes) * 1_000_000_000 / u128::from(self.bytes_per_s.max(1));
            let pause = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
            *next = (*next).max(now);
            if self.bytes_per_s > 0 {
                *next += pause;
            }
            *next
        };
        loop {
            if self.is_over.load(Relaxed) {
                return Err(Error::Closed);
            }
            let left = until.saturating_sub(self.clock.monotonic());
            if left.is_zero() {
                return Ok(());
            }
            thread::sleep(left.min(LOOK_EVERY));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::SystemClock;

    #[test]
    fn bytes_take_their_time_and_an_end_is_heard() {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let began = clock.monotonic();
        let pace = Steady::new(1_000_000, Arc::clone(&clock));
        (0..4).for_each(|_| pace.moved(5_000).unwrap());
        assert!(clock.monotonic() >= began + Duration::from_millis(20));
        pace.end();
        assert!(matches!(pace.moved(u64::MAX), Err(Error::Closed)));
        let quick = Steady::new(0, clock);
        assert!(quick.moved(u64::MAX).is_ok());
    }
}
