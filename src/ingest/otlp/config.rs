//! What the door may be told: the section `otlp` of Prometheus' configuration, and what sums up
//! differences.

use std::time::Duration;

use serde::{Deserialize, Deserializer, de};

/// How metrics and labels are named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
pub enum Strategy {
    /// What is no letter, digit or colon becomes `_`; unit and type are appended.
    #[default]
    UnderscoreEscapingWithSuffixes,
    /// What is no letter, digit or colon becomes `_`; nothing is appended.
    UnderscoreEscapingWithoutSuffixes,
    /// Names stay as they are; unit and type are appended.
    NoUTF8EscapingWithSuffixes,
    /// Names stay as they are.
    NoTranslation,
}

impl Strategy {
    /// Whether only letters, digits, underscores and colons are left in names.
    pub fn is_escaping(self) -> bool {
        match self {
            Self::UnderscoreEscapingWithSuffixes | Self::UnderscoreEscapingWithoutSuffixes => true,
            Self::NoUTF8EscapingWithSuffixes | Self::NoTranslation => false,
        }
    }

    /// Whether unit and type are appended to a metric's name.
    pub fn has_suffixes(self) -> bool {
        match self {
            Self::UnderscoreEscapingWithSuffixes | Self::NoUTF8EscapingWithSuffixes => true,
            Self::UnderscoreEscapingWithoutSuffixes | Self::NoTranslation => false,
        }
    }
}

/// Habits of the door. Names and defaults are those of Prometheus' section `otlp`; those that begin
/// with `delta_` are ours.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option that Prometheus has")]
pub struct Config {
    /// How metrics and labels are named.
    pub translation_strategy: Strategy,
    /// Whether every resource attribute becomes a label of every series.
    pub promote_all_resource_attributes: bool,
    /// Resource attributes that become labels of every series.
    pub promote_resource_attributes: Vec<String>,
    /// Resource attributes that do not, where all others do.
    pub ignore_resource_attributes: Vec<String>,
    /// Whether `target_info` has `service_name`, `service_namespace` and `service_instance_id`, too.
    pub keep_identifying_resource_attributes: bool,
    /// Whether histograms with explicit buckets become native histograms with custom buckets.
    pub convert_histograms_to_nhcb: bool,
    /// Whether a scope's name, version, schema and attributes become labels `otel_scope_…`.
    pub promote_scope_metadata: bool,
    /// Whether labels that begin with one underscore are given `key` before it.
    pub label_name_underscore_sanitization: bool,
    /// Whether several underscores in a row stay several in names of labels.
    pub label_name_preserve_multiple_underscores: bool,
    /// Whether differences are summed up; else they are refused.
    pub delta_to_cumulative: bool,
    /// How long a sum waits for its next difference before it is forgotten.
    #[serde(deserialize_with = "duration")]
    pub delta_max_stale: Duration,
    /// Bytes that the sums may take.
    pub delta_max_bytes: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            translation_strategy: Strategy::default(),
            promote_all_resource_attributes: false,
            promote_resource_attributes: Vec::new(),
            ignore_resource_attributes: Vec::new(),
            keep_identifying_resource_attributes: false,
            convert_histograms_to_nhcb: false,
            promote_scope_metadata: false,
            label_name_underscore_sanitization: true,
            label_name_preserve_multiple_underscores: true,
            delta_to_cumulative: true,
            // What the collector's `deltatocumulative` has.
            delta_max_stale: Duration::from_mins(5),
            delta_max_bytes: 64 << 20,
        }
    }
}

/// Two options that contradict each other, or a list that does.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// All or some.
    #[error(
        "'promote_all_resource_attributes' and 'promote_resource_attributes' cannot be configured \
         simultaneously"
    )]
    AllAndSome,
    /// All but some needs all.
    #[error(
        "'ignore_resource_attributes' cannot be configured unless \
         'promote_all_resource_attributes' is true"
    )]
    ButWithoutAll,
    /// An attribute without a name.
    #[error("'{0}' has an empty attribute")]
    Empty(&'static str),
    /// An attribute twice.
    #[error("'{0}' has the attribute {1:?} twice")]
    Twice(&'static str, String),
}

impl Config {
    /// Whether the options fit together.
    ///
    /// # Errors
    /// The first [`Conflict`].
    pub fn check(&self) -> Result<(), Conflict> {
        let (promoted, ignored) =
            (&self.promote_resource_attributes, &self.ignore_resource_attributes);
        if self.promote_all_resource_attributes && !promoted.is_empty() {
            return Err(Conflict::AllAndSome);
        }
        if !self.promote_all_resource_attributes && !ignored.is_empty() {
            return Err(Conflict::ButWithoutAll);
        }
        check_list("promote_resource_attributes", promoted)?;
        check_list("ignore_resource_attributes", ignored)
    }

    /// Whether a resource attribute becomes a label of every series.
    pub(super) fn promotes(&self, attribute: &str) -> bool {
        let is_in = |list: &[String]| list.iter().any(|name| name.trim() == attribute);
        if self.promote_all_resource_attributes {
            !is_in(&self.ignore_resource_attributes)
        } else {
            is_in(&self.promote_resource_attributes)
        }
    }
}

fn check_list(option: &'static str, list: &[String]) -> Result<(), Conflict> {
    for (index, name) in list.iter().enumerate() {
        let name = name.trim();
        if name.is_empty() {
            return Err(Conflict::Empty(option));
        }
        if list.iter().take(index).any(|other| other.trim() == name) {
            return Err(Conflict::Twice(option, name.to_owned()));
        }
    }
    Ok(())
}

/// `90s`, `5m`, `1h`: a whole number and a unit, as Prometheus writes durations.
fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    let parsed = text.find(|c: char| !c.is_ascii_digit()).and_then(|at| {
        let (count, unit) = text.split_at_checked(at)?;
        let (_, millis) = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)]
            .into_iter()
            .find(|(name, _)| *name == unit)?;
        count.parse::<u64>().ok()?.checked_mul(millis).map(Duration::from_millis)
    });
    parsed
        .ok_or_else(|| de::Error::custom(format!("{text:?} is no duration such as 90s, 5m or 1h")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Config, String> {
        let config: Config = serde_json::from_str(json).map_err(|error| error.to_string())?;
        config.check().map_err(|conflict| conflict.to_string())?;
        Ok(config)
    }

    #[test]
    fn nothing_said_is_the_default_and_is_good() {
        assert_eq!(read("{}"), Ok(Config::default()));
    }

    #[test]
    fn options_are_called_as_those_of_prometheus() {
        let config = read(
            r#"{"translation_strategy": "NoUTF8EscapingWithSuffixes",
                "promote_all_resource_attributes": true, "ignore_resource_attributes": ["host.id"],
                "keep_identifying_resource_attributes": true, "convert_histograms_to_nhcb": true,
                "promote_scope_metadata": true, "label_name_underscore_sanitization": false,
                "label_name_preserve_multiple_underscores": false, "delta_max_stale": "90s"}"#,
        )
        .unwrap();
        assert_eq!(config.translation_strategy, Strategy::NoUTF8EscapingWithSuffixes);
        assert!(config.promotes("host.name") && !config.promotes("host.id"));
        assert_eq!(config.delta_max_stale, Duration::from_secs(90));
    }

    #[test]
    fn what_contradicts_itself_is_named() {
        for (json, says) in [
            (r#"{"promote_resources": []}"#, "unknown field `promote_resources`"),
            (r#"{"translation_strategy": "Some"}"#, "unknown variant `Some`"),
            (r#"{"delta_max_stale": "soon"}"#, "is no duration"),
            (r#"{"ignore_resource_attributes": ["a"]}"#, "unless"),
            (
                r#"{"promote_all_resource_attributes": true, "promote_resource_attributes": ["a"]}"#,
                "simultaneously",
            ),
            (r#"{"promote_resource_attributes": ["a", " a"]}"#, "twice"),
            (r#"{"promote_resource_attributes": [" "]}"#, "empty"),
        ] {
            let error = read(json).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }
}
