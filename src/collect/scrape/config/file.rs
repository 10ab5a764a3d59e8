//! A whole file: `global` and `scrape_configs`.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};

use super::error::explained;
use super::{ByteSize, ConfigError, Job, JobConfig, ScrapeProtocol};
use crate::model::TimeSpan;

/// `global`: what jobs have that do not say otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "names and meanings are those of Prometheus; docs/scraping.md has them"
)]
pub struct GlobalConfig {
    pub scrape_interval: TimeSpan,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scrape_timeout: Option<TimeSpan>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scrape_protocols: Option<Vec<ScrapeProtocol>>,
    pub evaluation_interval: TimeSpan,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule_query_offset: Option<TimeSpan>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query_log_file: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub external_labels: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_size_limit: Option<ByteSize>,
    pub sample_limit: u64,
    pub label_limit: u64,
    pub label_name_length_limit: u64,
    pub label_value_length_limit: u64,
    pub target_limit: u64,
    pub keep_dropped_targets: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric_name_validation_scheme: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric_name_escaping_scheme: Option<String>,
    pub scrape_native_histograms: Option<bool>,
    #[serde(alias = "scrape_classic_histograms")]
    pub always_scrape_classic_histograms: bool,
    pub convert_classic_histograms_to_nhcb: bool,
    pub extra_scrape_metrics: bool,
}

impl Default for GlobalConfig {
    fn default() -> Self {
        Self {
            scrape_interval: TimeSpan::from_secs(60),
            scrape_timeout: None,
            scrape_protocols: None,
            evaluation_interval: TimeSpan::from_secs(60),
            rule_query_offset: None,
            query_log_file: None,
            external_labels: BTreeMap::new(),
            body_size_limit: None,
            sample_limit: 0,
            label_limit: 0,
            label_name_length_limit: 0,
            label_value_length_limit: 0,
            target_limit: 0,
            keep_dropped_targets: 0,
            metric_name_validation_scheme: None,
            metric_name_escaping_scheme: None,
            scrape_native_histograms: None,
            always_scrape_classic_histograms: false,
            convert_classic_histograms_to_nhcb: false,
            extra_scrape_metrics: false,
        }
    }
}

/// What scraping reads of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScrapeFile {
    /// What jobs have in common.
    pub global: GlobalConfig,
    /// The jobs.
    pub scrape_configs: Vec<JobConfig>,
}

impl ScrapeFile {
    /// Reads YAML.
    ///
    /// # Errors
    /// Where and why it cannot be read.
    pub fn read(text: &str) -> Result<Self, ConfigError> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        serde_saphyr::from_str(text).map_err(|error| {
            let text = error.to_string();
            explained(&text).unwrap_or(ConfigError::Text(text))
        })
    }

    /// The jobs with everything filled in that `global` says.
    ///
    /// # Errors
    /// What means nothing, and in which job.
    pub fn jobs(&self) -> Result<Vec<Job>, ConfigError> {
        if self.global.scrape_interval.is_zero() {
            let why = "must be over 0".into();
            return Err(ConfigError::Field { field: "global.scrape_interval", why });
        }
        let mut names = HashSet::new();
        let mut jobs = Vec::with_capacity(self.scrape_configs.len());
        for config in &self.scrape_configs {
            if !names.insert(config.job_name.as_str()) {
                return Err(ConfigError::Twice(config.job_name.clone()));
            }
            let job = Job::new(config, &self.global);
            jobs.push(job.map_err(|error| error.in_job(&config.job_name))?);
        }
        Ok(jobs)
    }
}
