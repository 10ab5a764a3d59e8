//! Sizes in bytes: `10MB`, `512KiB`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A number of bytes. Every unit is a power of 1024, with or without its `i`, as Prometheus has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(pub u64);

const UNITS: [(&str, u64); 6] = [
    ("E", 1 << 60),
    ("P", 1 << 50),
    ("T", 1 << 40),
    ("G", 1 << 30),
    ("M", 1 << 20),
    ("K", 1 << 10),
];

impl FromStr for ByteSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let no = || {
            format!(
                "{:?} is no size; write it like 10MB",
                text.chars().take(40).collect::<String>()
            )
        };
        if text == "0" {
            return Ok(Self(0));
        }
        let at = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(no)?;
        let (count, unit) = text.split_at_checked(at).ok_or_else(no)?;
        let count: u64 = count.parse().map_err(|_| no())?;
        let unit = unit.strip_suffix('B').ok_or_else(no)?;
        let unit = unit.strip_suffix('i').unwrap_or(unit);
        let unit = unit.to_uppercase();
        let size = match UNITS.iter().find(|(name, _)| *name == unit) {
            Some((_, size)) => *size,
            None if unit.is_empty() => 1,
            None => return Err(no()),
        };
        count.checked_mul(size).map(Self).ok_or_else(no)
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = UNITS.iter().find(|(_, size)| self.0 != 0 && self.0.is_multiple_of(*size));
        match whole {
            Some((name, size)) => write!(f, "{}{name}B", self.0 / size),
            None => write!(f, "{}B", self.0),
        }
    }
}

impl<'de> Deserialize<'de> for ByteSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl Serialize for ByteSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_printed() {
        for (text, size) in [("0", 0), ("7B", 7), ("10MB", 10 << 20), ("3KiB", 3 << 10), ("1gb", 0)]
        {
            match text.parse::<ByteSize>() {
                Ok(read) => assert_eq!(read, ByteSize(size), "{text}"),
                Err(_) => assert_eq!(text, "1gb"),
            }
        }
        assert_eq!(ByteSize(10 << 20).to_string(), "10MB");
        assert_eq!(ByteSize(1025).to_string(), "1025B");
        for text in ["", "MB", "10", "10XB", "99999999999EB"] {
            assert!(text.parse::<ByteSize>().is_err(), "{text}");
        }
    }
}
