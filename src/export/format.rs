//! The formats there are: their names, media types and file endings.

/// A format that rows are written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// JSON lines, as VictoriaMetrics has them.
    #[default]
    JsonLines,
    /// Comma-separated values with a head.
    Csv,
    /// `OpenMetrics` text.
    OpenMetrics,
    /// Line protocol.
    Lines,
    /// Parquet.
    Parquet,
    /// A stream of Arrow record batches.
    Arrow,
}

/// Every format, with its name, other names, media type and file ending.
const ALL: [(Format, &[&str], &str, &str); 6] = [
    (
        Format::JsonLines,
        &["jsonl", "json", "ndjson"],
        "application/stream+json; charset=utf-8",
        "jsonl",
    ),
    (Format::Csv, &["csv"], "text/csv; charset=utf-8; header=present", "csv"),
    (
        Format::OpenMetrics,
        &["openmetrics", "om"],
        "application/openmetrics-text; version=1.0.0; charset=utf-8",
        "om",
    ),
    (Format::Lines, &["lp", "lines", "influx"], "text/plain; charset=utf-8", "lp"),
    (Format::Parquet, &["parquet"], "application/vnd.apache.parquet", "parquet"),
    (Format::Arrow, &["arrow"], "application/vnd.apache.arrow.stream", "arrow"),
];

impl Format {
    fn entry(self) -> (&'static [&'static str], &'static str, &'static str) {
        let found = ALL.iter().find(|(format, ..)| *format == self);
        found.map_or((&[], "", ""), |(_, names, media_type, ending)| (*names, *media_type, *ending))
    }

    /// The format of a name.
    pub fn named(name: &str) -> Option<Self> {
        ALL.iter().find(|(_, names, ..)| names.contains(&name)).map(|(format, ..)| *format)
    }

    /// The names that may be given, in words.
    pub fn names() -> String {
        let first = ALL.iter().filter_map(|(_, names, ..)| names.first().copied());
        first.collect::<Vec<_>>().join(", ")
    }

    /// The first format of an `Accept` header that is one of ours and is named whole: `text/*` and
    /// `*/*` leave the choice to us.
    pub fn accepted(accept: &str) -> Option<Self> {
        accept.split(',').find_map(|range| {
            let wanted = range.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
            let is_it = |entry: &&(Self, &[&str], &str, &str)| {
                entry.0 != Self::Lines && entry.2.split(';').next() == Some(wanted.as_str())
            };
            ALL.iter().find(is_it).map(|(format, ..)| *format)
        })
    }

    /// Its media type.
    pub fn media_type(self) -> &'static str {
        self.entry().1
    }

    /// The ending of a file's name.
    pub fn ending(self) -> &'static str {
        self.entry().2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_named_and_negotiated() {
        assert_eq!(Format::named("parquet"), Some(Format::Parquet));
        assert_eq!(Format::named("xml"), None);
        let chrome = "text/html,application/xhtml+xml,*/*;q=0.8";
        for (accept, expected) in [
            ("text/csv", Some(Format::Csv)),
            (
                "application/openmetrics-text;version=1.0.0,text/plain;q=0.5",
                Some(Format::OpenMetrics),
            ),
            ("application/json, application/vnd.apache.parquet", Some(Format::Parquet)),
            ("text/plain", None),
            (chrome, None),
        ] {
            assert_eq!(Format::accepted(accept), expected, "{accept}");
        }
        assert_eq!(Format::names(), "jsonl, csv, openmetrics, lp, parquet, arrow");
    }
}
