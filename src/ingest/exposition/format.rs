//! Which of the three formats a body has.

/// A format of an exposition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// `text/plain; version=0.0.4`
    #[default]
    Text,
    /// `application/openmetrics-text; version=1.0.0`
    OpenMetrics,
    /// `application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited`
    Protobuf,
}

impl Format {
    /// The format that a `Content-Type` header names; None where it names another, or nothing.
    ///
    /// Versions are not looked at: each format reads its older forms.
    pub fn from_content_type(header: &str) -> Option<Self> {
        let media_type = header.split(';').next().unwrap_or_default().trim();
        let is = |name: &str| media_type.eq_ignore_ascii_case(name);
        if is("text/plain") {
            Some(Self::Text)
        } else if is("application/openmetrics-text") {
            Some(Self::OpenMetrics)
        } else if is("application/vnd.google.protobuf") {
            header.contains("io.prometheus.client.MetricFamily").then_some(Self::Protobuf)
        } else {
            None
        }
    }

    /// The format of text whose sender does not say: `OpenMetrics` ends with a line `# EOF`.
    pub fn of_text(body: &[u8]) -> Self {
        if body.trim_ascii_end().ends_with(b"\n# EOF") || body.trim_ascii() == b"# EOF" {
            Self::OpenMetrics
        } else {
            Self::Text
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_known_by_their_media_type() {
        for (header, expected) in [
            ("text/plain", Some(Format::Text)),
            ("text/plain; version=0.0.4; charset=utf-8", Some(Format::Text)),
            ("application/openmetrics-text; version=1.0.0", Some(Format::OpenMetrics)),
            (
                "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; \
                 encoding=delimited",
                Some(Format::Protobuf),
            ),
            ("application/vnd.google.protobuf; proto=other", None),
            ("application/json", None),
            ("", None),
        ] {
            assert_eq!(Format::from_content_type(header), expected, "{header}");
        }
    }

    #[test]
    fn text_that_ends_in_eof_is_openmetrics() {
        assert_eq!(Format::of_text(b"a 1\n# EOF\n"), Format::OpenMetrics);
        assert_eq!(Format::of_text(b"# EOF"), Format::OpenMetrics);
        assert_eq!(Format::of_text(b"a 1\n"), Format::Text);
        assert_eq!(Format::of_text(b"a 1 # EOF\n"), Format::Text);
    }
}
