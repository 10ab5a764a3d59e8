//! How far it is: a line that is written over on a terminal, a line every ten seconds elsewhere.

use std::{
    io::{self, IsTerminal, Write},
    time::Duration,
};

use crate::os::{Clock, SystemClock};

/// Between two words on a terminal.
const EVERY: Duration = Duration::from_millis(200);
/// Between two lines elsewhere.
const EVERY_LINE: Duration = Duration::from_secs(10);

/// Says how far it is.
#[derive(Debug)]
pub(super) struct Meter {
    clock: SystemClock,
    /// By the monotonic clock.
    began: Duration,
    said: Duration,
    is_terminal: bool,
    is_open: bool,
}

impl Meter {
    pub(super) fn new() -> Self {
        let clock = SystemClock::new();
        let now = clock.monotonic();
        let is_terminal = io::stderr().is_terminal();
        Self { clock, began: now, said: now, is_terminal, is_open: false }
    }

    /// `share`: what is done of all, and the part of it that was done before.
    pub(super) fn show(&mut self, rows: u64, share: Option<(f64, f64)>) {
        let every = if self.is_terminal { EVERY } else { EVERY_LINE };
        let now = self.clock.monotonic();
        if now.saturating_sub(self.said) < every {
            return;
        }
        self.said = now;
        let line = line(rows, share, now.saturating_sub(self.began));
        let mut out = io::stderr().lock();
        // A terminal that is gone cannot be told that it is gone.
        let _ =
            if self.is_terminal { write!(out, "\r\x1b[K{line}") } else { writeln!(out, "{line}") };
        let _ = out.flush();
        self.is_open = self.is_terminal;
    }

    /// Clears the line.
    pub(super) fn end(&mut self) {
        if std::mem::take(&mut self.is_open) {
            let _ = write!(io::stderr().lock(), "\r\x1b[K");
        }
    }

    /// Rows a second, in words.
    pub(super) fn rate(&self, rows: u64) -> String {
        let took = self.clock.monotonic().saturating_sub(self.began);
        format!("{:.1} s, {}/s", took.as_secs_f64(), short(rows_a_second(rows, took)))
    }
}

fn line(rows: u64, share: Option<(f64, f64)>, took: Duration) -> String {
    let rate = short(rows_a_second(rows, took));
    let Some((done, skipped)) = share else {
        return format!("{} rows, {rate}/s", short(as_float(rows)));
    };
    let mine = (done - skipped).max(0.0);
    let left = took.as_secs_f64() * (1.0 - done).max(0.0) / mine;
    let left = match Duration::try_from_secs_f64(left) {
        Ok(left) if mine > 0.001 => format!(", {} left", clock(left)),
        _ => String::new(),
    };
    format!("{:3.0} % {} rows, {rate}/s{left}", done * 100.0, short(as_float(rows)))
}

fn rows_a_second(rows: u64, took: Duration) -> f64 {
    as_float(rows) / took.as_secs_f64().max(1e-3)
}

/// `1.25 M`.
fn short(count: f64) -> String {
    const UNITS: [(f64, &str); 3] = [(1e9, " G"), (1e6, " M"), (1e3, " k")];
    let unit = UNITS.into_iter().find(|(size, _)| count >= *size);
    unit.map_or_else(|| format!("{count:.0}"), |(size, unit)| format!("{:.2}{unit}", count / size))
}

/// `3m05s`.
fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, seconds) => format!("{minutes}m{seconds:02}s"),
        (hours, minutes, _) => format!("{hours}h{minutes:02}m"),
    }
}

#[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
const fn as_float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_share_rows_rate_and_what_is_left() {
        let took = Duration::from_secs(10);
        assert_eq!(
            line(2_500_000, Some((0.25, 0.0)), took),
            " 25 % 2.50 M rows, 250.00 k/s, 30s left"
        );
        // What an earlier run did counts as done, and says nothing of the pace.
        assert_eq!(line(0, Some((0.5, 0.5)), took), " 50 % 0 rows, 0/s");
        assert_eq!(line(999, None, took), "999 rows, 100/s");
        assert_eq!(clock(Duration::from_secs(7385)), "2h03m");
    }
}
