//! Whether a row's time is taken now.

use crate::ingest::Reason;
use crate::model::TimeRange;

const NANOS_PER_MILLI: i64 = 1_000_000;

/// The registry's window in the units that senders use: asked once a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    window: TimeRange,
    millis_first: i64,
    millis_last: i64,
}

impl Bounds {
    pub(super) fn new(window: TimeRange) -> Self {
        let (start, last) = (window.start().nanos(), window.end().nanos() - 1);
        // Rounded inwards: times between are inside, and their nanoseconds fit.
        let millis_first =
            start.div_euclid(NANOS_PER_MILLI) + i64::from(start.rem_euclid(NANOS_PER_MILLI) != 0);
        Self { window, millis_first, millis_last: last.div_euclid(NANOS_PER_MILLI) }
    }

    /// Milliseconds to nanoseconds, if rows of that time are taken.
    #[inline]
    pub(super) fn millis(&self, millis: i64) -> Result<i64, Reason> {
        if self.millis_first <= millis && millis <= self.millis_last {
            return Ok(millis * NANOS_PER_MILLI);
        }
        let time = millis.checked_mul(NANOS_PER_MILLI).ok_or(Reason::TimeOutside(millis))?;
        Err(self.why_not(time))
    }

    /// Nanoseconds, if rows of that time are taken.
    #[inline]
    pub(super) fn nanos(&self, time: i64) -> Result<i64, Reason> {
        if self.window.start().nanos() <= time && time < self.window.end().nanos() {
            return Ok(time);
        }
        Err(self.why_not(time))
    }

    #[cold]
    fn why_not(&self, time: i64) -> Reason {
        if time < self.window.start().nanos() {
            Reason::TooOld { time, start: self.window.start().nanos() }
        } else {
            Reason::TooFarAhead { time, end: self.window.end().nanos() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;

    #[test]
    fn the_window_is_rounded_inwards_to_milliseconds() {
        let window = TimeRange::new(Timestamp(1_500_000), Timestamp(4_000_000)).unwrap();
        let bounds = Bounds::new(window);
        assert!(matches!(bounds.millis(1), Err(Reason::TooOld { time: 1_000_000, .. })));
        assert_eq!(bounds.millis(2), Ok(2_000_000));
        assert_eq!(bounds.millis(3), Ok(3_000_000));
        assert!(matches!(bounds.millis(4), Err(Reason::TooFarAhead { .. })));
        assert_eq!(
            (bounds.nanos(1_500_000), bounds.nanos(3_999_999)),
            (Ok(1_500_000), Ok(3_999_999))
        );
        assert!(bounds.nanos(4_000_000).is_err() && bounds.nanos(1_499_999).is_err());
    }

    #[test]
    fn milliseconds_outside_of_nanoseconds_have_a_reason_of_their_own() {
        let bounds = Bounds::new(TimeRange::ALL);
        assert_eq!(bounds.millis(i64::MAX), Err(Reason::TimeOutside(i64::MAX)));
        assert_eq!(bounds.millis(9_223_372_036_855), Err(Reason::TimeOutside(9_223_372_036_855)));
        assert!(bounds.millis(9_223_372_036_854).is_ok());
        assert!(bounds.millis(-9_223_372_036_854).is_ok());
        assert!(bounds.millis(i64::MIN).is_err());
    }
}
