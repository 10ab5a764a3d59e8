//! The unit of timestamps, as a request names it.

const MICRO: i64 = 1_000;
const MILLI: i64 = 1_000 * MICRO;
const SECOND: i64 = 1_000 * MILLI;

/// The unit of the timestamps of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// `ns`, `n`.
    #[default]
    Nanoseconds,
    /// `us`, `u`, `µ`.
    Microseconds,
    /// `ms`.
    Milliseconds,
    /// `s`.
    Seconds,
    /// `m`.
    Minutes,
    /// `h`.
    Hours,
    /// `auto`: by how large each number is, as `InfluxDB` 3 guesses.
    Auto,
}

impl Precision {
    /// Of the parameter `precision`. A word that is not known means nanoseconds, as `InfluxDB` 1 has
    /// it.
    pub fn from_parameter(word: &str) -> Self {
        match word {
            "us" | "u" | "µ" | "µs" => Self::Microseconds,
            "ms" => Self::Milliseconds,
            "s" => Self::Seconds,
            "m" => Self::Minutes,
            "h" => Self::Hours,
            _ => Self::Nanoseconds,
        }
    }

    /// Of the parameter `precision` of version 3; None where it is not known there.
    pub fn from_word_of_version_3(word: &str) -> Option<Self> {
        match word {
            "" | "auto" => Some(Self::Auto),
            "nanosecond" | "ns" => Some(Self::Nanoseconds),
            "microsecond" | "us" => Some(Self::Microseconds),
            "millisecond" | "ms" => Some(Self::Milliseconds),
            "second" | "s" => Some(Self::Seconds),
            _ => None,
        }
    }

    /// The unit of this very number. Seconds of today are below 5e9, milliseconds below 5e12, and so
    /// on: the bounds are those of `InfluxDB` 3.
    pub(super) fn of(self, time: i64) -> Self {
        if self != Self::Auto {
            return self;
        }
        match time.unsigned_abs() / SECOND.unsigned_abs() {
            0..5 => Self::Seconds,
            5..5_000 => Self::Milliseconds,
            5_000..5_000_000 => Self::Microseconds,
            _ => Self::Nanoseconds,
        }
    }

    /// Nanoseconds in one.
    pub fn nanos(self) -> i64 {
        match self {
            Self::Nanoseconds | Self::Auto => 1,
            Self::Microseconds => MICRO,
            Self::Milliseconds => MILLI,
            Self::Seconds => SECOND,
            Self::Minutes => 60 * SECOND,
            Self::Hours => 3600 * SECOND,
        }
    }
}
