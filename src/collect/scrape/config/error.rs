//! What is wrong with a configuration.

/// Why jobs cannot be made of a configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The text is not what it should be. The message has the place.
    #[error("{0}")]
    Text(String),
    /// A field has a value that means nothing.
    #[error("{field}: {why}")]
    Field {
        /// Its name.
        field: &'static str,
        /// What is wrong.
        why: String,
    },
    /// Something is wrong within a job.
    #[error("scrape_configs, job_name {job:?}: {source}")]
    Job {
        /// Which.
        job: String,
        /// What.
        source: Box<ConfigError>,
    },
    /// Two jobs of one name.
    #[error("scrape_configs: job_name {0:?} stands there twice")]
    Twice(String),
    /// Prometheus has it and Quipu does not.
    #[error("{0} is known to Prometheus but not supported here; {1}")]
    Unsupported(String, &'static str),
}

impl ConfigError {
    pub(super) fn in_job(self, job: &str) -> Self {
        Self::Job { job: job.to_owned(), source: Box::new(self) }
    }
}

/// Keys of Prometheus that are refused by name, and what to do instead.
const UNSUPPORTED: &[(&str, &str)] = &[
    (
        "oauth2",
        "fetch a token by another program and give its file in authorization.credentials_file",
    ),
    ("no_proxy", "leave it out: each job has its own proxy_url"),
    ("proxy_from_environment", "say proxy_url"),
    ("proxy_connect_header", "say proxy_url with user and password"),
    ("native_histogram_min_bucket_factor", "histograms are kept as they come"),
    ("scrape_config_files", "put the jobs into scrape_configs"),
    ("scrape_failure_log_file", "failures are shown at /api/v1/targets and in the log"),
];

const DISCOVERY: &str = "supported are static_configs, file_sd_configs, http_sd_configs and dns_sd_configs; many tools \
     write files for file_sd_configs";

/// `text`, an error of serde's, with an unknown key that Prometheus has called by its name.
pub(super) fn explained(text: &str) -> Option<ConfigError> {
    let at = text.find("unknown field `")?;
    let name = text.get(at..)?.split('`').nth(1)?;
    if let Some((name, hint)) = UNSUPPORTED.iter().find(|(known, _)| *known == name) {
        return Some(ConfigError::Unsupported((*name).to_owned(), hint));
    }
    let is_discovery = name.ends_with("_sd_configs");
    is_discovery.then(|| ConfigError::Unsupported(name.to_owned(), DISCOVERY))
}
