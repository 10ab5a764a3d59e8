//! Formats that a target is asked for.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

/// A format of an exposition, by the name that `scrape_protocols` has for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
pub enum ScrapeProtocol {
    /// Protobuf: native histograms come in it.
    PrometheusProto,
    /// Text as it has always been.
    #[serde(rename = "PrometheusText0.0.4")]
    PrometheusText0_0_4,
    /// Text with names of any letters.
    #[serde(rename = "PrometheusText1.0.0")]
    PrometheusText1_0_0,
    /// `OpenMetrics`, first draft.
    #[serde(rename = "OpenMetricsText0.0.1")]
    OpenMetricsText0_0_1,
    /// `OpenMetrics`.
    #[serde(rename = "OpenMetricsText1.0.0")]
    OpenMetricsText1_0_0,
}

/// How many there are: weights in `Accept` count down from one more.
const PROTOCOLS: usize = 5;

impl ScrapeProtocol {
    /// What is asked for where nothing is said.
    pub const DEFAULT: [Self; 4] = [
        Self::OpenMetricsText1_0_0,
        Self::OpenMetricsText0_0_1,
        Self::PrometheusText1_0_0,
        Self::PrometheusText0_0_4,
    ];

    /// What is asked for where native histograms are wanted.
    pub const WITH_NATIVE_HISTOGRAMS: [Self; 5] = [
        Self::PrometheusProto,
        Self::OpenMetricsText1_0_0,
        Self::OpenMetricsText0_0_1,
        Self::PrometheusText1_0_0,
        Self::PrometheusText0_0_4,
    ];

    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::PrometheusProto => {
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
            }
            Self::PrometheusText0_0_4 => "text/plain;version=0.0.4",
            Self::PrometheusText1_0_0 => "text/plain;version=1.0.0",
            Self::OpenMetricsText0_0_1 => "application/openmetrics-text;version=0.0.1",
            Self::OpenMetricsText1_0_0 => "application/openmetrics-text;version=1.0.0",
        }
    }

    fn has_escaping(self) -> bool {
        matches!(self, Self::PrometheusText1_0_0 | Self::OpenMetricsText1_0_0)
    }
}

/// The header `Accept` that asks for `protocols`, the first the most, in names of any letters where
/// `is_utf8`.
pub(in crate::collect::scrape) fn accept(protocols: &[ScrapeProtocol], is_utf8: bool) -> String {
    let mut out = String::new();
    let escaping = if is_utf8 { ";escaping=allow-utf-8" } else { ";escaping=underscores" };
    for (i, protocol) in protocols.iter().enumerate() {
        let weight = (PROTOCOLS + 1).saturating_sub(i);
        out.push_str(protocol.media_type());
        if protocol.has_escaping() {
            out.push_str(escaping);
        }
        // Writing to a string cannot fail.
        let _ = write!(out, ";q=0.{weight},");
    }
    let weight = (PROTOCOLS + 1).saturating_sub(protocols.len());
    let _ = write!(out, "*/*;q=0.{weight}");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_asked_for_most() {
        let asked = [ScrapeProtocol::OpenMetricsText1_0_0, ScrapeProtocol::PrometheusText0_0_4];
        assert_eq!(
            accept(&asked, true),
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
             text/plain;version=0.0.4;q=0.5,*/*;q=0.4"
        );
    }
}
