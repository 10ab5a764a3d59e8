//! What to do with an answer, how long to wait, how many shards to have: values in, values out.

use std::time::Duration;

/// What an answer asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The rows are there.
    Sent,
    /// Send them again, not sooner than said.
    Again(Option<Duration>),
    /// Sending them again will not help.
    Refused,
}

/// Longer than this nobody is waited for, whatever they say.
const RETRY_AFTER_MAX: Duration = Duration::from_mins(10);

/// Judges a status: 5xx is tried again, 429 where the configuration says so, the rest is not.
pub(super) fn judge(status: u16, retry_after: &str, is_429_retried: bool) -> Verdict {
    let after = retry_after.trim().parse().ok().map(Duration::from_secs);
    let again = Verdict::Again(after.map(|after| after.min(RETRY_AFTER_MAX)));
    match status {
        200..=299 => Verdict::Sent,
        429 if is_429_retried => again,
        500..=599 => again,
        _ => Verdict::Refused,
    }
}

/// How long to wait before the next try, and the pause after that one.
pub(super) fn pause(
    now: Duration,
    asked: Option<Duration>,
    longest: Duration,
) -> (Duration, Duration) {
    (asked.unwrap_or(now), (now * 2).min(longest))
}

/// What a sender saw over a span of time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Seen {
    /// How long that was.
    pub(super) seconds: f64,
    /// Rows that came into the log.
    pub(super) rows_in: f64,
    /// Rows that were sent.
    pub(super) rows_out: f64,
    /// Seconds that shards spent sending, together.
    pub(super) busy: f64,
    /// Rows that wait now.
    pub(super) rows_waiting: f64,
}

/// Of what waits, this share is to be caught up a second, beside what comes in.
const CATCH_UP: f64 = 0.1;
/// A wish so near to what there is changes nothing.
const TOLERANCE: f64 = 0.3;

/// How many shards would keep up, as Prometheus reckons (`storage/remote/queue_manager.go`,
/// `calculateDesiredShards`): the time a row takes, times the rows a second that are to go out.
pub(super) fn shards_wanted(seen: Seen, now: usize, (least, most): (usize, usize)) -> usize {
    let bounded = |count: usize| count.clamp(least.max(1), most.max(least).max(1));
    if seen.rows_out <= 0.0 || seen.seconds <= 0.0 {
        // Nothing went out: the other side is away, and more shards would not bring it back.
        return bounded(now);
    }
    let row_seconds = seen.busy / seen.rows_out;
    let wanted = row_seconds * (seen.rows_in / seen.seconds + CATCH_UP * seen.rows_waiting);
    #[expect(clippy::cast_precision_loss, reason = "shards are few")]
    let current = now as f64;
    if (wanted / current - 1.0).abs() <= TOLERANCE {
        return bounded(now);
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 1 and a million"
    )]
    bounded(wanted.ceil().clamp(1.0, 1e6) as usize)
}

/// The shard of a series: always the same one, so that its rows stay in order.
pub(super) fn shard_of(series: u64, shards: usize) -> usize {
    let mixed = series.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    usize::try_from(mixed).unwrap_or(0) % shards.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_in_trouble_are_asked_again_and_refusals_are_final() {
        let seconds = |n| Some(Duration::from_secs(n));
        for (status, after, is_429_retried, expected) in [
            (200, "", false, Verdict::Sent),
            (204, "", false, Verdict::Sent),
            (503, "", false, Verdict::Again(None)),
            (500, "7", false, Verdict::Again(seconds(7))),
            (503, "999999", false, Verdict::Again(seconds(600))),
            (503, "soon", false, Verdict::Again(None)),
            (429, "3", true, Verdict::Again(seconds(3))),
            (429, "3", false, Verdict::Refused),
            (400, "", true, Verdict::Refused),
            (415, "1", true, Verdict::Refused),
            (302, "", true, Verdict::Refused),
        ] {
            assert_eq!(judge(status, after, is_429_retried), expected, "{status}");
        }
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        let (ms, longest) = (Duration::from_millis, Duration::from_millis(100));
        assert_eq!(pause(ms(30), None, longest), (ms(30), ms(60)));
        assert_eq!(pause(ms(60), None, longest), (ms(60), ms(100)));
        assert_eq!(pause(ms(100), Some(ms(5000)), longest), (ms(5000), ms(100)));
    }

    #[test]
    fn shards_follow_the_rows_and_the_time_a_row_takes() {
        let seen = Seen {
            seconds: 10.0,
            rows_in: 100_000.0,
            rows_out: 20_000.0,
            busy: 10.0,
            rows_waiting: 0.0,
        };
        // Half a millisecond a row, ten thousand rows a second.
        assert_eq!(shards_wanted(seen, 1, (1, 50)), 5);
        assert_eq!(shards_wanted(seen, 1, (1, 3)), 3);
        assert_eq!(shards_wanted(seen, 4, (1, 50)), 4, "near enough");
        assert_eq!(shards_wanted(Seen { rows_waiting: 1e6, ..seen }, 1, (1, 50)), 50);
        assert_eq!(shards_wanted(Seen { rows_out: 0.0, ..seen }, 7, (1, 50)), 7);
        assert_eq!(shards_wanted(Seen { rows_in: 10.0, ..seen }, 50, (2, 50)), 2);
    }

    #[test]
    fn series_spread_over_shards() {
        let mut counts = [0; 7];
        (1..=7000).for_each(|series| counts[shard_of(series, 7)] += 1);
        assert!(counts.iter().all(|count| (800..1200).contains(count)), "{counts:?}");
    }
}
